package diagnostics

import (
	"fmt"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const causesOfConflict = "A device can have only one session at a time. A replacement fails this way if the new session is requested before the old one is deleted: " +

	"with create_before_destroy, on this resource or on one that depends on it, or with OpenTofu's destroy = false. " +
	"So does a resource, or a key of for_each, that was renamed without a moved block, if Terraform gets to the new name first: it deletes the old one in the same run, so apply again."

// conflict explains a 409 in one of three ways: by a session that this run made, by one that
// can be seen, or by one that cannot.
func (o Operation) conflict(taken *qod.ConflictError) message {
	m := message{cause: fmt.Sprintf("The network already has a session for this device (%s)", taken.Device)}
	switch {
	case len(taken.Own) > 0:
		m.cause = fmt.Sprintf("This same run has already reserved a session for this device (%s). Are there two resources, or two rows of for_each, with one device?", taken.Device)
		m.remedy = "Give each device to one resource."
		m = m.fact("Session", strings.Join(taken.Own, ", "))
	case len(taken.Visible) == 0 && len(taken.Deleted) > 0:
		m.cause = fmt.Sprintf("This run has deleted, or is deleting, a session of this device (%s), and the network still refuses a new one.", taken.Device)
		m.remedy = "Networks hold a device for a while after its session was deleted: apply again in a few minutes. If the problem persists, another client may have reserved quality for the device."
		m = m.fact("Deleted session", strings.Join(taken.Deleted, ", "))
	case len(taken.Visible) > 0:
		m.cause += ":\n\n" + bullets(taken.Visible) + "\n\nThe provider never takes over a session, since nothing proves whose it is."
		m.remedy = o.importAdvice("yours and no other resource holds it", taken.Visible) + "\n\nWhat is not needed has to end first: wait for that, or import it as a resource of its own and destroy that. Then apply again."
	case len(taken.Possible) > 0:
		m.cause += ". It may be one of these, which show no device:\n\n" + bullets(taken.Possible)
		m.remedy = o.importAdvice("yours and for this device", taken.Possible) + "\n\nOtherwise ask who else reserves quality for this device."
	default:
		m.cause += ", but these credentials cannot see it. Most likely another client made it: another team, a vendor, or the operator."
		if taken.ListErr != nil {
			look := explain(taken.ListErr)
			m.cause = fmt.Sprintf("The network already has a session for this device (%s). %s", taken.Device,
				introduced("Which one is not known, as the sessions could not be listed", look.cause))
			m.remedy = look.remedy
		}
		until := "within 24 hours, the most a session lasts"
		if !taken.Now.IsZero() {
			until = "by " + taken.Now.Add(qod.LongestSession).UTC().Format(time.RFC3339) + " at the latest"
		}
		m.remedy = joined(m.remedy, "Ask who else reserves quality for this device, or apply again when that session has ended, "+until+".")
	}
	if o.like == likeReservation && len(taken.Deleted) == 0 {
		m.remedy += "\n\nIf another reservation of this configuration held the device until its window closed, the same run deletes its session: apply again."
	}
	m.remedy += "\n\n" + causesOfConflict
	if taken.RetryErr != nil {
		m.remedy += "\n\n" + introduced("The request was repeated, and failed otherwise", explain(taken.RetryErr).cause)
	}
	return withError(m, taken.Err)
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
	return "If one of them is " + ifItIs + ", import it; for the first one:\n\n" + o.importCommands(firstID(sessions))
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
		return fmt.Sprintf("  terraform state rm 'ADDRESS'\n  terraform import 'ADDRESS' %s\n\n(ADDRESS is the one above, such as %s. "+
			"The first command is needed because the state has the resource already; it touches nothing on the network.)", id, o.like)
	}
	return fmt.Sprintf("  import {\n    to = ADDRESS\n    id = %q\n  }\n\nor: terraform import 'ADDRESS' %s\n(ADDRESS is the one above, such as %s.)", id, id, o.like)
}
