// The client and CAMARA's QoD 0.10, judged by the sandbox's copy of that document: what is sent,
// what is read, and what becomes of each promise where no sessions can be listed.
package qod_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// inV0 runs f with a network that speaks 0.10, and a client of it.
func inV0(t *testing.T, options qodtest.Options, f func(t *testing.T, n *qodtest.Network)) {
	t.Helper()
	options.Sandbox.API = sandbox.CAMARAV0
	qodtest.InBubble(t, options, f)
}

// instantly grants sessions in the answer to their create.
var instantly = qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}

// webhookToken is one of the allowed length.
const webhookToken = "webhook-token-of-some-length"

// The body has what was asked for and nothing else: the sandbox refuses other members.
func TestCAMARAV0Writes(t *testing.T) {
	t.Parallel()
	const least = `"applicationServer":{"ipv4Address":"198.51.100.0/24"},`
	tests := map[string]bodyTest{
		"the least": {func(*qod.Spec) {}, `{"device":{"phoneNumber":"+34600000001"},` + least + `"qosProfile":"QOS_L","duration":3600}`},
		"a network identifier": {
			func(s *qod.Spec) { s.Device = qod.Device{NetworkAccessIdentifier: "camera@operator.example"} },
			`{"device":{"networkAccessIdentifier":"camera@operator.example"},` + least + `"qosProfile":"QOS_L","duration":3600}`},
		"an address with port 0": {
			func(s *qod.Spec) {
				s.Device = qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.9", PublicPort: new(int64(0))}}
			},
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.9","publicPort":0}},` + least + `"qosProfile":"QOS_L","duration":3600}`},
		"ports": {
			func(s *qod.Spec) {
				s.DevicePorts = &qod.Ports{Ranges: []qod.PortRange{{From: 0, To: 5010}}}
				s.ApplicationServerPorts = &qod.Ports{Ports: []int64{443}}
			},
			`{"device":{"phoneNumber":"+34600000001"},` + least + `"devicePorts":{"ranges":[{"from":0,"to":5010}]},"applicationServerPorts":{"ports":[443]},"qosProfile":"QOS_L","duration":3600}`},
		"a webhook": {
			func(s *qod.Spec) { s.NotificationURL = "http://hook.example" },
			`{"device":{"phoneNumber":"+34600000001"},` + least + `"qosProfile":"QOS_L","webhook":{"notificationUrl":"http://hook.example"},"duration":3600}`},
		"a webhook with its token": {
			func(s *qod.Spec) { s.NotificationURL, s.NotificationAuthToken = "https://hook.example", webhookToken },
			`{"device":{"phoneNumber":"+34600000001"},` + least + `"qosProfile":"QOS_L","webhook":{"notificationUrl":"https://hook.example","notificationAuthToken":"` + webhookToken + `"},"duration":3600}`},
		"a day": {
			func(s *qod.Spec) { s.Seconds = 86_400 },
			`{"device":{"phoneNumber":"+34600000001"},` + least + `"qosProfile":"QOS_L","duration":86400}`},
	}
	wantBodies(t, inV0, "/qod/v0/sessions", tests)
}

func TestCAMARAV0Checks(t *testing.T) {
	t.Parallel()
	tests := map[string]checkTest{
		"all of it":            {func(*qod.Spec) {}, ""},
		"no server":            {func(s *qod.Spec) { s.ApplicationServer = nil }, qod.FieldApplicationServer},
		"a network identifier": {func(s *qod.Spec) { s.Device.NetworkAccessIdentifier = "a@b.example" }, ""},
		"an address alone":     {func(s *qod.Spec) { s.Device.IPv4Address = &qod.IPv4Address{PublicAddress: "203.0.113.9"} }, qod.FieldIPv4Address},
		"port 0":               {func(s *qod.Spec) { s.DevicePorts = &qod.Ports{Ports: []int64{0}} }, ""},
		"port 65536":           {func(s *qod.Spec) { s.DevicePorts = &qod.Ports{Ports: []int64{65536}} }, qod.FieldDevicePorts},
		"a range backwards":    {func(s *qod.Spec) { s.ApplicationServerPorts = &qod.Ports{Ranges: []qod.PortRange{{From: 2, To: 1}}} }, qod.FieldApplicationServerPorts},
		"no ports":             {func(s *qod.Spec) { s.ApplicationServerPorts = &qod.Ports{} }, qod.FieldApplicationServerPorts},
		"a profile of a word":  {func(s *qod.Spec) { s.QoSProfile = "live uplink" }, qod.FieldQoSProfile},
		"a profile of anybody": {func(s *qod.Spec) { s.QoSProfile = "b55e2cc8-b386-4d90-9f95-b98ba20be050" }, ""},
		"a hook without TLS":   {func(s *qod.Spec) { s.NotificationURL = "http://hook.example" }, ""},
		"a duration of a day":  {func(s *qod.Spec) { s.Seconds = 86_400 }, ""},
		"more than a day":      {func(s *qod.Spec) { s.Seconds = 86_401 }, qod.FieldDuration},
		"a negative duration":  {func(s *qod.Spec) { s.Seconds = -1 }, qod.FieldDuration},
		"the shortest token":   {func(s *qod.Spec) { s.NotificationAuthToken = strings.Repeat("t", 20) }, ""},
		"a shorter token":      {func(s *qod.Spec) { s.NotificationAuthToken = strings.Repeat("t", 19) }, qod.FieldNotificationAuthToken},
		"the longest token":    {func(s *qod.Spec) { s.NotificationAuthToken = strings.Repeat("t", 256) }, ""},
		"a longer token":       {func(s *qod.Spec) { s.NotificationAuthToken = strings.Repeat("t", 257) }, qod.FieldNotificationAuthToken},
		"a token that expires": {func(s *qod.Spec) { s.NotificationAuthTokenExpiresAt = time.Now() }, qod.FieldNotificationAuthTokenExpiresAt},
	}
	wantChecks(t, qod.CAMARAV0, tests)
}

// The answers of gateways that deviate are read all the same. What the document makes them say of
// times before a session has started is not believed.
func TestCAMARAV0ReadsWhatGatewaysSend(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]sandbox.Config{
		"as the document says": {},
		"no device":            {OmitDevice: true},
		"200":                  {CreateStatus: http.StatusOK},
		"202":                  {CreateStatus: http.StatusAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config.Provisioning = time.Second
			inV0(t, qodtest.Options{Sandbox: config}, func(t *testing.T, n *qodtest.Network) {
				time.Sleep(2 * 366 * 24 * time.Hour) // to where seconds since 1970 have ten digits, as they do now
				n.Echo(func(info map[string]any) {
					info["messages"], info["unheardOf"] = []any{map[string]any{"severity": "INFO", "description": "x"}}, nil
				})
				s, err := n.Create(t.Context(), camaraSpec())
				if err != nil || !s.StartedAt.IsZero() || !s.ExpiresAt.IsZero() || s.Status != qod.StatusRequested {
					t.Fatalf("%+v from %v to %v, %v", s, s.StartedAt, s.ExpiresAt, err)
				}
				s, err = n.Await(qodtest.WithTimeout(t, time.Minute), camaraRef(s.ID))
				live := n.Ledger()[0]
				if err != nil || s.Status != qod.StatusAvailable || !s.ExpiresAt.Equal(live.ExpiresAt.Truncate(time.Second)) || s.Seconds != 3600 {
					t.Errorf("%+v, %v; the network has %+v", s, err, live)
				}
				if err := n.Delete(t.Context(), camaraRef(s.ID)); err != nil || len(n.Ledger()) > 0 {
					t.Errorf("delete: %v", err)
				}
			})
		})
	}
}

