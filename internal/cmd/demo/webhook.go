package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// webhook receives the network's notifications and prints them.
type webhook struct {
	url, token string
	out        *printer
	server     *http.Server
	arrived    chan struct{} // at least one notification has arrived

	mu        sync.Mutex
	available map[string]bool // by session
}

func listen(ctx context.Context, out *printer) (*webhook, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &webhook{
		url:       "http://" + listener.Addr().String() + "/qod",
		token:     rand.Text(),
		out:       out,
		arrived:   make(chan struct{}, 1),
		available: map[string]bool{},
	}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(listener) }() // until close
	return w, nil
}

func (w *webhook) close() { _ = w.server.Close() }

// ServeHTTP accepts a CloudEvent from a sender that knows the token, and never prints the token.
func (w *webhook) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	given := request.Header.Get("Authorization")
	if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+w.token)) != 1 {
		w.out.say("webhook: refused a notification without the right token")
		answer.WriteHeader(http.StatusUnauthorized)
		return
	}
	var event struct {
		Data struct {
			SessionID  string `json:"sessionId"`
			QoSStatus  string `json:"qosStatus"`
			StatusInfo string `json:"statusInfo"`
		} `json:"data"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(answer, request.Body, 1<<16)).Decode(&event); err != nil {
		w.out.say("webhook: refused a body that is not a CloudEvent: %v", err)
		answer.WriteHeader(http.StatusBadRequest)
		return
	}
	status := event.Data.QoSStatus
	if event.Data.StatusInfo != "" {
		status += " (" + event.Data.StatusInfo + ")"
	}
	w.out.say("webhook: session %s is %s", event.Data.SessionID, status)
	if event.Data.QoSStatus == sandbox.StatusAvailable {
		w.mu.Lock()
		w.available[event.Data.SessionID] = true
		w.mu.Unlock()
	}
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	answer.WriteHeader(http.StatusNoContent)
}

// await returns once every session was reported as available. Notifications travel separately, so
// the last one may arrive a moment after the apply that waited for the same status.
func (w *webhook) await(ctx context.Context, sessions map[string]session) error {
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	for {
		missing := w.missing(sessions)
		if missing == "" {
			return nil
		}
		select {
		case <-w.arrived:
		case <-late.C:
			return fmt.Errorf("the webhook received no AVAILABLE notification for session %s", missing)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *webhook) missing(sessions map[string]session) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range sessions {
		if !w.available[s.ID] {
			return s.ID
		}
	}
	return ""
}
