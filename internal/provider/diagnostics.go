package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Summaries are constant: Terraform folds diagnostics with equal summaries, and people search for
// them. What differs is in the detail: what happened, what to do, then facts for support.
const (
	createSummary = "Unable to Create QoS Session"
	readSummary   = "Unable to Read QoS Session"
	deleteSummary = "Unable to Delete QoS Session"
	importSummary = "Unable to Import QoS Session"
	listSummary   = "Unable to List QoS Sessions"
	waitSummary   = "QoS Session Not Available"
	faultSummary  = "Internal Fault"
)

// operation is what Terraform had a resource do when it failed: how the error is headed, and what
// becomes of the resource.
type operation struct {
	summary string
	timeout string // the attribute that limits it
	like    string // an address of such a resource
	// updates says that the resource was in the state before, and stays there, untainted.
	updates bool
	// over says that the window of a reservation has closed since it began.
	over bool
}

var (
	creatingSession  = operation{createSummary, "timeouts.create", likeSession, false, false}
	resumingWait     = operation{waitSummary, "timeouts.create", likeSession, true, false}
	updatingSession  = operation{"Unable to Update QoS Session", "timeouts.create", likeSession, true, false}
	readingSession   = operation{summary: readSummary, like: likeSession}
	deletingSession  = operation{deleteSummary, "timeouts.delete", likeSession, true, false}
	importingSession = operation{summary: importSummary, like: likeSession}

	creatingReservation  = operation{"Unable to Create QoS Reservation", "timeouts.create", likeReservation, false, false}
	updatingReservation  = operation{"Unable to Update QoS Reservation", "timeouts.update", likeReservation, true, false}
	readingReservation   = operation{summary: "Unable to Read QoS Reservation", like: likeReservation}
	deletingReservation  = operation{"Unable to Delete QoS Reservation", "timeouts.delete", likeReservation, true, false}
	importingReservation = operation{summary: "Unable to Import QoS Reservation", like: likeReservation}
)

const (
	likeSession     = `qod_session.camera["north"]`
	likeReservation = `qod_reservation.camera["north"]`
)

// failed heads an account. An update reserves, releases and waits, all within a limit of its own.
func (e operation) failed(a message) diag.Diagnostic {
	text := a.detail()
	if e.timeout != "" {
		text = strings.NewReplacer("timeouts.create", e.timeout, "timeouts.delete", e.timeout).Replace(text)
	}
	return diag.NewErrorDiagnostic(e.summary, text)
}

// catch turns a panic into a diagnostic. Neither the framework nor go-plugin recovers one: the
// plugin would die, and with it the record of every session of the run.
func catch(diags *diag.Diagnostics) {
	if fault := recover(); fault != nil {
		a := explainFault(fault)
		a.cause += " What was known of the session is kept in the state."
		diags.AddError(faultSummary, a.detail())
	}
}

// account is what an error comes down to.
type message struct {
	cause  string
	remedy string
	facts  []string
}

func (a message) detail() string {
	parts := []string{a.cause}
	if a.remedy != "" {
		parts = append(parts, a.remedy)
	}
	if len(a.facts) > 0 {
		parts = append(parts, strings.Join(a.facts, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// fact adds a line that is not there yet.
func (a message) fact(name, value string) message {
	if value == "" {
		return a
	}
	return a.also(name + ": " + value)
}

func (a message) also(facts ...string) message {
	for _, f := range facts {
		if !slices.Contains(a.facts, f) {
			a.facts = append(slices.Clip(a.facts), f)
		}
	}
	return a
}

// problems names what the API cannot express, each at its attribute.
func problems(found []qod.Problem) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, p := range found {
		at := map[qod.Field]path.Path{
			qod.FieldQoSProfile: path.Root("qos_profile"),
			qod.FieldDuration:   path.Root("duration"),
		}[p.Field]
		diags.Append(invalid(at, "must be "+p.Allowed, cut(p.Given)))
	}
	return diags
}

const lookFirst = "Before the next apply, look at the sessions (data source qod_sessions): one may be live that is not in the state."

// createFailed reports an operation that did not end with an available session.
func (e operation) createFailed(err error) diag.Diagnostic {
	if wait, ok := asError[*qod.WaitError](err); ok {
		return e.waitFailed(wait)
	}
	if lost, ok := asError[*qod.UnresolvedError](err); ok {
		return e.failed(e.unresolved(lost))
	}
	if taken, ok := asError[*qod.ConflictError](err); ok {
		return e.failed(e.conflict(taken))
	}
	a := explain(err)
	switch {
	case isFault(err):
		a.remedy = joined(lookFirst, a.remedy)
	case madeNothing(err):
		a.cause += " No session was created."
	}
	return e.failed(a)
}

// madeNothing reports whether err, of a create, proves that the network made no session.
func madeNothing(err error) bool {
	if e, ok := asError[*qod.InterruptedError](err); ok {
		return !e.Sent
	}
	if e, ok := asError[*qod.Error](err); ok {
		return e.Status/100 != 2 && e.Status < 500
	}
	_, noToken := asError[*qod.TokenError](err)
	_, unknown := asError[*unknownConfiguration](err)
	return noToken || unknown || errors.Is(err, qod.ErrWindowClosed)
}

func isFault(err error) bool {
	_, ok := asError[*qod.PanicError](err)
	return ok
}

const withoutRefresh = "To plan or destroy without looking at the network, run Terraform with -refresh=false."

func (e operation) readFailed(id string, err error) diag.Diagnostic {
	a := explain(err)
	a.cause += " What became of the session is not known, so the state is kept as it was."
	if !e.updates {
		a.remedy = joined(a.remedy, withoutRefresh)
	}
	return e.failed(withSession(a, id))
}

func (e operation) deleteFailed(id string, err error) diag.Diagnostic {
	a := explain(err)
	a.cause += " The session may still be live and billed; it stays in the state."
	a.remedy = joined(a.remedy, "It is safe to run the destroy or apply again: it also succeeds if the session is gone by then.")
	return e.failed(withSession(a, id))
}

func listFailed(err error) diag.Diagnostic {
	return diag.NewErrorDiagnostic(listSummary, explain(err).detail())
}

// listIncomplete warns of a list that may not show all sessions.
func listIncomplete(e *qod.IncompleteListError, shown int) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Incomplete List of QoS Sessions", message{
		cause:  sentence(capital(e.Error())) + fmt.Sprintf(" Sessions in it that match the filter: %d. There may be more.", shown),
		remedy: "Do not conclude from this list that a session is gone. " + askAboutLists,
	}.detail())
}