// The answer to a create is lost, in every way in which it may have been carried out: nothing is
// asked for again, since nobody can look whether it was, and the error says what may exist, and
// until when.
func TestCAMARAV0LostAnswers(t *testing.T) {
	t.Parallel()
	const unavailable = `{"code":"SERVICE_UNAVAILABLE","message":"so it is"}`
	tests := map[string]struct {
		effect    sandbox.Effect
		committed bool
	}{
		"before it is carried out":    {sandbox.DropBeforeCommit(), false},
		"after":                       {sandbox.DropAfterCommit(), true},
		"with a 502":                  {sandbox.Status(http.StatusBadGateway, ""), false},
		"with a 503":                  {sandbox.Status(http.StatusServiceUnavailable, unavailable), false},
		"with a 503, to wait":         {sandbox.Status(http.StatusServiceUnavailable, unavailable, "Retry-After", "1"), false},
		"with a 503, to wait, after":  {sandbox.StatusAfterCommit(http.StatusServiceUnavailable, unavailable, "Retry-After", "1"), true},
		"with a 504 after":            {sandbox.StatusAfterCommit(http.StatusGatewayTimeout, ""), true},
		"with no end":                 {sandbox.HangAfterCommit(), true},
		"as a 201 that shows no id":   {sandbox.Rewrite(func([]byte) []byte { return []byte(`{"qosStatus":"REQUESTED"}`) }), true},
		"as a 201 of another device":  {sandbox.Rewrite(otherNumber), true},
		"as a 201 that is a web page": {sandbox.Answer(http.StatusCreated, qodtest.HTML, qodtest.LoginPage), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
				n.LearnTime()
				n.InjectFault(sandbox.OpCreate, 1, test.effect)
				posted := time.Now()
				s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), camaraSpec())
				lost := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
				if live := n.Ledger(); s.ID != "" || (len(live) == 1) != test.committed {
					t.Errorf("the create returned %q; the network has %v", s.ID, qodtest.IDs(live))
				}
				if !errors.Is(lost.ListErr, qod.ErrNoList) || len(lost.Correlators) != 1 || lost.Device != camaraSpec().Device || len(lost.Candidates) > 0 {
					t.Errorf("%+v", lost)
				}
				if late := lost.Until.Sub(posted.Add(time.Hour)); late < -2*time.Second || late > 40*time.Second {
					t.Errorf("it may be billed until %v, want an hour after %v", lost.Until, posted)
				}
			})
		})
	}
}

