// CIBA asks the person who has the device, and a person is not asked twice: whatever the number of
// calls, however long it takes, whatever gets lost, and when the answer is no.
package qod_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// withCIBA makes a client use the grant.
func withCIBA(c *qod.Config) {
	c.Grant, c.Scopes = qod.CIBA, qod.DefaultScopes(c.API, qod.CIBA)
}

// inCIBA runs f with a network that speaks CAMARA's API, and a client of it that uses CIBA.
func inCIBA(t *testing.T, options qodtest.Options, f func(t *testing.T, n *qodtest.Network)) {
	t.Helper()
	change := options.Client
	options.Client = func(c *qod.Config) {
		withCIBA(c)
		if change != nil {
			change(c)
		}
	}
	inCAMARA(t, options, f)
}

// consent has everybody answer in the same way.
func consent(answer sandbox.ConsentAnswer, after time.Duration) func(sandbox.Device) sandbox.Consent {
	return func(sandbox.Device) sandbox.Consent { return sandbox.Consent{Answer: answer, After: after} }
}

// forms are what the client has sent to an endpoint of the authorization server.
func forms(t *testing.T, n *qodtest.Network, op sandbox.Operation) []url.Values {
	t.Helper()
	var sent []url.Values
	for _, r := range n.Requests(op) {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, form)
	}
	return sent
}

// wantPrompts checks how many people have been asked.
func wantPrompts(t *testing.T, n *qodtest.Network, want int) {
	t.Helper()
	qodtest.Equal(t, "people asked", len(n.Prompts()), want)
}

// mustReserve creates a session and waits for it.
func mustReserve(t *testing.T, n *qodtest.Network, spec qod.Spec) qod.Ref {
	t.Helper()
	s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), spec)
	if err != nil {
		t.Fatal(err)
	}
	ref := qod.Ref{ID: s.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}
	if _, err := n.Await(qodtest.WithTimeout(t, 5*time.Minute), ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

func numbered(i int) qod.Spec {
	s := camaraSpec()
	s.Device.PhoneNumber = fmt.Sprintf("+3460000%04d", i)
	return s
}

// Everything that a session goes through takes one authorization, however the client proves who it
// is, and whichever API it is for.
func TestCIBALife(t *testing.T) {
	t.Parallel()
	keyClient, pem := qodtest.KeyClient(t, "key-client")
	key, problem := qod.ParsePrivateKey(pem)
	if problem != "" {
		t.Fatal(problem)
	}
	for name, test := range map[string]struct {
		api    sandbox.API
		client func(*qod.Config)
	}{
		"Basic": {},
		"post":  {client: func(c *qod.Config) { c.AuthMethod = qod.ClientSecretPost }},
		"a key": {client: func(c *qod.Config) { c.ClientID, c.ClientSecret, c.PrivateKey = keyClient.ID, "", key }},
		"without discovery": {client: func(c *qod.Config) {
			c.TokenURL, c.BackchannelURL = qodtest.Gateway+"/oauth/token", qodtest.Gateway+"/oauth/bc-authorize"
		}},
		"discovery of one":   {client: func(c *qod.Config) { c.BackchannelURL = qodtest.Gateway + "/oauth/bc-authorize" }},
		"of the default API": {api: sandbox.OpenGateway},
		"of CAMARA's 0.10":   {api: sandbox.CAMARAV0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := qodtest.Options{
				Sandbox: sandbox.Config{API: cmp.Or(test.api, sandbox.CAMARAV1), Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, keyClient}},
				Client: func(c *qod.Config) {
					withCIBA(c)
					if test.client != nil {
						test.client(c)
					}
				},
			}
			qodtest.InBubble(t, options, func(t *testing.T, n *qodtest.Network) {
				time.Sleep(2 * 365 * 24 * time.Hour) // to when seconds since 1970 have ten digits
				ref := mustReserve(t, n, specOf(test.api))
				if _, err := n.Read(t.Context(), ref); err != nil {
					t.Error(err)
				}
				if found, err := n.List(t.Context(), qod.Filter{Device: ref.Device}); test.api != sandbox.CAMARAV0 && (err != nil || len(found) != 1) {
					t.Errorf("%v, %v", found, err)
				}
				if n.Limits().CanExtend {
					if _, err := n.Extend(t.Context(), ref, time.Now().Add(5*time.Hour)); err != nil {
						t.Error(err)
					}
				}
				if err := n.Delete(t.Context(), ref); err != nil {
					t.Error(err)
				}
				// Profiles need a scope of their own, but no second question.
				_, _ = n.Profiles(t.Context(), qod.ProfileFilter{Device: ref.Device})
				wantPrompts(t, n, 1)
				qodtest.Equal(t, "token requests", n.Count(sandbox.OpToken), 1)
				sent := forms(t, n, sandbox.OpBackchannel)[0]
				scope := "openid dpv:RequestedServiceProvision quality-on-demand:sessions:create quality-on-demand:sessions:read " +
					"quality-on-demand:sessions:update quality-on-demand:sessions:delete quality-on-demand:sessions:retrieve-by-device"
				switch test.api {
				case sandbox.CAMARAV1:
				case sandbox.OpenGateway:
					scope = "qod:sessions:read qod:sessions:write"
				case sandbox.CAMARAV0:
					scope = "dpv:RequestedServiceProvision#qod"
				}
				qodtest.Equal(t, "scope", sent.Get("scope"), scope)
				qodtest.Equal(t, "hint", sent.Get("login_hint"), "tel:"+qodtest.Phone)
			})
		})
	}
}

