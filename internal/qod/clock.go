package qod

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// serverClock is the API's clock as the Date headers of its answers show it. The clock of the
// machine that runs Terraform may be an hour off.
//
// Sessions are bought and ended by this clock, and a single answer may come from a cache or from
// the one node whose clock is wrong. So the time is known only when two answers with different
// Dates agree, and no longer once two have contradicted each other.
type serverClock struct {
	mu sync.Mutex

	// The bounds of the offset from this process's clock to the API's. A Date is cut to a second,
	// and is set at some time between the request and the headers of its answer.
	minOffset, maxOffset time.Duration
	base                 time.Time // the time of this process that the offsets count from
	wall                 time.Time // base, as this machine's clock showed it
	date                 time.Time // the latest Date; zero for none
	readAt               time.Time // when it was read
	confirmed            bool      // another answer, of another second, has confirmed it
	contradiction        *ClockError

	failure  error // why there is no reading, and since when
	failedAt time.Time
}

const (
	// clockJump is how far this machine's clock may deviate from the time that passes before
	// earlier readings are dropped: the clock was set, or the machine was asleep.
	clockJump = 2 * time.Second

	// clockSpread is how far apart the clocks of the API's nodes may be.
	clockSpread = 5 * time.Second
)

// ClockError says that the API's answers contradict each other about the time.
type ClockError struct {
	Expected time.Time // according to earlier answers
	Shown    time.Time // according to the answer that contradicts them
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("the API's answers disagree about the time: %s by some, %s by another at the same moment",
		e.Expected.UTC().Format(time.RFC3339), e.Shown.UTC().Format(time.RFC3339))
}

// observe records the Date of an answer, with the times when its request began and its headers
// arrived.
func (c *serverClock) observe(date, began, arrived time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction != nil {
		return
	}
	if c.date.IsZero() || c.jumped(arrived) {
		c.base, c.wall, c.date, c.readAt, c.confirmed = arrived, arrived.Round(0), date, arrived, false
		c.minOffset, c.maxOffset = c.bounds(date, began, arrived)
		return
	}
	atLeast, atMost := c.bounds(date, began, arrived)
	if atLeast > c.maxOffset+clockSpread || atMost < c.minOffset-clockSpread {
		c.contradiction = &ClockError{Expected: c.reading(arrived), Shown: date}
		return
	}
	c.confirmed = c.confirmed || !date.Equal(c.date)
	c.minOffset = max(c.minOffset, atLeast) // a Date is never ahead of its clock: the furthest is the best
	c.maxOffset = max(c.minOffset, min(c.maxOffset, atMost))
	c.date, c.readAt = date, arrived
}

// bounds are the least and the greatest offset that the Date of one answer allows.
func (c *serverClock) bounds(date, began, arrived time.Time) (atLeast, atMost time.Duration) {
	ofBase := date.Sub(c.base.Round(0))
	return ofBase - arrived.Sub(c.base), ofBase - began.Sub(c.base) + time.Second
}

// isOutdated reports whether an answer with this Date was made before it was asked for, as far as
// the clock is known: it comes from a cache that does not say so with an Age (RFC 9111 §5.1).
func (c *serverClock) isOutdated(date, began time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if date.IsZero() || c.date.IsZero() || c.jumped(began) {
		return false
	}
	_, atMost := c.bounds(date, began, began)
	return atMost < c.minOffset-clockSpread
}

// standsStill reports whether an answer that was read more than two seconds before this request
// began carried the same Date. A running clock does not do that, a cache does.
func (c *serverClock) standsStill(date, began time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !date.IsZero() && date.Equal(c.date) && began.Sub(c.readAt) > 2*time.Second
}

// now is the server's time, to within some seconds. It is zero until two answers agree about it,
// and once two have disagreed.
func (c *serverClock) now() time.Time { return c.at(time.Now()) }

// at is what the server's clock showed at a time of this process's clock; see now.
func (c *serverClock) at(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.confirmed || c.contradiction != nil {
		return time.Time{}
	}
	return c.reading(t)
}

// estimate is now according to a single answer. Nothing may be bought or ended by it.
func (c *serverClock) estimate() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction != nil {
		return time.Time{}
	}
	return c.reading(time.Now())
}

func (c *serverClock) reading(t time.Time) time.Time {
	if c.date.IsZero() || c.jumped(t) {
		return time.Time{}
	}
	return c.base.Round(0).Add(c.minOffset + t.Sub(c.base)).UTC()
}

