package qod

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// DefaultMaxPending is how many people are asked at a time, unless configured.
	DefaultMaxPending = 10

	// The interval of CIBA Core §7.3, and by how much slow_down lengthens it (§11).
	defaultPollInterval = 5 * time.Second
	slowDown            = 5 * time.Second

	// defaultConsentTime is for a server that does not say how long it waits for an answer.
	defaultConsentTime = 2 * time.Minute
)

// The codes of CIBA Core §11 and §13.
const (
	CodeAuthorizationPending = "authorization_pending"
	CodeSlowDown             = "slow_down"
	CodeAccessDenied         = "access_denied"
	CodeExpiredToken         = "expired_token"
	CodeUnknownUserID        = "unknown_user_id"
)

// ciba is OpenID Connect CIBA in poll mode: the server asks the device's user, maybe by a message
// to the device, and the token endpoint says when there is an answer.
//
// Nobody is asked twice without need. An authorization goes on when those who wanted the token have
// left, for those who come later, and what became of it is final. One begins anew only where an
// answer of the server was lost, which may have held the token: it is given out once.
type ciba struct {
	server  *authorizationServer
	scopes  []string
	pending chan struct{} // as long as may be under way at a time
}

func newCIBA(server *authorizationServer, scopes []string) *ciba {
	return &ciba{server, scopes, make(chan struct{}, cmp.Or(server.config.MaxPending, DefaultMaxPending))}
}

func (g *ciba) perDevice() bool         { return true }
func (g *ciba) asksSomebody() bool      { return true }
func (g *ciba) subject(d Device) string { return loginHint(d) }

// loginHint names the device's user in the forms of CAMARA's security profile, which has none for a
// network access identifier, nor for a private address.
func loginHint(d Device) string {
	if hint := telHint(d); hint != "" {
		return hint
	}
	if v4 := d.IPv4Address; v4 != nil {
		if address, err := netip.ParseAddr(strings.TrimSpace(v4.PublicAddress)); err == nil {
			hint := "ipport:" + address.Unmap().String()
			if v4.PublicPort != nil {
				hint += fmt.Sprintf(":%d", *v4.PublicPort)
			}
			return hint
		}
	}
	if address, err := netip.ParseAddr(strings.TrimSpace(d.IPv6Address)); err == nil {
		return "ipport:[" + address.String() + "]"
	}
	return ""
}

// telHint is the phone number as RFC 3966 spells a global one; empty for none.
func telHint(d Device) string {
	if digits := phoneDigits(d.PhoneNumber); digits != "" {
		return "tel:+" + digits
	}
	return ""
}

// fetch waits until fewer people are being asked. From then on it goes on to its end.
func (g *ciba) fetch(ctx context.Context, d Device) (string, time.Duration, error) {
	select {
	case g.pending <- struct{}{}:
		defer func() { <-g.pending }()
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if ctx.Err() != nil {
		return "", 0, ctx.Err()
	}
	ctx = context.WithoutCancel(ctx)
	asked := false
	for attempt := 1; ; attempt++ {
		token, lifetime, err := g.authorize(ctx, d, attempt)
		if err == nil {
			return token, lifetime, nil
		}
		var failure *TokenError
		if !errors.As(err, &failure) {
			failure = &TokenError{Grant: CIBA, Device: d, Err: err}
		}
		asked = asked || failure.asked
		if failure.permanent || attempt == fetchAttempts {
			failure.final = failure.final || asked || isVerdict(failure.Code)
			return "", 0, failure
		}
		_ = pause(ctx, backoff(attempt))
	}
}

// isVerdict reports whether asking again would bring the same answer, or bother somebody who has
// given it.
func isVerdict(code string) bool {
	return code == CodeAccessDenied || code == CodeExpiredToken || code == CodeUnknownUserID
}

// authorize asks for one authorization, and polls for its token. Its error is permanent unless an
// answer was lost.
func (g *ciba) authorize(ctx context.Context, d Device, attempt int) (string, time.Duration, error) {
	endpoint, err := g.endpoint(ctx, g.server.tokenEndpoint)
	if err != nil {
		return "", 0, err
	}
	asked, err := g.ask(ctx, d, attempt)
	if err != nil {
		return "", 0, err
	}
	began := time.Now()
	token, lifetime, err := g.poll(ctx, endpoint, asked)
	g.log(ctx, Event{Operation: OperationConsent, Path: pathOf(endpoint.url), Duration: time.Since(began), Attempt: attempt, Err: err})
	if failure, ok := errors.AsType[*TokenError](err); ok {
		failure.asked = true
	}
	return token, lifetime, err
}

// endpoint is an endpoint, found in the time of one request.
func (g *ciba) endpoint(ctx context.Context, find func(context.Context) (serverEndpoint, error)) (serverEndpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, g.server.config.RequestTimeout)
	defer cancel()
	return find(ctx)
}