// specOf is a Spec that the API takes.
func specOf(api sandbox.API) qod.Spec {
	s := camaraSpec()
	if api == sandbox.OpenGateway {
		s.Device.NetworkAccessIdentifier = "camera@example.com"
	}
	return s
}

// The user is named by the phone number, else by the address.
func TestCIBALoginHint(t *testing.T) {
	t.Parallel()
	port := int64(5000)
	for want, device := range map[string]qod.Device{
		"tel:+34600000001":        {PhoneNumber: "+34 600-000-001", IPv6Address: "2001:db8::1"},
		"ipport:203.0.113.9:5000": {IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.9", PublicPort: &port}, IPv6Address: "2001:db8::1"},
		"ipport:203.0.113.9":      {IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.9", PrivateAddress: "10.0.0.1"}},
		"ipport:[2001:db8::1]":    {IPv6Address: "2001:DB8:0::1"},
	} {
		inCIBA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			if _, err := n.List(t.Context(), qod.Filter{Device: device}); err != nil {
				t.Errorf("%s: %v", want, err)
			}
			qodtest.Equal(t, "hint", forms(t, n, sandbox.OpBackchannel)[0].Get("login_hint"), want)
		})
	}
	inCIBA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		nobody := qod.Device{NetworkAccessIdentifier: "camera@example.com"}
		if _, err := n.List(t.Context(), qod.Filter{Device: nobody}); !errors.Is(err, qod.ErrNoDevice) {
			t.Error(err)
		}
		if _, err := n.Profiles(t.Context(), qod.ProfileFilter{}); !errors.Is(err, qod.ErrNoDevice) {
			t.Error(err)
		}
		qodtest.Equal(t, "requests", len(n.Requests()), 0)
	})
}

// What there is no token for is refused before any request.
func TestGrantChecks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		grant  qod.Grant
		change func(*qod.Spec)
		want   []qod.Field
	}{
		"a phone number":           {qod.CIBA, func(*qod.Spec) {}, nil},
		"an address":               {qod.CIBA, func(s *qod.Spec) { s.Device = qod.Device{IPv6Address: "2001:db8::1"} }, nil},
		"a name":                   {qod.CIBA, func(s *qod.Spec) { s.Device = qod.Device{NetworkAccessIdentifier: "a@b.example"} }, []qod.Field{qod.FieldNetworkAccessIdentifier}},
		"a name without a grant":   {qod.ClientCredentials, func(s *qod.Spec) { s.Device = qod.Device{NetworkAccessIdentifier: "a@b.example"} }, nil},
		"a name and a number":      {qod.CIBA, func(s *qod.Spec) { s.Device.NetworkAccessIdentifier = "a@b.example" }, nil},
		"a number to come":         {qod.CIBA, func(s *qod.Spec) { *s = unknownPhone("a@b.example") }, nil},
		"an assertion":             {qod.JWTBearer, func(*qod.Spec) {}, nil},
		"an assertion, to come":    {qod.JWTBearer, func(s *qod.Spec) { *s = unknownPhone("") }, nil},
		"an assertion, no number":  {qod.JWTBearer, func(s *qod.Spec) { s.Device = qod.Device{IPv6Address: "2001:db8::1"} }, []qod.Field{qod.FieldPhoneNumber}},
		"an assertion, and a name": {qod.JWTBearer, func(s *qod.Spec) { s.Device = qod.Device{NetworkAccessIdentifier: "a@b.example"} }, []qod.Field{qod.FieldPhoneNumber}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := qodtest.Spec()
			test.change(&spec)
			var found []qod.Field
			for _, p := range qod.CheckFor(qod.OpenGateway, test.grant, spec) {
				found = append(found, p.Field)
			}
			qodtest.Equal(t, "problems", found, test.want)
		})
	}
	// The API's own refusal of a field is enough.
	spec := camaraSpec()
	spec.Device = qod.Device{NetworkAccessIdentifier: "a@b.example"}
	qodtest.Equal(t, "problems", len(qod.CheckFor(qod.CAMARAV1, qod.CIBA, spec)), 1)
}

