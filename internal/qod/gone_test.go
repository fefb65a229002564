// A 404 is not the end of a session. Gateways, replicas and caches answer with one for sessions
// that are live and billed, so a read, a delete or a wait reports a session as gone only where
// there is proof. Otherwise it returns the session, or an error that keeps it in state.
package qod_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// notFoundCase is a way to answer that there is no session.
type notFoundCase struct {
	name   string
	own    bool // in the words of the API document
	effect sandbox.Effect
}

func notFoundCases() []notFoundCase {
	all := []notFoundCase{
		{"the API", true, notFound},
		{"the API, CAMARA's code", true, sandbox.Status(404, `{"status":404,"code":"QUALITY_ON_DEMAND.SESSION_NOT_FOUND","message":"no"}`)},
		{"the API, 410", true, sandbox.Status(410, `{"status":410,"code":"GONE","message":"it was here"}`)},
		{"the API, out of a cache", false, sandbox.Status(404, `{"status":404,"code":"NOT_FOUND","message":"no"}`, "Age", "30")},
		{"410, empty", false, sandbox.Status(410, "")},
		{"410, a page", false, sandbox.Status(410, qodtest.LoginPage, "Content-Type", qodtest.HTML)},
		{"cut off", false, sandbox.Status(404, `{"code":"NOT_F`)},
	}
	for _, answer := range sandbox.ForeignNotFound {
		all = append(all, notFoundCase{answer.Name, false, answer.Effect})
	}
	return all
}

// operationCase is a verb that such an answer is given to, with the requests that it makes.
type operationCase struct {
	op    sandbox.Operation
	every int  // so many answers are between two that meet the same list
	reads bool // and returns what it has read
	ask   func(ctx context.Context, n *qodtest.Network, ref qod.Ref) error
}

func operationCases() map[string]operationCase {
	return map[string]operationCase{
		"read": {sandbox.OpRead, 4, true, func(ctx context.Context, n *qodtest.Network, ref qod.Ref) error {
			s, err := n.Read(ctx, ref)
			if err == nil && s.ID != ref.ID {
				n.T.Errorf("another session was read: %s", s)
			}
			return err
		}},
		"delete": {sandbox.OpDelete, 4, false, func(ctx context.Context, n *qodtest.Network, ref qod.Ref) error { return n.Delete(ctx, ref) }},
		"wait": {sandbox.OpRead, 12, false, func(ctx context.Context, n *qodtest.Network, ref qod.Ref) error {
			_, err := n.Await(ctx, ref)
			return err
		}},
	}
}

// listCase is how a list answers a verb that looks for a session.
type listCase struct {
	before func(n *qodtest.Network) // before the session is made
	after  func(n *qodtest.Network) // and after
	effect *sandbox.Effect
	lag    time.Duration
	still  bool // it shows for ever what there is while the session is there
	age    time.Duration

	proves  bool // that a session is gone, by not showing it
	shows   bool // a session that is there
	refused bool // the API has none: its own words, twice, are proof enough
}

func listCases() map[string]listCase {
	answer := func(status int, body string, header ...string) *sandbox.Effect {
		return new(sandbox.Status(status, body, header...))
	}
	all := map[string]listCase{
		"is well":                        {age: 2 * time.Minute, proves: true, shows: true},
		"is well, of a new session":      {age: 20 * time.Second, proves: true, shows: true},
		"lags 45 s, of an older session": {age: 2 * time.Minute, lag: 45 * time.Second, proves: true, shows: true},
		"lags 45 s, of a new session":    {age: 20 * time.Second, lag: 45 * time.Second, proves: true, shows: true},
		"stands still":                   {age: 2 * time.Minute, still: true, shows: true},
		"fails":                          {age: 2 * time.Minute, effect: &unavailable},
		"fails, of a new session":        {age: 20 * time.Second, effect: &unavailable},
		"hangs":                          {age: 2 * time.Minute, effect: new(sandbox.HangBeforeCommit())},
		"is a page":                      {age: 2 * time.Minute, effect: answer(200, qodtest.LoginPage, "Content-Type", qodtest.HTML)},
		"is an old one with its Age":     {age: 2 * time.Minute, before: func(n *qodtest.Network) { staleBy(n, sandbox.Cached(), 0) }},
		"is an old one without its Age":  {age: 2 * time.Minute, before: func(n *qodtest.Network) { staleBy(n, sandbox.CachedWithoutAge(), 0) }},
		"is an old one that shows it, with its Age":    {age: 2 * time.Minute, after: func(n *qodtest.Network) { staleBy(n, sandbox.Cached(), 0) }},
		"is an old one that shows it, without its Age": {age: 2 * time.Minute, after: func(n *qodtest.Network) { staleBy(n, sandbox.CachedWithoutAge(), 0) }},
		"is a page of more, elsewhere":                 {age: 2 * time.Minute, effect: answer(200, "[]", "Link", `<https://elsewhere.example/v1/qod/sessions?page=2>; rel="next"`)},
		"is a part":                                    {age: 2 * time.Minute, effect: answer(206, "[]")},
		"is a part, with its range":                    {age: 2 * time.Minute, effect: answer(206, "[]", "Content-Range", "sessions 0-0/2")},
		"is less than its total":                       {age: 2 * time.Minute, effect: answer(200, "[]", "X-Total-Count", "3")},
		"is one page, whose next one is gone":          {age: 2 * time.Minute, effect: answer(200, "[]", "Link", `<?page=2>; rel="next"`)},
	}
	for _, status := range []int{403, 405, 501} {
		all[fmt.Sprintf("is refused with %d", status)] = listCase{age: 2 * time.Minute, effect: answer(status, ""), refused: true}
	}
	return all
}

