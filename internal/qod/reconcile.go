package qod

import (
	"context"
	"errors"
	"time"
)

// lose records a POST without a usable answer.
func (cr *creation) lose(failure *Error) {
	cr.lost = append(cr.lost, failure)
	cr.lostAt = time.Now()
	posted := firstTime(cr.client.clock.estimate(), time.Now().UTC())
	cr.until = posted.Add(time.Duration(cr.spec.Seconds) * time.Second)
}

// settlingAfter is how long to look for the session of a POST that failed like this.
func settlingAfter(failure *Error) time.Duration {
	if failure.Status/100 == 2 || failure.silent || errors.Is(failure.Err, context.DeadlineExceeded) {
		return slowSettling
	}
	return settling
}

// look searches for the session of a lost answer, again and again for as long as it may take to
// show: for a while, and longer where the list has not shown anything newer than the lost POST, since
// then it may lag behind it. It returns neither session nor error when the network shows none, which
// is when another POST may be sent.
func (cr *creation) look(ctx context.Context, settling time.Duration) (Session, error) {
	c := cr.client
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	caller := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.requestTimeout)
	defer cancel()
	began := time.Now()
	var failure error // says more than that the time was up meanwhile
	for wait := firstLook; ; wait *= 2 {
		list, err := cr.list(ctx)
		if err != nil {
			// A token that others gave up waiting for, or that is hard to get just now, or a cache in
			// front of the list, is no reason to leave a session behind.
			if mayPass(err) || isDoubt(err) {
				failure = err
				if pause(ctx, min(wait, maxPoll)) == nil {
					continue
				}
			}
			return Session{}, cr.unresolved(cr.lastLost(), nil, firstError(failure, err), interrupted)
		}
		ours, possible := cr.candidates(list.sessions)
		if len(ours) == 1 {
			if c.own.claim(ours[0].ID, cr.spec.Device, cr.postedAt) {
				return ours[0], cr.verifyAdopted(caller, ours[0])
			}
			continue // another create was faster: look again, without it
		}
		waited := time.Since(began)
		switch {
		case len(ours) > 1:
			return Session{}, cr.unresolved(cr.lastLost(), append(ours, possible...), nil, interrupted)
		case len(possible) > 0:
			// Most show their start within seconds, which tells whose they are.
			if waited < patienceForStart && pause(ctx, min(wait, maxPoll)) == nil {
				continue
			}
			return Session{}, cr.unresolved(cr.lastLost(), possible, nil, interrupted)
		case waited >= slowSettling, waited >= settling && (settling == 0 || interrupted || cr.showsNewer(list)):
			return Session{}, nil
		}
		if pause(ctx, min(wait, maxPoll)) != nil {
			return Session{}, nil
		}
	}
}

// list is a list that starts now and that may be believed in what it does not show, unless it lags.
func (cr *creation) list(ctx context.Context) (*snapshot, error) {
	list, err := cr.client.listSince(ctx, time.Now())
	if err == nil && isDoubt(list.doubt) { // entries without an id are candidates, too
		return nil, list.doubt
	}
	return list, err
}

func isDoubt(err error) bool { return errors.Is(err, ErrCachedList) || errors.Is(err, errListPart) }

// showsNewer reports whether the list shows a session that was made after the lost POST was given up:
// one that lags behind that POST does not.
func (cr *creation) showsNewer(list *snapshot) bool { return cr.client.newestIn(list).After(cr.lostAt) }

// newestIn is when the newest session of a list was made, by this process's clock, as far as that is
// known: by this process, or by the start that the network gives it. A list that shows it does not lag
// further behind than that.
func (c *Client) newestIn(list *snapshot) time.Time {
	var newest time.Time
	now, here := c.clock.now(), time.Now()
	for _, s := range list.sessions {
		newest = latest(newest, c.own.madeAt(s.ID))
		if !now.IsZero() && !s.StartedAt.IsZero() && s.StartedAt.Before(now) {
			newest = latest(newest, here.Add(s.StartedAt.Sub(now)-clockSlack))
		}
	}
	return newest
}

// verifySingle makes sure, after a POST that succeeded behind a lost one, that the lost one made no
// session as well: it looks until the list shows the later session, since one that lags shows neither.
// The error names the other one, or says that there may be one; the session that is known is returned
// all the same.
func (cr *creation) verifySingle(ctx context.Context, s Session) error {
	if len(cr.lost) == 0 {
		return nil
	}
	return cr.verify(ctx, s, func(list *snapshot) bool { return list.has(s.ID) })
}