func unknownPhone(name string) qod.Spec {
	s := qodtest.Spec()
	s.Device = qod.Device{NetworkAccessIdentifier: name}
	s.Unknown = map[qod.Field]bool{qod.FieldPhoneNumber: true}
	return s
}

// A person who takes long is asked once, whatever the number of calls, and reads wait as long as
// the person may take.
func TestCIBAOnePrompt(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, 15 * time.Second, 90 * time.Second, 8 * time.Minute} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			options := qodtest.Options{Sandbox: sandbox.Config{Consent: consent(sandbox.ConsentAgree, takes), ConsentTime: 10 * time.Minute}}
			inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
				s := n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: qodtest.Phone}})
				ref := qod.Ref{ID: s.ID, Device: camaraSpec().Device}
				elapsed := qodtest.Elapsed(func() {
					errs := concurrently(20, func() error { _, err := n.Read(t.Context(), ref); return err })
					if err := errors.Join(errs...); err != nil {
						t.Error(err)
					}
				})
				if elapsed < takes || elapsed > takes+6*time.Second {
					t.Errorf("the reads took %v, and the person %v", elapsed, takes)
				}
				wantPrompts(t, n, 1)
				qodtest.Equal(t, "polls", n.Count(sandbox.OpToken), int((takes+4999*time.Millisecond)/(5*time.Second))+1)
				qodtest.Equal(t, "reads", n.Count(sandbox.OpRead) > 0, true)
			})
		})
	}
}

// A person who does not agree is not asked again in this process, and the error says which answer
// it was, in the server's words or Telefónica's.
func TestCIBARefusals(t *testing.T) {
	t.Parallel()
	refuse := func(op sandbox.Operation, status int, body string) func(n *qodtest.Network) {
		return func(n *qodtest.Network) { n.InjectFault(op, -1, sandbox.Status(status, body)) }
	}
	for name, test := range map[string]struct {
		consent  sandbox.Consent
		arrange  func(*qodtest.Network)
		code     string
		says     string
		prompts  int
		requests int // to the backchannel endpoint by two calls; default: one
	}{
		"denied":                                {consent: sandbox.Consent{Answer: sandbox.ConsentDeny}, code: "access_denied", prompts: 1},
		"denied after a while":                  {consent: sandbox.Consent{Answer: sandbox.ConsentDeny, After: time.Minute}, code: "access_denied", prompts: 1},
		"no consent":                            {arrange: refuse(sandbox.OpBackchannel, 403, `{"error":"access_denied"}`), code: "access_denied"},
		"never answered":                        {consent: sandbox.Consent{Answer: sandbox.ConsentNever}, code: "expired_token", prompts: 1},
		"answered too late":                     {consent: sandbox.Consent{After: 3 * time.Minute}, code: "expired_token", prompts: 1},
		"expired, says the server":              {arrange: refuse(sandbox.OpToken, 400, `{"error":"expired_token"}`), code: "expired_token", prompts: 1},
		"unknown":                               {consent: sandbox.Consent{Answer: sandbox.ConsentUnknown}, code: "unknown_user_id"},
		"unknown, with a status of success":     {arrange: refuse(sandbox.OpBackchannel, 200, `{"error":"unknown_user_id"}`), code: "unknown_user_id"},
		"a wrong scope":                         {arrange: refuse(sandbox.OpBackchannel, 400, `{"error":"invalid_scope"}`), code: "invalid_scope", requests: 2},
		"a wrong client":                        {arrange: refuse(sandbox.OpBackchannel, 401, `{"error":"invalid_client"}`), code: "invalid_client"},
		"a wrong client, to the token endpoint": {arrange: refuse(sandbox.OpToken, 401, `{"error":"invalid_client"}`), code: "invalid_client", prompts: 1},
		"a grant that is not allowed":           {arrange: refuse(sandbox.OpToken, 400, `{"error":"unauthorized_client"}`), code: "unauthorized_client", prompts: 1},
		"an answer without an id":               {arrange: refuse(sandbox.OpBackchannel, 200, `{"expires_in":120}`), says: "no auth_req_id"},
		"an answer that is no answer":           {arrange: refuse(sandbox.OpBackchannel, 200, qodtest.LoginPage), says: "not a JSON object", requests: 3},
		"Telefónica's words":                    {arrange: refuse(sandbox.OpBackchannel, 403, `{"code":403,"message":"The user has not consented"}`), code: "403", says: "The user has not consented", requests: 2},
		"Telefónica's words, with OAuth's":      {arrange: refuse(sandbox.OpToken, 400, `{"code":400,"message":"Error access_denied by the user"}`), code: "access_denied", prompts: 1},
		"Telefónica's words for a poll":         {arrange: refuse(sandbox.OpToken, 400, `{"code":400,"message":"No"}`), code: "400", says: "No", prompts: 1},
		"polls that all fail":                   {arrange: refuse(sandbox.OpToken, 502, `Bad gateway`), says: "502", prompts: 1},
		"discovery without the endpoint": {
			arrange: func(n *qodtest.Network) { n.Discovery(withoutFields("backchannel_authentication_endpoint")) },
			says:    "names no backchannel_authentication_endpoint", requests: -1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := qodtest.Options{Sandbox: sandbox.Config{Consent: func(sandbox.Device) sandbox.Consent { return test.consent }}}
			inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(n)
				}
				for range 2 {
					_, err := n.Create(qodtest.WithTimeout(t, 10*time.Minute), camaraSpec())
					e := qodtest.ErrorAs[*qod.TokenError](t, err)
					if e.Code != test.code || !strings.Contains(err.Error(), test.says) {
						t.Errorf("the code is %q, want %q and %q: %v", e.Code, test.code, test.says, err)
					}
					if e.Device.PhoneNumber == "" && !e.Discovery {
						t.Errorf("it does not say whose user was asked: %#v", e)
					}
					time.Sleep(time.Minute)
				}
				wantPrompts(t, n, test.prompts)
				qodtest.Equal(t, "requests", n.Count(sandbox.OpBackchannel), max(0, cmp.Or(test.requests, 1)))
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 0)
			})
		})
	}
}