// Every source of a 404, every verb, and every kind of list: a session is gone only where the
// network does not hold it. Each verb meets each list with some of the answers, in rotation: every
// fourth, or every twelfth for a wait, which asks forty times. Each answer meets each verb.
func TestGoneOnlyWithProof(t *testing.T) {
	t.Parallel()
	combination := 0
	for _, verb := range slices.Sorted(maps.Keys(operationCases())) {
		asker := operationCases()[verb]
		for _, look := range slices.Sorted(maps.Keys(listCases())) {
			list := listCases()[look]
			combination++
			turn := combination % asker.every
			t.Run(fmt.Sprintf("%s, the list %s", verb, look), func(t *testing.T) {
				t.Parallel()
				for i, says := range notFoundCases() {
					if i%asker.every != turn {
						continue
					}
					for _, fate := range []string{"live", "gone", "past its end"} {
						if !asker.proves(t, list, says, fate) {
							t.Errorf("^ said by %s of a session that is %s", says.name, fate)
						}
					}
				}
			})
		}
	}
}

func (a operationCase) proves(t *testing.T, list listCase, says notFoundCase, fate string) (good bool) {
	t.Helper()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.T = t
		if list.before != nil {
			list.before(n)
		}
		n.LearnTime()
		s := n.SeedSession(sandbox.Session{Duration: 3600})
		ref := qod.Ref{ID: s.ID, MadeAt: time.Now(), ExpiresAt: s.ExpiresAt}
		if list.after != nil {
			list.after(n)
		}
		n.Lag(sandbox.OpList, list.lag)
		n.StaleList(list.still)
		time.Sleep(list.age)
		times := -1
		switch fate {
		case "live":
			if says.own {
				times = 1 // the API itself is wrong for a moment, gateways may be so for long
			}
		case "gone":
			n.Remove(s.ID)
		case "past its end":
			time.Sleep(time.Hour)
		}
		if list.effect != nil {
			n.InjectFault(sandbox.OpList, -1, *list.effect)
		}
		n.InjectFault(a.op, times, says.effect)
		err := a.ask(qodtest.WithTimeout(t, 100*time.Second), n, ref)

		there := len(n.Ledger()) > 0
		complain := func(format string, args ...any) { t.Errorf(format, args...); good = false }
		good = true
		switch {
		case qod.IsGone(err) && there:
			complain("a session that is on the network is gone: %v", err)
		case a.op == sandbox.OpDelete && err == nil && there:
			complain("a session that is on the network is deleted")
		case fate == "live" && list.shows && a.reads && err != nil:
			complain("a session that the list shows is not there: %v", err)
		case fate == "past its end" && !qod.IsGone(err):
			complain("a session that is past its end is not gone: %v", err)
		case fate == "gone" && (list.proves || list.refused && says.own) && !qod.IsGone(err):
			complain("nothing proves that it is gone: %v", err)
		case fate == "gone" && !list.proves && !list.still && !(list.refused && says.own) && err == nil:
			complain("a session that is gone is there")
		}
		if a.reads && fate == "live" && list.refused && !says.own {
			if u := qodtest.ErrorAs[*qod.UnprovenError](t, err); u.Scope != sandbox.ScopeRead {
				complain("the error does not name the scope that lists need: %v", err)
			}
		}
	})
	return good
}

