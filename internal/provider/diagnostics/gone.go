package diagnostics

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// GoneForUnknownClient refuses to let go of a session that a static access token, or headers alone,
// cannot see: they may be another client's, whose list does not show the session either.
func (o Operation) GoneForUnknownClient(id, origin string) diag.Diagnostic {
	endpoint, owner, _ := strings.Cut(origin, " as ")
	shown, belongs := "this access token", "a static token belongs"
	if owner == "headers" {
		shown, belongs = "these headers", "headers belong"
	}
	m := message{
		cause: fmt.Sprintf("%s does not know the session, or does not show it to %s. The provider cannot tell which client %s to. "+
			"If another client created the session, it may still be live and billed, so it stays in the state.", endpoint, shown, belongs),
		remedy: "If another client may have created it, configure the provider with that client's credentials, and run Terraform again. " +
			"If you know that the session is gone, make Terraform forget it: terraform state rm 'ADDRESS' (" + addressAbove + ", such as " + o.like + "). " +
			"Once it is past its end, the provider removes it from the state by itself. With a client id and secret, the provider can tell the difference.",
	}
	return o.failed(withSession(m, id))
}

// goneSummary names the session: Terraform shows one of several warnings with equal summaries, and
// each session that leaves a state before its end has to be named.
func goneSummary(ref qod.Ref) string {
	if ref.ExpiresAt.IsZero() {
		return "QoS Session " + ref.ID + " Is Gone"
	}
	return "QoS Session " + ref.ID + " Gone Before Its End"
}

// GoneEarly names a session that is proven gone before its end.
func (o Operation) GoneEarly(ref qod.Ref, gone *qod.GoneError) diag.Diagnostic {
	until := ""
	if !ref.ExpiresAt.IsZero() {
		until = ", although it was due to last until " + instantText(ref.ExpiresAt)
	}
	m := message{
		cause:  fmt.Sprintf("The session no longer exists%s: %s. Most likely somebody else deleted it, or the network ended it.", until, gone.Proof),
		remedy: "The next apply requests a new one in its place. To leave the device without a session, remove the resource from the configuration.",
	}
	switch {
	case o == DeletingSession || o == DeletingReservation:
		m.cause = fmt.Sprintf("The session no longer exists%s: %s. Somebody else deleted it, the network ended it, or this run did, if the answer to its first request was lost.", until, gone.Proof)
		m.remedy = "There was nothing left to delete."
	case o.like == likeReservation:
		m.remedy = "Inside the window, the next apply requests a new one. If this session shows up again before its end, the reservation takes it back."
	}
	if gone.Err != nil {
		m = withError(m, gone.Err)
	}
	return diag.NewWarningDiagnostic(goneSummary(ref), withSession(m, ref.ID).detail())
}

// LostNotDeleted tells of a session that was proven gone earlier, and that a destroy has tried to
// delete all the same.
func LostNotDeleted(ref qod.Ref, err error) diag.Diagnostic {
	m := explain(err)
	m.cause = "The reservation had this session until it disappeared from the network, before its end. Whether it has come back could not be checked. " + m.cause
	m.remedy = "Import it into a temporary resource, which fails if it is gone, and destroy that resource"
	if !ref.ExpiresAt.IsZero() {
		m.remedy += ": otherwise it is billed until " + instantText(ref.ExpiresAt)
	}
	m.remedy += "."
	return diag.NewWarningDiagnostic("QoS Session "+ref.ID+" Not Checked", withSession(m, ref.ID).detail())
}

// explainUnproven explains a 404 that does not prove that the session is gone.
func explainUnproven(e *qod.UnprovenError) message {
	m := message{cause: "The answer was " + statusText(e.Err.Status) + "." + inWords(e.Err.Message)}
	if e.Listed {
		m.cause += " The list of sessions, however, still shows the session."
		m.remedy = "Part of the API lags behind, or a gateway answered in its place. Try again in a minute. " + giveToSupport
		return withError(m, e.Err)
	}
	m.cause += " That alone does not prove that the session is gone: a gateway in front of the API may have answered, or a server that lags behind."
	m.remedy = "Try again in a minute. If the problem persists, check endpoint (QOD_ENDPOINT), and whether a gateway or proxy answers in the API's place. " + ifKnownGone
	if e.Err.PerDevice {
		m.cause += " The session may also be for another device than the access token."
	}
	noList, _ := errors.AsType[*qod.Error](e.ListErr)
	switch {
	case e.ListErr == nil:
	case errors.Is(e.ListErr, qod.ErrNoList):
		m.cause += " This API has no list of sessions that would prove it, so it takes the API's own NOT_FOUND, twice."
		m.remedy += lostWhenOver
	case e.Scope != "" && noList != nil && noList.Status == http.StatusForbidden:
		m.cause += " A list of the sessions would prove it, but these credentials are not allowed to list them."
		m.remedy = fmt.Sprintf("Ask the operator to grant this client the scope %s, which listing requires. %s", e.Scope, ifKnownGone) + lostWhenOver
	case e.Scope != "" && noList != nil:
		m.cause += " A list of the sessions would prove it, but the API offers none (" + statusText(noList.Status) + ")."
		m.remedy += lostWhenOver
	default:
		look := explainSearch(e.ListErr)
		m.cause += " The list of sessions could not settle it either. " + look.cause
		m.remedy = joined(cmp.Or(look.remedy, askAboutLists), "Check endpoint (QOD_ENDPOINT) as well.", ifKnownGone)
	}
	if e.Err.PerDevice {
		m.remedy = joined(deviceFirst, m.remedy)
	}
	return withError(m, e.Err)
}

const ifKnownGone = "If you know that the session is gone, make Terraform forget it: terraform state rm 'ADDRESS' (" + addressAbove + ")."

const lostWhenOver = " Once the session is past its end, the provider removes it from the state by itself."

// HeldTwice warns of a session that two resources hold. The id is in the summary, since Terraform
// shows one of many warnings whose summaries are equal.
func (o Operation) HeldTwice(id string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("QoS Session %s Held by Two Resources", id), message{
		cause: "Another resource in the state holds the same session as this one. Destroying either of them, or removing it from the configuration, " +
			"ends the session for both, and the next apply would request a new one for the other.",
		remedy: "Keep the session in one resource. Remove the other one from the configuration and, without deleting the session, from the state: " +
			"with terraform state rm 'ADDRESS' (ADDRESS is that of the resource to forget, such as " + o.like + ") or with a removed block that has destroy = false. " +
			"If you are moving the session from one to the other in this way, nothing else has to be done.\n\n" +
			"To find the two: terraform state list -id=" + id + " for sessions, and terraform show, by session_id, for reservations.",
	}.fact("Session", id).detail())
}