func otherNumber(body []byte) []byte {
	return []byte(strings.ReplaceAll(string(body), qodtest.Phone, "+34600000777"))
}

// A device that the operator has no such service for is refused in the document's words, with 501:
// no session may exist then, as after every other answer of the kind.
func TestCAMARAV0NotOffered(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"NOT_IMPLEMENTED": true, "": false} {
		inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
			n.InjectFault(sandbox.OpCreate, 1, refusal(http.StatusNotImplemented, code))
			_, err := n.Create(qodtest.WithTimeout(t, time.Minute), camaraSpec())
			if refused := qodtest.IsError[*qod.Error](err) && !qodtest.IsError[*qod.UnresolvedError](err); refused != want {
				t.Errorf("%q: %v", code, err)
			}
			qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
		})
	}
}

// What proves that nothing was created is asked for again.
func TestCAMARAV0RetriesWhatWasNotCarriedOut(t *testing.T) {
	t.Parallel()
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, refusal(http.StatusTooManyRequests, "TOO_MANY_REQUESTS"))
		if _, err := n.Create(qodtest.WithTimeout(t, time.Minute), camaraSpec()); err != nil {
			t.Errorf("after a 429: %v", err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 2)
	})
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		if _, err := n.Create(t.Context(), camaraSpec()); err != nil {
			t.Fatal(err)
		}
		n.RevokeTokens()
		other := camaraSpec()
		other.Device.PhoneNumber = "+34600000002"
		if _, err := n.Create(qodtest.WithTimeout(t, time.Minute), other); err != nil {
			t.Errorf("after a token was revoked: %v", err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 3)
	})
}

