// Webhook receives the network's notifications, and pages somebody when the network ends a session.
// It serves http://127.0.0.1:8080/qod/NAME, behind a proxy that has TLS. The environment sets:
//
//	WEBHOOK_TOKEN  what notification_auth_token is
//	PAGE           a shell command that gets one line of text on standard input, such as
//	               curl -sSf -m 30 --data-binary @- https://ntfy.example.com/match
//	LISTEN         another HOST:PORT
//
// Page yourself once, before the event does. The token is on no command line:
//
//	printf 'Authorization: Bearer %s' "$WEBHOOK_TOKEN" | curl -i -H @- \
//	    -d '{"data": {"sessionId": "test", "qosStatus": "UNAVAILABLE"}}' \
//	    http://127.0.0.1:8080/qod/test
package main

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

type change struct{ SessionID, QoSStatus, StatusInfo string }

func main() {
	if os.Getenv("WEBHOOK_TOKEN") == "" || os.Getenv("PAGE") == "" {
		log.Fatal("set WEBHOOK_TOKEN and PAGE")
	}
	http.HandleFunc("POST /qod/{name...}", receive)
	log.Fatal(http.ListenAndServe(cmp.Or(os.Getenv("LISTEN"), "127.0.0.1:8080"), nil))
}

func receive(answer http.ResponseWriter, request *http.Request) {
	var event struct{ Data change }
	if subtle.ConstantTimeCompare([]byte(request.Header.Get("Authorization")), []byte("Bearer "+os.Getenv("WEBHOOK_TOKEN"))) == 0 {
		answer.WriteHeader(http.StatusUnauthorized)
	} else if json.NewDecoder(http.MaxBytesReader(answer, request.Body, 1<<16)).Decode(&event) != nil || event.Data.QoSStatus == "" {
		answer.WriteHeader(http.StatusBadRequest)
	} else if answer.WriteHeader(http.StatusNoContent); event.Data.QoSStatus == "UNAVAILABLE" && event.Data.StatusInfo != "DELETE_REQUESTED" && event.Data.StatusInfo != "DURATION_EXPIRED" {
		text := fmt.Sprintf("%q is without quality: session %q is UNAVAILABLE, %q", request.PathValue("name"), event.Data.SessionID, event.Data.StatusInfo)
		page := exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", os.Getenv("PAGE")}, Stdin: strings.NewReader(text + "\n"), Stderr: os.Stderr}
		go func() { log.Print(text, "; error of PAGE: ", page.Run()) }() // the network does not wait for it
	}
}
