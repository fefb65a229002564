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
	turn chan struct{} // held by the one whose turn is next

	mu       sync.Mutex
	interval time.Duration // from one start to the next; 0 for no limit known
	first    int           // how many wait who go first
	next     time.Time     // no request starts before
	slowed   time.Time     // when the pace last fell
}

const (
	// firstInterval is where a pace begins: five requests a second.
	firstInterval = 200 * time.Millisecond
	// leastInterval is where it is forgotten: a hundred a second.
	leastInterval = 10 * time.Millisecond
	// maxInterval bounds it, and how long a Retry-After given to one request holds up the others: a
	// 429 may be about the quota of one device, and name an hour.
	maxInterval = 5 * time.Second
	// effect is how long a slower pace takes to show: limits are counted over a second at least, so
	// that refusals go on for as long, whatever is done.
	effect = time.Second
)

func newPacer() *pacer { return &pacer{turn: make(chan struct{}, 1)} }

// errNoTurn says that the time would be up before a request could start.
var errNoTurn = errors.New("there is no time left to wait for its turn")

// awaitTurn returns when a request may start. Where the time does not last until then, nothing is sent,
// and the error is the 429 that others were given.
func (c *Client) awaitTurn(ctx context.Context, r request) error {
	err := c.pace.wait(ctx, r.operation == OperationList)
	if errors.Is(err, errNoTurn) {
		return &Error{
			Operation: r.operation, SessionID: r.sessionID, Scope: r.scope,
			Status: http.StatusTooManyRequests, Err: errNoTurn, outcome: unsent,
		}
	}
	return err
}

// wait returns when a request may start: at once as long as the API takes all, else in the order of those
// who wait. What goes first does so past the others: a list, which many wait for, and by which a lost
// create is looked for while there is time.
func (p *pacer) wait(ctx context.Context, first bool) error {
	switch {
	case ctx.Err() != nil && !p.slow():
		return ctx.Err()
	case ctx.Err() != nil:
		return noTurn(ctx)
	case !p.slow():
	case first:
		defer p.goFirst()()
	default:
		select {
		case p.turn <- struct{}{}:
			defer func() { <-p.turn }()
		case <-ctx.Done():
			return noTurn(ctx)
		}
	}
	for {
		left := p.start(time.Now(), first)
		if left == 0 {
			return nil
		}
		if !fits(ctx, left) {
			return errNoTurn
		}
		if pause(ctx, left) != nil {
			return noTurn(ctx)
		}
	}
}

func noTurn(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errNoTurn
	}
	return ctx.Err()
}

// slow reports whether requests wait for their turns.
func (p *pacer) slow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.interval > 0 || time.Now().Before(p.next)
}

// start takes the slot for a request that starts now, or returns how long it is until the next.
func (p *pacer) start(now time.Time, first bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if left := p.next.Sub(now); left > 0 {
		return left
	}
	if p.first > 0 && !first {
		return max(p.interval, leastInterval)
	}
	if p.interval > 0 {
		p.next = now.Add(p.interval)
	}
	return 0
}

// goFirst has the others let this one pass, until it says that it is through.
func (p *pacer) goFirst() (through func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.first--
	}
}

// slower is told of a 429 to a request that started at began, and of the Retry-After with it.
func (p *pacer) slower(began time.Time, asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.next = latest(p.next, now.Add(min(asked, maxInterval)))
	if began.Before(p.slowed.Add(effect)) {
		return
	}
	p.slowed = now
	p.interval = min(maxInterval, max(firstInterval, 2*p.interval))
	p.next = latest(p.next, now.Add(p.interval))
}

// faster is told of any other answer.
func (p *pacer) faster() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interval -= p.interval / 20
	if p.interval < leastInterval {
		p.interval = 0
	}
}
