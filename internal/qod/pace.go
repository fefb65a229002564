package qod

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// pacer spaces the requests of a client once the API says that there are too many (429, RFC 6585 §4):
// each 429 doubles the time from the start of one request to that of the next, each other answer takes a
// twentieth off it, and what was refused before a slower pace could show counts as one 429. So a fleet
// settles a little below what the API takes, about one request in ten is refused, and when the API takes
// more the pace is soon forgotten. As long as there is no 429, nothing is held up.
//
// A limit is for a client and not for a request: were each to wait by itself, as many would come back
// as had gone.
type pacer struct {
	queue chan struct{} // held by the one whose turn is next

	mu       sync.Mutex
	interval time.Duration // from one start to the next; 0 for no limit known
	priority int           // how many wait who go first
	nextSlot time.Time     // no request starts before
	slowedAt time.Time     // when the pace last fell
}

const (
	// initialInterval is where a pace begins: five requests a second.
	initialInterval = 200 * time.Millisecond
	// minInterval is where it is forgotten: a hundred a second.
	minInterval = 10 * time.Millisecond
	// maxInterval bounds it, and how long a Retry-After given to one request holds up the others: a
	// 429 may be about the quota of one device, and name an hour.
	maxInterval = 5 * time.Second
	// slowdownDelay is how long a slower pace takes to show: limits are counted over a second at least, so
	// that refusals go on for as long, whatever is done.
	slowdownDelay = time.Second
)

func newPacer() *pacer { return &pacer{queue: make(chan struct{}, 1)} }

// errNoSlot says that the time would be up before a request could start.
var errNoSlot = errors.New("there is no time left to wait for its turn")

// awaitSlot returns when a request may start. Where the time does not last until then, nothing is sent,
// and the error is the 429 that others were given.
func (c *Client) awaitSlot(ctx context.Context, r request) error {
	err := c.pace.wait(ctx, r.operation == OperationList)
	if errors.Is(err, errNoSlot) {
		return &Error{
			Operation: r.operation, SessionID: r.sessionID, Scope: r.scope,
			Status: http.StatusTooManyRequests, Err: errNoSlot, outcome: unsent,
		}
	}
	return err
}

// wait returns when a request may start: at once as long as the API takes all, else in the order of those
// who wait. What goes first does so past the others: a list, which many wait for, and by which a lost
// create is looked for while there is time.
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
			return errNoSlot
		}
		if pause(ctx, left) != nil {
			return slotError(ctx)
		}
	}
}

func slotError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errNoSlot
	}
	return ctx.Err()
}

// limiting reports whether requests wait for their turns.
func (p *pacer) limiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.interval > 0 || time.Now().Before(p.nextSlot)
}

// claimSlot takes the slot for a request that starts now, or returns how long it is until the next.
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

// claimPriority has the others let this one pass, until it says that it is through.
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

// slowDown is told of a 429 to a request that started at began, and of the Retry-After with it.
func (p *pacer) slowDown(began time.Time, asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.nextSlot = latest(p.nextSlot, now.Add(min(asked, maxInterval)))
	if began.Before(p.slowedAt.Add(slowdownDelay)) {
		return
	}
	p.slowedAt = now
	p.interval = min(maxInterval, max(initialInterval, 2*p.interval))
	p.nextSlot = latest(p.nextSlot, now.Add(p.interval))
}

// speedUp is told of any other answer.
func (p *pacer) speedUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interval -= p.interval / 20
	if p.interval < minInterval {
		p.interval = 0
	}
}