const askAboutLists = "Ask whoever runs the API or the gateway in front of it how its lists are paged and cached."

// importFailed reports an import that could not look at the session.
func (e operation) importFailed(id string, err error) diag.Diagnostic {
	a := explain(err)
	a.cause += " Nothing was imported."
	return e.failed(withSession(a, id))
}

func (e operation) importUnknown(id, origin string, err error) diag.Diagnostic {
	a := explain(err)
	a.cause = fmt.Sprintf("The session %s does not exist at %s, or belongs to other credentials.", id, origin)
	a.remedy = "Check the id, the provider's endpoint and its credentials. The data source qod_sessions lists the sessions these credentials can see. " +
		"A session that has ended cannot be imported."
	if e == importingReservation {
		a.remedy += " A reservation without a session need not be: remove the import, and an apply records the reservation; inside its window, it reserves a session."
	}
	return e.failed(a)
}

// clockUnknown reports that nothing could be concluded of a window. The local clock never stands in: a
// runner that is an hour slow would leave a broadcast without its session.
func (e operation) clockUnknown(err error) diag.Diagnostic {
	return e.failed(e.withoutClock(err))
}

// timeUnknown is clockUnknown where there is a session.
func (e operation) timeUnknown(id string, err error) diag.Diagnostic {
	return e.failed(withSession(e.withoutClock(err), id))
}

func (e operation) withoutClock(err error) message {
	what := "whether the window is open"
	if e.like == likeSession {
		what = "whether the session is over"
	}
	a := timeCause(what, err)
	if interruption, ok := asError[*qod.InterruptedError](err); ok && interruption.Timeout && e.timeout != "" {
		a.cause = "The API's time could not be learned in the time allowed (timeouts.create), and no other clock may decide " + what + "."
		a.remedy = "It takes a second at least. Where the network is slow, allow more time."
	}
	if e == readingReservation || e == readingSession {
		a.cause += " The state is kept as it was."
		a.remedy = joined(a.remedy, withoutRefresh)
	} else {
		a.cause += " Nothing was reserved or deleted."
	}
	return a
}

// statusUnknown reports that a reservation without a session could not be looked at: nothing is lost,
// and what is recorded stands.
func statusUnknown(err error) diag.Diagnostic {
	a := timeCause("whether the window is open", err)
	a.cause += " The reservation has no session, so nothing is lost, and its status is kept as it was last seen."
	a.remedy = joined(a.remedy, "Nothing is reserved before an apply that knows the API's time.")
	return diag.NewWarningDiagnostic("QoS Reservation Status Unknown", a.detail())
}

// timeCause says why the API's time is not known, and what nobody can decide without it.
func timeCause(undecided string, err error) message {
	var contradiction *contradictionError
	if errors.As(err, &contradiction) {
		return explainContradiction(contradiction)
	}
	a := explain(err)
	a.cause = "The API's time is not known, and no other clock may decide " + undecided + ". " + a.cause
	return a
}

// period says when a session begins and ends, as far as that is known.
func period(starts, ends time.Time) string {
	text := ""
	if !starts.IsZero() {
		text += " from " + instantText(starts)
	}
	if !ends.IsZero() {
		text += " until " + instantText(ends)
	}
	return text
}

func explainContradiction(e *contradictionError) message {
	a := message{
		cause: fmt.Sprintf("The API shows the session as %s%s, while its clock (the Date of its answers) shows %s. One of them is wrong, so nothing can be concluded.",
			e.session.Status, period(e.session.StartedAt, e.session.ExpiresAt), instantText(e.now)),
		remedy: "Most likely one of the API's servers has a wrong clock, or a cache answers in its place. Try again later. If the problem persists, give this to the operator.",
	}
	switch {
	case e.vetoed:
		a.cause = fmt.Sprintf("By the API's clock (the Date of its answers), which shows %s, the window is not open. By this machine's clock, which shows %s, it is. The API shows no times of the session that would settle it, so nothing can be concluded.",
			instantText(e.now), instantText(e.machine))
		a.remedy = "If this machine's clock is wrong, set it. Otherwise one of the API's servers has a wrong clock, or a cache answers in its place: try again later. If the problem persists, give this to the operator."
	case e.now.Sub(e.machine).Abs() > machineTolerance:
		a.cause += fmt.Sprintf(" This machine's clock shows %s.", instantText(e.machine))
		a.remedy += " If it is this machine's clock that is wrong, set it."
	}
	return a.fact("Session", e.session.ID)
}

// madeElsewhere reports a 404 that proves nothing, because another endpoint or client was asked.
func (e operation) madeElsewhere(id, made, asked string, err error) diag.Diagnostic {
	a := explain(err)
	a.cause = fmt.Sprintf("The session is not known at %s, but it was made at %s, where it may be live and billed. It stays in the state.", asked, made)
	a.remedy = "Give this resource's provider the endpoint and the credentials that made the session (check its alias and the QOD_* environment variables, too), " +
		"and run Terraform again. If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
		"(ADDRESS is the one above, such as " + e.like + "). It is then billed until it ends."
	if sandboxed := ifSandbox(made); sandboxed != "" {
		a.remedy = sandboxed + "If it is still running, give this resource's provider its endpoint and the credentials that made the session, and run Terraform again."
	}
	return e.failed(withSession(a, id))
}