// A conflict names nothing that it could not know, and nothing is adopted: whatever is in the way
// may be anybody's, also after a token was refused in between.
func TestCAMARAV0Conflicts(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(n *qodtest.Network){
		"at once":                func(*qodtest.Network) {},
		"after a refused token":  func(n *qodtest.Network) { n.RevokeTokens() },
		"after a 401 of a proxy": func(n *qodtest.Network) { n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(401, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
				n.LearnTime()
				there := n.SeedSession(sandbox.Session{})
				arrange(n)
				began := time.Now()
				s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), camaraSpec())
				conflict := qodtest.ErrorAs[*qod.ConflictError](t, err)
				if s.ID != "" || !errors.Is(conflict.ListErr, qod.ErrNoList) || len(conflict.Visible)+len(conflict.Own)+len(conflict.Possible)+len(conflict.Deleted) > 0 {
					t.Errorf("%+v, %+v", s, conflict)
				}
				if conflict.Longest != 24*time.Hour || !conflict.CanExtend {
					t.Errorf("it lasts %v, or longer: %t", conflict.Longest, conflict.CanExtend)
				}
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("it took %v", took)
				}
				qodtest.Equal(t, "the network", qodtest.IDs(n.Ledger()), []string{there.ID})
			})
		})
	}
}

// A conflict with a session of this very process is told as one, and one with what it deletes, or
// is about to delete as in a renamed resource, is waited out.
func TestCAMARAV0ConflictsOfThisProcess(t *testing.T) {
	t.Parallel()
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		first, err := n.Create(t.Context(), camaraSpec())
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Create(qodtest.WithTimeout(t, time.Minute), camaraSpec())
		qodtest.Equal(t, "its own", qodtest.ErrorAs[*qod.ConflictError](t, err).Own, []string{first.ID})
	})
	held := instantly
	held.Sandbox.HoldAfterDelete = 30 * time.Second
	for _, ahead := range []time.Duration{0, 2 * time.Second} {
		inV0(t, held, func(t *testing.T, n *qodtest.Network) {
			there := n.SeedSession(sandbox.Session{})
			deleted := make(chan error)
			go func() {
				time.Sleep(ahead)
				deleted <- n.Delete(context.Background(), camaraRef(there.ID))
			}()
			s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), camaraSpec())
			if err := errors.Join(err, <-deleted); err != nil {
				t.Errorf("a delete %v later: %v", ahead, err)
			}
			qodtest.Equal(t, "the network", qodtest.IDs(n.Ledger()), []string{s.ID})
		})
	}
}

// A session is gone when the API says so twice, two seconds apart and in the words of its document.
func TestCAMARAV0Gone(t *testing.T) {
	t.Parallel()
	notFound := refusal(http.StatusNotFound, "NOT_FOUND")
	noRoute := sandbox.Status(http.StatusNotFound, `{"message":"no Route matched with those values"}`)
	tests := map[string]struct {
		first, second sandbox.Effect
		gone          bool
	}{
		"said twice":                      {notFound, notFound, true},
		"said twice by Telefónica":        {sandbox.Status(404, `{"code":"NOT_FOUND","message":"x"}`), sandbox.Status(404, `{"code":"NOT_FOUND","message":"x"}`), true},
		"by a gateway":                    {noRoute, noRoute, false},
		"by a gateway with a number":      {sandbox.Status(404, `{"code":404,"message":"x"}`), sandbox.Status(404, `{"code":404,"message":"x"}`), false},
		"by a gateway and then by it":     {noRoute, notFound, false},
		"by it and then by a gateway":     {notFound, noRoute, false},
		"by it and then by a broken API":  {notFound, sandbox.Status(500, ""), false},
		"by it and then by what has none": {notFound, sandbox.Status(404, ""), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpRead, 1, test.first)
				n.InjectFault(sandbox.OpRead, -1, test.second)
				began := time.Now()
				_, err := n.Read(t.Context(), camaraRef(s.ID))
				if qod.IsGone(err) != test.gone {
					t.Errorf("%v", err)
				}
				if test.gone {
					qodtest.Equal(t, "the proof", qodtest.ErrorAs[*qod.GoneError](t, err).Proof, qod.ProofRepeat)
					if took := time.Since(began); took < 2*time.Second || took > 3*time.Second {
						t.Errorf("it took %v", took)
					}
				} else if unproven := qodtest.ErrorAs[*qod.UnprovenError](t, err); unproven.Scope != "" || !errors.Is(unproven.ListErr, qod.ErrNoList) {
					t.Errorf("%+v", unproven)
				}
				qodtest.Equal(t, "the network", qodtest.IDs(n.Ledger()), []string{s.ID})
			})
		})
	}
}