// verifyAdopted makes sure, after the session of one of several lost POSTs was adopted, that the others
// made none as well. A list that lags shows the session of an earlier POST first: it has to show that of
// the last one, or what was made later, or to be asked for when no list lags behind it any more.
func (cr *creation) verifyAdopted(ctx context.Context, s Session) error {
	last := cr.client.clock.at(cr.lastPost)
	if len(cr.lost) < 2 || (!last.IsZero() && s.StartedAt.After(last.Add(-time.Second))) {
		return nil
	}
	return cr.verify(ctx, s, func(list *snapshot) bool {
		return cr.showsNewer(list) || list.started.Sub(cr.lostAt) >= maxLag
	})
}

// verify looks for another session than the one that is known until a list is believed.
func (cr *creation) verify(ctx context.Context, s Session, believed func(*snapshot) bool) error {
	if ctx.Err() != nil { // one look is left
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastPollBudget)
		defer cancel()
	}
	var lookErr error
	for wait := firstLook; ; wait = min(2*wait, maxPoll) {
		list, err := cr.list(ctx)
		if err == nil {
			if others := cr.others(list.sessions); len(others) > 0 {
				return cr.second(s, others, nil)
			}
			if believed(list) {
				return nil
			}
			lookErr = errLagging
		} else if ctx.Err() == nil || lookErr == nil {
			lookErr = err
		}
		if cr.client.lists.refused() || pause(ctx, wait) != nil {
			return cr.second(s, nil, lookErr)
		}
	}
}

// errLagging says that a list has not shown in time what is known to be there.
var errLagging = errors.New("the list of sessions did not show in time even the session that was made last")

// others are the listed sessions that the lost POST may have made, next to the one that is known. A
// device has one session on most networks, so less than for an adoption is enough.
func (cr *creation) others(listed []Session) []Session {
	suspects, possible := cr.candidates(listed)
	for _, other := range possible {
		if cr.spec.Device.overlaps(other.Device) && !cr.predates(other) {
			suspects = append(suspects, other)
		}
	}
	return suspects
}

func (cr *creation) second(kept Session, others []Session, lookErr error) *UnresolvedError {
	u := cr.unresolved(cr.lastLost(), others, lookErr, false)
	u.Kept = kept.ID
	return u
}

// predates reports whether the session started before the POST, by the server's clock.
func (cr *creation) predates(s Session) bool {
	// Worked out now, since the first answer with a Date may be that of the list which shows it.
	posted := cr.client.clock.at(cr.postedAt)
	return !s.StartedAt.IsZero() && !posted.IsZero() && s.StartedAt.Before(posted.Add(-clockSlack))
}

// candidates splits the listed sessions that may be the one asked for: ours, which can be
// nobody else's as far as this API can show, and possible, which cannot be told. What existed
// before the POST, is another resource's, or shows another device is neither.
func (cr *creation) candidates(listed []Session) (ours, possible []Session) {
	trusted := cr.trusts(cr.before)
	for _, s := range listed {
		_, contradicts := cr.spec.Device.compare(s.Device)
		if contradicts || cr.client.own.owns(s.ID) || (cr.before != nil && cr.before.has(s.ID)) {
			continue
		}
		clocked := !s.StartedAt.IsZero() && !cr.client.clock.now().IsZero()
		tooOld := cr.predates(s)
		if cr.before == nil && tooOld {
			continue // without a snapshot the clock alone says that it existed before
		}
		asked := s.ID != "" && s.QoSProfile == cr.spec.QoSProfile && s.Seconds <= cr.spec.Seconds
		if asked && cr.spec.Device.shares(s.Device) && !tooOld && (clocked || trusted) {
			ours = append(ours, s)
		} else {
			possible = append(possible, s)
		}
	}
	return ours, possible
}

// trusts reports whether what a list from before the POST does not show was made after it: the list is
// hardly older than the POST, complete, and shows a session that is hardly older than the list, as far
// as the clock can tell. One that lags may miss what somebody else made a moment before.
func (cr *creation) trusts(before *snapshot) bool {
	return before != nil && before.doubt == nil && cr.postedAt.Sub(before.started) <= snapshotGap &&
		before.started.Sub(cr.client.newestIn(before)) <= snapshotGap+clockSlack
}