// The first poll comes at once, the next after the interval; slow_down lengthens it for good.
func TestCIBAPolls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		interval time.Duration
		slow     int // polls that are answered with slow_down
		spelled  string
		want     []time.Duration
	}{
		"by default":                {want: []time.Duration{0, 5, 10, 15, 20}},
		"as the server says":        {interval: 2 * time.Second, want: []time.Duration{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}},
		"slowed down":               {slow: 1, want: []time.Duration{0, 10, 20}},
		"slowed down twice":         {interval: 2 * time.Second, slow: 2, want: []time.Duration{0, 7, 19}},
		"slowed down by Telefónica": {slow: 1, spelled: `{"code":400,"message":"slow_down"}`, want: []time.Duration{0, 10, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := qodtest.Options{Sandbox: sandbox.Config{Consent: consent("", 18*time.Second), PollInterval: test.interval}}
			inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
				if test.slow > 0 {
					n.InjectFault(sandbox.OpToken, test.slow, sandbox.Status(400, cmp.Or(test.spelled, `{"error":"slow_down"}`)))
				}
				mustListOf(t, n, camaraSpec().Device)
				var at []time.Duration
				for _, r := range n.Requests(sandbox.OpToken) {
					at = append(at, r.At.Sub(qodtest.BubbleStart)/time.Second)
				}
				qodtest.Equal(t, "polls", at, test.want)
			})
		})
	}
}

// The last poll comes after the end, also where the server wants long pauses: it decides.
func TestCIBAIntervalBeyondTheEnd(t *testing.T) {
	t.Parallel()
	for interval, polls := range map[time.Duration]int{50 * time.Second: 4, 5 * time.Minute: 2} {
		options := qodtest.Options{Sandbox: sandbox.Config{Consent: consent(sandbox.ConsentNever, 0), ConsentTime: 2 * time.Minute, PollInterval: interval}}
		inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
			began := time.Now()
			_, err := n.List(t.Context(), qod.Filter{Device: camaraSpec().Device})
			if refusal := qodtest.ErrorAs[*qod.TokenError](t, err); refusal.Code != qod.CodeExpiredToken || refusal.Status == 0 {
				t.Errorf("%+v is not what the server says", refusal)
			}
			qodtest.Equal(t, "polls", n.Count(sandbox.OpToken), polls)
			if took := time.Since(began); took < 2*time.Minute {
				t.Errorf("it gave up after %v", took)
			}
		})
	}
}

