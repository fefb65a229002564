// Webhook receives the network's notifications, and pages somebody when the network ends a session.
// It serves http://127.0.0.1:8080/qod/NAME, behind a proxy that has TLS. The environment sets:
//
//	WEBHOOK_TOKENS  the tokens that are good, separated by spaces
//	PAGE            a shell command that gets one line of text on standard input, such as
//	                curl -sf -m 30 --data-binary @- https://ntfy.example.com/match
//	LISTEN          another HOST:PORT
//
// Page yourself once, before the event does. The token is on no command line:
//
//	printf 'Authorization: Bearer %s' "$WEBHOOK_TOKENS" | curl -i -H @- \
//	    -d '{"data": {"sessionId": "test", "qosStatus": "UNAVAILABLE"}}' \
//	    http://127.0.0.1:8080/qod/test
package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// seen has the events that were paged: a network may send one twice. The session is part of the
// key, or events without an id would all be the same.
var seen sync.Map

func main() {
	address := os.Getenv("LISTEN")
	if address == "" {
		address = "127.0.0.1:8080"
	}
	if os.Getenv("WEBHOOK_TOKENS") == "" || os.Getenv("PAGE") == "" {
		log.Fatal("set WEBHOOK_TOKENS and PAGE")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s/qod/", listener.Addr())
	http.HandleFunc("POST /qod/{name...}", receive)
	log.Fatal((&http.Server{ReadTimeout: 10 * time.Second}).Serve(listener))
}

func receive(answer http.ResponseWriter, request *http.Request) {
	if !authorized(request.Header.Get("Authorization")) {
		answer.WriteHeader(http.StatusUnauthorized)
		return
	}
	var event struct {
		ID   string
		Data struct{ SessionID, QoSStatus, StatusInfo string }
	}
	err := json.NewDecoder(http.MaxBytesReader(answer, request.Body, 1<<16)).Decode(&event)
	if err != nil || event.Data.QoSStatus == "" {
		answer.WriteHeader(http.StatusBadRequest)
		return
	}
	answer.WriteHeader(http.StatusNoContent)
	text := fmt.Sprintf("%q: session %q is %q %q", request.PathValue("name"), event.Data.SessionID, event.Data.QoSStatus, event.Data.StatusInfo)
	log.Print(text)
	if event.Data.QoSStatus != "UNAVAILABLE" || event.Data.StatusInfo == "DELETE_REQUESTED" || event.Data.StatusInfo == "DURATION_EXPIRED" {
		return // no news: it has what it asked for
	}
	if _, again := seen.LoadOrStore(event.ID+" "+event.Data.SessionID, true); !again {
		go page(context.WithoutCancel(request.Context()), text) // the network does not wait for it
	}
}

// authorized takes as long for a wrong token as for the right one, which nobody can then find out
// letter by letter. There are two tokens while one replaces the other.
func authorized(header string) bool {
	equal := 0
	for token := range strings.FieldsSeq(os.Getenv("WEBHOOK_TOKENS")) {
		equal |= subtle.ConstantTimeCompare([]byte(header), []byte("Bearer "+token))
	}
	return equal == 1
}

func page(ctx context.Context, text string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a command that hangs
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "-c", os.Getenv("PAGE"))
	command.WaitDelay = time.Second // for what it has started
	command.Stdin = strings.NewReader(text + "\n")
	if out, err := command.CombinedOutput(); err != nil {
		log.Printf("PAGE failed: %v: %s", err, out)
	}
}
