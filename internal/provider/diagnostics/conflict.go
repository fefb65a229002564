package diagnostics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const ifReplaced = "If that session belongs to a resource that this apply replaces, remove create_before_destroy (here and in resources that depend on this one) " +
	"and OpenTofu's destroy = false, so that it is deleted first. If you renamed the resource, apply again."

// conflict explains a conflict by a session that this run made or deleted, by one that can be seen,
// or by one that cannot.
func (o Operation) conflict(taken *qod.ConflictError) message {
	rule := rulesOf(taken)
	device := fmt.Sprintf("for %s (%s)", rule.occupied, taken.Device)
	m := message{cause: "The network already has a session " + device}
	switch {
	case taken.OtherID != "":
		m.cause = "The network answered with session " + taken.OtherID + ", which this run created for another device."
		m.remedy = "Nothing is wrong with the configuration: report this to the operator."
	case len(taken.Own) > 0:
		m.cause = "This run has already requested a session " + device + ". " + rule.says
		m.remedy = rule.twoResources
		m = m.fact("Session", strings.Join(taken.Own, ", "))
	case len(taken.Visible) == 0 && len(taken.Deleted) > 0:
		m.cause = "This run has deleted, or is deleting, a session " + device + ", and the network still refuses a new one."
		m.remedy = "A network may keep a device busy for a while after its session was deleted: apply again in a few minutes. " +
			"If the problem persists, another client may have reserved quality for the device."
		if taken.ListErr != nil {
			look := explainSearch(taken.ListErr)
			m.cause += " " + introduced("Whether another session occupies the device is unknown, because the sessions could not be listed", look.cause)
		}
		m = m.fact("Deleted session", strings.Join(taken.Deleted, ", "))
	case len(taken.Visible) > 0:
		m = o.visibleConflict(taken.Visible, device, rule)
		m.remedy += o.ofOtherReservation(taken) + "\n\n" + ifReplaced
	case len(taken.Possible) > 0:
		m.cause += ". It may be one of these, which show no device:\n\n" + bullets(taken.Possible)
		m.remedy = o.importAdvice("yours and for this device", taken.Possible) + "\n\nOtherwise ask who else reserves quality for this device." +
			o.ofOtherReservation(taken) + "\n\n" + ifReplaced
	case errors.Is(taken.ListErr, qod.ErrNoList):
		m.cause += ". Which one is unknown, because this API has no list of sessions. It may be one that an earlier run requested without a usable answer, " +
			"one of a resource that this apply replaces, or another client's: another team's, a vendor's or the operator's. The provider adopts none, because nothing proves whose it is."
		m.remedy = "If it is yours and you know its id, from a state, a log or the operator, import it:\n\n" + o.importCommands("ID") + "\n\n" +
			"Otherwise ask who else reserves quality for this device, or apply again when that session has ended" + untilLongest(taken) + "." +
			o.ofOtherReservation(taken) + "\n\n" + ifReplaced
	default:
		m.cause += ", but these credentials cannot see it. Most likely another client created it: another team, a vendor, or the operator."
		if taken.PerFlow {
			m.cause += " " + rule.says
		}
		if taken.ListErr != nil {
			look := explainSearch(taken.ListErr)
			m.cause = "The network already has a session " + device + ". " + introduced("Which one is unknown, because the sessions could not be listed", look.cause)
			m.remedy = look.remedy
		}
		m.remedy = joined(m.remedy, "Ask who else reserves quality for this device, or apply again when that session has ended"+untilLongest(taken)+".") + o.ofOtherReservation(taken)
		if taken.ListErr != nil {
			m.remedy += "\n\n" + ifReplaced
		}
	}
	if taken.RetryErr != nil {
		last := explain(taken.RetryErr)
		m.remedy += "\n\n" + joined(introduced("The request was retried, and failed in another way", last.cause), last.remedy)
	}
	return withError(m, taken.Err)
}

// conflictRules are what texts about conflicts say differently from API to API.
type conflictRules struct {
	occupied     string // by a session
	says         string
	twoResources string // what to do about them
}

// rulesOf is the rule by which the API allows a session.
func rulesOf(taken *qod.ConflictError) conflictRules {
	if taken.PerFlow {
		return conflictRules{
			"the same traffic of this device",
			"A device can have several sessions, but not two whose application servers and ports overlap. One for all servers (0.0.0.0/0) overlaps with every other.",
			"Two resources, or two elements of a for_each, have this device, and application servers and ports that overlap: give each an application_server or ports of its own.",
		}
	}
	return conflictRules{
		"this device",
		"A device can have only one session at a time.",
		"Two resources, or two elements of a for_each, have this device: use each device in only one of them.",
	}
}