func mustListOf(t *testing.T, n *qodtest.Network, d qod.Device) {
	t.Helper()
	if _, err := n.List(t.Context(), qod.Filter{Device: d}); err != nil {
		t.Fatal(err)
	}
}

// An answer that is lost may have held the token, which is given out once: somebody is asked again.
// One that did not hold it is asked for again.
func TestCIBALostAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		op      sandbox.Operation
		effect  sandbox.Effect
		times   int
		spelled bool // as Telefónica does
		prompts int
		fails   bool
	}{
		"a token":                      {op: sandbox.OpToken, effect: sandbox.DropAfterCommit(), times: 1, prompts: 2},
		"a token, cut short":           {op: sandbox.OpToken, effect: sandbox.Truncate(5), times: 1, prompts: 2},
		"a token, from a gateway":      {op: sandbox.OpToken, effect: sandbox.StatusAfterCommit(502, "Bad gateway"), times: 1, prompts: 2},
		"a token, by Telefónica":       {op: sandbox.OpToken, effect: sandbox.DropAfterCommit(), times: 1, spelled: true, prompts: 2},
		"a poll that was not answered": {op: sandbox.OpToken, effect: sandbox.DropBeforeCommit(), times: 2, prompts: 1},
		"a poll that is one too many":  {op: sandbox.OpToken, effect: sandbox.Status(429, ""), times: 2, prompts: 1},
		"an authorization":             {op: sandbox.OpBackchannel, effect: sandbox.DropAfterCommit(), times: 1, prompts: 2},
		"an authorization not begun":   {op: sandbox.OpBackchannel, effect: sandbox.Status(503, ""), times: 2, prompts: 1},
		"every authorization":          {op: sandbox.OpBackchannel, effect: sandbox.DropAfterCommit(), times: -1, prompts: 3, fails: true},
		"discovery":                    {op: sandbox.OpDiscovery, effect: sandbox.Status(503, ""), times: 2, prompts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCIBA(t, qodtest.Options{Sandbox: sandbox.Config{TelefonicaErrors: test.spelled}}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(test.op, test.times, test.effect)
				for range 2 {
					if _, err := n.List(t.Context(), qod.Filter{Device: camaraSpec().Device}); (err != nil) != test.fails {
						t.Error(err)
					}
				}
				wantPrompts(t, n, test.prompts)
				ids := map[string]int{}
				for _, form := range forms(t, n, sandbox.OpToken) {
					ids[form.Get("auth_req_id")]++
				}
				if want := test.prompts; !test.fails && test.op == sandbox.OpToken && len(ids) != want {
					t.Errorf("the polls were for %v, want %d authorizations", ids, want)
				}
			})
		})
	}
}

// People are asked ten at a time, or as many as are configured.
func TestCIBAPending(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]int{0: 10, 3: 3} {
		options := qodtest.Options{
			Sandbox: sandbox.Config{Consent: consent("", time.Minute)},
			Client:  func(c *qod.Config) { c.MaxPending = most },
		}
		inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
			var wg sync.WaitGroup
			for i := range 25 {
				wg.Go(func() { mustListOf(t, n, numbered(i).Device) })
			}
			time.Sleep(30 * time.Second)
			wantPrompts(t, n, want)
			wg.Wait()
			wantPrompts(t, n, 25)
		})
	}
}

