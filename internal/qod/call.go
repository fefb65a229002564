package qod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// outcome is what is known of what one request did. Every switch over it handles all of its values.
type outcome int

const (
	succeeded outcome = iota // answered with success
	refused                  // answered: the API did not do it
	unsent                   // not a byte of it left this process
	unknown                  // the API may or may not have done it
)

// answer is a successful answer, its body read within bounds. A body that could not be read to its
// end is kept as far as it was read, with the reason.
type answer struct {
	status     int
	header     http.Header
	body       []byte
	bodyErr    error
	date       time.Time
	cached     bool // it was made before it was requested, so it says nothing about the present
	correlator string
}

// call performs one operation that is safe to repeat. After a 401 it drops exactly the token that
// was refused, fetches a new one, and repeats the request once. Errors are *Error, *TokenError or
// the end of the context.
func (c *Client) call(ctx context.Context, r request, d Device, attempt int) (answer, error) {
	if r.anonymous {
		if err := c.awaitSlot(ctx, r); err != nil {
			return answer{}, err
		}
		return c.send(ctx, r, d, Token{}, attempt)
	}
	authorizer := c.authorizer
	if r.operation == OperationProfiles {
		authorizer = c.profilesAuthorizer
	}
	token, err := authorizer.Token(ctx, d)
	if err != nil {
		return answer{}, err
	}
	if err := c.awaitSlot(ctx, r); err != nil {
		return answer{}, err
	}
	a, err := c.send(ctx, r, d, token, attempt)
	if !isUnauthorized(err) {
		return a, err
	}
	authorizer.Refused(token)
	fresh, tokenErr := authorizer.Token(ctx, d)
	if tokenErr != nil {
		return a, withoutToken(err, tokenErr)
	}
	if c.awaitSlot(ctx, r) != nil {
		return a, err
	}
	return c.send(ctx, r, d, fresh, attempt)
}

// withoutToken is err, a 401, together with the reason why there is no other token.
func withoutToken(err, tokenErr error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	refused := *e // a copy, as the log has the original
	refused.Err = tokenErr
	return &refused
}

func isUnauthorized(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized
}

// requireFullBody turns a body that was cut off into an error, for operations that are safe to
// repeat.
func requireFullBody(r request, a answer, err error) (answer, error) {
	if err == nil && a.bodyErr != nil {
		return a, unreadable(r, a, fmt.Errorf("the answer did not arrive whole: %w", a.bodyErr))
	}
	return a, err
}

// get performs, once, an operation that changes nothing.
func (c *Client) get(ctx context.Context, r request, d Device, attempt int) (answer, error) {
	a, err := c.call(ctx, r, d, attempt)
	return requireFullBody(r, a, err)
}

// unreadable is the error for a success status with an unusable body, such as the login page of a
// captive portal.
func unreadable(r request, a answer, err error) *Error {
	return &Error{
		Operation: r.operation, SessionID: r.sessionID, Scope: r.scope, Status: a.status,
		Correlator: a.correlator, ServerTime: a.date, Err: err, outcome: unknown,
	}
}

// checkRef refuses a reference with which no request can be made. An id is checked before it is
// part of a URL, where `../..` would lead elsewhere. Where each token is for one device, the device
// has to be known.
func (c *Client) checkRef(op Operation, ref Ref) error {
	switch {
	case !validID(ref.ID):
		return &Error{Operation: op, Err: fmt.Errorf("%q is not a session id", readable(ref.ID)), outcome: unsent, permanent: true}
	case c.authorizer.PerDevice() && ref.Device.IsZero():
		return &Error{Operation: op, SessionID: ref.ID, Err: ErrNoDevice, outcome: unsent, permanent: true}
	}
	return nil
}

