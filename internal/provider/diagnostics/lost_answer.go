package diagnostics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// unresolved announces a session that may exist. It is the one error behind which money may be
// running, so it says everything that finds it.
func (o Operation) unresolved(lost *qod.UnresolvedError) message {
	m := message{cause: fmt.Sprintf("A session for this device (%s) may exist and be billed: the network gave no usable answer to the request for it.", lost.Device)}
	if n := len(lost.Correlators); n > 1 {
		m.cause = fmt.Sprintf("Up to %d sessions for this device (%s) may exist and be billed: the network gave no usable answer to %d requests for one.", n, lost.Device, n)
	}
	switch {
	case lost.KeptID != "":
		m.cause = fmt.Sprintf("The network may have made two sessions for this device (%s), and bill both: the first request got no usable answer, and a later one succeeded. "+
			"The later session is in the state.%s", lost.Device, otherSession(lost))
		if n := len(lost.Correlators); n > 1 {
			m.cause = fmt.Sprintf("The network may have made up to %d sessions for this device (%s), and bill all of them: %d requests got no usable answer, and a later one succeeded. "+
				"The later session is in the state.%s", n+1, lost.Device, n, otherSession(lost))
		}
		if !o.updates {
			m.remedy = "The session in the state is recorded as tainted, so the next apply replaces it. To keep it: terraform untaint 'ADDRESS' (ADDRESS is the one above, such as " + o.like + ").\n\n"
		}
		if len(lost.Candidates) > 0 {
			m.remedy += "To end the other one, import it as a resource of its own and destroy that: terraform import 'qod_session.OTHER' " + firstID(lost.Candidates)
		} else {
			m.remedy += "List the sessions (data source qod_sessions) in a few minutes: if another one of this device appears, import it as a resource of its own and destroy that."
		}
		m = m.fact("Session", lost.KeptID)
	case len(lost.Candidates) > 0:
		appeared := "This session appeared meanwhile; nothing shows whether it is the one"
		if len(lost.Candidates) > 1 {
			appeared = "These sessions appeared meanwhile; nothing shows whether one of them is it"
		}
		m.cause += " " + appeared + ":\n\n" + bullets(lost.Candidates)
		m.remedy = o.importAdvice("yours and for this device", lost.Candidates) + "\n\nOtherwise apply again."
	case lost.ListErr != nil:
		look := explain(lost.ListErr)
		m.cause = joined(m.cause, introduced("It could not be looked for", look.cause))
		m.remedy = joined(look.remedy, "Before the next apply, list the sessions (data source qod_sessions). If one is yours and for this device, import it:\n\n"+o.importCommands("ID"))
	default:
		m.cause += " It was looked for and not found."
		m.remedy = "Apply again: if the session shows up after all, the apply says so and how to import it."
		if o.like == likeReservation {
			m.remedy += " Outside of its window a reservation asks for nothing that could meet it, so before you move the window, list the sessions (data source qod_sessions)."
		}
	}
	end := o.ending(lost)
	m.cause += end.cause
	if end.remedy != "" {
		m.remedy = end.remedy
	}

	until := fmt.Sprintf("%d seconds after the request", lost.Seconds)
	if !lost.Until.IsZero() {
		until = lost.Until.UTC().Format(time.RFC3339)
	}
	m = m.fact("May be billed until", until)
	isCorrelator := func(f string) bool { return strings.HasPrefix(f, "x-correlator: ") }
	m = m.also(slices.DeleteFunc(slices.Clone(end.facts), isCorrelator)...)
	for _, c := range lost.Correlators {
		m = m.fact("x-correlator", c)
	}
	return m.also(end.facts...)
}

// otherSession says what is known of the session that the first request may have made.
func otherSession(lost *qod.UnresolvedError) string {
	if len(lost.Candidates) > 0 {
		return " The other one may be:\n\n" + bullets(lost.Candidates)
	}
	if lost.ListErr == nil {
		return " The other one, if there is one, could not be found."
	}
	return " " + introduced("Whether there is another one could not be seen", explain(lost.ListErr).cause)
}

// ending says, in paragraphs of their own, what ended the attempts behind a lost answer, and what
// to do where that changes it.
func (o Operation) ending(lost *qod.UnresolvedError) message {
	if c, ok := errors.AsType[*qod.ConflictError](lost.Err); ok {
		m := o.conflict(c)
		m.cause = "\n\n" + introduced("Then a second request was refused", m.cause)
		if len(c.Own)+len(c.Visible)+len(c.Possible) == 0 {
			m.remedy = "It may be the session of the first request, which does not show yet: list the sessions (data source qod_sessions) in a few minutes, " +
				"and import it if it appears.\n\n" + m.remedy
		}
		return m
	}
	why, err := "", lost.Err
	if interruption, ok := errors.AsType[*qod.InterruptedError](err); ok {
		err = interruption.Err
		if interruption.Timeout {
			why = "\n\nThe time allowed (timeouts.create) is over, so the request was not repeated."
		}
	}
	if lost.Interrupted {
		why = "\n\nThe run was interrupted, so the request was not repeated."
	}
	if err == nil {
		return message{cause: why}
	}
	last := explain(err)
	return message{cause: why + "\n\n" + introduced("The last failure", last.cause), facts: last.facts}
}