// An interrupt does not wait for a person, buys nothing, and has nobody asked who was not yet. Who
// was is not asked again by the same process.
func TestCIBAInterrupted(t *testing.T) {
	t.Parallel()
	options := qodtest.Options{
		Sandbox: sandbox.Config{Consent: consent("", 30*time.Second)},
		Client:  func(c *qod.Config) { c.MaxPending = 2 },
	}
	inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
		ctx := qodtest.CancelAfter(t, 10*time.Second)
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				elapsed := qodtest.Elapsed(func() {
					_, err := n.Create(ctx, numbered(i))
					e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
					pending := qodtest.ErrorAs[*qod.PendingConsentError](t, e.Err)
					if e.Sent || e.Timeout || pending.Device != numbered(i).Device {
						t.Errorf("%+v", e)
					}
				})
				if elapsed > 11*time.Second {
					t.Errorf("it took %v", elapsed)
				}
			})
		}
		for i := range 5 { // reads, deletes and lists as well
			wg.Go(func() {
				ref := qod.Ref{ID: qodtest.SessionID, Device: numbered(10 + i).Device}
				_, readErr := n.Read(ctx, ref)
				_, listErr := n.List(ctx, qod.Filter{Device: ref.Device})
				for _, err := range []error{readErr, listErr, n.Delete(ctx, ref)} {
					if !qodtest.IsError[*qod.InterruptedError](err) {
						t.Errorf("%T: %v", err, err)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(5 * time.Minute)
		wantPrompts(t, n, 2)
		qodtest.Equal(t, "requests to the API", n.Count(sandbox.OpCreate)+n.Count(sandbox.OpRead)+n.Count(sandbox.OpList)+n.Count(sandbox.OpDelete), 0)
		for i := range 5 {
			mustReserve(t, n, numbered(i))
		}
		asked := map[string]int{}
		for _, d := range n.Prompts() {
			if asked[d.PhoneNumber]++; asked[d.PhoneNumber] > 1 {
				t.Errorf("%s was asked twice", d.PhoneNumber)
			}
		}
	})
}

// A create whose time is up while a person is being asked says so, and sends nothing.
func TestCIBATimesOut(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{Sandbox: sandbox.Config{Consent: consent(sandbox.ConsentNever, 0)}}, func(t *testing.T, n *qodtest.Network) {
		_, err := n.Create(qodtest.WithTimeout(t, time.Minute), camaraSpec())
		e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
		if !e.Timeout || e.Sent || !qodtest.IsError[*qod.PendingConsentError](e.Err) {
			t.Errorf("%+v", e)
		}
		wantPrompts(t, n, 1)
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 0)
		time.Sleep(5 * time.Minute) // until it is over
	})
}

// A token that is refused is replaced, that one alone, and once.
func TestCIBARevoked(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		one, two := mustReserve(t, n, numbered(1)), mustReserve(t, n, numbered(2))
		read := func() {
			t.Helper()
			for _, ref := range []qod.Ref{one, two} {
				if _, err := n.Read(t.Context(), ref); err != nil {
					t.Error(err)
				}
			}
		}
		n.RevokeTokensOf(sandbox.Device{PhoneNumber: one.Device.PhoneNumber})
		read()
		wantPrompts(t, n, 3)
		qodtest.Equal(t, "asked last", n.Prompts()[2].PhoneNumber, one.Device.PhoneNumber)

		// One that has served for long has only become old.
		for range 3 {
			time.Sleep(10 * time.Minute)
			n.RevokeTokensOf(sandbox.Device{PhoneNumber: one.Device.PhoneNumber})
			read()
		}
		wantPrompts(t, n, 6)

		// What the API never takes is not asked for again and again.
		n.InjectFault(sandbox.OpRead, -1, refusal(http.StatusUnauthorized, "UNAUTHENTICATED"))
		for range 5 {
			if _, err := n.Read(t.Context(), two); err == nil {
				t.Error("no error")
			}
		}
		if got := len(n.Prompts()); got > 8 {
			t.Errorf("%d people asked", got)
		}
		_, err := n.Read(t.Context(), two)
		if !errors.Is(err, qod.ErrRefusedAgain) {
			t.Error(err)
		}
	})
}

// A POST that is answered with a 401 waits for the person who is asked again, and is then repeated.
func TestCIBARevokedUnderWay(t *testing.T) {
	t.Parallel()
	answers := 0
	options := qodtest.Options{Sandbox: sandbox.Config{Consent: func(sandbox.Device) sandbox.Consent {
		answers++
		return sandbox.Consent{After: time.Duration(answers-1) * 110 * time.Second}
	}}}
	inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, refusal(http.StatusUnauthorized, "UNAUTHENTICATED"))
		ref := mustReserve(t, n, camaraSpec())
		wantPrompts(t, n, 2)
		qodtest.Equal(t, "live", qodtest.IDs(n.Ledger()), []string{ref.ID})
	})
}

// An extension that is interrupted while a person is asked says so, whether anything was sent.
func TestCIBAExtendInterrupted(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		answers := 0
		options := qodtest.Options{Sandbox: sandbox.Config{Consent: func(sandbox.Device) sandbox.Consent {
			answers++
			return sandbox.Consent{After: time.Duration(answers-1) * 30 * time.Second}
		}}}
		inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
			ref := mustReserve(t, n, camaraSpec())
			if refused {
				n.InjectFault(sandbox.OpExtend, 1, refusal(http.StatusUnauthorized, "UNAUTHENTICATED"))
			} else {
				n.RevokeTokens()
			}
			_, err := n.Extend(qodtest.CancelAfter(t, 10*time.Second), ref, time.Now().Add(5*time.Hour))
			e := qodtest.ErrorAs[*qod.InterruptedError](t, err)
			if e.Sent || e.Timeout || !qodtest.IsError[*qod.PendingConsentError](e.Err) || !qodtest.IsError[*qod.Error](e.Err) {
				t.Errorf("refused %t: %+v", refused, e)
			}
			time.Sleep(5 * time.Minute)
			if s, err := n.Extend(t.Context(), ref, time.Now().Add(5*time.Hour)); err != nil || s.ID != ref.ID {
				t.Errorf("%v, %v", s, err)
			}
			wantPrompts(t, n, 2)
		})
	}
}

