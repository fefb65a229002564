package qod

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// pacer spaces the requests of a client once the API answers that there are too many (429, RFC 6585
// §4). Each 429 doubles the interval between the starts of two requests, and each other answer
// shortens it by a twentieth. 429s that come before the longer interval can have had an effect
// count as one. So a fleet stays a little below the API's limit, with about one request in ten
// refused, and soon speeds up when the limit is raised. Without any 429, no request is delayed.
//
// The API limits the client and not single requests: if each request waited by itself, they would
// all come back at the same time.
type pacer struct {
	queue chan struct{} // held by the request that gets the next slot

	mu       sync.Mutex
	interval time.Duration // from one start to the next; 0 while not rate-limited
	priority int           // how many requests with priority wait
	nextSlot time.Time     // no request starts before
	slowedAt time.Time     // when the interval last grew
}

const (
	// initialInterval is the first interval: five requests a second.
	initialInterval = 200 * time.Millisecond
	// minInterval is the interval below which requests are no longer spaced: a hundred a second.
	minInterval = 10 * time.Millisecond
	// maxInterval bounds the interval, and how long the Retry-After of one answer delays other
	// requests: a 429 may be about the quota of one device and ask for an hour.
	maxInterval = 5 * time.Second
	// slowdownDelay is how long a longer interval takes to have an effect: limits are counted over
	// a second at least, and for as long there are 429s whatever the interval.
	slowdownDelay = time.Second
)

func newPacer() *pacer { return &pacer{queue: make(chan struct{}, 1)} }

// errNoTimeForSlot says that the deadline would pass before a request could start.
var errNoTimeForSlot = errors.New("there is no time left to wait for a slot")

// awaitSlot returns when a request may start. If the deadline passes first, nothing is sent, and
// the error is the 429 that other requests were answered with.
func (c *Client) awaitSlot(ctx context.Context, r request) error {
	err := c.pacer.wait(ctx, r.operation == OperationList)
	if errors.Is(err, errNoTimeForSlot) {
		return &Error{
			Operation: r.operation, SessionID: r.sessionID, Scope: r.scope,
			Status: http.StatusTooManyRequests, Err: errNoTimeForSlot, outcome: unsent, class: classRateLimited,
		}
	}
	return err
}

// wait returns when a request may start: at once while the API is not rate-limiting, otherwise in
// order of arrival. Lists have priority, as many callers wait for them, and a create finds the
// session of a lost answer with them while there is time.
func (p *pacer) wait(ctx context.Context, first bool) error {
	switch {
	case ctx.Err() != nil && !p.limiting():
		return ctx.Err()
	case ctx.Err() != nil:
		return slotError(ctx)
	case !p.limiting():
	case first:
		defer p.claimPriority()()
	default:
		select {
		case p.queue <- struct{}{}:
			defer func() { <-p.queue }()
		case <-ctx.Done():
			return slotError(ctx)
		}
	}
	for {
		left := p.claimSlot(time.Now(), first)
		if left == 0 {
			return nil
		}
		if !fitsDeadline(ctx, left) {
			return errNoTimeForSlot
		}
		if pause(ctx, left) != nil {
			return slotError(ctx)
		}
	}
}

func slotError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errNoTimeForSlot
	}
	return ctx.Err()
}

// limiting reports whether requests wait for slots.
func (p *pacer) limiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.interval > 0 || time.Now().Before(p.nextSlot)
}

// claimSlot claims a slot for a request that starts now, or returns how long it is until the next
// slot.
func (p *pacer) claimSlot(now time.Time, first bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.nextSlot.Sub(now); left > 0 {
		return left
	}
	if p.priority > 0 && !first {
		return max(p.interval, minInterval)
	}
	if p.interval > 0 {
		p.nextSlot = now.Add(p.interval)
	}
	return 0
}

// claimPriority makes requests without priority wait until the returned function is called.
func (p *pacer) claimPriority() (through func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.priority++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.priority--
	}
}

// slowDown records a 429 for a request that started at began, with its Retry-After.
func (p *pacer) slowDown(began time.Time, retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.nextSlot = latest(p.nextSlot, now.Add(min(retryAfter, maxInterval)))
	if began.Before(p.slowedAt.Add(slowdownDelay)) {
		return
	}
	p.slowedAt = now
	p.interval = min(maxInterval, max(initialInterval, 2*p.interval))
	p.nextSlot = latest(p.nextSlot, now.Add(p.interval))
}

// speedUp records any other answer.
func (p *pacer) speedUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interval -= p.interval / 20
	if p.interval < minInterval {
		p.interval = 0
	}
}
