package qod

import (
	"context"
	"errors"
	"time"
)

const (
	// snapshotTimeout bounds the list from before a POST: without one, the POST is still sent.
	snapshotTimeout = 5 * time.Second

	// snapshotTolerance is how much older than the POST that list may be if a session that it does
	// not show, and that shows no start, is to count as made by the POST: somebody else may have
	// made it in between. A burst of creates shares a list that is at first half as old.
	snapshotTolerance = 2 * time.Second

	// burstDivisor: the list may be as old as the duration of a burst divided by this, so that a
	// thousand creates make about ten lists. The price is that a session without a start, whose
	// answer is lost late in the burst, is named in an error and not adopted.
	burstDivisor = 4

	// clockTolerance is how far two readings of one server's clock may lie apart: Date and
	// startedAt are both cut to whole seconds.
	clockTolerance = 2 * time.Second

	// searchTime is how long a session may take to show after the answer to its POST was lost: what
	// a gateway answered with an error may be committed a little later.
	searchTime = time.Second
	// firstSearchPause is the time from the first list to the second; each further one is twice
	// that.
	firstSearchPause = 200 * time.Millisecond
	// longSearchTime is searchTime for a network that was slow already, that said it did create, or
	// whose list has shown nothing newer than the lost POST.
	longSearchTime = 10 * time.Second
	// startTimeout is how long to wait for the start of a session that may be the one asked for.
	startTimeout = 20 * time.Second
)

// lists are those that show the sessions of the device.
func (cr *creation) deviceLists() *listCache { return cr.client.lists.of(cr.spec.Device) }

// snapshotBefore is a recent list, which a burst of creates shares; nil where there is none. The
// error is the 401 that is why, which says something about the POST as well.
func (cr *creation) snapshotBefore(ctx context.Context) (*snapshot, error) {
	c, lists := cr.client, cr.deviceLists()
	if lists.unsupported() {
		return nil, nil
	}
	bounded, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	listSince := func(ctx context.Context, notBefore time.Time) (*snapshot, error) {
		return c.listSince(ctx, cr.spec.Device, notBefore)
	}
	if !lists.usable() {
		listSince = lists.since // without retries: each create of a fleet comes by here
	}
	age := min(snapshotAge, max(snapshotTolerance/2, c.creating()/burstDivisor))
	list, err := listSince(bounded, time.Now().Add(-age))
	if err != nil {
		if ctx.Err() == nil && bounded.Err() != nil {
			lists.markSlow()
		}
		if !isUnauthorized(err) {
			err = nil
		}
		return nil, err
	}
	return list, nil
}

// creating is for how long this process has been creating sessions.
func (c *Client) creating() time.Duration {
	c.firstCreate.CompareAndSwap(nil, new(time.Now()))
	return time.Since(*c.firstCreate.Load())
}

// recordLost records a POST without a usable answer.
func (cr *creation) recordLost(failure *Error) {
	cr.mayHaveCreated = append(cr.mayHaveCreated, failure)
	cr.lastLostAt = time.Now()
	posted := firstTime(cr.client.clock.estimate(), time.Now().UTC())
	cr.lostUntil = posted.Add(time.Duration(cr.spec.Seconds) * time.Second)
}

// searchTimeAfter is how long to look for the session of a POST that failed like this.
func searchTimeAfter(failure *Error) time.Duration {
	if failure.Status/100 == 2 || failure.connectionLost || errors.Is(failure.Err, context.DeadlineExceeded) {
		return longSearchTime
	}
	return searchTime
}

