// The API's clock counts only when two answers of different seconds agree about it, and no longer
// once two have contradicted each other.
package qod

import (
	"testing"
	"testing/synctest"
	"time"
)

// dateCase is one answer: how long after the previous one its request begins, how long its headers
// take, and how far its Date is ahead of the moment at which the server set it.
type dateCase struct {
	after   time.Duration
	takes   time.Duration
	setLate bool          // the Date is set when the head is sent, not when the request arrives
	skew    time.Duration // of the node that answers
	repeats bool          // the Date is that of the answer before
	absent  bool          // there is no Date
	set     time.Duration // this machine's clock is set by so much before
}

func TestServerClock(t *testing.T) {
	t.Parallel()
	const latency = 10 * time.Millisecond
	one := dateCase{takes: latency}
	next := dateCase{after: time.Second, takes: latency}
	node := func(skew time.Duration) dateCase { return dateCase{after: time.Second, takes: latency, skew: skew} }
	for name, test := range map[string]struct {
		answers  []dateCase
		now      bool          // two answers agree
		estimate bool          // one answer says the time
		skew     time.Duration // of the reading
		contrary bool          // two answers contradict each other
		within   time.Duration // how far off the reading may be; a second and the latency by default
	}{
		"no answer":                {},
		"without a Date":           {answers: []dateCase{{absent: true}, {absent: true, after: time.Minute}}},
		"one":                      {answers: []dateCase{one}, estimate: true},
		"two of one second":        {answers: []dateCase{one, {takes: latency, after: 100 * time.Millisecond}}, estimate: true},
		"two with the same Date":   {answers: []dateCase{one, {after: time.Second, repeats: true}}, estimate: true},
		"the same Date four times": {answers: []dateCase{one, {after: time.Second, repeats: true}, {after: time.Second, repeats: true}, {after: time.Second, repeats: true}}, estimate: true},
		"two of different seconds": {answers: []dateCase{one, next}, now: true, estimate: true},
		"the second without a Date": {
			answers: []dateCase{one, {after: time.Second, absent: true}}, estimate: true,
		},
		"a third confirms": {
			answers: []dateCase{one, {after: 50 * time.Millisecond, takes: latency}, next}, now: true, estimate: true,
		},
		"an hour ahead of this machine": {answers: []dateCase{node(time.Hour), node(time.Hour)}, now: true, estimate: true, skew: time.Hour},
		"an hour behind this machine":   {answers: []dateCase{node(-time.Hour), node(-time.Hour)}, now: true, estimate: true, skew: -time.Hour},
		"nodes 3 s apart, ahead first":  {answers: []dateCase{node(3 * time.Second), node(0)}, now: true, estimate: true, skew: 3 * time.Second},
		"nodes 3 s apart, behind first": {answers: []dateCase{node(-3 * time.Second), node(0), node(-3 * time.Second)}, now: true, estimate: true},
		"nodes 8 s apart":               {answers: []dateCase{node(0), node(8 * time.Second)}, contrary: true},
		"the first node 6 h ahead":      {answers: []dateCase{node(6 * time.Hour), node(0)}, contrary: true},
		"the second node 6 h ahead":     {answers: []dateCase{node(0), node(6 * time.Hour)}, contrary: true},
		"every other node 6 h behind":   {answers: []dateCase{node(0), node(-6 * time.Hour), node(0), node(-6 * time.Hour)}, contrary: true},
		"6 h ahead after many that agree": {
			answers: []dateCase{node(0), node(0), node(0), node(0), node(6 * time.Hour)}, contrary: true,
		},
		"an hour later they still disagree": {
			answers: []dateCase{node(0), node(6 * time.Hour), {after: time.Hour, takes: latency}, node(0)}, contrary: true,
		},
		"heads that take 20 s, dated at the request": {
			answers: []dateCase{{takes: 20 * time.Second}, {after: time.Second, takes: 20 * time.Second}},
			now:     true, estimate: true, within: 21 * time.Second,
		},
		"heads that take 20 s, dated when sent": {
			answers: []dateCase{{takes: 20 * time.Second, setLate: true}, {after: time.Second, takes: 20 * time.Second, setLate: true}},
			now:     true, estimate: true,
		},
		"one of each is no contradiction": {
			answers: []dateCase{{takes: 20 * time.Second}, {after: time.Second, takes: 20 * time.Second, setLate: true}, next},
			now:     true, estimate: true,
		},
		"a fast answer corrects a slow one": {
			answers: []dateCase{{takes: 20 * time.Second}, next, next}, now: true, estimate: true,
		},
		"15 s ahead, after a slow answer and fast ones": {
			answers: []dateCase{{takes: 20 * time.Second, setLate: true}, next, next, node(15 * time.Second)}, contrary: true,
		},
		"this machine's clock is set after one": {
			answers: []dateCase{one, {after: time.Second, takes: latency, set: time.Hour}}, estimate: true,
		},
		"this machine's clock is set after two": {
			answers: []dateCase{one, next, {after: time.Second, takes: latency, set: -time.Hour}}, estimate: true,
		},
		"this machine's clock is set, and two agree anew": {
			answers: []dateCase{one, next, {after: time.Second, takes: latency, set: time.Hour}, next}, now: true, estimate: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var c serverClock
				var date time.Time
				for _, a := range test.answers {
					time.Sleep(a.after)
					c.wall = c.wall.Add(-a.set)
					began := time.Now()
					if time.Sleep(a.takes); a.absent {
						c.observe(time.Time{}, began, time.Now())
						continue
					}
					if !a.repeats {
						date = began
						if a.setLate {
							date = time.Now()
						}
						date = date.Add(a.skew).Truncate(time.Second).Round(0)
					}
					c.observe(date, began, time.Now())
				}
				if got := c.now(); got.IsZero() == test.now {
					t.Errorf("now: %v", got)
				}
				if got := c.estimate(); got.IsZero() == test.estimate {
					t.Errorf("estimate: %v", got)
				} else if off := time.Now().Add(test.skew).Sub(got); test.estimate && (off < 0 || off > max(test.within, time.Second+2*latency)) {
					t.Errorf("the reading is off by %v", off)
				}
				if err := c.contradicted(); (err != nil) != test.contrary {
					t.Errorf("contradiction: %v", err)
				}
			})
		})
	}
}

