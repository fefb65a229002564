package sandbox

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The defaults of CIBA. That of the interval is OpenID's (CIBA Core §7.3).
const (
	defaultConsentTime  = 2 * time.Minute
	defaultPollInterval = 5 * time.Second
	slowDown            = 5 * time.Second
)

// cibaGrant is the grant type of CIBA Core §10.1.
const cibaGrant = "urn:openid:params:grant-type:ciba"

// Consent is how the person who has a device answers when CIBA asks, or has answered before where a
// grant asks nobody.
type Consent struct {
	Answer ConsentAnswer
	After  time.Duration // how long the person takes, by Clock
}

// ConsentAnswer is what a person answers. The empty one agrees.
type ConsentAnswer string

// The answers.
const (
	ConsentAgree ConsentAnswer = "agree"
	ConsentDeny  ConsentAnswer = "deny"
	ConsentNever ConsentAnswer = "never" // to answer
	// ConsentUnknown is for a device of which the network knows nobody, whom it could ask.
	ConsentUnknown ConsentAnswer = "unknown"
)

// ConsentAnswers returns all answers.
func ConsentAnswers() []ConsentAnswer {
	return []ConsentAnswer{ConsentAgree, ConsentDeny, ConsentNever, ConsentUnknown}
}

// consentOf is how the person who has a device answers.
func (s *Sandbox) consentOf(d Device) Consent {
	if s.config.Consent == nil {
		return Consent{}
	}
	return s.config.Consent(d)
}

// authorization is a request for somebody's consent.
type authorization struct {
	client   string
	device   Device
	scopes   []string
	answer   ConsentAnswer
	answered time.Time
	until    time.Time
	polled   time.Time     // when the client last asked; zero for never
	interval time.Duration // the shortest time between two polls
}

// Prompts returns the devices whose people have been asked for their consent, in order.
func (s *Sandbox) Prompts() []Device {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	return slices.Clone(s.tokens.prompts)
}

// backchannel is the backchannel authentication endpoint (CIBA Core §7): it asks the person who has
// the device of the hint.
func (s *Sandbox) backchannel(c call) answer {
	form, refused := parseForm(c)
	if refused != nil {
		return *refused
	}
	client, refused := s.authenticateClient(c.request, form)
	if refused != nil {
		return *refused
	}
	scopes := strings.Fields(form.Get("scope"))
	if len(scopes) == 0 {
		return oauthError(http.StatusBadRequest, "invalid_request", "scope is missing")
	}
	if refused := client.checkScopes(scopes); refused != nil {
		return *refused
	}
	device, ok := parseHint(form.Get("login_hint"))
	if !ok {
		return oauthError(http.StatusBadRequest, "unknown_user_id", "the login_hint is neither tel:+34600000001 nor ipport:198.51.100.1:5000 in form")
	}
	consent := s.consentOf(device)
	if consent.Answer == ConsentUnknown {
		return oauthError(http.StatusBadRequest, "unknown_user_id", "nobody is known by this login_hint")
	}
	id, now := "sandbox-authorization-"+rand.Text(), s.clock.Now()
	lifetime := cmp.Or(s.config.ConsentTime, defaultConsentTime)
	asked := &authorization{
		client: client.ID, device: device, scopes: scopes, answer: consent.Answer, answered: now.Add(consent.After),
		until: now.Add(lifetime), interval: cmp.Or(s.config.PollInterval, defaultPollInterval),
	}
	s.tokens.mu.Lock()
	s.tokens.prompts = append(s.tokens.prompts, device)
	s.tokens.authorizations[id] = asked
	s.tokens.mu.Unlock()
	body := map[string]any{"auth_req_id": id, "expires_in": int(lifetime / time.Second)}
	if s.config.PollInterval > 0 { // or else the client knows the default
		body["interval"] = int(asked.interval / time.Second)
	}
	return jsonAnswer(http.StatusOK, body).with("Cache-Control", "no-store")
}