// findLost looks for the session of a lost answer. It searches for at least minSearch (0: one
// look), and for up to longSearchTime while the list may be older than the lost POST. If it returns
// neither session nor error, none was found, and another POST may be sent.
func (cr *creation) findLost(ctx context.Context, minSearch time.Duration) (Session, error) {
	c := cr.client
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	caller := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.config.RequestTimeout)
	defer cancel()
	began := time.Now()
	var failure error // says more than that the time was up meanwhile
	for wait := firstSearchPause; ; wait *= 2 {
		list, err := cr.currentList(ctx)
		if err != nil {
			// A token whose fetch others abandoned, or that cannot be had just now, or a cache in
			// front of the list, is no reason to leave a session behind.
			if isTransientTokenError(err) || isStaleOrPartial(err) {
				failure = err
				if pause(ctx, min(wait, maxPoll)) == nil {
					continue
				}
			}
			return Session{}, cr.unresolved(cr.lastLost(), nil, firstError(failure, err), interrupted)
		}
		ours, possible := cr.candidates(list.sessions)
		if len(ours) == 1 {
			if c.own.claim(ours[0].ID, cr.spec.flow(), cr.firstLostPostAt) {
				return ours[0], cr.checkNoSecondAfterAdopting(caller, ours[0])
			}
			continue // another create was faster: look again, without it
		}
		waited := time.Since(began)
		enough := waited >= minSearch && (minSearch == 0 || interrupted || cr.showsNewer(list))
		switch {
		case len(ours) > 1:
			return Session{}, cr.unresolved(cr.lastLost(), append(ours, possible...), nil, interrupted)
		case len(possible) > 0:
			// Most show their start within seconds, which tells whose they are.
			if waited < startTimeout && pause(ctx, min(wait, maxPoll)) == nil {
				continue
			}
			return Session{}, cr.unresolved(cr.lastLost(), possible, nil, interrupted)
		case enough, waited >= longSearchTime:
			return Session{}, nil
		}
		if pause(ctx, min(wait, maxPoll)) != nil {
			return Session{}, nil
		}
	}
}

// currentList is a list that starts now and that is complete, unless it lags.
func (cr *creation) currentList(ctx context.Context) (*snapshot, error) {
	list, err := cr.client.listSince(ctx, cr.spec.Device, time.Now())
	if err == nil && isStaleOrPartial(list.doubt) { // entries without an id are candidates, too
		return nil, list.doubt
	}
	return list, err
}

func isStaleOrPartial(err error) bool {
	return errors.Is(err, ErrCachedList) || errors.Is(err, errIncompleteList)
}

// showsNewer reports whether the list shows a session that was made after the last lost POST had
// failed: one that lags behind that POST does not.
func (cr *creation) showsNewer(list *snapshot) bool {
	return cr.client.newestIn(list).After(cr.lastLostAt)
}

// newestIn is when the newest session of a list was made, by this process's clock, as far as that
// is known: because this process made it, or from the start that the network gives it. A list that
// shows it does not lag further behind than that.
func (c *Client) newestIn(list *snapshot) time.Time {
	var newest time.Time
	now, here := c.clock.now(), time.Now()
	for _, s := range list.sessions {
		newest = latest(newest, c.own.madeAt(s.ID))
		if !now.IsZero() && !s.StartedAt.IsZero() && s.StartedAt.Before(now) {
			newest = latest(newest, here.Add(s.StartedAt.Sub(now)-clockTolerance))
		}
	}
	return newest
}

// checkNoSecondAfterPost makes sure, after a POST that succeeded after a lost one, that the lost
// one made no session as well: it looks until the list shows the later session, since a list that
// lags shows neither. The error names the other session, or says that there may be one.
func (cr *creation) checkNoSecondAfterPost(ctx context.Context, s Session) error {
	if len(cr.mayHaveCreated) == 0 {
		return nil
	}
	cr.created = s
	return cr.lookForSecond(ctx, s, func(list *snapshot) bool { return list.has(s.ID) })
}

// checkNoSecondAfterAdopting makes sure, after the session of one of several lost POSTs was
// adopted, that the others made none as well. A list that lags shows the session of an earlier POST
// first: it has to show that of the last POST or something newer, or to start when no list lags
// behind that any more.
func (cr *creation) checkNoSecondAfterAdopting(ctx context.Context, s Session) error {
	last := cr.client.clock.at(cr.lastPostAt)
	if len(cr.mayHaveCreated) < 2 || (!last.IsZero() && s.StartedAt.After(last.Add(-time.Second))) {
		return nil
	}
	return cr.lookForSecond(ctx, s, func(list *snapshot) bool {
		return cr.showsNewer(list) || list.started.Sub(cr.lastLostAt) >= maxLag
	})
}

// lookForSecond looks for a session besides the one that is known, until a list is up to date.
func (cr *creation) lookForSecond(ctx context.Context, s Session, upToDate func(*snapshot) bool) error {
	if ctx.Err() != nil { // one look is left
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastPollTimeout)
		defer cancel()
	}
	var listErr error
	for wait := firstSearchPause; ; wait = min(2*wait, maxPoll) {
		list, err := cr.currentList(ctx)
		if err == nil {
			if seconds := cr.possibleSeconds(list.sessions); len(seconds) > 0 {
				return cr.duplicate(s, seconds, nil)
			}
			if upToDate(list) {
				return nil
			}
			listErr = errLagging
		} else if ctx.Err() == nil || listErr == nil {
			listErr = err
		}
		if cr.deviceLists().unsupported() || pause(ctx, wait) != nil {
			return cr.duplicate(s, nil, listErr)
		}
	}
}

