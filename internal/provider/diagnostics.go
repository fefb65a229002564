package provider

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

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
)

// catch turns a panic into a diagnostic. Neither the framework nor go-plugin recovers one: the
// plugin would die, and with it the record of every session of the run.
func catch(diags *diag.Diagnostics) {
	if fault := recover(); fault != nil {
		diags.AddError("Internal Fault", fmt.Sprintf(
			"The provider failed in a way it should not: %v. What was known of the session is kept. "+
				"Please report this at https://github.com/telefonica/terraform-provider-qod/issues.", fault))
	}
}

// account is what an error comes down to.
type account struct {
	happened string
	advice   string
	facts    []string
}

func (a account) detail() string {
	parts := []string{a.happened}
	if a.advice != "" {
		parts = append(parts, a.advice)
	}
	if len(a.facts) > 0 {
		parts = append(parts, strings.Join(a.facts, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

func (a account) fact(name, value string) account {
	if value != "" {
		a.facts = append(a.facts, name+": "+value)
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

// createFailed reports a create that did not end with an available session.
func createFailed(err error) diag.Diagnostic {
	if e, ok := asError[*qod.WaitError](err); ok {
		return waitFailed(createSummary, e, false)
	}
	if e, ok := asError[*qod.UnresolvedError](err); ok {
		return diag.NewErrorDiagnostic(createSummary, unresolved(e))
	}
	if e, ok := asError[*qod.ConflictError](err); ok {
		return diag.NewErrorDiagnostic(createSummary, conflict(e))
	}
	a := explain(err)
	if e, ok := asError[*qod.InterruptedError](err); ok && !e.Sent {
		a.happened += " No session was created."
	} else if e, ok := asError[*qod.Error](err); ok && (e.Status/100 == 4 || e.Status == 0) {
		a.happened += " No session was created."
	}
	return diag.NewErrorDiagnostic(createSummary, a.detail())
}

func readFailed(id string, err error) diag.Diagnostic {
	a := explain(err)
	a.happened += " Nothing is known of the session, so the state is kept as it was."
	a.advice = joined(a.advice, "To plan or destroy without looking at the network, run Terraform with -refresh=false.")
	return diag.NewErrorDiagnostic(readSummary, withSession(a, id).detail())
}

func deleteFailed(id string, err error) diag.Diagnostic {
	a := explain(err)
	a.happened += " The session may still be live and billed; it stays in the state."
	a.advice = joined(a.advice, "Run the destroy or apply again: deleting a session that is gone succeeds.")
	return diag.NewErrorDiagnostic(deleteSummary, withSession(a, id).detail())
}

func listFailed(err error) diag.Diagnostic {
	return diag.NewErrorDiagnostic(listSummary, explain(err).detail())
}

func importUnknown(id, origin string, err error) diag.Diagnostic {
	a := explain(err)
	a.happened = fmt.Sprintf("The session %s does not exist at %s, or belongs to other credentials.", id, origin)
	a.advice = "Check the id, the provider's endpoint and its credentials. The data source qod_sessions lists the sessions these credentials can see. " +
		"A session that has ended cannot be imported."
	return diag.NewErrorDiagnostic(importSummary, a.detail())
}

// madeElsewhere reports a 404 that proves nothing, because another endpoint or client was asked.
func madeElsewhere(summary, id, made, asked string, err error) diag.Diagnostic {
	a := explain(err)
	a.happened = fmt.Sprintf("The session is not known at %s, but it was made at %s, where it may be live and billed. It stays in the state.", asked, made)
	a.advice = "Give the provider of this resource the endpoint and credentials that made the session (also check its alias and the QOD_* environment), and run again. " +
		"If the session is of no interest any more, forget it with: terraform state rm 'qod_session.NAME' (NAME stands for the address above); it is then billed until it ends."
	return diag.NewErrorDiagnostic(summary, withSession(a, id).detail())
}

func otherProfile(s qod.Session, asked string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("qos_profile"), createSummary, account{
		happened: fmt.Sprintf("The network made the session with the profile %s; %s was asked for.", s.QoSProfile, asked),
		advice: "The session is recorded as tainted, so the next apply deletes it and asks again. " +
			"If the network has no such profile for this device, ask for the one it grants.",
	}.fact("Session", s.ID).detail())
}

func grantedLess(s qod.Session, asked int64) diag.Diagnostic {
	end := ""
	if !s.ExpiresAt.IsZero() {
		end = " It ends at " + s.ExpiresAt.UTC().Format(time.RFC3339) + "."
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("duration"), "QoS Session Shorter Than Asked", account{
		happened: fmt.Sprintf("The network granted %d of %d seconds.%s", s.Seconds, asked, end),
		advice:   "The first apply after its end starts a new session.",
	}.fact("Session", s.ID).detail())
}

// resumeFailed reports a wait that an update resumed. An error there does not taint.
func resumeFailed(err error) diag.Diagnostic {
	if e, ok := asError[*qod.WaitError](err); ok {
		return waitFailed(waitSummary, e, true)
	}
	return diag.NewErrorDiagnostic(waitSummary, explain(err).detail())
}

// waitFailed says how a wait ended, what the state holds now, and what the next apply will do.
func waitFailed(summary string, e *qod.WaitError, resumed bool) diag.Diagnostic {
	a := account{}
	if e.Err != nil {
		a = explain(e.Err)
		a.happened = "The last look at it failed: " + a.happened
	}
	add := func(happened, advice string) {
		a.happened = joined(happened, a.happened)
		a.advice = joined(advice, a.advice)
	}
	tainted := "It is recorded as tainted, so the next apply deletes it and asks again."
	switch e.Reason {
	case qod.WaitInterrupted:
		a = account{
			happened: "The wait for the session was interrupted. The session is requested and recorded, but not known to be available.",
			advice:   "The next apply resumes the wait.",
		}
		return diag.NewWarningDiagnostic(waitSummary, a.fact("Session", e.Last.ID).detail())
	case qod.WaitRefused:
		if resumed {
			add("The network made the session UNAVAILABLE.", "The next apply replaces it.")
		} else {
			add("The network made the session UNAVAILABLE: it will not give this quality to this device now.", tainted+" It blocks the device until it is deleted.")
		}
	case qod.WaitGone:
		a.happened = "The session is gone: the network showed it no more while it was waited for. Somebody or something else deleted it."
		a.advice = "The next apply reserves a new one."
	case qod.WaitDenied:
		add("The session is requested and recorded, but whether it became available is not known.", "")
		if !resumed {
			a.advice = joined(a.advice, tainted+" If the session is to be kept, mend the credentials and run terraform untaint first; the next apply then resumes the wait.")
		}
	case qod.WaitTimeout:
		add("The session was not available in the time allowed (timeouts.create).", "")
		if resumed {
			a.advice = joined("It is still requested. The next apply resumes the wait.", a.advice)
		} else {
			a.advice = joined(tainted+" If it may still become available, terraform untaint keeps it; the next apply then resumes the wait.", a.advice)
		}
	}
	return diag.NewErrorDiagnostic(summary, a.fact("Session", e.Last.ID).detail())
}

const causesOfConflict = "create_before_destroy, on this resource or on one that depends on it, and OpenTofu's destroy = false lead to this, too: " +
	"the network takes one session a device, so the old one has to go first."

// conflict explains a 409 in one of three ways: by a session that this run made, by one that
// can be seen, or by one that cannot.
func conflict(e *qod.ConflictError) string {
	a := account{}
	switch {
	case len(e.Own) > 0:
		a.happened = fmt.Sprintf("This same run has already reserved a session for this device (%s). Are there two resources, or two rows of for_each, with one device?", e.Device)
		a.advice = "Give each device to one resource. " + causesOfConflict
		a = a.fact("Session", strings.Join(e.Own, ", "))
	case len(e.Visible) > 0:
		a.happened = fmt.Sprintf("The network already has a session for this device (%s):\n\n%s\n\nIt is not taken over, because nothing proves that it is yours.", e.Device, bullets(e.Visible))
		a.advice = "If it is yours, import it:\n\n" + importCommands(e.Visible[0].ID) + "\n\n" +
			"If it is not needed, delete it or let it end, and apply again. " + causesOfConflict
	case len(e.Possible) > 0:
		a.happened = fmt.Sprintf("The network already has a session for this device (%s). It may be one of these, which show no device:\n\n%s", e.Device, bullets(e.Possible))
		a.advice = "If one is yours for this device, import it:\n\n" + importCommands(e.Possible[0].ID) + "\n\n" + causesOfConflict
	default:
		a.happened = fmt.Sprintf("The network already has a session for this device (%s), but these credentials cannot see it: it was made by another client: another team, a vendor, or the operator.", e.Device)
		if e.LookErr != nil {
			a.happened = fmt.Sprintf("The network already has a session for this device (%s). Which one is not known, because the sessions could not be listed: %s", e.Device, explain(e.LookErr).happened)
		}
		until := "within 24 hours, the most a session lasts"
		if !e.Now.IsZero() {
			until = "by " + e.Now.Add(longestSession).UTC().Format(time.RFC3339) + " at the latest"
		}
		a.advice = "Ask who else reserves quality for this device, or apply again when that session has ended, " + until + ". " + causesOfConflict
	}
	return withError(a, e.Err).detail()
}

// unresolved announces a session that may exist. It is the one error behind which money may be
// running, so it says everything that finds it.
func unresolved(e *qod.UnresolvedError) string {
	a := account{happened: fmt.Sprintf("A session for this device (%s) may exist and be billed: the network did not give a usable answer to the request that creates it.", e.Device)}
	switch {
	case e.Kept != "":
		a = a.fact("Session", e.Kept)
		a.happened = fmt.Sprintf("The network may have made two sessions for this device (%s), and bill both: the first request got no usable answer, and a later one succeeded. The second one is recorded. The other may be:\n\n%s", e.Device, bullets(e.Candidates))
		a.advice = "If it is not wanted, delete it: import it under another address and destroy it.\n\n" + importCommands(e.Candidates[0].ID)
	case len(e.Candidates) > 0:
		a.happened += " These sessions appeared meanwhile, but which one it is, if any, cannot be told:\n\n" + bullets(e.Candidates)
		a.advice = "If one is yours for this device, import it:\n\n" + importCommands(e.Candidates[0].ID)
	case e.LookErr != nil:
		a.happened += " It could not be looked for either: " + explain(e.LookErr).happened
		a.advice = "List the sessions (data source qod_sessions) before anything else. If one is for this device, import it:\n\n" + importCommands("ID")
	default:
		a.happened += " It was looked for and not found."
		a.advice = "Apply again: if the session shows up after all, the apply says so and how to import it."
	}
	if e.Interrupted {
		a.happened += " The run was interrupted, so the request was not repeated."
	}
	if c, ok := asError[*qod.ConflictError](e.Err); ok {
		a.advice = joined(a.advice, "Its last request was refused because the network has a session for the device already.\n\n"+conflict(c))
	} else if e.Err != nil {
		cause := explain(e.Err)
		a.happened += "\n\nThe last failure: " + cause.happened
		a.facts = append(a.facts, cause.facts...)
	}
	until := fmt.Sprintf("%d seconds after the request", e.Seconds)
	if !e.Until.IsZero() {
		until = e.Until.UTC().Format(time.RFC3339)
	}
	a = a.fact("May be billed until", until)
	for _, c := range e.Correlators {
		a = a.fact("x-correlator of the request", c)
	}
	return a.detail()
}

func bullets(sessions []qod.Session) string {
	const most = 10
	lines := make([]string, 0, most+1)
	for i, s := range sessions {
		if i == most {
			lines = append(lines, fmt.Sprintf("  - and %d more", len(sessions)-most))
			break
		}
		lines = append(lines, "  - "+s.String())
	}
	return strings.Join(lines, "\n")
}

// importCommands spells out both ways to import. The provider never learns its own address.
func importCommands(id string) string {
	return fmt.Sprintf("  import {\n    to = qod_session.NAME\n    id = %q\n  }\n\nor: terraform import 'qod_session.NAME' %s\n(NAME stands for the address above.)", id, id)
}

// explain says what an error of the client means and what to do, for whoever's pipeline just
// failed.
func explain(err error) account {
	var (
		failure      *qod.Error
		token        *qod.TokenError
		interruption *qod.InterruptedError
		unknown      *unknownConfiguration
		fault        *qod.PanicError
	)
	switch {
	case errors.As(err, &interruption):
		return explainInterruption(interruption)
	case errors.As(err, &unknown):
		return account{
			happened: "The provider cannot reach the API yet: " + unknown.Error() + ", because it comes from something that Terraform has yet to create.",
			advice:   "Create that first (terraform apply -target), or give the values as variables or through the QOD_* environment.",
		}
	case errors.As(err, &fault):
		return account{
			happened: "The provider failed in a way it should not: " + fault.Error() + ".",
			advice:   "Please report this at https://github.com/telefonica/terraform-provider-qod/issues.",
		}
	case errors.As(err, &failure):
		return withError(explainError(failure), failure)
	case errors.As(err, &token):
		return explainToken(token)
	case errors.Is(err, qod.ErrWindowClosed):
		return account{happened: "Less than a second is left of the time asked for."}
	}
	return account{happened: sentence(err.Error())}
}

func explainInterruption(e *qod.InterruptedError) account {
	a := account{}
	if e.Err != nil {
		a = explain(e.Err)
		a.happened = "The last failure: " + a.happened
	}
	how := "It was interrupted before it was done."
	if e.Timeout {
		how = "It did not succeed in the time allowed."
		a.advice = joined(a.advice, "Where the network is slow, allow more time (timeouts).")
	}
	a.happened = joined(how, a.happened)
	return a
}

func explainError(e *qod.Error) account {
	wait := ""
	if e.RetryAfter > 0 {
		wait = " It asked to wait " + waitText(e.RetryAfter) + ", which is longer than the time left."
	}
	switch e.Status {
	case 0:
		return explainNoAnswer(e)
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return account{happened: "The API refused the request" + because(e) + ".", advice: "Correct what it names, and apply again."}
	case http.StatusUnauthorized:
		if errors.Is(e, qod.ErrNotRenewable) {
			return notRenewable()
		}
		a := account{happened: "The API refused the access token, and a new one as well" + because(e) + ".", advice: "Check that the credentials and the scopes belong to this endpoint."}
		if token, ok := asError[*qod.TokenError](e.Err); ok {
			a.happened = "The API refused the access token, and there is no new one. " + explainToken(token).happened
		}
		return a
	case http.StatusForbidden:
		return account{
			happened: fmt.Sprintf("These credentials may not %s sessions here: the operation needs the scope %s%s.", e.Operation, e.Scope, because(e)),
			advice:   "Ask the operator to grant the scope to this client, and keep it in scopes (QOD_SCOPES) if you set that. A session that another client made may be refused like this, too.",
		}
	case http.StatusNotFound:
		return account{
			happened: "The answer was 404 Not Found" + because(e) + ".",
			advice:   "If the body was a web page, a proxy answered or the path of the provider's endpoint is wrong; check endpoint (QOD_ENDPOINT).",
		}
	case http.StatusTooManyRequests:
		return account{happened: "The API allows no more requests for now" + because(e) + "." + wait, advice: "Apply again later, or with a smaller -parallelism."}
	}
	switch {
	case e.Status/100 == 3:
		return account{
			happened: sentence(fmt.Sprintf("The API answered with a redirect (%d): %v", e.Status, e.Err)),
			advice:   "Redirects are never followed, since they would carry the token elsewhere. Set endpoint (QOD_ENDPOINT) to where the API really is.",
		}
	case e.Status/100 == 2:
		return account{
			happened: sentence(fmt.Sprintf("The API reported success (%d), but %v", e.Status, e.Err)),
			advice:   "Something between here and the API may have answered in its place, such as a proxy or a login page; check endpoint (QOD_ENDPOINT).",
		}
	case e.Status >= 500:
		return account{happened: fmt.Sprintf("The API failed with %d %s%s.%s", e.Status, http.StatusText(e.Status), because(e), wait), advice: "Apply again later. If it goes on, give the operator the x-correlator below."}
	}
	return account{happened: fmt.Sprintf("The API refused the request with %d %s%s.", e.Status, http.StatusText(e.Status), because(e))}
}

func explainNoAnswer(e *qod.Error) account {
	a := account{happened: sentence(fmt.Sprintf("The API could not be reached: %v", e.Err))}
	if strings.Contains(a.happened, "tls: ") || strings.Contains(a.happened, "x509: ") {
		a.happened = sentence(fmt.Sprintf("The API's TLS certificate or version is not acceptable: %v", e.Err))
		a.advice = "Check endpoint (QOD_ENDPOINT). Behind a proxy that inspects TLS, add its certificate authority to the system's, or name it in SSL_CERT_FILE."
		return a
	}
	a.advice = "Check endpoint (QOD_ENDPOINT), the network and its proxy settings (HTTPS_PROXY, NO_PROXY)."
	return a
}

func explainToken(e *qod.TokenError) account {
	if errors.Is(e, qod.ErrNotRenewable) {
		return notRenewable()
	}
	a := account{happened: "There is no access token, so nothing was sent to the API."}
	switch {
	case e.Discovery:
		a.happened += sentence(" The token endpoint could not be found at " + e.URL + causeOf(e))
		a.advice = "The default hosts are those of the API document; your operator or channel partner may run the API elsewhere. " +
			"Set endpoint (QOD_ENDPOINT) to the host you were given, or token_url (QOD_TOKEN_URL) where it has no discovery document."
	case e.Code == "invalid_client" || e.Status == http.StatusUnauthorized:
		a.happened += sentence(" The token endpoint " + e.URL + " refused the client id or its secret" + causeOf(e))
		a.advice = "Check client_id (QOD_CLIENT_ID) and client_secret (QOD_CLIENT_SECRET), and that they belong to this endpoint. It was asked once only, so as not to lock the client out."
	case e.Code == "invalid_scope":
		a.happened += sentence(" The token endpoint " + e.URL + " refused the scopes" + causeOf(e))
		a.advice = "Set scopes (QOD_SCOPES) to those your client was given."
	default:
		a.happened += sentence(" The token endpoint " + e.URL + " gave none" + causeOf(e))
		a.advice = "Check token_url (QOD_TOKEN_URL) and endpoint (QOD_ENDPOINT)."
	}
	if e.Status != 0 {
		a = a.fact("Status", fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	}
	return a.fact("Code", e.Code)
}

func notRenewable() account {
	return account{
		happened: "The API refused the access token. It was given ready-made, so the provider cannot renew it: it may have expired or been revoked.",
		advice:   "Give a new one in QOD_ACCESS_TOKEN (or access_token), or client_id and client_secret, whose tokens the provider renews by itself.",
	}
}

// because quotes the API's own words.
func because(e *qod.Error) string {
	if e.Message == "" {
		return ""
	}
	return ": " + strings.TrimRight(e.Message, ". ")
}

func causeOf(e *qod.TokenError) string {
	switch {
	case e.Description != "":
		return ": " + e.Description
	case e.Err != nil:
		return ": " + e.Err.Error()
	}
	return ""
}

// withError adds the lines that support asks for.
func withError(a account, e *qod.Error) account {
	if e == nil {
		return a
	}
	if e.SessionID != "" {
		a = a.fact("Session", e.SessionID)
	}
	if e.Status != 0 {
		a = a.fact("Status", fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	}
	return a.fact("Code", e.Code).fact("x-correlator", e.Correlator)
}

// withSession names the session where the error did not.
func withSession(a account, id string) account {
	for _, f := range a.facts {
		if strings.HasPrefix(f, "Session: ") {
			return a
		}
	}
	a.facts = append([]string{"Session: " + id}, a.facts...)
	return a
}

func waitText(d time.Duration) string {
	if d > 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return d.Round(time.Second).String()
}

func sentence(s string) string { return strings.TrimRight(s, ". ") + "." }

func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}
