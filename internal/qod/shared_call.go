package qod

import (
	"context"
	"sync"
)

// shared runs one call for everyone who wants its result at the same time. The call belongs to
// none of them: it outlives the caller that began it, and is cancelled when the last one has
// left. golang.org/x/sync/singleflight would run it under the first caller's context, so one
// cancelled resource would fail all the others.
type shared[T any] struct {
	mu   sync.Mutex
	call *sharedCall[T]
}

type sharedCall[T any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int
	value   T
	err     error
}

func (s *shared[T]) do(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	call := s.call
	if call == nil {
		detached, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // run calls it, or the last waiter that leaves
		call = &sharedCall[T]{done: make(chan struct{}), cancel: cancel}
		s.call = call
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

func (s *shared[T]) run(ctx context.Context, call *sharedCall[T], f func(context.Context) (T, error)) {
	defer call.cancel()
	defer close(call.done)
	defer s.forget(call)
	defer catch(&call.err)
	call.value, call.err = f(ctx)
}

func (s *shared[T]) forget(call *sharedCall[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.call == call {
		s.call = nil
	}
}

func (s *shared[T]) leave(call *sharedCall[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.waiters--
	if call.waiters > 0 {
		return
	}
	call.cancel()
	if s.call == call {
		s.call = nil
	}
}
