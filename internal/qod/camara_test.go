// What the tests of CAMARA's documents share.
package qod_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// inNetwork runs f with a network that speaks one of the documents, and a client of it.
type inNetwork func(t *testing.T, options qodtest.Options, f func(t *testing.T, n *qodtest.Network))

// camaraSpec requests an hour of QOS_L for a device and a server.
func camaraSpec() qod.Spec {
	s := qodtest.Spec()
	s.QoSProfile, s.ApplicationServer = "QOS_L", &qod.ApplicationServer{IPv4Address: "198.51.100.0/24"}
	return s
}

// refusal is an answer of the API with a code.
func refusal(status int, code string) sandbox.Effect {
	return sandbox.Status(status, fmt.Sprintf(`{"status":%d,"code":%q,"message":"so it is"}`, status, code))
}

// camaraRef refers to a session of the device that camaraSpec is for.
func camaraRef(id string) qod.Ref {
	return qod.Ref{ID: id, Device: camaraSpec().Device, QoSProfile: "QOS_L"}
}

// bodyTest is a request and its body.
type bodyTest struct {
	change func(*qod.Spec)
	want   string
}

// wantBodies creates a session for each request, and compares what is sent to the path.
func wantBodies(t *testing.T, in inNetwork, path string, tests map[string]bodyTest) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := ""
			in(t, qodtest.Options{Intercept: func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, path) {
					body, _ := io.ReadAll(r.Body)
					sent = string(body)
					r.Body = io.NopCloser(strings.NewReader(sent))
				}
				return next.RoundTrip(r)
			}}, func(t *testing.T, n *qodtest.Network) {
				spec := camaraSpec()
				test.change(&spec)
				if problems := n.Check(spec); len(problems) > 0 {
					t.Errorf("refused: %+v", problems)
				}
				s, err := n.Create(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				qodtest.Equal(t, "the body", sent, test.want)
				if live := n.Ledger(); len(live) != 1 || live[0].ID != s.ID {
					t.Errorf("the network has %+v", live)
				}
				if diff := cmp.Diff(spec.ApplicationServerPorts, s.ApplicationServerPorts); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// checkTest is a request and the field for which it is refused.
type checkTest struct {
	change func(*qod.Spec)
	field  qod.Field // empty: it is allowed
}

// wantChecks checks requests without a network. No problem shows an address or a token.
func wantChecks(t *testing.T, api qod.API, tests map[string]checkTest) {
	t.Helper()
	for name, test := range tests {
		spec := camaraSpec()
		test.change(&spec)
		var fields []qod.Field
		for _, problem := range qod.CheckFor(api, "", spec) {
			fields = append(fields, problem.Field)
			if problem.Allowed == "" || problem.Given == "" || strings.Contains(problem.Given, "203.0.113.9") || strings.Contains(problem.Given, "ttt") {
				t.Errorf("%s: %+v", name, problem)
			}
		}
		var want []qod.Field
		if test.field != "" {
			want = []qod.Field{test.field}
		}
		if !slices.Equal(fields, want) {
			t.Errorf("%s: %v, want %v", name, fields, want)
		}
	}
}

// wantWindows requests windows, of which the profile live-uplink allows six hours at a time, and
// the other one more than a day.
func wantWindows(t *testing.T, in inNetwork, longest string) {
	t.Helper()
	for name, test := range map[string]struct {
		profile      string
		window, want time.Duration // 0: refused
		posts        int
	}{
		"it fits":              {"live-uplink", 5 * time.Hour, 5 * time.Hour, 1},
		"longer than profiled": {"live-uplink", 10 * time.Hour, 6 * time.Hour, 2},
		"more than a day":      {longest, 100 * time.Hour, 24 * time.Hour, 1},
		"too short":            {"live-uplink", 30 * time.Second, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				spec := camaraSpec()
				spec.QoSProfile, spec.Seconds, spec.Until = test.profile, 0, time.Now().Add(test.window)
				s, err := n.Create(qodtest.WithTimeout(t, time.Minute), spec)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), test.posts)
				if test.want == 0 {
					if err == nil {
						t.Error("it is granted")
					}
					return
				}
				if got := time.Duration(s.Seconds) * time.Second; err != nil || got > test.want || got < test.want-10*time.Second {
					t.Errorf("%v for a window of %v: %v", got, test.window, err)
				}
			})
		})
	}
}

// wantExtended extends the only session, which is to last so long in the end, with so many
// requests. Zero: it is refused, and lasts as long as before.
func wantExtended(t *testing.T, n *qodtest.Network, ref qod.Ref, by, want time.Duration, requests int) {
	t.Helper()
	before := n.Ledger()[0]
	s, err := n.Extend(qodtest.WithTimeout(t, 5*time.Minute), ref, before.ExpiresAt.Add(by))
	qodtest.Equal(t, "requests", n.Count(sandbox.OpExtend), requests)
	live := n.Ledger()[0]
	if want == 0 {
		var refused *qod.Error
		if !errors.As(err, &refused) || refused.Code == "" || !live.ExpiresAt.Equal(before.ExpiresAt) {
			t.Errorf("%v; the session ends at %v", err, live.ExpiresAt)
		}
		return
	}
	shown := s.ExpiresAt.Equal(live.ExpiresAt) || s.ExpiresAt.Equal(live.ExpiresAt.Truncate(time.Second))
	if got := live.ExpiresAt.Sub(live.StartedAt); err != nil || (got-want).Abs() > 5*time.Second || !shown {
		t.Errorf("the session lasts %v, want %v: %v, %v", got, want, s, err)
	}
}