// A session that is there after all is returned, and one younger than a minute is asked for until
// it is a minute old. Past its end, one answer is enough.
func TestCAMARAV0GoneInTime(t *testing.T) {
	t.Parallel()
	notFound := refusal(http.StatusNotFound, "NOT_FOUND")
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		n.InjectFault(sandbox.OpRead, 1, notFound)
		if found, err := n.Read(t.Context(), camaraRef(s.ID)); err != nil || found.ID != s.ID {
			t.Errorf("%v, %v", found, err)
		}
	})
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		made, err := n.Create(t.Context(), camaraSpec())
		if err != nil {
			t.Fatal(err)
		}
		n.InjectFault(sandbox.OpRead, 8, notFound) // half a minute of a replica that lags
		if found, err := n.Read(t.Context(), camaraRef(made.ID)); err != nil || found.ID != made.ID {
			t.Errorf("%v, %v", found, err)
		}
	})
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		n.LearnTime()
		s := n.SeedSession(sandbox.Session{})
		ref := camaraRef(s.ID)
		ref.ExpiresAt = s.ExpiresAt
		time.Sleep(time.Hour + time.Second)
		_, err := n.Read(t.Context(), ref)
		qodtest.Equal(t, "the proof", qodtest.ErrorAs[*qod.GoneError](t, err).Proof, qod.ProofExpired)
	})
}

// A delete of what is gone ends the same way, and one whose answer was lost ends well.
func TestCAMARAV0Deletes(t *testing.T) {
	t.Parallel()
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		n.InjectFault(sandbox.OpDelete, 1, sandbox.DropAfterCommit())
		if err := n.Delete(qodtest.WithTimeout(t, time.Minute), camaraRef(s.ID)); err != nil && !qod.IsGone(err) {
			t.Errorf("a lost answer: %v", err)
		}
		qodtest.Equal(t, "the network", len(n.Ledger()), 0)
	})
	inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(http.StatusNotFound, `{"message":"no Route matched"}`))
		var unproven *qod.UnprovenError
		if err := n.Delete(qodtest.WithTimeout(t, time.Minute), camaraRef(s.ID)); !errors.As(err, &unproven) {
			t.Errorf("a gateway's 404: %v", err)
		}
		qodtest.Equal(t, "the network", qodtest.IDs(n.Ledger()), []string{s.ID})
	})
}

// An answer to a read that is not of the session is nobody's, as from a mock that answers every
// request with the same example.
func TestCAMARAV0AnswersOfAMock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		echo func(info map[string]any)
		want error // nil: it is believed
	}{
		"of another session": {func(info map[string]any) { info["sessionId"] = qodtest.SessionID }, qod.ErrOtherSession},
		"of another device":  {func(info map[string]any) { info["device"] = map[string]any{"phoneNumber": "123456789"} }, qod.ErrOtherDevice},
		"of no device":       {func(info map[string]any) { delete(info, "device") }, nil},
		"of what was asked":  {func(map[string]any) {}, nil},
	} {
		inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
			s := n.SeedSession(sandbox.Session{})
			n.Echo(test.echo)
			found, err := n.Read(t.Context(), camaraRef(s.ID))
			if !errors.Is(err, test.want) || (err == nil) != (found.ID == s.ID) {
				t.Errorf("%s: %v, %v, want %v", name, found, err, test.want)
			}
		})
	}
}

// A mock without a memory: what is created and deleted there is green, and a read says that it
// shows somebody else's session. Nothing is ever gone.
func TestCAMARAV0ForgetfulMock(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Sandbox: sandbox.Config{Forgetful: true, MockRules: true}}, func(t *testing.T, n *qodtest.Network) {
		s, err := n.Create(t.Context(), camaraSpec())
		if err != nil || s.Status != qod.StatusAvailable {
			t.Fatalf("%v, %v", s, err)
		}
		if _, err := n.Read(t.Context(), camaraRef(s.ID)); !errors.Is(err, qod.ErrOtherDevice) {
			t.Errorf("read: %v", err)
		}
		if err := n.Delete(t.Context(), camaraRef(s.ID)); err != nil {
			t.Errorf("delete: %v", err)
		}
		taken := camaraSpec()
		taken.Device.PhoneNumber = "+34600000009"
		if _, err := n.Create(qodtest.WithTimeout(t, time.Minute), taken); !qodtest.IsError[*qod.ConflictError](err) {
			t.Errorf("a number that ends in 9: %v", err)
		}
	})
}

