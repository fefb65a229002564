package diagnostics

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// unresolved announces a session that may exist. It is the one error behind which money may be
// running, so it says everything that finds it.
func (o Operation) unresolved(lost *qod.UnresolvedError) message {
	m := message{cause: fmt.Sprintf("A session for this device (%s) may exist and be billed: the request for it got no usable answer.", lost.Device)}
	if n := len(lost.Correlators); n > 1 {
		m.cause = fmt.Sprintf("Up to %d sessions for this device (%s) may exist and be billed: %d requests for one got no usable answer.", n, lost.Device, n)
	}
	end := o.ending(lost)
	switch {
	case lost.KeptID != "":
		m.cause = fmt.Sprintf("The network may have created two sessions for this device (%s), and may bill both: the first request got no usable answer, and a later one succeeded. "+
			"The later session is in the state.%s", lost.Device, otherSession(lost))
		if n := len(lost.Correlators); n > 1 {
			m.cause = fmt.Sprintf("The network may have created up to %d sessions for this device (%s), and may bill all of them: %d requests got no usable answer, and a later one succeeded. "+
				"The later session is in the state.%s", n+1, lost.Device, n, otherSession(lost))
		}
		if !o.updates {
			m.remedy = "The session in the state is tainted, so the next apply replaces it. To keep it: terraform untaint 'ADDRESS' (" + addressAbove + ", such as " + o.like + ").\n\n"
		}
		if len(lost.Candidates) > 0 {
			m.remedy += "To end the other one, import it into a temporary resource and destroy that resource: terraform import 'qod_session.OTHER' " + o.importID(firstID(lost.Candidates))
		} else {
			look := ""
			if lost.ListErr != nil {
				look = explainSearch(lost.ListErr).remedy
			}
			m.remedy += joined(look, "List the sessions (data source qod_sessions) in a few minutes. If another one of this device appears, import it into a temporary resource and destroy that resource.")
		}
		m.remedy += end.furtherAdvice()
		m = m.fact("Session", lost.KeptID)
	case len(lost.Candidates) > 0:
		appeared := "This session has appeared since, but nothing shows whether it is the one"
		if len(lost.Candidates) > 1 {
			appeared = "These sessions have appeared since, but nothing shows whether one of them is it"
		}
		m.cause += " " + appeared + ":\n\n" + bullets(lost.Candidates)
		m.remedy = o.importAdvice("yours and for this device", lost.Candidates) + "\n\nOtherwise apply again." + end.furtherAdvice()
	case errors.Is(lost.ListErr, qod.ErrNoList):
		m.cause += " The provider cannot look for it, because this API has no list of sessions, and it does not ask for another session blindly."
		m.remedy = "Apply again. If the session exists, the network refuses another one for this device (409) until it ends, so none is reserved twice. " +
			"If it is to end earlier, ask the operator for its id, with " + correlatorBelow + ", and import it:\n\n" + o.importCommands("ID") + end.furtherAdvice()
	case lost.ListErr != nil:
		look := explainSearch(lost.ListErr)
		m.cause = joined(m.cause, introduced("The provider could not look for it", look.cause))
		m.remedy = joined(look.remedy, "Before the next apply, list the sessions (data source qod_sessions). If one is yours and for this device, import it:\n\n"+o.importCommands("ID")) + end.furtherAdvice()
	default:
		found := " The provider looked for it and did not find it."
		if len(lost.Correlators) > 1 {
			found = " The provider looked for them and found none."
		}
		m.cause += found
		m.remedy = joined(cmp.Or(end.remedy, "Apply again."), "If such a session exists, the next apply fails, names it and says how to import it.")
		if o.like == likeReservation {
			m.remedy += " Outside its window a reservation makes no request that would find it, so list the sessions (data source qod_sessions) before you move the window."
		}
	}
	m.cause += end.cause
	if isConflict(lost.Err) {
		m.remedy = end.remedy
	}

	until := fmt.Sprintf("%d seconds after the request", lost.Seconds)
	if !lost.Until.IsZero() {
		until = instantText(lost.Until)
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
		if n := len(lost.Correlators); n > 1 {
			return fmt.Sprintf(" Up to %d others may exist; none was found.", n)
		}
		return " The other one, if it exists, could not be found."
	}
	return " " + introduced("Whether others exist could not be checked", explain(lost.ListErr).cause)
}

// furtherAdvice is what to do about the last failure, as a paragraph behind other advice, which
// says when to try again.
func (m message) furtherAdvice() string {
	advice := strings.TrimPrefix(m.remedy, "Try again later. ")
	if advice == "" {
		return ""
	}
	return "\n\n" + introduced("About the last failure", advice)
}

func isConflict(err error) bool {
	_, ok := errors.AsType[*qod.ConflictError](err)
	return ok
}

// ending says, in paragraphs of their own, what ended the attempts behind a lost answer, and what
// to do about it.
func (o Operation) ending(lost *qod.UnresolvedError) message {
	if c, ok := errors.AsType[*qod.ConflictError](lost.Err); ok {
		m := o.conflict(c)
		m.cause = "\n\n" + introduced("The next request was refused", m.cause)
		if c.OtherID == "" && len(c.Own)+len(c.Visible)+len(c.Possible) == 0 {
			m.remedy = "That may be the session of the first request, not listed yet. List the sessions (data source qod_sessions) in a few minutes, " +
				"and import it if it appears.\n\n" + m.remedy
		}
		return m
	}
	why, err := "", lost.Err
	if interruption, ok := errors.AsType[*qod.InterruptedError](err); ok {
		err = interruption.Err
		if interruption.Timeout {
			why = "\n\nThe time allowed (timeouts.create) is over, so the request was not retried."
		}
	}
	if lost.Interrupted {
		why = "\n\nThe run was interrupted, so the request was not retried."
	}
	if err == nil {
		return message{cause: why}
	}
	last := explain(err)
	return message{cause: why + "\n\n" + introduced("The last failure", last.cause), remedy: last.remedy, facts: last.facts}
}
