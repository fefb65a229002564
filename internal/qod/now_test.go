// The server's time is what two of its answers agree about. Without such answers the error says
// why, and nothing may be bought or ended by a guess.
package qod_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const aDay = "Tue, 29 Feb 2028 20:15:00 GMT"

// skewed makes the n-th answer of the API, from 1, show a clock that is wrong by skew(n).
func skewed(skew func(count int) time.Duration) func(*qodtest.Network) {
	return func(n *qodtest.Network) {
		// Tokens and discovery documents come from another server, whose Date does not matter.
		api := 0
		n.SkewDate(func(_ int, op sandbox.Operation) time.Duration {
			if op == sandbox.OpToken || op == sandbox.OpDiscovery {
				return 0
			}
			api++
			return skew(api)
		})
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	lists := func(times int, effect sandbox.Effect) func(*qodtest.Network) {
		return func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, times, effect) }
	}
	readTwice := func(n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		for range 2 {
			if _, err := n.Read(n.T.Context(), qodtest.Ref(s)); err != nil {
				n.T.Error(err)
			}
			time.Sleep(2 * time.Second)
		}
	}
	contradicted := func(err error) bool { return qodtest.IsError[*qod.ClockError](err) }
	because := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	of := func(status int) func(error) bool {
		return func(err error) bool { var e *qod.Error; return errors.As(err, &e) && e.Status == status }
	}
	said := func(text string) func(error) bool {
		return func(err error) bool { return strings.Contains(err.Error(), text) }
	}
	hours := func(off time.Duration, when func(count int) bool) func(*qodtest.Network) {
		return skewed(func(i int) time.Duration {
			if when(i) {
				return off
			}
			return 0
		})
	}
	tests := map[string]struct {
		network sandbox.Config
		arrange func(n *qodtest.Network)
		fails   func(error) bool // nil: it does not
		lists   int
		spent   time.Duration // at most
		off     time.Duration // how far the reading may be behind; a second by default
	}{
		"asked for":     {lists: 2, spent: 1200 * time.Millisecond},
		"ahead":         {network: sandbox.Config{Clock: clockAhead(time.Hour)}, lists: 2},
		"slow":          {network: sandbox.Config{Clock: clockAhead(-time.Hour)}, lists: 2},
		"known already": {arrange: readTwice, lists: 0, spent: time.Nanosecond},
		"one answer is there": {arrange: func(n *qodtest.Network) {
			s := n.SeedSession(sandbox.Session{})
			_, _ = n.Read(n.T.Context(), qodtest.Ref(s))
		}, lists: 1, spent: 1200 * time.Millisecond},

		"slow bodies":                     {arrange: lists(-1, sandbox.Delay(20*time.Second)), lists: 2, off: 22 * time.Second},
		"large lists":                     {arrange: func(n *qodtest.Network) { n.SeedFleet(2000) }, lists: 2},
		"nodes 3 s apart":                 {arrange: skewed(func(nth int) time.Duration { return time.Duration(nth%2) * -3 * time.Second }), lists: 2, off: 4 * time.Second},
		"the first node of 2, 6 h ahead":  {arrange: hours(6*time.Hour, func(nth int) bool { return nth == 1 }), fails: contradicted, lists: 2},
		"the second node of 2, 6 h ahead": {arrange: hours(6*time.Hour, func(nth int) bool { return nth == 2 }), fails: contradicted, lists: 2},
		"every other answer 6 h behind":   {arrange: hours(-6*time.Hour, func(nth int) bool { return nth%2 == 0 }), fails: contradicted, lists: 2},
		"all 6 h behind":                  {network: sandbox.Config{Clock: clockAhead(-6 * time.Hour)}, lists: 2},
		"the third 6 h ahead":             {arrange: hours(6*time.Hour, func(nth int) bool { return nth == 3 }), lists: 2},

		"no Date":             {arrange: lists(-1, sandbox.Header("Date", "")), fails: because(qod.ErrNoDate), lists: 1},
		"a Date that is none": {arrange: lists(-1, sandbox.Header("Date", "today")), fails: because(qod.ErrNoDate), lists: 1},
		"from a cache that tells its age": {
			arrange: func(n *qodtest.Network) { staleBy(n, sandbox.Cached(), time.Hour) }, fails: said("cache"), lists: 1,
		},
		"from a cache that does not tell its age": {
			arrange: lists(-1, sandbox.CachedWithoutAge()), fails: because(qod.ErrClockStandsStill), lists: 3, spent: 4 * time.Second,
		},
		"from a cache that heeds no-cache":   {arrange: func(n *qodtest.Network) { staleBy(n, sandbox.CachedUnlessNoCache(), time.Hour) }, lists: 2},
		"an Age of zero is an answer of now": {arrange: lists(-1, sandbox.Header("Age", "0")), lists: 2},
		"an Age that is no number":           {arrange: lists(-1, sandbox.Header("Age", "old")), fails: said("cache"), lists: 1},

		"nobody answers":          {arrange: lists(-1, sandbox.DropBeforeCommit()), fails: said("EOF"), lists: 5},
		"the list is not allowed": {arrange: lists(-1, sandbox.Status(403, "")), lists: 2},
		"the API has no list":     {arrange: lists(-1, sandbox.Status(404, "")), lists: 2},
		"the list fails":          {arrange: lists(-1, unavailable), fails: of(503), lists: 5},
		"asked to come back in an hour": {
			arrange: lists(-1, sandbox.Status(429, "", "Retry-After", "3600")), lists: 2,
		},
		"asked to come back in an hour, without a Date": {
			arrange: lists(-1, sandbox.Status(429, "", "Retry-After", "3600", "Date", "")), fails: of(429), lists: 1,
		},
		"a proxy with a clock of its own": {
			arrange: lists(1, sandbox.Status(503, "<html>", "Content-Type", "text/html", "Date", aDay)), lists: 3,
		},
		"a login page": {
			arrange: lists(1, sandbox.Status(200, "<html>", "Content-Type", "text/html", "Date", aDay)), lists: 3,
		},
		"a redirect": {
			arrange: lists(1, sandbox.Status(302, "", "Location", "https://example.com/", "Date", aDay)), lists: 3,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: test.network}, func(t *testing.T, n *qodtest.Network) {
				n.T = t
				if test.arrange != nil {
					test.arrange(n)
				}
				before := n.Count(sandbox.OpList)
				var now time.Time
				var err error
				spent := qodtest.Elapsed(func() { now, err = n.Now(t.Context()) })
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList)-before, test.lists)
				if test.spent > 0 && spent > test.spent {
					t.Errorf("it took %v, want at most %v", spent, test.spent)
				}
				if test.fails != nil {
					if err == nil || !test.fails(err) || !now.IsZero() {
						t.Errorf("%v, %v", now, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := time.Now()
				if test.network.Clock != nil {
					want = test.network.Clock.Now()
				}
				if off := want.Sub(now); off < 0 || off > max(test.off, time.Second) {
					t.Errorf("%v, want %v", now, want)
				}
				// Once known, the time goes on.
				time.Sleep(time.Minute)
				later, err := n.Now(t.Context())
				qodtest.Equal(t, "a minute later", later.Sub(now).Round(time.Second), time.Minute)
				qodtest.Equal(t, "lists in the end", n.Count(sandbox.OpList)-before, test.lists)
				if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// staleBy makes a cache answer lists with what was so a while ago.
func staleBy(n *qodtest.Network, effect sandbox.Effect, age time.Duration) {
	n.T.Helper()
	n.InjectFault(sandbox.OpList, -1, effect)
	other := &qodtest.Network{Sandbox: n.Sandbox, T: n.T}
	config := qodtest.Config(qodtest.Gateway + "/v1")
	config.Transport = other.Transport()
	other.Connect(config, nil)
	if _, err := other.List(n.T.Context(), qod.Filter{}); err != nil {
		n.T.Fatal(err)
	}
	time.Sleep(age)
}

// After a Date that contradicts an earlier one, the time is not known, however many answers agree
// later: nobody can tell which of the two is right.
func TestNowAfterAContradiction(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-6 * time.Hour, -time.Hour, -time.Minute, time.Minute, 6 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Duration: 86400})
				if _, err := n.Now(t.Context()); err != nil {
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpRead, 1, sandbox.Header("Date", time.Now().Add(by).UTC().Format(http.TimeFormat)))
				for range 3 {
					if _, err := n.Read(t.Context(), qodtest.Ref(s)); err != nil {
						t.Errorf("the session itself is there: %v", err)
					}
					now, err := n.Now(t.Context())
					e := qodtest.ErrorAs[*qod.ClockError](t, err)
					if off := e.Shown.Sub(e.Expected); !now.IsZero() || (off-by).Abs() > 2*time.Second {
						t.Errorf("now %v, contradicted by %v", now, off)
					}
					if guess := n.EstimateNow(); !guess.IsZero() {
						t.Errorf("a guess nevertheless: %v", guess)
					}
					time.Sleep(5 * time.Second)
				}
				spec := qodtest.Spec()
				spec.Device.PhoneNumber, spec.Until = "+34600000002", time.Now().Add(time.Hour)
				_, err := n.Create(t.Context(), spec)
				_ = qodtest.ErrorAs[*qod.ClockError](t, err)
				qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 0)
			})
		})
	}
}