// The first contradiction is the one that is reported.
func TestServerClockKeepsTheFirstContradiction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c serverClock
		for _, skew := range []time.Duration{0, time.Hour, -3 * time.Hour, 0} {
			time.Sleep(time.Second)
			c.observe(time.Now().Round(0).Add(skew), time.Now(), time.Now())
		}
		if e := c.contradiction; e == nil || e.Shown.Sub(e.Expected).Round(time.Minute) != time.Hour {
			t.Errorf("%v", e)
		}
	})
}

// Once the clock is known, a Date that is older than the request comes from a cache, with or
// without an Age. So does one that has not changed since an earlier request.
func TestServerClockKnowsACache(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		age        time.Duration // of the Date
		after      time.Duration // since the latest answer
		stillThere bool          // the Date is that of the latest answer
		cached     bool
	}{
		"of now":                     {after: time.Minute},
		"of a node 3 s behind":       {after: time.Minute, age: 3 * time.Second},
		"of a minute ago":            {after: time.Hour, age: time.Minute, cached: true},
		"the latest, a second after": {after: time.Second, stillThere: true},
		"the latest, 3 s after":      {after: 3 * time.Second, stillThere: true, cached: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var c serverClock
				for range 2 {
					time.Sleep(time.Second)
					c.observe(time.Now().Round(0), time.Now(), time.Now())
				}
				latest := c.date
				time.Sleep(test.after)
				date := time.Now().Round(0).Add(-test.age)
				if test.stillThere {
					date = latest
				}
				if cached := c.isOutdated(date, time.Now()) || c.standsStill(date, time.Now()); cached != test.cached {
					t.Errorf("from a cache: %v", cached)
				}
			})
		})
	}
}

// A failure to learn the time is returned to further callers for ten seconds, without another
// request.
func TestServerClockRemembersWhyThereIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c serverClock
		if c.recentFailure() != nil {
			t.Error("it has failed before it was asked for")
		}
		c.recordFailure(ErrNoDate)
		if time.Sleep(snapshotAge - 1); c.recentFailure() == nil {
			t.Error("forgotten too early")
		}
		if time.Sleep(time.Nanosecond); c.recentFailure() != nil {
			t.Error("remembered too long")
		}
	})
}