// errLagging says that a list has not shown in time what is known to be there.
var errLagging = errors.New("the list of sessions did not show in time even the session that was made last")

// possibleSeconds are the listed sessions that the lost POST may have made besides the one that is
// known. Less evidence than for an adoption is enough here, as most networks allow one session per
// device.
func (cr *creation) possibleSeconds(listed []Session) []Session {
	seconds, possible := cr.candidates(listed)
	for _, s := range possible {
		if cr.spec.Device.overlaps(s.Device) && !cr.predates(s) {
			seconds = append(seconds, s)
		}
	}
	return seconds
}

// duplicate is the error for a lost POST that has bought, or may have bought, a second session.
func (cr *creation) duplicate(kept Session, seconds []Session, listErr error) *UnresolvedError {
	u := cr.unresolved(cr.lastLost(), seconds, listErr, false)
	u.KeptID = kept.ID
	return u
}

// predates reports whether the session started before the POST, by the server's clock.
func (cr *creation) predates(s Session) bool {
	// Worked out now, since the first answer with a Date may be that of the list which shows it.
	posted := cr.client.clock.at(cr.firstLostPostAt)
	return !s.StartedAt.IsZero() && !posted.IsZero() && s.StartedAt.Before(posted.Add(-clockTolerance)) && !cr.contradictsClock(s)
}

// contradictsClock reports whether the API's clock says nothing of when a listed session started,
// because it is wrong: by it, the session has yet to start, or is AVAILABLE long after its own end,
// or the session of this create started before its own POST.
func (cr *creation) contradictsClock(s Session) bool {
	now, posted := cr.client.clock.now(), cr.client.clock.at(cr.lastPostAt)
	if now.IsZero() {
		return false
	}
	yetToStart := s.StartedAt.After(now.Add(clockTolerance))
	outlived := s.Status == StatusAvailable && !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(now.Add(-maxLag))
	own := cr.created.StartedAt
	return yetToStart || outlived || !own.IsZero() && own.Before(posted.Add(-clockTolerance))
}

// candidates splits the listed sessions that may be the one asked for: ours, which as far as this
// API can show belong to nobody else, and possible, whose owner cannot be told. What existed before
// the POST, belongs to another resource or shows another device or flow is neither.
func (cr *creation) candidates(listed []Session) (ours, possible []Session) {
	trusted := cr.trustsSnapshot(cr.listedBefore)
	for _, s := range listed {
		_, contradicts := cr.spec.Device.compare(s.Device)
		otherFlow := cr.spec.Device.overlaps(s.Device) && !cr.client.dialect.collide(cr.spec.flow(), s.flow())
		// Without an id nothing but its start tells an entry from those of the snapshot.
		compared := cr.listedBefore != nil && s.ID != ""
		if contradicts || otherFlow || cr.client.own.owns(s.ID) || (compared && cr.listedBefore.has(s.ID)) {
			continue
		}
		startIsComparable := !s.StartedAt.IsZero() && !cr.client.clock.now().IsZero() && !cr.contradictsClock(s)
		tooOld := cr.predates(s)
		if !compared && tooOld {
			continue // the clock alone says that it existed before
		}
		asRequested := s.ID != "" && s.QoSProfile == cr.spec.QoSProfile && s.Seconds <= cr.spec.Seconds
		if asRequested && cr.spec.Device.shares(s.Device) && !tooOld && (startIsComparable || trusted) {
			ours = append(ours, s)
		} else {
			possible = append(possible, s)
		}
	}
	return ours, possible
}

// trustsSnapshot reports whether what the snapshot does not show was made after it: it is hardly
// older than the POST, complete, and shows a session that is hardly older than itself, as far as
// the clock can tell. A snapshot that lags may miss what somebody else made a moment before.
func (cr *creation) trustsSnapshot(before *snapshot) bool {
	return before != nil && before.doubt == nil && cr.firstLostPostAt.Sub(before.started) <= snapshotTolerance &&
		before.started.Sub(cr.client.newestIn(before)) <= snapshotTolerance+clockTolerance
}
