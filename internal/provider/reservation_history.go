package provider

import (
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// maxHistory bounds how many sessions a reservation lists, since each is in every plan and state.
// The seconds of older ones still count.
const maxHistory = 50

// sessionHistory is every session that a reservation has had, oldest first: what a bill is checked
// against.
type sessionHistory struct {
	sessions []pastSession
	dropped  int64         // seconds of sessions that are not listed any more
	longest  time.Duration // that a session lasts; zero: there is no limit
}

// pastSession is a session of a reservation, past or current.
type pastSession struct {
	id      string
	started time.Time // zero while it is only requested
	ended   time.Time // zero while it lives
	expires time.Time // as granted, else as requested; zero where neither is known or needed
}

// seconds is how long the session lasted, or lasts if nobody ends it early.
func (s pastSession) seconds() int64 {
	end := s.ended
	if end.IsZero() {
		end = s.expires
	}
	if s.started.IsZero() || !end.After(s.started) {
		return 0
	}
	return end.Unix() - s.started.Unix()
}

// end is when a session ended at the latest that is not there any more, or is of no use: when the
// network granted it until, or now if that is earlier.
func (s pastSession) end(now time.Time, longest time.Duration) time.Time {
	last := s.expires
	if last.IsZero() {
		last = lastEnd(s.started, longest)
	}
	if last.IsZero() || (!now.IsZero() && now.Before(last)) {
		return now
	}
	return last
}

// seen is the history once its current session has been seen. One that is past its end, or that the
// network has ended (UNAVAILABLE), ends here, although it is not deleted yet; one that was lost
// sight of and is there again lives.
func (h sessionHistory) seen(s qod.Session, now time.Time, over bool) sessionHistory {
	if n := len(h.sessions); n == 0 || h.sessions[n-1].id != s.ID {
		h = h.gone(now)
		h.sessions = append(h.sessions, pastSession{id: s.ID})
	}
	current := &h.sessions[len(h.sessions)-1]
	if !s.StartedAt.IsZero() {
		current.started = s.StartedAt
	}
	if !s.ExpiresAt.IsZero() {
		current.expires = s.ExpiresAt
	}
	switch dead := over || s.Status == qod.StatusUnavailable; {
	case !dead:
		current.ended = time.Time{}
	case current.ended.IsZero():
		current.ended = current.end(now, h.longest)
	}
	for ; len(h.sessions) > maxHistory; h.sessions = h.sessions[1:] {
		h.dropped += h.sessions[0].seconds()
	}
	return h
}

// gone is the history once there is no session any more: it was deleted, has ended, or has been
// proven gone.
func (h sessionHistory) gone(now time.Time) sessionHistory {
	if n := len(h.sessions); n > 0 && h.sessions[n-1].ended.IsZero() {
		h.sessions[n-1].ended = h.sessions[n-1].end(now, h.longest)
	}
	return h
}

// in reports whether there was a session in a window, or is.
func (h sessionHistory) in(w window) bool {
	return slices.ContainsFunc(h.sessions, func(s pastSession) bool { return s.ended.IsZero() || s.ended.After(w.starts) })
}

// grantedSeconds is for how long all the sessions lasted, or will.
func (h sessionHistory) grantedSeconds() int64 {
	total := h.dropped
	for _, s := range h.sessions {
		total += s.seconds()
	}
	return total
}

// historySchema is one session of the history.
func historySchema() schema.NestedAttributeObject {
	return schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"id": schema.StringAttribute{
			MarkdownDescription: "Identifier that the network assigned to the session.",
			Computed:            true,
		},
		"started_at": schema.StringAttribute{
			MarkdownDescription: "Start (RFC 3339, UTC). Null if the session was requested and never started.",
			Computed:            true,
		},
		"ended_at": schema.StringAttribute{
			MarkdownDescription: "End (RFC 3339, UTC). Null while the session is live. If the network ended it before its `expires_at`, an upper bound: " +
				"when the first run that was applied noticed, and `expires_at` at the latest; a plan alone records nothing. " +
				"With `camara-v1`, it is the end that the network shows of an `UNAVAILABLE` session, if such a run finds it before the network deletes it, some minutes later.",
			Computed: true,
		},
	}}
}

var pastSessionType, _ = historySchema().Type().(types.ObjectType)

// history is the one that the state has recorded.
func (m reservationModel) history(private sessionPrivate) sessionHistory {
	h := sessionHistory{longest: private.longest()}
	for _, element := range m.Sessions.Elements() {
		recorded, _ := element.(types.Object)
		text := func(name string) types.String {
			s, _ := recorded.Attributes()[name].(types.String)
			return s
		}
		s := pastSession{id: text("id").ValueString(), started: instantOf(text("started_at")), ended: instantOf(text("ended_at"))}
		if s.id == m.SessionID.ValueString() {
			s.expires = private.expected(qod.Session{StartedAt: s.started, ExpiresAt: instantOf(m.ExpiresAt)}).ExpiresAt
		}
		h.sessions = append(h.sessions, s)
	}
	h.dropped = max(0, m.GrantedSeconds.ValueInt64()-h.grantedSeconds())
	return h
}

// recordHistory takes over the history.
func (m *reservationModel) recordHistory(h sessionHistory) {
	elements := make([]attr.Value, 0, len(h.sessions))
	for _, s := range h.sessions {
		elements = append(elements, types.ObjectValueMust(pastSessionType.AttrTypes, map[string]attr.Value{
			"id": types.StringValue(s.id), "started_at": instantOrNull(s.started), "ended_at": instantOrNull(s.ended),
		}))
	}
	m.Sessions = types.ListValueMust(pastSessionType, elements)
	m.GrantedSeconds = validators.NewWholeNumber(h.grantedSeconds())
}