// ifSandbox is advice for a session that was made at an origin, if that may be a sandbox.
func ifSandbox(made string) string {
	if !strings.HasPrefix(made, "http://") { // plain HTTP is to this machine alone
		return ""
	}
	return "It was made on this machine, perhaps in a sandbox. One that has ended took its sessions with it, and nothing was billed: " +
		"make Terraform forget them, with terraform state rm 'ADDRESS' for one (ADDRESS is the one above), or by deleting the state if nothing else is in it. " +
		"To use one sandbox for several commands: qod-sandbox exec -- sh\n\n"
}

// plannedElsewhere refuses an operation that was planned for another endpoint than the one that it would
// be sent to.
func (e operation) plannedElsewhere(planned, configured, sessionID string) diag.Diagnostic {
	where, left, sandboxed, forget := "", "the state is kept as it was", "", ""
	switch {
	case sessionID != "" && ifSandbox(planned) != "":
		where, left = ", where the session was made", "the session stays in the state"
		sandboxed = ifSandbox(planned)
	case sessionID != "":
		where, left = ", where the session was made", "the session stays in the state"
		forget = " If you no longer need the session, make Terraform forget it: terraform state rm 'ADDRESS' " +
			"(ADDRESS is the one above, such as " + e.like + "). It is then billed until it ends."
	case !e.updates:
		left = "no session was created"
	}
	return e.failed(message{
		cause: fmt.Sprintf("The plan was made for the API at %s%s, but the provider is now configured for %s. Nothing was sent, and %s.",
			planned, where, configured, left),
		remedy: sandboxed + "A saved plan does not contain the provider's settings: they come from the configuration and the environment of the apply. " +
			"Use the same endpoint for plan and apply (check the provider's endpoint, its alias and QOD_ENDPOINT), " +
			"or plan again, without -refresh=false, with the endpoint you want." + forget,
	}.fact("Session", sessionID))
}

// goneForToken refuses to let go of a session that a static access token cannot see: it may be another
// client's token, whose list does not show the session either.
func (e operation) goneForToken(id, origin string) diag.Diagnostic {
	a := message{
		cause: fmt.Sprintf("%s does not know the session, or does not show it to this access token. A static token does not show whose it is: "+
			"if it was given to another client than the one that made the session, the session is still live and billed. So it stays in the state.",
			strings.TrimSuffix(origin, " as token")),
		remedy: "If that can be, give the provider the credentials that made the session, and run Terraform again. " +
			"If you know that the session is gone, make Terraform forget it: terraform state rm 'ADDRESS' (ADDRESS is the one above, such as " + e.like + "). " +
			"Once it is past its end, the provider removes it by itself. With a client id and secret the provider can tell.",
	}
	return e.failed(withSession(a, id))
}

// goneSummary names the session: Terraform shows one of several warnings with equal summaries, and each
// session that leaves a state before its end has to be named.
func goneSummary(id string) string { return "QoS Session " + id + " Gone Before Its End" }

// goneEarly names a session that is proven gone before its end.
func (e operation) goneEarly(ref qod.Ref, gone *qod.GoneError) diag.Diagnostic {
	until := ""
	if !ref.ExpiresAt.IsZero() {
		until = ", although it was to last until " + instantText(ref.ExpiresAt)
	}
	a := message{
		cause:  fmt.Sprintf("The session no longer exists%s: %s. Most likely somebody else deleted it, or the network ended it.", until, gone.Proof),
		remedy: "Terraform plans a new one in its place: an apply requests it. To leave the device without a session, remove the resource.",
	}
	switch {
	case e == deletingSession || e == deletingReservation:
		a.remedy = "There was nothing left to delete."
	case e.like == likeReservation:
		a.remedy = "Inside its window, an apply requests a new one. If this session shows up again before its end, the reservation takes it back."
	}
	if gone.Err != nil {
		a = withError(a, gone.Err)
	}
	return diag.NewWarningDiagnostic(goneSummary(ref.ID), withSession(a, ref.ID).detail())
}

// heldTwice warns of a session that two resources hold. The id is in the summary, since Terraform shows
// one of many warnings whose summaries are equal.
func (e operation) heldTwice(id string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("QoS Session %s Held by Two Resources", id), message{
		cause: "Another resource in the state holds the same session as this one. Destroying either of them, or deleting it from the configuration, " +
			"ends the session for both, and the next apply would request a new one for the resource that is left.",
		remedy: "Give the session to one resource: delete the other one from the configuration and make Terraform forget it, which leaves the session alone, " +
			"with terraform state rm 'ADDRESS' (ADDRESS is that of the resource to forget, such as " + e.like + ") or with a removed block that has destroy = false. " +
			"Nothing has to be done if the session is being moved from one resource to the other by such a removed block and an import.\n\n" +
			"To see which two they are: terraform state list -id=" + id + " for sessions, and terraform show for reservations, by their session_id.",
	}.fact("Session", id).detail())
}

func (e operation) otherProfile(s qod.Session, asked string) diag.Diagnostic {
	next := tainted
	if e.updates {
		next = "The next apply deletes it and asks again."
	}
	return diag.NewAttributeErrorDiagnostic(path.Root("qos_profile"), e.summary, message{
		cause:  fmt.Sprintf("The network made the session with the profile %s; %s was asked for.", s.QoSProfile, asked),
		remedy: next + " If the network does not offer this device that profile, set qos_profile to the one it gives.",
	}.fact("Session", s.ID).detail())
}

// grantedInThePast reports a session that was over, by its own account, when it was made: to leave it at that
// would buy another one in every apply, without a word.
func (e operation) grantedInThePast(s qod.Session) diag.Diagnostic {
	return e.failed(message{
		cause:  fmt.Sprintf("The network shows the session as %s until %s, which is past by its own clock. Whether the device has its quality is not known.", s.Status, instantText(s.ExpiresAt)),
		remedy: tainted + " Report it to the operator. To keep the session all the same: terraform untaint.",
	}.fact("Session", s.ID))
}