// untilLongest says when a session that nobody can see ends at the latest, as far as that is known.
func untilLongest(taken *qod.ConflictError) string {
	var until string
	switch {
	case taken.Longest == 0:
		return ""
	case taken.Now.IsZero():
		until = ", within " + HoursText(taken.Longest) + ", the longest that a session lasts"
	default:
		until = ", by " + instantText(taken.Now.Add(taken.Longest)) + " at the latest"
	}
	if taken.CanExtend {
		until += " unless somebody extends it"
	}
	return until
}

// visibleConflict explains a conflict by sessions that can be seen.
func (o Operation) visibleConflict(sessions []qod.Session, device string, rule conflictRules) message {
	m := message{cause: "The network already has a session " + device + ":\n\n" + bullets(sessions) + "\n\n"}
	switch {
	case len(sessions) > 1:
		every, none := "All of them occupy", "none of them"
		if len(sessions) == 2 {
			every, none = "Both occupy", "neither"
		}
		m.cause = "The network already has sessions " + device + ":\n\n" + bullets(sessions) + "\n\n" +
			every + " " + rule.occupied + ". The provider adopts " + none + ", because nothing proves whose they are."
		m.remedy = o.importAdvice("yours and no other resource holds it", sessions) + "\n\n" +
			"If you need " + none + ", " + untilTheyEnd(sessions) + ", or import them into temporary resources, destroy those, and apply again."
	case sessions[0].Status == qod.StatusUnavailable:
		m.cause += "It is UNAVAILABLE and blocks " + rule.occupied + " until the network removes it, usually within minutes."
		m.remedy = "Apply again then. If it stays, import it into a temporary resource, destroy that resource, and apply again: " +
			"terraform import 'qod_session.OTHER' " + o.importID(firstID(sessions))
	default:
		m.cause += rule.says + " The provider does not adopt this one, because nothing proves whose it is."
		m.remedy = o.importAdvice("yours and no other resource holds it", sessions) + "\n\n" +
			"If you do not need that session, " + untilTheyEnd(sessions) + ", or import it into a temporary resource, destroy that resource, and apply again."
	}
	return m
}

// explainSearch explains why the sessions could not be listed after another request had failed,
// which is the one whose x-correlator the message ends with.
func explainSearch(err error) message {
	m := explain(err)
	ofList := "its x-correlator"
	if failure, ok := errors.AsType[*qod.Error](err); ok && failure.Correlator != "" {
		ofList = "the x-correlator of the list, " + failure.Correlator
	}
	m.remedy = strings.ReplaceAll(m.remedy, correlatorBelow, ofList)
	return m
}

// ofOtherReservation is for a device that two reservations have one after the other.
func (o Operation) ofOtherReservation(taken *qod.ConflictError) string {
	if o.like != likeReservation || len(taken.Deleted) > 0 {
		return ""
	}
	return "\n\nIf it belongs to another reservation whose window has closed, this run is deleting it: apply again."
}

// untilTheyEnd says to wait, and until when if that is known.
func untilTheyEnd(sessions []qod.Session) string {
	wait := "wait until it ends"
	if len(sessions) > 1 {
		wait = "wait until they end"
	}
	var last time.Time
	for _, s := range sessions {
		if s.ExpiresAt.IsZero() {
			return wait
		}
		if s.ExpiresAt.After(last) {
			last = s.ExpiresAt
		}
	}
	return wait + " (" + instantText(last) + ")"
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
	return "If one of them is " + ifItIs + ", import that one. For " + firstID(sessions) + ":\n\n" + o.importCommands(firstID(sessions))
}

func firstID(sessions []qod.Session) string {
	for _, s := range sessions {
		if s.ID != "" {
			return s.ID
		}
	}
	return "ID"
}

// importID is what a session is imported by, in a command.
func (o Operation) importID(id string) string {
	if o.perDevice {
		return "'" + id + ",DEVICE'"
	}
	return id
}

// importCommands spells out both ways to import. The provider never learns its own address, and
// errors show no device.
func (o Operation) importCommands(id string) string {
	notes := addressAbove + ", such as " + o.like + "."
	if o.perDevice {
		notes += " DEVICE is the device's phone number or address, which errors do not show."
	}
	if o.updates {
		return fmt.Sprintf("  terraform state rm 'ADDRESS'\n  terraform import 'ADDRESS' %s\n\n(%s "+
			"The first command is needed because the state already has the resource; it changes nothing on the network.)", o.importID(id), notes)
	}
	return fmt.Sprintf("  import {\n    to = ADDRESS\n    id = %q\n  }\n\nor: terraform import 'ADDRESS' %s\n(%s)", strings.Trim(o.importID(id), "'"), o.importID(id), notes)
}
