package qod

import (
	"context"
	"time"
)

// Sessions is what a caller needs of the API. *Client implements it.
type Sessions interface {
	// Check names what in the Spec this API cannot express. It makes no request.
	Check(s Spec) []Problem
	// Limits are what this API allows and can do. It makes no request.
	Limits() Limits
	// Collide reports whether this API may refuse a session for one Spec because of one for the
	// other. It makes no request.
	Collide(a, b Spec) bool
	// Create creates a session. A Session with an ID may come with an error: record it first.
	Create(ctx context.Context, s Spec) (Session, error)
	// Await waits until the session is AVAILABLE; otherwise the error is a *WaitError.
	Await(ctx context.Context, ref Ref) (Session, error)
	// Read returns the session. IsGone(err) holds only where it is proven that there is none.
	Read(ctx context.Context, ref Ref) (Session, error)
	// Extend makes the session last until a time, or as close to it as the API grants. It returns
	// ErrUnsupported where Limits.CanExtend is false.
	Extend(ctx context.Context, ref Ref, until time.Time) (Session, error)
	// Delete deletes the session. IsGone(err) holds when there was none.
	Delete(ctx context.Context, ref Ref) error
	// List returns the sessions that these credentials can see and that match the filter. With an
	// *IncompleteListError there may be more.
	List(ctx context.Context, f Filter) ([]Session, error)
	// Profiles are the operator's profiles, or ErrNoProfiles where the API has none to ask for.
	Profiles(ctx context.Context, f ProfileFilter) ([]Profile, error)
	// KnownProfile is a profile that Profiles has shown before. It makes no request.
	KnownProfile(name string) (Profile, bool)
	// Now is the server's time, on which at least two answers agree.
	Now(ctx context.Context) (time.Time, error)
	// Endpoint is the base URL of the API, normalised, with its path where that is not the default.
	Endpoint() string
	// Origin names where the sessions live: the endpoint, the API, and whose sessions are visible
	// there.
	Origin() string
}

// CachedReader is implemented by Sessions that can answer a read from a list.
type CachedReader interface {
	// ReadCached returns the session where a shared list shows that it is healthy. It never reads
	// the session itself. False means that only Read can tell.
	ReadCached(ctx context.Context, ref Ref) (Session, bool)
}

// TimeEstimator is implemented by Sessions that know the server's time without a request.
type TimeEstimator interface {
	// EstimateNow is the server's time according to a single answer; zero before there is one. It
	// makes no request, and nothing may be bought or ended by it.
	EstimateNow() time.Time
}

var (
	_ Sessions      = (*Client)(nil)
	_ CachedReader  = (*Client)(nil)
	_ TimeEstimator = (*Client)(nil)
)