// A read whose token is refused waits for as long as the person may take.
func TestCIBARevokedDuringARead(t *testing.T) {
	t.Parallel()
	slow := time.Duration(0)
	options := qodtest.Options{Sandbox: sandbox.Config{ConsentTime: 10 * time.Minute, Consent: func(sandbox.Device) sandbox.Consent {
		return sandbox.Consent{After: slow}
	}}}
	inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
		ref := mustReserve(t, n, camaraSpec())
		n.RevokeTokens()
		slow = 6 * time.Minute
		if _, err := n.Read(t.Context(), ref); err != nil {
			t.Error(err)
		}
		wantPrompts(t, n, 2)
	})
}

// A token without a lifetime is used until it is refused: somebody would be asked again.
func TestCIBATokenWithoutALifetime(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.Tokens(withoutFields("expires_in"))
		for range 5 {
			mustListOf(t, n, camaraSpec().Device)
			time.Sleep(10 * time.Minute)
		}
		wantPrompts(t, n, 1)
	})
}

// To learn the time nobody is asked.
func TestCIBANow(t *testing.T) {
	t.Parallel()
	for _, api := range sandbox.APIs() {
		qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{API: api}, Client: withCIBA}, func(t *testing.T, n *qodtest.Network) {
			now, err := n.Now(t.Context())
			if err != nil || time.Since(now).Abs() > 2*time.Second {
				t.Errorf("%v, %v", now, err)
			}
			wantPrompts(t, n, 0)
		})
	}
}

// A client that is refused is refused for all devices: its credentials are sent once.
func TestCIBARefusedClientAsksOnce(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{Client: func(c *qod.Config) { c.ClientSecret = "wrong" }}, func(t *testing.T, n *qodtest.Network) {
		wantRefusedOnce(t, n, sandbox.OpBackchannel)
	})
}

// wantRefusedOnce requests sessions of many devices with a client that the server refuses.
func wantRefusedOnce(t *testing.T, n *qodtest.Network, op sandbox.Operation) {
	t.Helper()
	devices := make([]int, 30)
	for i := range devices {
		devices[i] = i
	}
	for range 2 {
		qodtest.InParallel(devices, func(i int) {
			_, err := n.Create(t.Context(), numbered(i))
			refusal := qodtest.ErrorAs[*qod.TokenError](t, err)
			qodtest.Equal(t, "code", refusal.Code, "invalid_client")
			qodtest.Equal(t, "device", refusal.Device.PhoneNumber, numbered(i).Device.PhoneNumber)
		})
		time.Sleep(time.Hour)
	}
	qodtest.Equal(t, "forms", n.Count(op), 1)
}

// A fleet costs an authorization a device and process, and not one more.
func TestCIBAFleet(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{Sandbox: sandbox.Config{Consent: consent("", 20*time.Second)}}, func(t *testing.T, n *qodtest.Network) {
		config := qodtest.ConfigOf(n.Sandbox, qodtest.Gateway)
		config.Transport = n.Transport()
		var mu sync.Mutex
		var refs []qod.Ref
		devices := make([]int, 100)
		for i := range devices {
			devices[i] = i
		}
		qodtest.InParallel(devices, func(i int) {
			ref := mustReserve(t, n, numbered(i))
			mu.Lock()
			defer mu.Unlock()
			refs = append(refs, ref)
		})
		wantPrompts(t, n, 100)

		n.Connect(config, withCIBA) // another process: a plan
		qodtest.InParallel(refs, func(ref qod.Ref) {
			if _, err := n.Read(t.Context(), ref); err != nil {
				t.Error(err)
			}
		})
		wantPrompts(t, n, 200)

		n.Connect(config, withCIBA) // an apply that extends them all
		qodtest.InParallel(refs, func(ref qod.Ref) {
			if _, err := n.Extend(t.Context(), ref, time.Now().Add(5*time.Hour)); err != nil {
				t.Error(err)
			}
		})
		wantPrompts(t, n, 300)
		qodtest.Equal(t, "live sessions", len(n.Ledger()), 100)
		asked := map[string]int{}
		for _, d := range n.Prompts() {
			asked[d.PhoneNumber]++
		}
		for phone, times := range asked {
			if times != 3 {
				t.Errorf("%s was asked %d times", phone, times)
			}
		}
	})
}