// Whoever wants a list is told that there is none, without a request, and nobody is asked for
// consent to it.
func TestCAMARAV0HasNoList(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Client: withCIBA}, func(t *testing.T, n *qodtest.Network) {
		for _, device := range []qod.Device{{}, camaraSpec().Device} {
			if _, err := n.List(t.Context(), qod.Filter{Device: device}); !errors.Is(err, qod.ErrNoList) {
				t.Error(err)
			}
		}
		qodtest.Equal(t, "requests", len(n.Requests()), 0)
	})
}

// The time is learned without a device, and without anybody's consent.
func TestCAMARAV0TimeNeedsNoToken(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		now, err := n.Now(t.Context())
		if err != nil || time.Since(now).Abs() > 2*time.Second {
			t.Errorf("%v, %v", now, err)
		}
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 0)
		qodtest.Equal(t, "requests", n.Count(sandbox.OpProfiles), 2)
	})
}

// An extension is asked for once, whatever happens to its answer, by a day less a second at most,
// and what was granted is returned.
func TestCAMARAV0Extends(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault *sandbox.Effect
		after time.Duration // after the start
		by    time.Duration
		want  time.Duration // of the whole session; 0: refused
		posts int
	}{
		"granted":                {by: time.Hour, want: 2 * time.Hour, posts: 1},
		"not needed":             {by: -time.Minute, want: time.Hour, posts: 0},
		"lost before":            {fault: new(sandbox.DropBeforeCommit()), by: time.Hour, want: 2 * time.Hour, posts: 2},
		"lost after":             {fault: new(sandbox.DropAfterCommit()), by: time.Hour, want: 2 * time.Hour, posts: 1},
		"lost after, as a 503":   {fault: new(sandbox.StatusAfterCommit(503, "", "Retry-After", "1")), by: time.Hour, want: 2 * time.Hour, posts: 1},
		"capped":                 {by: 30 * time.Hour, want: 24 * time.Hour, posts: 1},
		"capped in what is left": {after: 30 * time.Minute, by: 30 * time.Hour, want: 24*time.Hour + 30*time.Minute, posts: 1},
		"refused":                {fault: new(refusal(http.StatusBadRequest, "INVALID_ARGUMENT")), by: time.Hour, posts: 1},
		"out of range":           {fault: new(refusal(http.StatusBadRequest, "OUT_OF_RANGE")), by: time.Hour, posts: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
				n.LearnTime()
				time.Sleep(2 * 366 * 24 * time.Hour) // to where seconds since 1970 have ten digits
				made, err := n.Create(t.Context(), camaraSpec())
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(test.after)
				if test.fault != nil {
					n.InjectFault(sandbox.OpExtend, 1, *test.fault)
				}
				wantExtended(t, n, camaraRef(made.ID), test.by, test.want, test.posts)
			})
		})
	}
}

