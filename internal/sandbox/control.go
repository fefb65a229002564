package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PathControl is the path, next to the API, that controls a sandbox with Config.Control: GET
// ledger, and POST revoke, advance and fail.
const PathControl = "/_sandbox/"

// ControlRequest is the JSON body of a POST to the control path. Each verb reads its own members.
type ControlRequest struct {
	Device    string    `json:"device,omitempty"`    // revoke: a device identifier, its address and port, or a session id
	By        string    `json:"by,omitempty"`        // advance: a duration
	To        time.Time `json:"to,omitzero"`         // advance: a time, instead of a duration
	Operation Operation `json:"operation,omitempty"` // fail
	Effect    string    `json:"effect,omitempty"`    // fail: see ParseEffect
	Times     int       `json:"times,omitempty"`     // fail: 0 means once, -1 always
}

// ControlResponse is the answer. A refusal has only a Reason.
type ControlResponse struct {
	Sessions []Session `json:"sessions"` // the ledger, the history, or the revoked sessions
	Now      time.Time `json:"now"`      // by the sandbox's clock
	Reason   string    `json:"reason,omitempty"`
}

// control serves the control path.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request) {
	outcome, err := s.execute(r)
	status := http.StatusOK
	if err != nil {
		status, outcome.Reason = http.StatusBadRequest, err.Error()
	}
	outcome.Now = s.clock.Now()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(outcome)
}

func (s *Sandbox) execute(r *http.Request) (ControlResponse, error) {
	verb := r.Method + " " + strings.TrimPrefix(r.URL.Path, PathControl)
	switch verb {
	case "GET ledger":
		return ControlResponse{Sessions: s.Ledger()}, nil
	case "GET history":
		return ControlResponse{Sessions: s.History()}, nil
	case "GET clock":
		return ControlResponse{}, nil // every response has the time
	}
	var request ControlRequest
	// A browser asks before it sends JSON to another site, so no web page that is open on this
	// machine can control the sandbox.
	if r.Header.Get("Content-Type") != "application/json" {
		return ControlResponse{}, errors.New("the Content-Type must be application/json")
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, largestBody)).Decode(&request); err != nil {
		return ControlResponse{}, fmt.Errorf("the body is not valid JSON: %w", err)
	}
	switch verb {
	case "POST revoke":
		return s.revokeByName(request.Device)
	case "POST advance":
		return ControlResponse{}, s.advance(request)
	case "POST fail":
		return ControlResponse{}, s.injectFault(request)
	case "POST heal":
		s.Heal()
		return ControlResponse{}, nil
	}
	return ControlResponse{}, fmt.Errorf("unknown request %q", verb)
}

// revokeByName revokes a session by its id, or the sessions of a device by any of its identifiers
// or by its IPv4 address and port.
func (s *Sandbox) revokeByName(name string) (ControlResponse, error) {
	var revoked []Session
	for _, session := range s.Ledger() {
		named := session.ID == name || session.Device.hasAddressAndPort(name)
		session.Device.eachIdentifier(func(_, value string) { named = named || value == name })
		if named && s.Revoke(session.ID) {
			session.Status = StatusUnavailable
			revoked = append(revoked, session)
		}
	}
	if revoked == nil {
		return ControlResponse{}, fmt.Errorf("no session matches %q: give a device identifier or a session id", name)
	}
	return ControlResponse{Sessions: revoked}, nil
}

func (s *Sandbox) advance(request ControlRequest) error {
	d, err := s.distance(request)
	if err != nil {
		return err
	}
	clock, ok := s.clock.(interface{ Advance(d time.Duration) })
	if !ok {
		return errors.New("the clock of this sandbox cannot be advanced")
	}
	clock.Advance(d)
	return nil
}

// distance is how far a request advances the clock.
func (s *Sandbox) distance(request ControlRequest) (time.Duration, error) {
	if now := s.clock.Now(); !request.To.IsZero() {
		if request.To.Before(now) {
			return 0, fmt.Errorf("the clock already shows %s and cannot go back", now.UTC().Format(time.RFC3339))
		}
		return request.To.Sub(now), nil
	}
	d, err := time.ParseDuration(request.By)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("invalid duration %q: use one such as 90m or 4h", request.By)
	}
	return d, nil
}

func (s *Sandbox) injectFault(request ControlRequest) error {
	effect, err := ParseEffect(request.Effect)
	if err != nil {
		return err
	}
	if !slices.Contains(Operations(), request.Operation) {
		return fmt.Errorf("unknown operation %q", request.Operation)
	}
	if !slices.Contains(s.operations(), request.Operation) {
		return fmt.Errorf("the API of this sandbox has no operation %q: use %s", request.Operation, joined(s.operations()))
	}
	if request.Times < -1 {
		return fmt.Errorf("times must be -1 or more, but is %d", request.Times)
	}
	s.Fail(Fault{Operation: request.Operation, Times: request.Times, Effect: effect})
	return nil
}

// ParseEffect parses the way in which a request is to fail: an HTTP status from 400 to 599; "drop",
// which closes the connection without carrying out the request; "lose", which carries out the
// request and closes the connection without an answer; "hang", which does nothing and never
// answers; or a duration such as 10s, which delays the answer.
func ParseEffect(text string) (Effect, error) {
	if status, err := strconv.Atoi(text); err == nil {
		if status < 400 || status > 599 {
			return Effect{}, fmt.Errorf("invalid status %d: use an HTTP status from 400 to 599", status)
		}
		return Status(status, ""), nil
	}
	switch text {
	case "drop":
		return DropBeforeCommit(), nil
	case "lose":
		return DropAfterCommit(), nil
	case "hang":
		return HangBeforeCommit(), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return Delay(d), nil
	}
	return Effect{}, fmt.Errorf("unknown kind of failure %q: use an HTTP status such as 503, drop, lose, hang, or a delay such as 10s", text)
}
