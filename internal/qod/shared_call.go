package qod

import (
	"context"
	"sync"
)

// sharedCall is singleflight with a context of its own: one call for all callers that want its
// result at the same time. The call outlives the caller that began it, and its context ends when
// the last one has left. golang.org/x/sync/singleflight has no contexts: the call would run under
// that of the first caller, and one cancelled resource would fail all the others.
type sharedCall[T any] struct {
	// unabandoned says that a call that all callers have left is still the current one for those
	// who come later. It knows by its context that they have left.
	unabandoned bool

	mu      sync.Mutex
	current *ongoingCall[T]
}

type ongoingCall[T any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int
	value   T
	err     error
}

func (s *sharedCall[T]) do(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	call := s.current
	if call == nil {
		detached, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // run calls it, or the last waiter that leaves
		call = &ongoingCall[T]{done: make(chan struct{}), cancel: cancel}
		s.current = call
		go s.run(detached, call, f)
	}
	call.waiters++
	s.mu.Unlock()

	select {
	case <-call.done:
		return call.value, call.err
	case <-ctx.Done():
		s.leave(call)
		var none T
		return none, ctx.Err()
	}
}

func (s *sharedCall[T]) run(ctx context.Context, call *ongoingCall[T], f func(context.Context) (T, error)) {
	defer call.cancel()
	defer close(call.done)
	defer s.forget(call)
	defer recoverTo(&call.err)
	call.value, call.err = f(ctx)
}

func (s *sharedCall[T]) forget(call *ongoingCall[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == call {
		s.current = nil
	}
}

func (s *sharedCall[T]) leave(call *ongoingCall[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.waiters--
	if call.waiters > 0 {
		return
	}
	call.cancel()
	if s.current == call && !s.unabandoned {
		s.current = nil
	}
}
