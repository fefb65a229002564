package diagnostics

import (
	"fmt"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const ifReplaced = "If this apply replaces or renames the resource that holds it, the new session was requested before the old one was deleted: " +
	"remove create_before_destroy from this resource and from those that depend on it, and OpenTofu's destroy = false. After a rename without a moved block, apply again."

// conflict explains a 409 in one of three ways: by a session that this run made, by one that can be
// seen, or by one that cannot.
func (o Operation) conflict(taken *qod.ConflictError) message {
	device := fmt.Sprintf("for this device (%s)", taken.Device)
	m := message{cause: "The network already has a session " + device}
	switch {
	case len(taken.Own) > 0:
		m.cause = "This run has already requested a session " + device + ", and a device can have only one session at a time."
		m.remedy = "Two resources, or two elements of a for_each, have this device: use each device in only one of them."
		m = m.fact("Session", strings.Join(taken.Own, ", "))
	case len(taken.Visible) == 0 && len(taken.Deleted) > 0:
		m.cause = "This run has deleted, or is deleting, a session " + device + ", and the network still refuses a new one."
		m.remedy = "A network may keep a device busy for a while after its session was deleted: apply again in a few minutes. " +
			"If the problem persists, another client may have reserved quality for the device."
		m = m.fact("Deleted session", strings.Join(taken.Deleted, ", "))
	case len(taken.Visible) > 0:
		m.cause += ":\n\n" + bullets(taken.Visible) + "\n\nA device can have only one session at a time, and none is adopted automatically, since nothing proves whose it is."
		m.remedy = o.importAdvice("yours and no other resource holds it", taken.Visible) + "\n\n" +
			"If you do not need that session, " + untilItEnds(taken.Visible) + ", or import it into a temporary resource, destroy that resource, and apply again." +
			o.ofOtherReservation(taken) + "\n\n" + ifReplaced
	case len(taken.Possible) > 0:
		m.cause += ". It may be one of these, which show no device:\n\n" + bullets(taken.Possible)
		m.remedy = o.importAdvice("yours and for this device", taken.Possible) + "\n\nOtherwise ask who else reserves quality for this device." +
			o.ofOtherReservation(taken) + "\n\n" + ifReplaced
	default:
		m.cause += ", but these credentials cannot see it. Most likely another client created it: another team, a vendor, or the operator."
		if taken.ListErr != nil {
			look := explain(taken.ListErr)
			m.cause = "The network already has a session " + device + ". " + introduced("Which one is unknown, because the sessions could not be listed", look.cause)
			m.remedy = look.remedy
		}
		until := "within 24 hours, the longest that a session lasts"
		if !taken.Now.IsZero() {
			until = "by " + instantText(taken.Now.Add(qod.LongestSession)) + " at the latest"
		}
		m.remedy = joined(m.remedy, "Ask who else reserves quality for this device, or apply again when that session has ended, "+until+".") + o.ofOtherReservation(taken)
		if taken.ListErr != nil {
			m.remedy += "\n\n" + ifReplaced
		}
	}
	if taken.RetryErr != nil {
		m.remedy += "\n\n" + introduced("The request was retried, and failed in another way", explain(taken.RetryErr).cause)
	}
	return withError(m, taken.Err)
}

// ofOtherReservation is for a device that two reservations have one after the other.
func (o Operation) ofOtherReservation(taken *qod.ConflictError) string {
	if o.like != likeReservation || len(taken.Deleted) > 0 {
		return ""
	}
	return "\n\nIf another reservation of this configuration had the device until its window closed, the same run deletes that session: apply again."
}

// untilItEnds says to wait, and until when if that is known.
func untilItEnds(sessions []qod.Session) string {
	var last time.Time
	for _, s := range sessions {
		if s.ExpiresAt.IsZero() {
			return "wait until it ends"
		}
		if s.ExpiresAt.After(last) {
			last = s.ExpiresAt
		}
	}
	return "wait until it ends (" + instantText(last) + ")"
}

func bullets(sessions []qod.Session) string {
	const most = 10
	lines := make([]string, 0, most+1)
	for i, s := range sessions {
		if i == most {
			lines = append(lines, fmt.Sprintf("  - and %d more", len(sessions)-most))
			break
		}
		if s.ID == "" {
			lines = append(lines, "  - one that shows no id"+s.String())
			continue
		}
		lines = append(lines, "  - "+s.String())
	}
	return strings.Join(lines, "\n")
}

// importAdvice says how to import the session, or one of the sessions.
func (o Operation) importAdvice(ifItIs string, sessions []qod.Session) string {
	if len(sessions) == 1 {
		return "If it is " + ifItIs + ", import it:\n\n" + o.importCommands(firstID(sessions))
	}
	return "If one of them is " + ifItIs + ", import that one; for the first:\n\n" + o.importCommands(firstID(sessions))
}

func firstID(sessions []qod.Session) string {
	for _, s := range sessions {
		if s.ID != "" {
			return s.ID
		}
	}
	return "ID"
}

// importCommands spells out both ways to import. The provider never learns its own address.
func (o Operation) importCommands(id string) string {
	if o.updates {
		return fmt.Sprintf("  terraform state rm 'ADDRESS'\n  terraform import 'ADDRESS' %s\n\n(%s, such as %s. "+
			"The first command is needed because the state already has the resource; it changes nothing on the network.)", id, addressAbove, o.like)
	}
	return fmt.Sprintf("  import {\n    to = ADDRESS\n    id = %q\n  }\n\nor: terraform import 'ADDRESS' %s\n(%s, such as %s.)", id, id, addressAbove, o.like)
}