func grantedLess(s qod.Session, asked int64) diag.Diagnostic {
	end := ""
	if !s.ExpiresAt.IsZero() {
		end = " The session ends at " + s.ExpiresAt.UTC().Format(time.RFC3339) + "."
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("duration"), "QoS Session Shorter Than Asked", message{
		cause:  fmt.Sprintf("The network granted %d of %d seconds.%s", s.Seconds, asked, end),
		remedy: "The first apply after the session's end starts a new one.",
	}.fact("Session", s.ID).detail())
}

// resumeFailed reports a wait that an update resumed. An error there does not taint.
func resumeFailed(err error) diag.Diagnostic {
	if e, ok := asError[*qod.WaitError](err); ok {
		return resumingWait.waitFailed(e)
	}
	return resumingWait.failed(explain(err))
}

const (
	tainted     = "The session is recorded as tainted, so the next apply deletes it and asks again."
	resumesWait = "The next apply resumes the wait."
)

// waitFailed says how a wait ended, what the state holds now, and what the next apply will do.
func (e operation) waitFailed(wait *qod.WaitError) diag.Diagnostic {
	var a, last message
	if wait.Err != nil && wait.Reason != qod.WaitInterrupted {
		last = explain(wait.Err)
		last.cause = introduced("The last look at it failed", last.cause)
	}
	reason := wait.Reason
	if reason == qod.WaitTimeout && wantsToken(wait.Err) {
		reason = qod.WaitUnauthorized // not more time is what it needs
	}
	switch reason {
	case qod.WaitInterrupted:
		a.cause = "The wait for the session was interrupted. The session is requested and recorded, but not known to be available."
		a.remedy = resumesWait
		return diag.NewWarningDiagnostic(waitSummary, withSession(a, wait.Last.ID).detail())
	case qod.WaitUnavailable:
		a.cause = "The network made the session UNAVAILABLE: it does not give this device this quality now."
		a.remedy = tainted + " Until then it blocks the device. If the network refuses again, ask for another profile, or at another time."
		if e.updates {
			a.remedy = "The next apply replaces it. Until then it blocks the device."
		}
	case qod.WaitGone:
		a.cause = "The session is gone: it disappeared from the network while the provider waited for it. Most likely somebody or something else deleted it."
		a.remedy = "The next apply reserves a new one."
	case qod.WaitUnauthorized:
		a.cause = joined("The session is requested and recorded, but whether it became available is not known.", last.cause)
		a.remedy = joined(last.remedy, tainted+" To keep it, put the credentials right and run terraform untaint; the next apply then resumes the wait.")
		if e.updates {
			a.remedy = joined(last.remedy, resumesWait)
		}
	case qod.WaitTimeout:
		a.cause = joined("The session was not available in the time allowed (timeouts.create).", last.cause)
		a.remedy = tainted + " If it may still become available, terraform untaint keeps it; the next apply then resumes the wait."
		if e.updates {
			a.remedy = "It is still requested. " + resumesWait
		}
		a.remedy += " Where the network is slow, allow more time."
	}
	if e.over && e.updates && wait.Reason != qod.WaitGone {
		a.remedy = "Its window has closed meanwhile, so the next apply deletes it."
	}
	return e.failed(withSession(a.also(last.facts...), wait.Last.ID))
}

// wantsToken reports whether err is for want of a token that the API accepts.
func wantsToken(err error) bool {
	_, none := asError[*qod.TokenError](err)
	e, ok := asError[*qod.Error](err)
	return none || ok && e.Status == http.StatusUnauthorized
}

const causesOfConflict = "A device can have only one session at a time. A replacement fails this way if the new session is requested before the old one is deleted: " +
	"with create_before_destroy, on this resource or on one that depends on it, or with OpenTofu's destroy = false. " +
	"So does a resource, or a key of for_each, that was renamed without a moved block, if Terraform gets to the new name first: it deletes the old one in the same run, so apply again."

// conflict explains a 409 in one of three ways: by a session that this run made, by one that
// can be seen, or by one that cannot.
func (e operation) conflict(taken *qod.ConflictError) message {
	a := message{cause: fmt.Sprintf("The network already has a session for this device (%s)", taken.Device)}
	switch {
	case len(taken.Own) > 0:
		a.cause = fmt.Sprintf("This same run has already reserved a session for this device (%s). Are there two resources, or two rows of for_each, with one device?", taken.Device)
		a.remedy = "Give each device to one resource."
		a = a.fact("Session", strings.Join(taken.Own, ", "))
	case len(taken.Visible) == 0 && len(taken.Deleted) > 0:
		a.cause = fmt.Sprintf("This run has deleted, or is deleting, a session of this device (%s), and the network still refuses a new one.", taken.Device)
		a.remedy = "Networks hold a device for a while after its session was deleted: apply again in a few minutes. If the problem persists, another client may have reserved quality for the device."
		a = a.fact("Deleted session", strings.Join(taken.Deleted, ", "))
	case len(taken.Visible) > 0:
		a.cause += ":\n\n" + bullets(taken.Visible) + "\n\nThe provider never takes over a session, since nothing proves whose it is."
		a.remedy = e.importAdvice("yours and no other resource holds it", taken.Visible) + "\n\nWhat is not needed has to end first: wait for that, or import it as a resource of its own and destroy that. Then apply again."
	case len(taken.Possible) > 0:
		a.cause += ". It may be one of these, which show no device:\n\n" + bullets(taken.Possible)
		a.remedy = e.importAdvice("yours and for this device", taken.Possible) + "\n\nOtherwise ask who else reserves quality for this device."
	default:
		a.cause += ", but these credentials cannot see it. Most likely another client made it: another team, a vendor, or the operator."
		if taken.LookErr != nil {
			look := explain(taken.LookErr)
			a.cause = fmt.Sprintf("The network already has a session for this device (%s). %s", taken.Device,
				introduced("Which one is not known, as the sessions could not be listed", look.cause))
			a.remedy = look.remedy
		}
		until := "within 24 hours, the most a session lasts"
		if !taken.Now.IsZero() {
			until = "by " + taken.Now.Add(longestSession).UTC().Format(time.RFC3339) + " at the latest"
		}
		a.remedy = joined(a.remedy, "Ask who else reserves quality for this device, or apply again when that session has ended, "+until+".")
	}
	if e.like == likeReservation && len(taken.Deleted) == 0 {
		a.remedy += "\n\nIf another reservation of this configuration held the device until its window closed, the same run deletes its session: apply again."
	}
	a.remedy += "\n\n" + causesOfConflict
	if taken.Then != nil {
		a.remedy += "\n\n" + introduced("The request was repeated, and failed otherwise", explain(taken.Then).cause)
	}
	return withError(a, taken.Err)
}