// authorization is what the server has begun.
type authorization struct {
	about    subjectMatter // the secret is its id
	interval time.Duration
	until    time.Time
}

// ask has the server ask the device's user.
func (g *ciba) ask(ctx context.Context, d Device, attempt int) (authorization, error) {
	endpoint, err := g.endpoint(ctx, g.server.backchannelEndpoint)
	if err != nil {
		return authorization{}, err
	}
	form := url.Values{"login_hint": {loginHint(d)}}
	if len(g.scopes) > 0 {
		form.Set("scope", strings.Join(g.scopes, " "))
	}
	about := subjectMatter{device: d}
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, g.server.config.RequestTimeout)
	defer cancel()
	var written atomic.Bool
	answer, err := g.server.post(traceWrites(bounded, &written), endpoint, form, about)
	id := answer.text("auth_req_id")
	if err == nil && id == "" {
		err = &TokenError{
			URL: endpoint.url, Backchannel: true, Grant: CIBA, Device: d, permanent: true, asked: true,
			Err: errors.New("the answer has no auth_req_id"),
		}
	}
	lifetime := defaultConsentTime
	if seconds, ok := answer.lifetime("expires_in"); ok {
		lifetime = time.Duration(seconds) * time.Second
	}
	event := Event{Operation: OperationConsent, Method: http.MethodPost, Path: pathOf(endpoint.url), Status: http.StatusOK, Duration: time.Since(began), Attempt: attempt, Err: err}
	if failure, ok := errors.AsType[*TokenError](err); ok {
		event.Status = failure.Status
		failure.asked = failure.asked || written.Load() && mayHaveDone(failure.Status)
		if written.Load() || failure.Status == 0 { // or else it is what another device's form was answered
			g.log(ctx, event)
		}
		return authorization{}, err
	}
	event.Waits = lifetime
	g.log(ctx, event)
	about.secret = id
	asked := authorization{about: about, interval: defaultPollInterval, until: began.Add(lifetime)}
	if seconds, ok := answer.lifetime("interval"); ok {
		asked.interval = time.Duration(seconds) * time.Second
	}
	return asked, nil
}

// mayHaveDone reports whether a server may have done what it was asked for, although its answer
// says no such thing: none came (zero), or one of a gateway in front of it.
func mayHaveDone(status int) bool {
	return status == 0 || outcomeOf(status) == unknown && status != http.StatusServiceUnavailable
}

// poll asks for the token at once, since consent may have been given before, and then at the
// server's interval until there is an answer.
func (g *ciba) poll(ctx context.Context, endpoint serverEndpoint, asked authorization) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"urn:openid:params:grant-type:ciba"}, "auth_req_id": {asked.about.secret}}
	lost := false // an answer that may have held the token
	for {
		bounded, cancel := context.WithTimeout(ctx, g.server.config.RequestTimeout)
		token, lifetime, err := g.server.token(bounded, endpoint, nil, form, asked.about)
		cancel()
		var failure *TokenError
		if !errors.As(err, &failure) {
			return token, lifetime, err
		}
		switch {
		case failure.Code == CodeAuthorizationPending:
			lost = false
		case failure.Code == CodeSlowDown:
			lost = false
			asked.interval += slowDown
		case isVerdict(failure.Code):
			failure.permanent = true
			return "", 0, failure
		case failure.permanent:
			failure.permanent = !lost || failure.final // or else it is the answer to an id that has been used
			return "", 0, failure
		case mayHaveDone(failure.Status):
			lost = true
		}
		if !time.Now().Before(asked.until) { // the last poll is after the end, so that the server decides
			if failure.Code == CodeAuthorizationPending || failure.Code == CodeSlowDown {
				failure.Status, failure.Code, failure.Description = 0, CodeExpiredToken, ""
			}
			failure.permanent = true
			return "", 0, failure
		}
		_ = pause(ctx, asked.interval)
	}
}

// log calls the log of the configuration.
func (g *ciba) log(ctx context.Context, e Event) {
	defer func() { _ = recover() }()
	g.server.config.Log(ctx, e)
}

// pathOf is the path of an endpoint.
func pathOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Path
}