// Proof is cheap: one list for each session, and one list for a whole fleet that has ended.
func TestGoneCostsFewRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sessions    int
		live        bool // while gets are answered with a 404 in the API's place
		refused     bool // the API has no list
		gets, lists int
		spent       time.Duration // at most
	}{
		"one that is live":              {sessions: 1, live: true, gets: 1, lists: 1, spent: time.Second},
		"one that is gone":              {sessions: 1, gets: 1, lists: 1, spent: time.Second},
		"forty that are gone":           {sessions: 40, gets: 40, lists: 2, spent: 2 * time.Second},
		"forty that are live":           {sessions: 40, live: true, gets: 4, lists: 3, spent: 3 * time.Second},
		"one that is gone, no list":     {sessions: 1, refused: true, gets: 2, lists: 1, spent: 3 * time.Second},
		"forty that are gone, no list":  {sessions: 40, refused: true, gets: 80, lists: 1, spent: 10 * time.Second},
		"a thousand that are gone":      {sessions: 1000, gets: 1000, lists: 4, spent: 10 * time.Second},
		"forty that are well, no fault": {sessions: 40, live: true, gets: 4, lists: 1, spent: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(test.sessions)
				switch {
				case !test.live:
					for _, id := range ids {
						n.Remove(id)
					}
				case name != "forty that are well, no fault":
					n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[0].Effect)
				}
				if test.refused {
					n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, ""))
				}
				spent := qodtest.Elapsed(func() {
					qodtest.InParallel(ids, func(id string) {
						s, err := n.Read(t.Context(), qod.Ref{ID: id})
						if test.live && (err != nil || s.ID != id) || !test.live && !qod.IsGone(err) {
							t.Errorf("%v, %v", s, err)
						}
					})
				})
				if spent > test.spent {
					t.Errorf("it took %v, want at most %v", spent, test.spent)
				}
				qodtest.Equal(t, "gets", n.Count(sandbox.OpRead), test.gets)
				if lists := n.Count(sandbox.OpList); lists > test.lists {
					t.Errorf("%d lists, want at most %d", lists, test.lists)
				}
			})
		})
	}
}

// A delete that finds its session gone makes no more requests than a read does; for a whole fleet,
// one list is enough.
func TestGoneAtDeleteCostsFewRequests(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		ids := n.SeedFleet(40)
		for _, id := range ids {
			n.Remove(id)
		}
		qodtest.InParallel(ids, func(id string) {
			if err := n.Delete(t.Context(), qod.Ref{ID: id}); !qod.IsGone(err) {
				t.Error(err)
			}
		})
		qodtest.Equal(t, "DELETEs", n.Count(sandbox.OpDelete), 40)
		qodtest.Equal(t, "gets", n.Count(sandbox.OpRead), 0)
		if lists := n.Count(sandbox.OpList); lists > 2 {
			t.Errorf("%d lists", lists)
		}
	})
}

// A session that this process has deleted is gone without another request.
func TestGoneWhatThisProcessHasDeleted(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil {
			t.Fatal(err)
		}
		lists := n.Count(sandbox.OpList)
		ref := qod.Ref{ID: s.ID, Device: qodtest.Spec().Device, MadeAt: time.Now()}
		if err := n.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		spent := qodtest.Elapsed(func() {
			_, err := n.Read(t.Context(), ref)
			qodtest.Equal(t, "read", qodtest.ErrorAs[*qod.GoneError](t, err).Proof, qod.ProofDeleted)
			qodtest.Equal(t, "deleted again", qodtest.ErrorAs[*qod.GoneError](t, n.Delete(t.Context(), ref)).Proof, qod.ProofDeleted)
			_, err = n.Await(t.Context(), ref)
			qodtest.Equal(t, "awaited", qodtest.ErrorAs[*qod.WaitError](t, err).Reason, qod.WaitGone)
		})
		if spent > time.Second {
			t.Errorf("it took %v", spent)
		}
		qodtest.Equal(t, "lists", n.Count(sandbox.OpList), lists)
	})
}

// The proof is named.
func TestGoneNamesItsProof(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(n *qodtest.Network)
		after   time.Duration
		proof   qod.Proof
	}{
		"a list":         {proof: qod.ProofList},
		"an empty list":  {arrange: func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.EmptyListAs(204)) }, proof: qod.ProofList},
		"its end":        {arrange: (*qodtest.Network).LearnTime, after: 2 * time.Hour, proof: qod.ProofExpired},
		"said twice":     {arrange: func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, "")) }, proof: qod.ProofRepeat},
		"no list at all": {arrange: func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(405, "")) }, proof: qod.ProofRepeat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.T = t
				s := n.SeedSession(sandbox.Session{})
				n.Remove(s.ID)
				if test.arrange != nil {
					test.arrange(n)
				}
				time.Sleep(test.after)
				_, err := n.Read(t.Context(), qod.Ref{ID: s.ID, ExpiresAt: s.ExpiresAt})
				e := qodtest.ErrorAs[*qod.GoneError](t, err)
				qodtest.Equal(t, "proof", e.Proof, test.proof)
				qodtest.Equal(t, "id", e.ID, s.ID)
				qodtest.Equal(t, "status of the answer", e.Err.Status, 404)
			})
		})
	}
}