// unresolved announces a session that may exist. It is the one error behind which money may be
// running, so it says everything that finds it.
func (e operation) unresolved(lost *qod.UnresolvedError) message {
	a := message{cause: fmt.Sprintf("A session for this device (%s) may exist and be billed: the network gave no usable answer to the request for it.", lost.Device)}
	if n := len(lost.Correlators); n > 1 {
		a.cause = fmt.Sprintf("Up to %d sessions for this device (%s) may exist and be billed: the network gave no usable answer to %d requests for one.", n, lost.Device, n)
	}
	switch {
	case lost.Kept != "":
		a.cause = fmt.Sprintf("The network may have made two sessions for this device (%s), and bill both: the first request got no usable answer, and a later one succeeded. "+
			"The later session is in the state.%s", lost.Device, otherSession(lost))
		if n := len(lost.Correlators); n > 1 {
			a.cause = fmt.Sprintf("The network may have made up to %d sessions for this device (%s), and bill all of them: %d requests got no usable answer, and a later one succeeded. "+
				"The later session is in the state.%s", n+1, lost.Device, n, otherSession(lost))
		}
		if !e.updates {
			a.remedy = "The session in the state is recorded as tainted, so the next apply replaces it. To keep it: terraform untaint 'ADDRESS' (ADDRESS is the one above, such as " + e.like + ").\n\n"
		}
		if len(lost.Candidates) > 0 {
			a.remedy += "To end the other one, import it as a resource of its own and destroy that: terraform import 'qod_session.OTHER' " + firstID(lost.Candidates)
		} else {
			a.remedy += "List the sessions (data source qod_sessions) in a few minutes: if another one of this device appears, import it as a resource of its own and destroy that."
		}
		a = a.fact("Session", lost.Kept)
	case len(lost.Candidates) > 0:
		appeared := "This session appeared meanwhile; nothing shows whether it is the one"
		if len(lost.Candidates) > 1 {
			appeared = "These sessions appeared meanwhile; nothing shows whether one of them is it"
		}
		a.cause += " " + appeared + ":\n\n" + bullets(lost.Candidates)
		a.remedy = e.importAdvice("yours and for this device", lost.Candidates) + "\n\nOtherwise apply again."
	case lost.LookErr != nil:
		look := explain(lost.LookErr)
		a.cause = joined(a.cause, introduced("It could not be looked for", look.cause))
		a.remedy = joined(look.remedy, "Before the next apply, list the sessions (data source qod_sessions). If one is yours and for this device, import it:\n\n"+e.importCommands("ID"))
	default:
		a.cause += " It was looked for and not found."
		a.remedy = "Apply again: if the session shows up after all, the apply says so and how to import it."
		if e.like == likeReservation {
			a.remedy += " Outside of its window a reservation asks for nothing that could meet it, so before you move the window, list the sessions (data source qod_sessions)."
		}
	}
	end := e.ending(lost)
	a.cause += end.cause
	if end.remedy != "" {
		a.remedy = end.remedy
	}

	until := fmt.Sprintf("%d seconds after the request", lost.Seconds)
	if !lost.Until.IsZero() {
		until = lost.Until.UTC().Format(time.RFC3339)
	}
	a = a.fact("May be billed until", until)
	isCorrelator := func(f string) bool { return strings.HasPrefix(f, "x-correlator: ") }
	a = a.also(slices.DeleteFunc(slices.Clone(end.facts), isCorrelator)...)
	for _, c := range lost.Correlators {
		a = a.fact("x-correlator", c)
	}
	return a.also(end.facts...)
}

// otherSession says what is known of the session that the first request may have made.
func otherSession(lost *qod.UnresolvedError) string {
	if len(lost.Candidates) > 0 {
		return " The other one may be:\n\n" + bullets(lost.Candidates)
	}
	if lost.LookErr == nil {
		return " The other one, if there is one, could not be found."
	}
	return " " + introduced("Whether there is another one could not be seen", explain(lost.LookErr).cause)
}