// send sends one request and reads its answer, in at most the request timeout.
func (c *Client) send(ctx context.Context, r request, d Device, token Token, attempt int) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()

	failure := &Error{
		Operation: r.operation, SessionID: r.sessionID, Scope: r.scope, Correlator: uuid.NewString(),
		PerDevice: c.authorizer.PerDevice(), DocumentHost: c.config.atDocumentHost(),
	}
	switch needed := c.Limits().DeviceScopes; {
	case token.value == "":
		failure.Scope = "" // headers alone carry none
	case c.authorizer.PerDevice() && len(needed) > 0 && r.operation != OperationProfiles && !slices.Contains(needed, r.scope):
		failure.Scope = strings.Join(needed, " ")
	}
	began := time.Now()
	defer func() {
		event := Event{
			Operation: r.operation, Method: r.method, Path: c.pathOf(r) + r.template, Status: a.status,
			Duration: time.Since(began), Attempt: attempt, Correlator: failure.Correlator,
		}
		if err != nil {
			event.Status, event.Err = failure.Status, err
		}
		c.logEvent(ctx, event)
	}()

	// Whether anything was written decides if the request may be repeated blindly.
	var written atomic.Bool
	req, err := c.newRequest(traceWrites(ctx, &written), r, token, failure.Correlator)
	if err != nil {
		failure.outcome, failure.Err = unsent, err
		return answer{}, failure
	}

	resp, err := c.http.Do(req)
	arrived := time.Now()
	if err != nil {
		failure.outcome = unknown
		if !written.Load() {
			failure.outcome = unsent
		}
		failure.permanent, failure.connectionLost = isTLSFailure(err), isConnectionLost(err)
		failure.Err = redacted(withoutURL(err), c.secrets(token, r), d)
		return answer{}, failure
	}
	defer func() { _ = resp.Body.Close() }()

	a = answer{status: resp.StatusCode, header: resp.Header, correlator: failure.Correlator}
	a.date, _ = http.ParseTime(resp.Header.Get("Date"))
	a.body, a.bodyErr = readBounded(resp.Body, r.maxBody)
	a.cached = fromCache(resp.Header) || c.clock.standsStill(a.date, began)
	if hasServerDate(a) && !a.cached {
		a.cached = c.clock.isOutdated(a.date, began)
		c.clock.observe(a.date, began, arrived)
	}

	failure.Status, failure.ServerTime = a.status, a.date
	if failure.outcome = outcomeOf(a.status); failure.outcome == succeeded {
		c.pacer.speedUp()
		return a, nil
	}
	failure.RetryAfter = retryAfter(resp.Header, firstTime(a.date, time.Now()))
	code, message := c.dialect.failure(a.body)
	failure.class = c.dialect.classify(r.operation, a.status, code)
	switch {
	case failure.class == classGone && a.cached:
		failure.class = classMissing
	case failure.class == classNotOffered:
		failure.outcome = refused // unlike every other 5xx
	}
	if failure.class == classRateLimited {
		c.pacer.slowDown(began, failure.RetryAfter)
	} else {
		c.pacer.speedUp()
	}
	if code == "" && message == "" {
		message = readable(string(a.body))
	}
	failure.Code = readable(redactServer(code, c.secrets(token, r), d))
	failure.Message = readable(redactServer(message, c.secrets(token, r), d))
	if location := resp.Header.Get("Location"); a.status/100 == 3 && location != "" {
		failure.Err = fmt.Errorf("redirected to %s, which is not followed", hostOf(location))
	}
	return answer{}, failure
}