// The log says that somebody is asked, and what became of it.
func TestCIBALog(t *testing.T) {
	t.Parallel()
	inCIBA(t, qodtest.Options{Sandbox: sandbox.Config{Consent: consent("", 15*time.Second)}}, func(t *testing.T, n *qodtest.Network) {
		mustListOf(t, n, camaraSpec().Device)
		events := slices.DeleteFunc(n.Events(), func(e qod.Event) bool { return e.Operation != qod.OperationConsent })
		if len(events) != 2 || events[0].Waits != 2*time.Minute || events[0].Path != "/oauth/bc-authorize" || events[1].Method != "" ||
			events[1].Duration < 15*time.Second || events[1].Err != nil {
			t.Errorf("%+v", events)
		}
	})
}

// Nothing of what was sent is in an error or event, although the server repeats it all.
func TestCIBALeaks(t *testing.T) {
	t.Parallel()
	for _, op := range []sandbox.Operation{sandbox.OpBackchannel, sandbox.OpToken} {
		for _, status := range []int{400, 401, 403, 500, 200} {
			options := qodtest.Options{
				Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: canaries.id, Secret: canaries.secret}}},
				Client: func(c *qod.Config) {
					c.ClientID, c.ClientSecret = canaries.id, canaries.secret
					c.TokenParameters = map[string]string{"audience": canaries.parameter}
				},
			}
			options.Intercept = func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
				if !strings.HasSuffix(r.URL.Path, map[sandbox.Operation]string{sandbox.OpBackchannel: "/bc-authorize", sandbox.OpToken: "/token"}[op]) {
					return next.RoundTrip(r)
				}
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				form, _ := url.ParseQuery(string(body))
				text := requestText(r) + fmt.Sprintf("%q %v", body, form)
				return qodtest.Response(r, status, qodtest.JSON, fmt.Sprintf(`{"error":"server_error","error_description":%q}`, text)), nil
			}
			inCIBA(t, options, func(t *testing.T, n *qodtest.Network) {
				device := qod.Device{PhoneNumber: canaries.device.PhoneNumber, IPv6Address: canaries.device.IPv6Address}
				_, err := n.List(t.Context(), qod.Filter{Device: device})
				if err == nil {
					t.Fatal("no error")
				}
				wantNoLeak(t, "the error", fmt.Sprintf("%v %+v", err, err))
				for _, e := range n.Events() {
					wantNoLeak(t, "an event", fmt.Sprintf("%+v", e))
				}
				for _, form := range forms(t, n, sandbox.OpToken) {
					if id := form.Get("auth_req_id"); strings.Contains(err.Error(), id) {
						t.Errorf("the error has %q in it: %v", id, err)
					}
				}
				if strings.Contains(err.Error(), "sandbox-authorization") {
					t.Errorf("the error has the id of the authorization in it: %v", err)
				}
				synctest.Wait()
			})
		}
	}
}

// Whether requests name the device goes by the token, unless it is configured: some gateways want
// the device beside a token that is for one, and a token that somebody brings may be for one.
func TestDeviceInRequests(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in    func(*testing.T, qodtest.Options, func(*testing.T, *qodtest.Network))
		named *bool
		code  string // of the refusal by a sandbox that goes by the document
	}{
		"a token for all devices":                 {in: inCAMARA},
		"a token for all devices, and named":      {in: inCAMARA, named: new(true)},
		"a token for all devices, and left out":   {in: inCAMARA, named: new(false), code: "MISSING_IDENTIFIER"},
		"a token for one device":                  {in: inCIBA},
		"a token for one device, and left out":    {in: inCIBA, named: new(false)},
		"a token for one device, and named there": {in: inCIBA, named: new(true), code: "UNNECESSARY_IDENTIFIER"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := qodtest.Options{Client: func(c *qod.Config) { c.DeviceInRequests = test.named }}
			test.in(t, options, func(t *testing.T, n *qodtest.Network) {
				_, created := n.Create(t.Context(), camaraSpec())
				_, listed := n.List(t.Context(), qod.Filter{Device: camaraSpec().Device})
				for what, err := range map[string]error{"create": created, "list": listed} {
					code := ""
					if e, ok := errors.AsType[*qod.Error](err); ok {
						code = e.Code
					}
					if code != test.code || (err != nil) != (test.code != "") {
						t.Errorf("%s: %v, want the code %q", what, err, test.code)
					}
				}
			})
		})
	}
}
