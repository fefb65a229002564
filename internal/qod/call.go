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
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// outcome is what is known of the fate of one request. It is closed: whoever handles one
// handles all.
type outcome int

const (
	succeeded outcome = iota // answered with success
	refused                  // answered: the API did not do it
	unsent                   // nothing of it left this process
	unknown                  // the API may or may not have done it
)

// answer is a successful answer, its body read within bounds. A body that could not be read
// whole is there as far as it came, with the reason.
type answer struct {
	status     int
	header     http.Header
	body       []byte
	bodyErr    error
	date       time.Time
	cached     bool // it was made before it was asked for: it says nothing of now
	correlator string
}

// call performs one operation that may be repeated once: token, request, bounded answer. A 401 drops
// exactly the token that was refused, fetches one new one, and repeats the request. Errors are
// *Error, *TokenError or the end of the context.
func (c *Client) call(ctx context.Context, r request, d Device, attempt int) (answer, error) {
	token, err := c.authorizer.Token(ctx, d)
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
	c.authorizer.Refused(token)
	fresh, tokenErr := c.authorizer.Token(ctx, d)
	if tokenErr != nil {
		return a, withoutToken(err, tokenErr)
	}
	if c.awaitSlot(ctx, r) != nil {
		return a, err
	}
	return c.send(ctx, r, d, fresh, attempt)
}

// withoutToken is err, a 401, with why there is no other token.
func withoutToken(err, tokenErr error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	refused := *e // the log has been handed the other one
	refused.Err = tokenErr
	return &refused
}

func isUnauthorized(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized
}

// send sends one request and reads its answer, in at most the request timeout.
func (c *Client) send(ctx context.Context, r request, d Device, token Token, attempt int) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.requestTimeout)
	defer cancel()

	failure := &Error{Operation: r.operation, SessionID: r.sessionID, Scope: r.scope, Correlator: uuid.NewString()}
	began := time.Now()
	defer func() {
		event := Event{
			Operation: r.operation, Method: r.method, Path: r.template, Status: a.status,
			Duration: time.Since(began), Attempt: attempt, Correlator: failure.Correlator,
		}
		if err != nil {
			event.Status, event.Err = failure.Status, err
		}
		c.logEvent(ctx, event)
	}()

	// Whether anything was written decides if the request may be repeated blindly.
	var wrote atomic.Bool
	req, err := c.newRequest(traceWrites(ctx, &wrote), r, token, failure.Correlator)
	if err != nil {
		failure.outcome, failure.Err = unsent, err
		return answer{}, failure
	}

	resp, err := c.http.Do(req)
	arrived := time.Now()
	if err != nil {
		failure.outcome = unknown
		if !wrote.Load() {
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

	if a.status != http.StatusTooManyRequests {
		c.pace.speedUp()
	}

	failure.Status, failure.ServerTime = a.status, a.date
	if failure.outcome = outcomeOf(a.status); failure.outcome == succeeded {
		return a, nil
	}
	failure.RetryAfter = retryAfter(resp.Header, firstTime(a.date, time.Now()))
	if a.status == http.StatusTooManyRequests {
		c.pace.slowDown(began, failure.RetryAfter)
	}
	code, message := c.dialect.failure(a.body)
	if code == "" && message == "" {
		message = readable(string(a.body))
	}
	failure.documented = !a.cached && c.dialect.saysNotFound(code)
	failure.Code = readable(redactServer(code, c.secrets(token, r), d))
	failure.Message = readable(redactServer(message, c.secrets(token, r), d))
	if location := resp.Header.Get("Location"); a.status/100 == 3 && location != "" {
		failure.Err = fmt.Errorf("redirected to %s, which is not followed", hostOf(location))
	}
	return answer{}, failure
}

// newRequest spells out a request for net/http, which must send it once.
//
// A request with a body is never replayed below us. net/http sends it again without a word where it
// can get the body again (GetBody, which NewRequest sets for a bytes.Reader): over HTTP/2 after
// RST_STREAM with REFUSED_STREAM or PROTOCOL_ERROR and after a GOAWAY with a lower stream id, over
// HTTP/1.1 with an Idempotency-Key, which we never send. RFC 9113 §8.7 says that such a stream was not
// processed; a proxy in between, which passed it on before it met the fault, says so too, and the
// second POST buys a second session. So we learn of the fault, look for the session, and only then
// post again.
//
// What has no body net/http does repeat, and may: a read changes nothing, and a DELETE that was
// carried out and is repeated is answered with 404, which is how our own repetition ends as well.
func (c *Client) newRequest(ctx context.Context, r request, token Token, correlator string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.endpoint+r.path, bytes.NewReader(r.body))
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
	req.Header.Set("Authorization", "Bearer "+token.value)
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("X-Correlator", correlator)
	return req, nil
}

// traceWrites sets wrote no later than a request's first byte leaves. WroteHeaders alone would be too
// late: over HTTP/2 it is called behind the write, and a request that is cut in between would count as
// not sent. WroteHeaderField is called while the headers are still being put together.
//
// A stream that was refused has been written, so its fate counts as unknown. Nothing that net/http
// returns tells a refusal of the API from one that a proxy made up behind a committed request.
func traceWrites(ctx context.Context, wrote *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { wrote.Store(true) },
		WroteHeaders:     func() { wrote.Store(true) },
	})
}

// logEvent hands an event to the log. A fault there must not cost the answer to a POST.
func (c *Client) logEvent(ctx context.Context, event Event) {
	defer func() { _ = recover() }()
	c.log(ctx, event)
}

// outcomeOf classifies a status. A 408 and all of 5xx can hide a request that was carried out
// behind a gateway; so can 302 and 303, which are how some answer a form they have processed.
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

// isJSONOrEmpty reports whether a failed answer can be the API's own word: nothing, or JSON.
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

// hasServerDate reports whether an answer's Date is the API's. What a proxy or a login page says instead of
// it has a Date, too, and that of an office a continent away may be hours off.
func hasServerDate(a answer) bool {
	if a.status/100 != 2 && a.status/100 != 4 {
		return false
	}
	body := bytes.TrimSpace(jsonText(a.body))
	return a.bodyErr == nil && (len(body) == 0 || body[0] == '{' || body[0] == '[')
}

// fromCache reports whether a cache answered from what it had. Some caches mark what they have just
// fetched with an age of zero.
func fromCache(h http.Header) bool {
	age := strings.TrimSpace(h.Get("Age"))
	seconds, err := strconv.ParseUint(age, 10, 64)
	return age != "" && (err != nil || seconds > 0)
}

// withoutURL drops net/http's wrapper, which repeats the whole URL.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
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