// A session is past its end by a clock on which more than one answer agrees: the 404 alone may come
// from a node that is hours ahead.
func TestGonePastItsEndByTwoAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(n *qodtest.Network)
		end     time.Duration // of the session, from now
		gone    bool
	}{
		"it is over": {end: -time.Minute, gone: true},
		"it is not":  {end: time.Hour},
		"one answer is 6 h ahead": {
			arrange: skewed(func(nth int) time.Duration {
				if nth == 1 {
					return 6 * time.Hour
				}
				return 0
			}), end: time.Hour,
		},
		"one answer is 6 h behind": {
			arrange: skewed(func(nth int) time.Duration {
				if nth == 1 {
					return -6 * time.Hour
				}
				return 0
			}), end: -time.Minute,
		},
		"one answer is 6 h ahead, and there is no other": {
			arrange: func(n *qodtest.Network) {
				n.Heal()
				n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[1].Effect)
				n.InjectFault(sandbox.OpList, -1, sandbox.DropBeforeCommit())
				n.SkewDate(func(int, sandbox.Operation) time.Duration { return 6 * time.Hour })
			}, end: time.Hour,
		},
		"no list answers, and the same is said again": {
			arrange: func(n *qodtest.Network) {
				n.Heal()
				n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[1].Effect)
				n.InjectFault(sandbox.OpList, -1, sandbox.DropBeforeCommit())
			}, end: -time.Minute, gone: true,
		},
		"this machine is a day behind": {arrange: skewed(func(int) time.Duration { return 24 * time.Hour }), end: 23 * time.Hour, gone: true},
		"this machine is a day ahead":  {arrange: skewed(func(int) time.Duration { return -24 * time.Hour }), end: -time.Minute},
		"an end that nobody knows":     {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Duration: 86400})
				ref := qod.Ref{ID: s.ID}
				if test.end != 0 {
					ref.ExpiresAt = time.Now().Add(test.end)
				}
				n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[1].Effect)
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(400, "")) // of no use, but for its Date
				if test.arrange != nil {
					test.arrange(n)
				}
				_, err := n.Read(t.Context(), ref)
				qodtest.Equal(t, "gone", qod.IsGone(err), test.gone)
			})
		})
	}
}

// A list that does not show a session that was just read lags or is incomplete: it proves nothing
// about any other session.
func TestGoneByNoListThatOverlooks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(n *qodtest.Network, neighbour string)
		gone    bool
	}{
		"it stands still":        {arrange: func(n *qodtest.Network, _ string) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(200, "[]")) }},
		"it shows the neighbour": {arrange: func(*qodtest.Network, string) {}, gone: true},
		"the neighbour has ended": {
			arrange: func(n *qodtest.Network, neighbour string) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(200, "[]"))
				n.Remove(neighbour)
			}, gone: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s, neighbour := n.SeedSession(sandbox.Session{}), n.Seed(sandbox.Session{})
				if _, err := n.Read(t.Context(), qodtest.Ref(neighbour)); err != nil {
					t.Fatal(err)
				}
				if test.gone {
					n.Remove(s.ID)
				}
				time.Sleep(2 * time.Second)
				test.arrange(n, neighbour.ID)
				n.InjectFault(sandbox.OpRead, 1, notFound)
				_, err := n.Read(t.Context(), qodtest.Ref(s))
				qodtest.Equal(t, "gone", qod.IsGone(err), test.gone)
				if u := (*qod.UnprovenError)(nil); !test.gone && (!errors.As(err, &u) || u.ListErr == nil) {
					t.Errorf("it does not say why: %v", err)
				}
			})
		})
	}
}

// A session that has ended since it was seen does not discredit a list; any other that exists does.
func TestGoneByNoListThatOverlooksOneOfMany(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.T = t
		s, neighbours := n.SeedSession(sandbox.Session{}), n.SeedFleet(4)
		n.ReadAll(neighbours)
		for _, id := range neighbours[1:] {
			n.Remove(id)
		}
		n.InjectFault(sandbox.OpList, -1, sandbox.Status(200, "[]"))
		n.InjectFault(sandbox.OpRead, 1, notFound)
		if _, err := n.Read(t.Context(), qodtest.Ref(s)); qod.IsGone(err) {
			t.Error(err)
		}
	})
}