// A session that is not active yet is refused with 400: that is waited for, and asked again.
func TestCAMARAV0ExtendsOnceItIsActive(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: 20 * time.Second}}, func(t *testing.T, n *qodtest.Network) {
		time.Sleep(2 * 366 * 24 * time.Hour) // to where seconds since 1970 have ten digits
		made, err := n.Create(t.Context(), camaraSpec())
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(2 * time.Hour).Truncate(time.Second)
		s, err := n.Extend(qodtest.WithTimeout(t, 5*time.Minute), camaraRef(made.ID), until)
		if live := n.Ledger()[0]; err != nil || live.ExpiresAt.Before(until) || live.ExpiresAt.After(until.Add(time.Second)) {
			t.Errorf("%v, %v; the network has %+v, want the end %v", s, err, live, until)
		}
		qodtest.Equal(t, "requests", n.Count(sandbox.OpExtend), 1)

		// What takes extensions is a moment behind what shows the session.
		n.Edit(made.ID, func(s *sandbox.Session) { s.Status = sandbox.StatusRequested })
		n.Echo(func(info map[string]any) { // of the first read
			info["qosStatus"], info["startedAt"], info["expiresAt"] = "AVAILABLE", time.Now().Unix(), time.Now().Add(time.Hour).Unix()
			n.Echo(nil)
		})
		_, err = n.Extend(qodtest.WithTimeout(t, 5*time.Minute), camaraRef(made.ID), time.Now().Add(4*time.Hour))
		if live := n.Ledger()[0]; err != nil || time.Until(live.ExpiresAt) < 3*time.Hour {
			t.Errorf("%v; the network has %+v", err, live)
		}

		// One that the network has ended never is.
		n.Revoke(made.ID)
		before := n.Count(sandbox.OpExtend)
		var refused *qod.Error
		if _, err := n.Extend(qodtest.WithTimeout(t, 5*time.Minute), camaraRef(made.ID), time.Now().Add(9*time.Hour)); !errors.As(err, &refused) || refused.Message != "The target session is inactive" {
			t.Errorf("%v", err)
		}
		qodtest.Equal(t, "requests", n.Count(sandbox.OpExtend), before+1)
	})
}

// A window that is longer than a day gets a day first, and one that is longer than a session of the
// profile may last the longest there is.
func TestCAMARAV0Windows(t *testing.T) {
	t.Parallel()
	wantWindows(t, inV0, "QOS_L")
}

// The same where each token is for one device: the profiles are asked for with the one at hand.
func TestCAMARAV0WindowsOfADevicesToken(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Client: withCIBA}, func(t *testing.T, n *qodtest.Network) {
		spec := camaraSpec()
		spec.QoSProfile, spec.Seconds, spec.Until = "live-uplink", 0, time.Now().Add(10*time.Hour)
		s, err := n.Create(qodtest.WithTimeout(t, time.Minute), spec)
		if err != nil || s.Seconds != 6*3600 {
			t.Errorf("%d seconds: %v", s.Seconds, err)
		}
		qodtest.Equal(t, "authorizations", n.Count(sandbox.OpBackchannel), 1)
	})
}

// The profiles are part of the API, at its own path, and have a scope of their own. They are not
// asked for by device.
func TestCAMARAV0Profiles(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Sandbox: sandbox.Config{APIPath: "/operator/qod/v0"}}, func(t *testing.T, n *qodtest.Network) {
		found, err := n.Profiles(t.Context(), qod.ProfileFilter{Name: "live-uplink", Status: "ACTIVE"})
		want := []qod.Profile{{
			Name: "live-uplink", Description: "Uplink of a live camera", Status: "ACTIVE",
			MinSeconds: 60, MaxSeconds: 6 * 3600, MaxUpstreamRate: 40e6, MaxDownstreamRate: 5e6,
		}}
		if diff := cmp.Diff(want, found); diff != "" || err != nil {
			t.Error(err, diff)
		}
		if all, err := n.Profiles(t.Context(), qod.ProfileFilter{}); err != nil || len(all) != 6 {
			t.Errorf("%v, %v", all, err)
		}
		if none, err := n.Profiles(t.Context(), qod.ProfileFilter{Status: "DEPRECATED"}); err != nil || len(none) != 0 {
			t.Errorf("%v, %v", none, err)
		}
		before := len(n.Requests())
		if _, err := n.Profiles(t.Context(), qod.ProfileFilter{Device: camaraSpec().Device}); !errors.Is(err, qod.ErrNoDeviceProfiles) {
			t.Error(err)
		}
		qodtest.Equal(t, "requests", len(n.Requests()), before)
	})
	reserver := sandbox.ClientCredentials{ID: "reserver", Secret: "s", Scopes: qod.LimitsOf(qod.CAMARAV0).Scopes}
	options := qodtest.Options{
		Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{reserver}},
		Client:  func(c *qod.Config) { c.ClientID, c.ClientSecret = reserver.ID, reserver.Secret },
	}
	inV0(t, options, func(t *testing.T, n *qodtest.Network) {
		if _, err := n.Create(t.Context(), camaraSpec()); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Profiles(t.Context(), qod.ProfileFilter{}); !qodtest.IsError[*qod.TokenError](err) {
			t.Errorf("profiles: %v", err)
		}
	})
}