// poll is the token endpoint for CIBA in poll mode (CIBA Core §10.1, §11).
func (s *Sandbox) poll(client ClientCredentials, id string) answer {
	s.tokens.mu.Lock()
	asked, refused := s.tokens.redeem(client, id, s.clock.Now())
	s.tokens.mu.Unlock()
	if refused != nil {
		return *refused
	}
	return s.issue(client, asked.scopes, &asked.device)
}

// redeem is the authorization of a poll that is due a token: it is good for one. It needs the lock.
func (t *tokens) redeem(client ClientCredentials, id string, now time.Time) (*authorization, *answer) {
	refuse := func(code, description string) (*authorization, *answer) {
		return nil, new(oauthError(http.StatusBadRequest, code, description))
	}
	asked := t.authorizations[id]
	if asked == nil || asked.client != client.ID {
		return refuse("invalid_grant", "the auth_req_id is unknown, of another client, or has been used")
	}
	early := !asked.polled.IsZero() && now.Sub(asked.polled) < asked.interval
	asked.polled = now
	switch {
	case !now.Before(asked.until):
		return refuse("expired_token", "nobody has answered in time")
	case early:
		asked.interval += slowDown
		return refuse("slow_down", "polls come faster than the interval")
	case asked.answer == ConsentNever, now.Before(asked.answered):
		return refuse("authorization_pending", "the person has not answered yet")
	case asked.answer == ConsentDeny:
		return refuse("access_denied", "the person does not agree")
	}
	delete(t.authorizations, id)
	return asked, nil
}

// hintPhone is the phone number of a login hint: global, without visual separators (RFC 3966).
var hintPhone = regexp.MustCompile(`\A\+[1-9][0-9]{4,14}\z`)

// parseHint is the device of a login hint in the forms that CAMARA's security profile has:
// tel:+34600000001, ipport:198.51.100.1, ipport:198.51.100.1:5000, ipport:[2001:db8::1] and
// ipport:[2001:db8::1]:5000.
func parseHint(hint string) (Device, bool) {
	kind, value, _ := strings.Cut(hint, ":")
	switch {
	case kind == "tel":
		return Device{PhoneNumber: value}, hintPhone.MatchString(value)
	case kind != "ipport":
		return Device{}, false
	}
	if address, err := netip.ParseAddr(value); err == nil && address.Is4() {
		return Device{IPv4Address: &IPv4Address{PublicAddress: value}}, true
	}
	if inner, ok := strings.CutPrefix(value, "["); ok {
		address, port, _ := strings.Cut(inner, "]")
		_, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 16)
		parsed, errAddress := netip.ParseAddr(address)
		return Device{IPv6Address: address}, errAddress == nil && parsed.Is6() && (port == "" || err == nil)
	}
	parsed, err := netip.ParseAddrPort(value)
	if err != nil || !parsed.Addr().Is4() {
		return Device{}, false
	}
	return Device{IPv4Address: &IPv4Address{PublicAddress: parsed.Addr().String(), PublicPort: new(int(parsed.Port()))}}, true
}

// checkScopes refuses scopes that the client may not request. Beside those of the API there are
// openid, which CIBA requires, and the purpose for which CAMARA has a person asked.
func (c ClientCredentials) checkScopes(scopes []string) *answer {
	for _, scope := range scopes {
		purpose := strings.HasPrefix(scope, "dpv:") && !strings.Contains(scope, "#")
		if scope != "openid" && !purpose && !slices.Contains(c.Scopes, scope) {
			return new(oauthError(http.StatusBadRequest, "invalid_scope", "the client may not use one of the requested scopes"))
		}
	}
	return nil
}

// hintOf is the device that a request to the backchannel endpoint is about, for logs; zero if it
// names none.
func hintOf(body []byte) Device {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Device{}
	}
	device, ok := parseHint(form.Get("login_hint"))
	if !ok {
		return Device{}
	}
	return device
}