// ending says, in paragraphs of their own, what ended the attempts behind a lost answer, and what
// to do where that changes it.
func (e operation) ending(lost *qod.UnresolvedError) message {
	if c, ok := asError[*qod.ConflictError](lost.Err); ok {
		a := e.conflict(c)
		a.cause = "\n\n" + introduced("Then a second request was refused", a.cause)
		if len(c.Own)+len(c.Visible)+len(c.Possible) == 0 {
			a.remedy = "It may be the session of the first request, which does not show yet: list the sessions (data source qod_sessions) in a few minutes, " +
				"and import it if it appears.\n\n" + a.remedy
		}
		return a
	}
	why, err := "", lost.Err
	if interruption, ok := asError[*qod.InterruptedError](err); ok {
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
func (e operation) importAdvice(ifItIs string, sessions []qod.Session) string {
	if len(sessions) == 1 {
		return "If it is " + ifItIs + ", import it:\n\n" + e.importCommands(firstID(sessions))
	}
	return "If one of them is " + ifItIs + ", import it; for the first one:\n\n" + e.importCommands(firstID(sessions))
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
func (e operation) importCommands(id string) string {
	if e.updates {
		return fmt.Sprintf("  terraform state rm 'ADDRESS'\n  terraform import 'ADDRESS' %s\n\n(ADDRESS is the one above, such as %s. "+
			"The first command is needed because the state has the resource already; it touches nothing on the network.)", id, e.like)
	}
	return fmt.Sprintf("  import {\n    to = ADDRESS\n    id = %q\n  }\n\nor: terraform import 'ADDRESS' %s\n(ADDRESS is the one above, such as %s.)", id, id, e.like)
}

const behindCache = "A cache or proxy in front of the API answers in its place. Ask whoever runs it not to cache the API: every request says so (Cache-Control: no-cache)."

// explain says what an error of the client means and what to do, for whoever's pipeline just
// failed.
func explain(err error) message {
	var (
		failure      *qod.Error
		token        *qod.TokenError
		interruption *qod.InterruptedError
		unknown      *unknownConfiguration
		fault        *qod.PanicError
		unproven     *qod.UnprovenError
		clock        *qod.ClockError
	)
	switch {
	case errors.As(err, &interruption):
		return explainInterruption(interruption)
	case errors.As(err, &unknown):
		come := "it comes"
		if len(unknown.attributes) > 1 {
			come = "they come"
		}
		return message{
			cause:  "The provider cannot reach the API yet: " + unknown.Error() + ", because " + come + " from something that Terraform has yet to create.",
			remedy: "Create that first (terraform apply -target), or give the values as variables or in the QOD_* environment variables.",
		}
	case errors.As(err, &fault):
		return explainFault(fault.Value)
	case errors.As(err, &unproven):
		return explainUnproven(unproven)
	case errors.As(err, &clock):
		return message{
			cause:  fmt.Sprintf("Its answers contradict each other: one says that it is %s, another at the same moment %s.", instantText(clock.Expected), instantText(clock.Shown)),
			remedy: "One of the API's servers has a wrong clock, or a cache answers in its place. Try again later. If the problem persists, give this to the operator.",
		}
	case errors.Is(err, qod.ErrClockStandsStill):
		return message{
			cause:  "Its answers carry the same Date some seconds apart, as those of a cache do.",
			remedy: behindCache,
		}
	case errors.Is(err, qod.ErrCachedList):
		return message{
			cause:  "A cache answered with a list of the sessions from before it was asked (its Age or Date header says so).",
			remedy: behindCache,
		}
	case errors.As(err, &failure):
		return withError(explainError(failure), failure)
	case errors.As(err, &token):
		return explainToken(token)
	case errors.Is(err, qod.ErrNoDate):
		return message{
			cause:  "Its answers carry no Date header.",
			remedy: "A proxy may have taken it out. If there is none, give this to the operator; until then, qod_session reserves without a clock.",
		}
	case errors.Is(err, context.Canceled):
		return explainInterruption(&qod.InterruptedError{})
	case errors.Is(err, context.DeadlineExceeded):
		return explainInterruption(&qod.InterruptedError{Timeout: true})
	case errors.Is(err, qod.ErrWindowClosed):
		return message{cause: "Less than a second is left of the time asked for.", remedy: "Ask for a later end."}
	}
	return message{cause: sentence(capital(err.Error()))}
}

// lostNotDeleted tells of a session that was proven gone earlier, and that a destroy has tried to delete
// all the same.
func lostNotDeleted(ref qod.Ref, err error) diag.Diagnostic {
	a := explain(err)
	a.cause = "The reservation had this session until it disappeared from the network before its end. Whether it is still gone could not be checked. " + a.cause
	a.remedy = "List the sessions (data source qod_sessions). If this one is there, import it and destroy it"
	if !ref.ExpiresAt.IsZero() {
		a.remedy += ": left alone, it is billed until " + instantText(ref.ExpiresAt)
	}
	a.remedy += "."
	return diag.NewWarningDiagnostic("QoS Session "+ref.ID+" Not Checked", withSession(a, ref.ID).detail())
}

// explainUnproven explains a 404 that does not prove that the session is gone.
func explainUnproven(e *qod.UnprovenError) message {
	a := message{cause: "The answer was " + statusText(e.Err.Status) + "." + inWords(e.Err.Message)}
	if e.Listed {
		a.cause += " But the list of sessions still shows the session."
		a.remedy = "Part of the API has not caught up, or a gateway answered in its place. Try again in a minute. " + giveToSupport
		return withError(a, e.Err)
	}
	a.cause += " That alone does not prove that the session is gone: it may come from a gateway in front of the API, or from a server that has not caught up."
	a.remedy = "Try again in a minute. If the problem persists, check endpoint (QOD_ENDPOINT), and whether a gateway or proxy answers in the API's place. " + ifKnownGone
	noList, _ := asError[*qod.Error](e.Look)
	switch {
	case e.Look == nil:
	case e.Scope != "" && noList != nil && noList.Status == http.StatusForbidden:
		a.cause += " These credentials may not list the sessions, which would settle it."
		a.remedy = fmt.Sprintf("Ask the operator to grant this client the scope %s, which listing the sessions requires. %s", e.Scope, ifKnownGone) + lostWhenOver
	case e.Scope != "" && noList != nil:
		a.cause += " The API lists no sessions (" + statusText(noList.Status) + "), which would settle it."
		a.remedy += lostWhenOver
	default:
		look := explain(e.Look)
		a.cause += " " + introduced("No list of the sessions could settle it", look.cause)
		a.remedy = joined(cmp.Or(look.remedy, askAboutLists), "Check endpoint (QOD_ENDPOINT), too.", ifKnownGone)
	}
	return withError(a, e.Err)
}

const ifKnownGone = "If you know that the session is gone, make Terraform forget it: terraform state rm 'ADDRESS' (ADDRESS is the one above)."

const lostWhenOver = " Once the session is past its end, the provider removes it from the state by itself."

func explainFault(fault any) message {
	return message{
		cause:  sentence(fmt.Sprintf("The provider failed in a way it should not: %v", fault)),
		remedy: "Please report this at https://github.com/telefonica/terraform-provider-qod/issues.",
	}
}

func explainInterruption(e *qod.InterruptedError) message {
	a := message{cause: "The run was interrupted."}
	if e.Operation != qod.OperationDelete { // whose remedy says so itself
		a.remedy = "Run Terraform again."
	}
	if e.Timeout {
		a = message{cause: "The API gave no usable answer in the time allowed.", remedy: tryAgain}
		switch e.Operation {
		case qod.OperationCreate:
			a = message{cause: "The session could not be requested in the time allowed (timeouts.create).", remedy: "Where the network is slow, allow more time."}
		case qod.OperationDelete:
			a = message{cause: "The session could not be deleted in the time allowed (timeouts.delete).", remedy: "Where the network is slow, allow more time."}
		case qod.OperationRead, qod.OperationList:
		}
	}
	if e.Err == nil {
		return a
	}
	last := explain(e.Err)
	return message{
		cause:  joined(a.cause, introduced("The last failure", last.cause)),
		remedy: last.remedy,
		facts:  last.facts,
	}
}

const (
	tryAgain      = "Try again later. If it goes on, ask the operator."
	giveToSupport = "If it goes on, give the operator the x-correlator below."
)

func explainError(e *qod.Error) message {
	wait := ""
	if e.RetryAfter > 0 {
		wait = " It asks to wait " + waitText(e.RetryAfter) + "."
	}
	switch e.Status {
	case 0:
		return explainNoAnswer("the API", e.Err)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		a := message{cause: "The API refused the request." + inWords(e.Message), remedy: "Correct what it names, and run Terraform again."}
		if e.Message == "" {
			a.remedy = "It does not say why. Check the values of the resource; if they are right, give the operator the x-correlator below."
		}
		return a
	case http.StatusUnauthorized:
		if errors.Is(e, qod.ErrNotRenewable) {
			return notRenewable()
		}
		if token, ok := asError[*qod.TokenError](e.Err); ok {
			a := tokenCause(token)
			a.cause = "The API refused the access token, and there is no new one. " + a.cause
			return a
		}
		return message{
			cause:  "The API refused the access token, and a new one as well." + inWords(e.Message),
			remedy: "Check that the credentials (QOD_CLIENT_ID, QOD_CLIENT_SECRET) and the scopes (QOD_SCOPES) belong to this endpoint (QOD_ENDPOINT).",
		}
	case http.StatusForbidden:
		a := message{
			cause:  fmt.Sprintf("The API does not let these credentials %s sessions; that takes the scope %s.%s", e.Operation, e.Scope, inWords(e.Message)),
			remedy: "Ask the operator to grant this client the scope. If you set scopes (QOD_SCOPES), the scope has to be among them.",
		}
		if e.SessionID != "" {
			a.remedy += " The API may also answer like this because another client made the session."
		}
		return a
	case http.StatusNotFound:
		a := message{cause: "The API answered 404 Not Found." + inWords(e.Message), remedy: "Check what it names, and endpoint (QOD_ENDPOINT)."}
		if e.Message == "" {
			a = message{
				cause:  "The answer was 404 Not Found, and does not look like the API's own.",
				remedy: "Either the path of endpoint (QOD_ENDPOINT) is wrong, or a proxy has answered instead of the API. Check both.",
			}
		}
		return a
	case http.StatusConflict, http.StatusLocked, http.StatusTooEarly:
		if e.Operation == qod.OperationDelete {
			return message{
				cause:  "The API does not delete the session yet (" + statusText(e.Status) + ")." + inWords(e.Message),
				remedy: "It may be at work on the session. Try again in a few minutes. " + giveToSupport,
			}
		}
	case http.StatusTooManyRequests:
		return message{cause: "The API takes no more requests for now." + inWords(e.Message) + wait, remedy: "Try again later, or with a smaller -parallelism."}
	}
	status := statusText(e.Status)
	switch {
	case e.Status/100 == 3:
		where := "a redirect, which is not followed"
		if e.Err != nil {
			where = e.Err.Error()
		}
		return message{
			cause: sentence("The API answered " + status + ": " + where),
			remedy: "Following it would carry the access token elsewhere. Set endpoint (QOD_ENDPOINT) to where the API really is. " +
				"If it leads to a login page, a proxy has answered instead of the API.",
		}
	case e.Status/100 == 2 && errors.Is(e.Err, context.DeadlineExceeded):
		return message{cause: "The API reported success (" + status + "), but the rest of its answer did not arrive in time.", remedy: "Try again later. Where the network is slow, allow more time (request_timeout)."}
	case e.Status/100 == 2:
		return message{
			cause:  sentence(fmt.Sprintf("The API reported success (%s), but %v", status, e.Err)),
			remedy: "A gateway, a proxy or a login page may have answered instead of the API. Check endpoint (QOD_ENDPOINT) and the proxy settings (HTTPS_PROXY, NO_PROXY).",
		}
	case e.Status >= 500:
		return message{cause: "The API failed with " + status + "." + inWords(e.Message) + wait, remedy: "Try again later. " + giveToSupport}
	}
	return message{cause: "The API refused the request with " + status + "." + inWords(e.Message), remedy: "Check endpoint (QOD_ENDPOINT). If it is right, give the operator the x-correlator below."}
}

// explainNoAnswer explains a request to the API or to a token endpoint that got no answer.
func explainNoAnswer(whom string, err error) message {
	text := fmt.Sprint(err)
	switch {
	case isUntrusted(err):
		return message{
			cause: sentence("No trusted connection to " + whom + " could be made: " + text),
			remedy: "Check endpoint (QOD_ENDPOINT). Behind a proxy that inspects TLS, add the proxy's certificate authority to those of the system, " +
				"or name it in SSL_CERT_FILE.",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return message{cause: capital(whom) + " did not answer in time.", remedy: "Try again later. Where the network is slow, allow more time (request_timeout)."}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return message{
			cause:  sentence("The connection to " + whom + " was closed before an answer came: " + text),
			remedy: "Try again later. If it goes on, check the network, its proxies and firewalls.",
		}
	}
	return message{
		cause:  sentence(capital(whom) + " could not be reached: " + text),
		remedy: "Check endpoint (QOD_ENDPOINT), the network and its proxy settings (HTTPS_PROXY, NO_PROXY).",
	}
}

func isUntrusted(err error) bool {
	text := fmt.Sprint(err)
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") || strings.Contains(text, "HTTP response to HTTPS client")
}

func explainToken(e *qod.TokenError) message {
	if errors.Is(e, qod.ErrNotRenewable) {
		return notRenewable()
	}
	a := tokenCause(e)
	a.cause = "There is no access token, so nothing was sent to the API. " + a.cause
	if e.Status != 0 {
		a = a.fact("Status", statusText(e.Status))
	}
	return a.fact("Code", e.Code)
}

// tokenCause says why there is no access token.
func tokenCause(e *qod.TokenError) message {
	whom := strings.TrimSpace("the token endpoint " + e.URL)
	subject := capital(whom)
	switch {
	case e.Discovery && isUntrusted(e.Err):
		return explainNoAnswer(e.URL, e.Err)
	case e.Discovery:
		again := ""
		if mayPass(e.Status) {
			again = "Try again later. "
		}
		return message{
			cause: sentence("The token endpoint could not be found at " + e.URL + discoveryCause(e)),
			remedy: again + "The default hosts are those of the API document; your operator or channel partner may run the API elsewhere. " +
				"Set endpoint (QOD_ENDPOINT) to the host you were given, or token_url (QOD_TOKEN_URL) where that host has no discovery document.",
		}
	case e.Code == "invalid_client" || e.Status == http.StatusUnauthorized:
		return message{
			cause: subject + " refused the client id or its secret." + inWords(e.Description),
			remedy: "Check client_id (QOD_CLIENT_ID) and client_secret (QOD_CLIENT_SECRET), and that they belong to this endpoint (QOD_ENDPOINT). " +
				"The provider asked only once, so as not to lock the client out.",
		}
	case e.Code == "invalid_scope":
		return message{cause: subject + " refused the scopes." + inWords(e.Description), remedy: "Set scopes (QOD_SCOPES) to those your client was given."}
	case e.Code == "unauthorized_client" || e.Code == "unsupported_grant_type":
		return message{
			cause:  subject + " does not give this client tokens for client credentials." + inWords(e.Description),
			remedy: "Ask the operator to allow this client the grant client_credentials.",
		}
	case mayPass(e.Status):
		return message{cause: subject + " failed with " + statusText(e.Status) + "." + inWords(e.Description), remedy: tryAgain}
	case e.Status != 0:
		answered := subject + " answered " + statusText(e.Status)
		if e.Err != nil {
			answered += ": " + e.Err.Error()
		}
		return message{cause: sentence(answered) + inWords(e.Description), remedy: "Check token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)."}
	}
	var network net.Error
	if e.Err != nil && !errors.As(e.Err, &network) && !isUntrusted(e.Err) && !errors.Is(e.Err, io.EOF) {
		return message{cause: sentence(subject + " gave no token: " + e.Err.Error()), remedy: "Check token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)."}
	}
	a := explainNoAnswer(whom, e.Err)
	if errors.Is(e.Err, context.DeadlineExceeded) {
		a.remedy = tryAgain // it has a limit of its own
	}
	a.remedy = strings.Replace(a.remedy, "endpoint (QOD_ENDPOINT)", "token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)", 1)
	return a
}

func mayPass(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

func discoveryCause(e *qod.TokenError) string {
	switch {
	case e.Err != nil:
		return ": " + e.Err.Error()
	case e.Status != 0:
		return ": the answer was " + statusText(e.Status)
	}
	return ""
}

func notRenewable() message {
	return message{
		cause:  "The API refused the access token. It was given ready-made, so the provider cannot renew it: it may have expired or been revoked.",
		remedy: "Give a new one in QOD_ACCESS_TOKEN (or access_token), or client_id and client_secret, whose tokens the provider renews by itself.",
	}
}

// inWords quotes a server.
func inWords(message string) string {
	if message == "" {
		return ""
	}
	return " It says: \"" + strings.TrimRight(message, ". ") + "\"."
}

// withError adds the lines that support asks for.
func withError(a message, e *qod.Error) message {
	if e == nil {
		return a
	}
	a = a.fact("Session", e.SessionID)
	if e.Status != 0 {
		a = a.fact("Status", statusText(e.Status))
	}
	return a.fact("Code", e.Code).fact("x-correlator", e.Correlator)
}

// withSession names the session, first, where the error did not.
func withSession(a message, id string) message {
	if !slices.ContainsFunc(a.facts, func(f string) bool { return strings.HasPrefix(f, "Session: ") }) {
		a.facts = append([]string{"Session: " + id}, a.facts...)
	}
	return a
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

func waitText(d time.Duration) string {
	if d > 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return short(d.Round(time.Second))
}

func sentence(s string) string { return strings.TrimRight(s, ". ") + "." }

// introduced puts a sentence behind a colon.
func introduced(lead, text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return lead + ": " + string(unicode.ToLower(first)) + text[size:]
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