// newRequest builds a request for net/http, which must send it once.
//
// A request with a body is never replayed below us. net/http sends it again without a word where it
// can get the body again (GetBody, which NewRequest sets for a bytes.Reader): over HTTP/2 after
// RST_STREAM with REFUSED_STREAM or PROTOCOL_ERROR and after a GOAWAY with a lower stream id, over
// HTTP/1.1 with an Idempotency-Key, which we never send. RFC 9113 §8.7 says that such a stream was
// not processed; a proxy in between, which passed it on before it met the fault, says so too, and
// the second POST buys a second session. So we learn of the fault, look for the session, and only
// then post again.
//
// What has no body net/http does repeat, and may: a read changes nothing, and a DELETE that was
// carried out and is repeated is answered with 404, which is how our own repetition ends as well.
func (c *Client) newRequest(ctx context.Context, r request, token Token, correlator string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.config.Endpoint+c.pathOf(r)+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	if len(r.body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	// What a cache has says nothing of a session (RFC 9111 §5.2.1.4).
	req.Header.Set("Cache-Control", "no-cache")
	for name, value := range c.config.Headers {
		req.Header.Set(name, value)
	}
	if token.value != "" {
		req.Header.Set("Authorization", "Bearer "+token.value)
	}
	req.Header.Set("User-Agent", c.config.UserAgent)
	req.Header.Set("X-Correlator", correlator)
	return req, nil
}

// pathOf is where the API of a request lies below the endpoint; empty for directly below it.
func (c *Client) pathOf(r request) string {
	path := c.config.APIPath
	if r.operation == OperationProfiles && c.Limits().ProfilesAPI {
		path = c.config.ProfilesPath
	}
	return strings.TrimSuffix(path, "/")
}

// traceWrites sets written no later than a request's first byte leaves. WroteHeaders alone would be
// too late: over HTTP/2 it is called behind the write, and a request that is cut in between would
// count as not sent. WroteHeaderField is called while the headers are still being put together.
//
// A stream that was refused has been written, so its fate counts as unknown. Nothing that net/http
// returns tells a refusal of the API from one that a proxy made up behind a committed request.
func traceWrites(ctx context.Context, written *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { written.Store(true) },
		WroteHeaders:     func() { written.Store(true) },
	})
}

// logEvent calls the log. A panic there must not cost the answer to a POST.
func (c *Client) logEvent(ctx context.Context, event Event) {
	defer func() { _ = recover() }()
	c.config.Log(ctx, event)
}

// outcomeOf classifies a status. With a 408 or any 5xx, the request may have been carried out
// behind a gateway. So it may with 302 and 303, with which some servers answer a form that they
// have processed.
func outcomeOf(status int) outcome {
	switch {
	case status >= 200 && status < 300:
		return succeeded
	case status == http.StatusFound, status == http.StatusSeeOther, status == http.StatusRequestTimeout, status >= 500:
		return unknown
	}
	return refused
}

// readBounded reads at most limit bytes after decompression, so that neither an endless answer
// nor a compressed bomb takes the memory.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(body)) > limit {
		return body[:limit], fmt.Errorf("the answer is larger than %d MiB", limit>>20)
	}
	return body, withoutURL(err)
}

func isHTML(a answer) bool {
	mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && strings.Contains(mediaType, "html")
}

// isJSONOrEmpty reports whether an answer can be the API's own: it has no body, or a JSON object.
func isJSONOrEmpty(a answer) bool {
	if a.bodyErr != nil {
		return false
	}
	body := bytes.TrimSpace(a.body)
	if len(body) == 0 {
		return true
	}
	if isHTML(a) {
		return false
	}
	_, err := decodeObject(body)
	return err == nil
}

// hasServerDate reports whether an answer's Date is the API's. Proxies and login pages send a Date
// too, and the clock of an office a continent away may be hours off.
func hasServerDate(a answer) bool {
	if a.status/100 != 2 && a.status/100 != 4 {
		return false
	}
	body := bytes.TrimSpace(jsonText(a.body))
	return a.bodyErr == nil && (len(body) == 0 || body[0] == '{' || body[0] == '[')
}

// fromCache reports whether a cache answered with a stored response. Some caches mark what they
// have just fetched with an age of zero.
func fromCache(h http.Header) bool {
	age := strings.TrimSpace(h.Get("Age"))
	seconds, err := strconv.ParseUint(age, 10, 64)
	return age != "" && (err != nil || seconds > 0)
}

// withoutURL drops net/http's wrapper, which repeats the whole URL.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func hostOf(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "another path"
	}
	return printable(u.Scheme + "://" + u.Host)
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
