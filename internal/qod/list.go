package qod

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// List returns the sessions that these credentials can see and that match the filter, ordered by
// start (unknown starts last) and id. An empty list is not an error. An *IncompleteListError comes
// with the sessions that were shown. Where the API lists by device only, the filter needs one
// (ErrListNeedsDevice); where it does not list at all, the error is ErrNoList.
func (c *Client) List(ctx context.Context, f Filter) (found []Session, err error) {
	defer recoverTo(&err)
	if _, unsupported := c.lists.subject(f.Device); unsupported != nil {
		return nil, unsupported // nobody is asked for consent to what cannot be done
	}
	list, err := inReadTimeout(ctx, c, OperationList, f.Device, func(ctx context.Context) (*snapshot, error) {
		return c.listSince(ctx, f.Device, time.Now())
	})
	var e *Error
	if errors.As(err, &e) && e.class == classGone {
		return nil, nil // nothing is there, in the API's own words
	}
	if err != nil {
		return nil, err
	}
	for _, s := range list.sessions {
		if s.ID != "" && f.Matches(s) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Session) int {
		return cmp.Or(compareStart(a.StartedAt, b.StartedAt), strings.Compare(a.ID, b.ID))
	})
	if list.doubt != nil {
		return found, &IncompleteListError{Err: list.doubt}
	}
	return found, nil
}

// listSince returns a list that shows the sessions of a device, and whose request started at
// notBefore or later. The request is shared with other callers; the retries are this caller's own.
func (c *Client) listSince(ctx context.Context, d Device, notBefore time.Time) (*snapshot, error) {
	return retry(ctx, OperationList, c.config.MaxRetries, func(int) (*snapshot, error) {
		return c.lists.of(d).since(ctx, notBefore)
	})
}

func compareStart(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return cmp.Compare(boolRank(a.IsZero()), boolRank(b.IsZero()))
	}
	return a.Compare(b)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