// One list is enough for a fleet that has ended; but not for a session that it shows, which may
// have ended since, nor for one that is too new.
func TestGoneByTheListOfAnother(t *testing.T) {
	t.Parallel()
	t.Run("ended since", func(t *testing.T) {
		t.Parallel()
		qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			first, second := n.Seed(sandbox.Session{}), n.Seed(sandbox.Session{})
			n.Remove(first.ID)
			_, err := n.Read(t.Context(), qodtest.Ref(first))
			qodtest.Equal(t, "the first is gone", qod.IsGone(err), true)
			time.Sleep(3 * time.Second)
			n.Remove(second.ID)
			_, err = n.Read(t.Context(), qodtest.Ref(second))
			qodtest.Equal(t, "the second is gone", qod.IsGone(err), true)
			qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 2)
		})
	})
	for name, reserved := range map[string]bool{"too new for it": false, "too new for it, and made by this process": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				other := n.Seed(sandbox.Session{})
				n.Lag(sandbox.OpList, 59*time.Second)
				made := time.Now()
				ref := qod.Ref{MadeAt: made}
				if reserved {
					s, err := n.Create(t.Context(), qodtest.Spec())
					if err != nil {
						t.Fatal(err)
					}
					made, ref = time.Now(), qod.Ref{ID: s.ID}
				} else {
					ref.ID = n.SeedSession(sandbox.Session{}).ID
				}
				n.Remove(other.ID)
				time.Sleep(time.Until(made.Add(57 * time.Second)))
				_, err := n.Read(t.Context(), qodtest.Ref(other))
				qodtest.Equal(t, "the other is gone", qod.IsGone(err), true)
				time.Sleep(time.Until(made.Add(62 * time.Second)))
				n.InjectFault(sandbox.OpRead, -1, sandbox.ForeignNotFound[0].Effect)
				if _, err := n.Read(t.Context(), ref); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The error for a 404 that proves nothing is one sentence that says what to do.
func TestUnprovenErrorTexts(t *testing.T) {
	t.Parallel()
	answer := &qod.Error{Operation: qod.OperationRead, SessionID: "x", Status: 404}
	for want, err := range map[string]*qod.UnprovenError{
		"read session x: HTTP 404 Not Found, which proves nothing":                                         {ID: "x", Err: answer},
		"read session x: HTTP 404 Not Found, but the list of sessions shows it":                            {ID: "x", Listed: true, Err: answer},
		"read session x: HTTP 404 Not Found, which proves nothing without a list of the sessions: no list": {ID: "x", ListErr: errors.New("no list"), Err: answer},
	} {
		qodtest.Equal(t, "text", err.Error(), want)
		qodtest.Equal(t, "gone", qod.IsGone(err), false)
		qodtest.Equal(t, "leads to the answer", errors.Is(err, answer), true)
	}
}

// A fleet whose list comes from a cache: a session that has ended is never read from it, and one
// that exists is read individually.
func TestReadOfAFleetBehindACache(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cache sandbox.Effect
		gone  bool // that it is gone can be proven
	}{
		"that tells its age":  {cache: sandbox.Cached()},
		"that does not":       {cache: sandbox.CachedWithoutAge()},
		"that heeds no-cache": {cache: sandbox.CachedUnlessNoCache(), gone: true},
		"that stores nothing": {cache: sandbox.Header("X-Cache", "MISS"), gone: true},
	} {
		for _, ended := range []int{1, 12} {
			t.Run(fmt.Sprintf("%s, %d of 12 have ended", name, ended), func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					n.T = t
					ids := n.SeedFleet(12)
					// A cache that sends no Age is recognised by its Date, once another answer has
					// shown the time.
					n.LearnTime()
					staleBy(n, test.cache, 2*time.Minute)
					for _, id := range ids[12-ended:] {
						n.Remove(id)
					}
					qodtest.InParallel(ids, func(id string) {
						_, err := n.Read(t.Context(), qod.Ref{ID: id})
						live := slices.Index(ids, id) < 12-ended
						if live != (err == nil) {
							t.Errorf("there: %v, read: %v", live, err)
						}
						qodtest.Equal(t, "gone", qod.IsGone(err), !live && test.gone)
					})
				})
			})
		}
	}
}
