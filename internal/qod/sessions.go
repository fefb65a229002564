package qod

import (
	"context"
	"time"
)

// Sessions is what a caller knows of the API. *Client implements it.
type Sessions interface {
	// Check names what of the Spec this API cannot express. It makes no request.
	Check(s Spec) []Problem
	// Create creates a session. A Session with an ID may come with an error: record it first.
	Create(ctx context.Context, s Spec) (Session, error)
	// Await waits until the session is AVAILABLE; otherwise the error is a *WaitError.
	Await(ctx context.Context, ref Ref) (Session, error)
	// Read returns the session. IsGone(err) holds only where it is proven that there is none.
	Read(ctx context.Context, ref Ref) (Session, error)
	// ReadCached returns the session where a list that is shared with others shows that it is well, and
	// asks for nothing else. Otherwise only Read can say.
	ReadCached(ctx context.Context, ref Ref) (Session, bool)
	// Delete deletes the session. IsGone(err) holds when there was none.
	Delete(ctx context.Context, ref Ref) error
	// List returns the sessions that these credentials can see and that pass the filter. With an
	// *IncompleteListError there may be more.
	List(ctx context.Context, f Filter) ([]Session, error)
	// Now is the server's time, as answers that agree have shown it.
	Now(ctx context.Context) (time.Time, error)
	// EstimateNow is the server's time as one answer has shown it; zero where none has. It asks for
	// nothing, and nothing may be bought or ended by it.
	EstimateNow() time.Time
	// Endpoint is the base URL of the API, in one spelling.
	Endpoint() string
	// Origin names where the sessions live: the endpoint, and whose sessions are seen there.
	Origin() string
}

var _ Sessions = (*Client)(nil)