// jumped reports whether this machine's clock has deviated from its monotonic clock.
func (c *serverClock) jumped(t time.Time) bool {
	passed, shown := t.Sub(c.base), t.Round(0).Sub(c.wall)
	return (passed - shown).Abs() > clockJump
}

// contradicted is the contradiction that was seen; nil for none.
func (c *serverClock) contradicted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contradiction == nil {
		return nil
	}
	return c.contradiction
}

// confirmable is when an answer can carry a later second than the latest one did: now, where there
// has been none. lastRead is when the latest was read; zero for none.
func (c *serverClock) confirmable() (at, lastRead time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() || c.jumped(time.Now()) {
		return time.Now(), time.Time{}
	}
	return c.readAt.Add(time.Second + 50*time.Millisecond), c.readAt
}

// recordFailure remembers why the time is not known, so that a thousand callers do not each send a
// request to find out.
func (c *serverClock) recordFailure(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure, c.failedAt = err, time.Now()
}

// recentFailure is why the time was not known a moment ago; nil for no reason.
func (c *serverClock) recentFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.failedAt) >= snapshotAge {
		return nil
	}
	return c.failure
}

// Now is the server's time, from the Date headers of at least two answers that agree and that were
// given in different seconds: a single one may come from a cache, or from a node whose clock is
// wrong. Any answer counts; where there are not two, the list of all sessions is requested, or what
// the dialect has in its place. The local clock is never used instead: a runner
// that is an hour slow would leave a broadcast without its session.
//
// Errors: *ClockError, ErrNoDate, ErrClockStandsStill, ErrCachedList, or why there was no answer,
// which may be an *InterruptedError.
func (c *Client) Now(ctx context.Context) (now time.Time, err error) {
	defer recoverTo(&err)
	if now := c.clock.now(); !now.IsZero() {
		return now, nil
	}
	if err := firstError(c.clock.contradicted(), c.clock.recentFailure()); err != nil {
		return time.Time{}, err
	}
	within, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	now, err = c.readingClock.do(within, c.readClock)
	var interruption *InterruptedError
	if err != nil && within.Err() != nil && !errors.As(err, &interruption) {
		err = newInterruptedError(within, OperationList, true, nil)
	}
	var fault *PanicError
	if err != nil && ctx.Err() == nil && !errors.As(err, &fault) {
		c.clock.recordFailure(err)
	}
	return now, err
}

// clockRequests bounds how many requests are made to learn the time: one, one that confirms it, and
// one more in case the second came within the same second of the API's clock.
const clockRequests = 3

// readClock makes requests until the time is known or cannot be known.
func (c *Client) readClock(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for range clockRequests {
		if err := c.requestDate(ctx); err != nil {
			return time.Time{}, err
		}
		if now := c.clock.now(); !now.IsZero() {
			return now, nil
		}
	}
	return time.Time{}, ErrClockStandsStill
}

// requestDate makes one more request for the Date of its answer.
func (c *Client) requestDate(ctx context.Context) error {
	at, lastRead := c.clock.confirmable()
	if err := pause(ctx, time.Until(at)); err != nil {
		return err
	}
	_, err := retry(ctx, OperationList, c.config.MaxRetries, func(attempt int) (time.Time, error) {
		noDate := c.askForDate(ctx, at, attempt)
		if _, read := c.clock.confirmable(); read.After(lastRead) {
			return read, nil // a refusal has a Date, too
		}
		return time.Time{}, noDate
	})
	return firstError(c.clock.contradicted(), err)
}

// askForDate makes one request, at a time or later, and returns why its answer has no Date if it
// has none.
func (c *Client) askForDate(ctx context.Context, at time.Time, attempt int) error {
	if !c.Limits().CanList {
		_, err := c.get(ctx, c.dialect.clockRequest(), Device{}, attempt)
		return firstError(err, ErrNoDate)
	}
	list, err := c.lists.of(Device{}).since(ctx, at)
	if err == nil && errors.Is(list.doubt, ErrCachedList) {
		return list.doubt
	}
	return firstError(err, ErrNoDate)
}

// EstimateNow is the server's time according to a single answer, to within some seconds; zero where
// there has been none, or two have contradicted each other.
func (c *Client) EstimateNow() time.Time { return c.clock.estimate() }