// Telefónica's document has other codes: 401 still renews the token, and 403 names the scope. Its
// profiles are names.
func TestCAMARAV0CodesOfTelefonica(t *testing.T) {
	t.Parallel()
	inV0(t, qodtest.Options{Sandbox: sandbox.Config{MockRules: true}}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		names, err := n.Profiles(t.Context(), qod.ProfileFilter{})
		if diff := cmp.Diff([]qod.Profile{{Name: "QOS_E"}, {Name: "QOS_S"}, {Name: "QOS_M"}, {Name: "QOS_L"}}, names); diff != "" || err != nil {
			t.Error(err, diff)
		}
		n.RevokeTokens()
		if _, err := n.Read(t.Context(), camaraRef(s.ID)); err != nil {
			t.Errorf("after its token was revoked: %v", err)
		}
		others := n.Seed(sandbox.Session{ClientID: "somebody"})
		_, err = n.Read(t.Context(), qod.Ref{ID: others.ID})
		if forbidden := qodtest.ErrorAs[*qod.Error](t, err); forbidden.Code != "FORBIDDEN" || forbidden.Scope != "qod-sessions-read" || qod.IsGone(err) {
			t.Errorf("%+v", forbidden)
		}
	})
}

// The answers repeat the webhook's token. No session, error or log has it, however broken the
// answer is, and also in a process that never knew it.
func TestCAMARAV0KeepsTheWebhooksToken(t *testing.T) {
	t.Parallel()
	broken := `{"sessionId":"x","webhook":{"notificationUrl":"https://hook.example","notificationAuthToken":"` + webhookToken + `"}}`
	for name, effect := range map[string]sandbox.Effect{
		"as it is":         sandbox.Delay(0),
		"with a 500":       sandbox.Status(500, broken),
		"with a 404":       sandbox.Status(404, broken),
		"within a message": sandbox.Status(400, fmt.Sprintf(`{"code":"INVALID_ARGUMENT","message":%q}`, broken)),
		"cut within it":    sandbox.Rewrite(func(body []byte) []byte { return body[:strings.Index(string(body), webhookToken)+len(webhookToken)] }),
		"in place of a time": sandbox.Rewrite(func(body []byte) []byte {
			return []byte(strings.Replace(string(body), `"startedAt":`, `"startedAt":{"webhook":`+broken+`},"x":`, 1))
		}),
	} {
		inV0(t, instantly, func(t *testing.T, n *qodtest.Network) {
			spec := camaraSpec()
			spec.NotificationURL, spec.NotificationAuthToken = "https://hook.example", webhookToken
			n.InjectFault(sandbox.OpCreate, -1, effect)
			n.InjectFault(sandbox.OpRead, -1, effect)
			n.InjectFault(sandbox.OpExtend, -1, effect)
			var said strings.Builder
			s, err := n.Create(qodtest.WithTimeout(t, time.Minute), spec)
			fmt.Fprintf(&said, "%+v %s %v %+v\n", s, s.Unread, err, err)
			config := qodtest.ConfigOf(n.Sandbox, qodtest.Gateway)
			config.Transport = n.Transport()
			n.Connect(config, nil)
			ref := camaraRef(n.SeedSession(sandbox.Session{NotificationURL: "https://hook.example", NotificationAuthToken: webhookToken}).ID)
			s, err = n.Read(qodtest.WithTimeout(t, time.Minute), ref)
			fmt.Fprintf(&said, "%+v %s %v %+v\n", s, s.Unread, err, err)
			s, err = n.Extend(qodtest.WithTimeout(t, time.Minute), ref, time.Now().Add(2*time.Hour))
			fmt.Fprintf(&said, "%+v %s %v %+v\n", s, s.Unread, err, err)
			for _, event := range n.Events() {
				fmt.Fprintf(&said, "%+v\n", event)
			}
			if strings.Contains(said.String(), webhookToken) {
				t.Errorf("%s: the token is in %s", name, said.String())
			}
		})
	}
}
