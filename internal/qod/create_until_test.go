// A session that is requested until a time ends at that time by the server's clock, whatever was
// lost on the way, and none is bought when less than a second is left.
package qod_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func durations(t *testing.T, n *qodtest.Network) []int64 {
	t.Helper()
	var all []int64
	for _, r := range n.Requests(sandbox.OpCreate) {
		var body struct{ Duration int64 }
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		all = append(all, body.Duration)
	}
	return all
}

// wantWindowClosed expects that nothing was sent and that no session may exist.
func wantWindowClosed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, qod.ErrWindowClosed) || qodtest.IsError[*qod.UnresolvedError](err) {
		t.Error(err)
	}
}

// Until is kept to the second of the server's clock, whatever answer was lost. Learning that clock
// takes a little more than a second.
func TestCreateUntil(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		network sandbox.Config
		arrange func(*testing.T, *qodtest.Network)
		left    time.Duration // until the end, by the server's clock
		posts   []int64
		check   func(t *testing.T, err error)
	}{
		"an hour":                        {left: time.Hour, posts: []int64{3600}},
		"more than the API allows":       {left: 48 * time.Hour, posts: []int64{86400}},
		"three seconds":                  {left: 3 * time.Second, posts: []int64{2}}, // the server's time costs the first
		"a second, which the time costs": {left: time.Second, check: wantWindowClosed},
		"less than a second": {
			left: 999 * time.Millisecond, check: wantWindowClosed,
		},
		"long ago": {
			left: -time.Hour, check: wantWindowClosed,
		},
		"worked out before each POST": {
			arrange: failCreates(sandbox.Status(429, "", "Retry-After", "600"), sandbox.Status(503, "", "Retry-After", "600")),
			left:    time.Hour, posts: []int64{3600, 3000, 2389}, // the lost one is looked for ten seconds
		},
		"closed meanwhile": {
			arrange: failCreates(sandbox.Status(429, "", "Retry-After", "600")), left: 5 * time.Minute, posts: []int64{300}, check: wantWindowClosed,
		},
		"closed after a lost answer": {
			arrange: failCreates(sandbox.Status(503, "", "Retry-After", "600")), left: 5 * time.Minute, posts: []int64{300},
			check: func(t *testing.T, err error) {
				if _ = qodtest.ErrorAs[*qod.UnresolvedError](t, err); !errors.Is(err, qod.ErrWindowClosed) {
					t.Error(err)
				}
			},
		},
		"the server's clock is an hour ahead": {network: sandbox.Config{Clock: clockAhead(time.Hour)}, left: time.Hour, posts: []int64{3600}},
		"the server's clock is an hour slow":  {network: sandbox.Config{Clock: clockAhead(-time.Hour)}, left: time.Hour, posts: []int64{3600}},
		"the list fails, and its Date says the time": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, "")) },
			left:    time.Hour, posts: []int64{3600},
		},
		// A list that fails is not a lost POST.
		"nobody says the time": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.DropBeforeCommit()) },
			left:    time.Hour,
			check: func(t *testing.T, err error) {
				if err == nil || qodtest.IsError[*qod.UnresolvedError](err) {
					t.Error(err)
				}
			},
		},
		"the answers have no Date": {
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Header("Date", "")) },
			left:    time.Hour,
			check: func(t *testing.T, err error) {
				if err == nil || qodtest.IsError[*qod.UnresolvedError](err) {
					t.Error(err)
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				if test.arrange != nil {
					test.arrange(t, n)
				}
				now := time.Now()
				if clock := test.network.Clock; clock != nil {
					now = clock.Now()
				}
				spec := qodtest.Spec()
				spec.Seconds, spec.Until = 0, now.Add(test.left)
				s, err := n.Create(t.Context(), spec)
				if got := durations(t, n); !slices.EqualFunc(got, test.posts, func(got, want int64) bool { return got <= want && got >= want-3 }) {
					t.Errorf("durations %v, want %v", got, test.posts)
				}
				if test.check != nil {
					test.check(t, err)
					qodtest.Equal(t, "on the network", len(n.Ledger()), 0)
				} else if err != nil || s.ID == "" {
					t.Errorf("%q, %v", s.ID, err)
				}
			})
		})
	}
}