// Where this machine's clock was set, or the machine was asleep, the server is asked again.
func TestNowAfterAJump(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		by    time.Duration
		lists int
	}{
		"an hour on":   {time.Hour, 4},
		"an hour back": {-time.Hour, 4},
		"a second":     {time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				if _, err := n.Now(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				n.Client.ClockIsSet(test.by)
				now, err := n.Now(t.Context())
				if off := time.Since(now); err != nil || off < 0 || off > time.Second {
					t.Errorf("%v, %v", now, err)
				}
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList), test.lists)
			})
		})
	}
}

// The clocks of an API's nodes differ a little: the time never goes back from one answer to the
// next.
func TestNowOfSeveralNodes(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		first, _ := n.Now(t.Context())
		dated := func(by time.Duration) time.Time {
			t.Helper()
			n.InjectFault(sandbox.OpRead, 1, sandbox.Header("Date", time.Now().Add(by).UTC().Format(http.TimeFormat)))
			_, _ = n.Read(t.Context(), qodtest.Ref(s))
			now, err := n.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		if now := dated(-3 * time.Second); now.Before(first) {
			t.Errorf("the clock went back to %v from %v", now, first)
		}
		if ahead := time.Until(dated(3 * time.Second)); ahead < 2*time.Second {
			t.Errorf("a node that is further on is not believed: %v", ahead)
		}
	})
}

