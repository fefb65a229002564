package qod

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"
	"unicode"
)

// Error is one failed operation of the API.
type Error struct {
	Operation  Operation
	SessionID  string
	Scope      string        // the scope that the operation requires; empty where there is no token that could carry it
	Status     int           // HTTP status; 0 when there was no answer
	Code       string        // `code` of the API's error body
	Message    string        // `message` of the API's error body, or the start of any other text; no HTML
	Correlator string        // x-correlator, for the operator's support
	RetryAfter time.Duration // how long the API asked to wait; 0 when it did not ask
	ServerTime time.Time     // the answer's Date; zero when absent
	Err        error         // why there was no usable answer
	NoLimit    error         // create: why it is not known how long the profile allows; nil for no reason

	PerDevice    bool // the access token was for one device
	DocumentHost bool // see Config.atDocumentHost

	outcome        outcome
	class          class
	permanent      bool // TLS: asking again will not help
	connectionLost bool // the connection went silent: the API may be slow, and do it yet
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s session", e.Operation)
	if e.SessionID != "" {
		b.WriteString(" " + e.SessionID)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d %s", e.Status, http.StatusText(e.Status))
	}
	for _, s := range []string{e.Code, e.Message} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Correlator != "" {
		fmt.Fprintf(&b, " (x-correlator %s)", e.Correlator)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// TokenError says that no access token could be had. No request was sent to the API.
type TokenError struct {
	URL         string     // of the token endpoint or the discovery document
	Discovery   bool       // discovery of the token endpoint failed
	Backchannel bool       // it is about the backchannel authentication endpoint, or its URL is that
	Grant       Grant      // that was used
	Device      Device     // whose user had to agree; empty where nobody has to
	Method      AuthMethod // how the client proved who it is; empty before a request, and where an assertion did
	Offered     []string   // the methods that discovery offers; none where that is not known
	Status      int
	Code        string // RFC 6749 `error`
	Description string
	Err         error

	DocumentHost bool // see Config.atDocumentHost; only of a discovery

	permanent bool // asking again at once would give the same answer
	// final says that it is not asked for again in this process: that could lock the client out, or
	// would bother somebody who has been asked already.
	final bool
	asked bool // somebody has been asked, or may have been
}

func (e *TokenError) Error() string {
	what := "token endpoint"
	switch {
	case e.Discovery:
		what = "discovery"
	case e.Backchannel:
		what = "backchannel authentication endpoint"
	}
	var text strings.Builder
	text.WriteString(what)
	if e.URL != "" {
		text.WriteString(" " + e.URL)
	}
	if e.Status != 0 {
		fmt.Fprintf(&text, ": HTTP %d %s", e.Status, http.StatusText(e.Status))
	}
	for _, s := range []string{e.Code, e.Description} {
		if s != "" {
			text.WriteString(": " + s)
		}
	}
	if e.Err != nil {
		text.WriteString(": " + e.Err.Error())
	}
	return text.String()
}

func (e *TokenError) Unwrap() error { return e.Err }

// isFinal reports whether no token is asked for again in this process.
func isFinal(err error) bool {
	var token *TokenError
	return errors.As(err, &token) && token.final
}

// isTransientTokenError reports whether err is a failure to get a token that may pass in a moment.
func isTransientTokenError(err error) bool {
	var token *TokenError
	return errors.As(err, &token) && !token.permanent
}

// ErrNotRenewable says that a static access token was refused. Only who issued it can renew it.
var ErrNotRenewable = errors.New("the access token was refused and cannot be renewed")

// ErrRefusedAgain says that the API refused two tokens of one device in a row.
var ErrRefusedAgain = errors.New("the API refused the access token of this device, and then the one that replaced it")

// PendingConsentError says that the time of an operation was up, or that it was interrupted, while
// it waited for somebody's consent. Nothing was sent to the API.
type PendingConsentError struct{ Device Device }

func (e *PendingConsentError) Error() string {
	return fmt.Sprintf("the user of the device (%s) has not agreed yet", e.Device)
}

// ErrHeadersRefused says that the API did not take the configured headers for credentials.
var ErrHeadersRefused = errors.New("the headers were refused, and there are no other credentials")

// ErrNotJSON says that something has answered that is not an API: a proxy, a gateway or a login
// page.
var ErrNotJSON = errors.New("the answer is not a JSON object")

// ErrNoDate says that the server's time is not known, because its answers carry no Date header (RFC
// 9110 §6.6.1).
var ErrNoDate = errors.New("the API's answers carry no Date header, so its clock is not known")

// ErrCachedList says that a cache answered with a stored list, which says nothing about the present
// (RFC 9111 §5.1).
var ErrCachedList = errors.New("the list of sessions came from a cache, so it may be out of date")

// ErrClockStandsStill says that answers some seconds apart carry the same Date, as a cache's do.
var ErrClockStandsStill = errors.New("the API's answers carry the same Date seconds apart, as those of a cache do, so its clock is not known")

// IncompleteListError says that a list may not show all sessions.
type IncompleteListError struct{ Err error }

func (e *IncompleteListError) Error() string { return e.Err.Error() }
func (e *IncompleteListError) Unwrap() error { return e.Err }

// ErrUnsupported says that the API has no extension of sessions.
var ErrUnsupported = errors.New("the API cannot extend a session")

// ErrNoProfiles says that the API has no profiles to ask for.
var ErrNoProfiles = errors.New("the API has no list of profiles")

// ErrNoDeviceProfiles says that the API has the same profiles for all devices.
var ErrNoDeviceProfiles = errors.New("the API does not list the profiles of one device")

// ErrNoEnd says that a session cannot be extended to a time, because the API does not show when it
// ends now.
var ErrNoEnd = errors.New("the API does not show when the session ends, so it is not known by how much to extend it")

// ErrStillRequested says that a session was not extended because the network had not decided on it
// when time was up.
var ErrStillRequested = errors.New("the session is still REQUESTED, and only an AVAILABLE one is extended")

// ErrWindowClosed says that less than a second is left until Spec.Until: nothing was sent.
var ErrWindowClosed = errors.New("less than a second is left of the time asked for")

// ConflictError says that the network already has a session for this device. It is a 409, or a
// successful answer that shows a session from before the POST. That session is never adopted, since
// nothing proves whose it is.
type ConflictError struct {
	Device    Device
	Own       []string      // sessions this same process made for the device
	OtherID   string        // a session this same process made for another device, which the network answered with
	Deleted   []string      // sessions of the device that this same process is deleting or has deleted
	Visible   []Session     // sessions of the device that these credentials can see
	Possible  []Session     // sessions that show no device
	ListErr   error         // why the sessions could not be listed
	Now       time.Time     // the server's time of the 409; zero when unknown
	Longest   time.Duration // that a session lasts; zero when the API has no limit
	CanExtend bool          // a session may last longer, as somebody may extend it
	PerFlow   bool          // a device can have several sessions, whose traffic does not overlap
	PerDevice bool          // each access token is for one device
	Err       *Error
	RetryErr  error // how a later POST failed; nil when this was the last one
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("a session for %s exists already: %s", e.Device, e.Err)
}

func (e *ConflictError) Unwrap() error { return e.Err }

// UnresolvedError says that a POST may have created a session that could not be found, or not be
// distinguished from others. A person has to find out.
type UnresolvedError struct {
	Device      Device
	Candidates  []Session // may be the one
	Correlators []string  // of the POSTs without a usable answer
	Until       time.Time // when the session would end at the latest; zero when unknown
	Seconds     int64     // how long it would last
	ListErr     error     // why the search failed; nil when it found nothing
	Interrupted bool
	PerDevice   bool   // each access token is for one device
	KeptID      string // the session that a later POST created and that is kept; empty for none
	Err         error  // what ended the attempt
}

func (e *UnresolvedError) Error() string {
	return fmt.Sprintf("a session for %s may exist: %s", e.Device, e.Err)
}

func (e *UnresolvedError) Unwrap() error { return e.Err }

// InterruptedError says that an operation was interrupted (Ctrl-C, SIGTERM) or timed out.
type InterruptedError struct {
	Operation Operation
	Sent      bool  // a request had been sent
	Timeout   bool  // it timed out, and was not interrupted
	Err       error // the last failure, which it was about to retry; nil for none
}

func (e *InterruptedError) Error() string {
	how := "interrupted"
	if e.Timeout {
		how = "timed out"
	}
	if e.Err != nil {
		return fmt.Sprintf("%s session: %s: %s", e.Operation, how, e.Err)
	}
	return fmt.Sprintf("%s session: %s", e.Operation, how)
}

func (e *InterruptedError) Unwrap() error { return e.Err }

// WaitReason is why a wait ended although the session is not AVAILABLE.
type WaitReason int

// The ways a wait ends without AVAILABLE.
const (
	WaitUnavailable  WaitReason = iota + 1 // the network says UNAVAILABLE
	WaitTimeout                            // the context's deadline passed
	WaitInterrupted                        // the context was cancelled
	WaitGone                               // the session is proven gone
	WaitUnauthorized                       // the credentials are refused for good
)

// WaitError says why a wait ended and what was last known of the session.
type WaitError struct {
	Reason WaitReason
	Last   Session
	Err    error // the last failed poll, or nil
}

func (e *WaitError) Error() string {
	text := map[WaitReason]string{
		WaitUnavailable:  "the network made it UNAVAILABLE",
		WaitTimeout:      "it was not AVAILABLE in time",
		WaitInterrupted:  "interrupted while waiting",
		WaitGone:         "it is gone",
		WaitUnauthorized: "the credentials were refused",
	}[e.Reason]
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return fmt.Sprintf("wait for session %s: %s", e.Last.ID, text)
}

func (e *WaitError) Unwrap() error { return e.Err }

// PanicError is a panic that was recovered. Nothing above this package recovers one, and when a
// plugin dies, Terraform records nothing of what it did.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal fault: %v", e.Value) }

func newPanicError(fault any) *PanicError { return &PanicError{Value: fault, Stack: debug.Stack()} }

// recoverTo turns a panic of the calling function into *err. Other results that the function has
// already set are kept.
func recoverTo(err *error) {
	if fault := recover(); fault != nil {
		*err = newPanicError(fault)
	}
}

// newInterruptedError is how an operation fails because ctx has ended.
func newInterruptedError(ctx context.Context, op Operation, sent bool, last error) *InterruptedError {
	return &InterruptedError{
		Operation: op, Sent: sent, Err: last,
		Timeout: errors.Is(ctx.Err(), context.DeadlineExceeded),
	}
}

// maxServerText bounds how much of a server's text is shown, in characters.
const maxServerText = 300

// markup matches an HTML tag.
var markup = regexp.MustCompile(`<\s*[/!?]?\s*[A-Za-z]`)

// readable makes a server's text safe to print. A web page says nothing useful in a terminal, so it
// is left out.
func readable(text string) string {
	if markup.MatchString(text) {
		return ""
	}
	return printable(text)
}

// printable is one line of at most 300 printable characters.
func printable(text string) string {
	text = oneLine(text)
	if runes := []rune(text); len(runes) > maxServerText {
		text = string(runes[:maxServerText]) + "…"
	}
	return text
}

// oneLine drops invisible characters and replaces each run of white space by one space.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case '０' <= r && r <= '９': // full-width digits, as in East Asian fonts
			return r - '０' + '0'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// redactedError is err with a text that is safe to print: errors of net/http quote the server at
// length.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

func redacted(err error, secrets []string, d Device) error {
	if err == nil {
		return nil
	}
	return &redactedError{text: printable(redact(err.Error(), secrets, d)), err: err}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