// A thousand callers at once learn the time from the same two lists.
func TestNowIsShared(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, err := n.Now(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 2)
	})
}

// Where the time cannot be known, a thousand callers share the requests that found out.
func TestNowFailsForAll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		lists  int
	}{
		"nobody answers": {sandbox.DropBeforeCommit(), 5},
		"no Date":        {sandbox.Header("Date", ""), 1},
		"a cache":        {sandbox.CachedWithoutAge(), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, test.effect)
				for range 100 {
					if _, err := n.Now(t.Context()); err == nil {
						t.Fatal("there is a time")
					}
				}
				qodtest.Equal(t, "lists", n.Count(sandbox.OpList), test.lists)
				n.Heal()
				time.Sleep(10 * time.Second)
				if _, err := n.Now(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestNowInterrupted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		after  time.Duration
	}{
		"while a list hangs":          {sandbox.HangBeforeCommit(), 5 * time.Second},
		"while it waits for a second": {sandbox.Delay(time.Millisecond), 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, test.effect)
				var err error
				spent := qodtest.Elapsed(func() { _, err = n.Now(qodtest.CancelAfter(t, test.after)) })
				if err == nil || spent > test.after+time.Second {
					t.Errorf("%v after %v", err, spent)
				}
				// That nobody waited any longer is no failure for later callers.
				n.Heal()
				if _, err := n.Now(t.Context()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// An error about the time is one that a person can act on.
func TestClockErrorTexts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 20, 30, 0, 0, time.FixedZone("CET", 3600))
	e := &qod.ClockError{Expected: at, Shown: at.Add(6 * time.Hour)}
	qodtest.Equal(t, "contradiction", fmt.Sprint(e), "the API's answers disagree about the time: 2026-11-29T19:30:00Z by some, 2026-11-30T01:30:00Z by another at the same moment")
}
