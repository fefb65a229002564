package provider

import (
	"cmp"
	"context"
	"net/netip"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// reserve has a session made, has it recorded before anything else can fail, and waits for it where
// that is wanted. The session comes back as it was last known, perhaps with an error, of which
// operation.createFailed tells; without an id there is none, or none any more.
func createSession(ctx context.Context, api qod.Sessions, spec qod.Spec, waits bool, record func(qod.Session) bool) (qod.Session, error) {
	made, err := api.Create(ctx, spec)
	if made.ID == "" || !record(made) || err != nil {
		return made, err
	}
	switch {
	case made.Status == qod.StatusUnavailable:
		return made, &qod.WaitError{Reason: qod.WaitUnavailable, Last: made}
	case waits && made.Status != qod.StatusAvailable:
		return awaitSession(ctx, api, qod.Ref{ID: made.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}, made)
	}
	return made, nil
}

// await waits for a session of which last was known. Without an id it is gone.
func awaitSession(ctx context.Context, api qod.Sessions, ref qod.Ref, last qod.Session) (qod.Session, error) {
	s, err := api.Await(ctx, ref)
	if wait, ok := asError[*qod.WaitError](err); ok && wait.Reason == qod.WaitGone {
		return qod.Session{}, err
	}
	return completed(s, last), err
}

// completed is the session as it was seen, with what it does not show as it was known before: an
// answer may leave out anything, and some networks tell what they granted only once.
func completed(seen, before qod.Session) qod.Session {
	if seen.Status == "" { // it was not seen at all
		return before
	}
	seen.QoSProfile = cmp.Or(seen.QoSProfile, before.QoSProfile)
	seen.Seconds = cmp.Or(seen.Seconds, before.Seconds)
	seen.StartedAt = cmp.Or(seen.StartedAt, before.StartedAt)
	seen.ExpiresAt = cmp.Or(seen.ExpiresAt, before.ExpiresAt)
	return seen
}

// release deletes a session. One that is gone already is released.
func deleteSession(ctx context.Context, api qod.Sessions, e operation, ref qod.Ref, private sessionPrivate) diag.Diagnostics {
	err := api.Delete(ctx, ref)
	switch {
	case err == nil:
		return nil
	case !qod.IsGone(err):
		return diag.Diagnostics{e.deleteFailed(ref.ID, err)}
	}
	return e.sessionGone(ctx, api, ref, private, err)
}

// checkSessionID refuses what no session can be imported by, before any request is made of it. What a
// network could have given is accepted as it is spelled: the ids that errors name have to be
// importable. The exceptions are what people write in place of an id, and no network does.
func checkSessionID(id string) diag.Diagnostics {
	mistake := importMistake(id)
	if qod.ValidSessionID(id) && mistake == "" {
		return nil
	}
	detail := "Import a session by its id, spelled as the network spells it, such as 3fa85f64-5717-4562-b3fc-2c963f66afa6: " +
		"1 to 128 letters, digits, dots, hyphens, underscores and tildes, not starting with a dot. Given: " + shownID(id) + "."
	if mistake != "" {
		detail += " " + mistake
	}
	return diag.Diagnostics{diag.NewErrorDiagnostic("Invalid Import ID", detail+" The data source qod_sessions lists the ids of live sessions.")}
}

var (
	uuidWithin      = regexp.MustCompile(`[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}`)
	personalDigits  = regexp.MustCompile(`[0-9:]`)
	phoneShaped     = regexp.MustCompile(`\A(?:tel:)?[+(]*[0-9][0-9 ().-]{5,}\z`)
	nameShaped      = regexp.MustCompile(`\A[^\s@/]+@[^\s@/]+\z`)
	resourceAddress = regexp.MustCompile(`\A(?:module\.[^.]+\.)*(?:data\.)?qod_[a-z_]+\.`)
	placeholder     = regexp.MustCompile(`(?i)\A(?:<|\{|\[|\$|%)*(?:the[ _-])?(?:session[ _-]?)?id(?:>|\}|\]|%)*\z|\$\{`)
)

// importMistake says what was probably given instead of an id; empty where nobody can tell.
func importMistake(id string) string {
	trimmed := strings.TrimSpace(id)
	bare := strings.Trim(trimmed, "\"'`“”‘’")
	_, noAddress := netip.ParseAddr(strings.Trim(bare, "[]"))
	_, noEndpoint := netip.ParseAddrPort(bare)
	switch {
	case resourceAddress.MatchString(bare):
		return "This is the address of a resource, which comes before the id: terraform import qod_session.NAME 3fa85f64-5717-4562-b3fc-2c963f66afa6."
	case placeholder.MatchString(bare):
		return "This is a placeholder: replace it with the id of the session."
	case noAddress == nil || noEndpoint == nil:
		return "This is an IP address: a session cannot be imported by its device."
	case qod.ValidSessionID(id):
		return ""
	case nameShaped.MatchString(bare):
		return "This looks like a network access identifier: a session cannot be imported by its device."
	case phoneShaped.MatchString(bare):
		return "This looks like a phone number: a session cannot be imported by its device."
	case bare != trimmed:
		return "Remove the quotation marks: they have become part of the value."
	case trimmed != id && trimmed != "":
		return "Remove the spaces or line feeds around it."
	case uuidWithin.MatchString(id):
		return "Give the id alone: " + uuidWithin.FindString(id) + "."
	}
	return ""
}

// shownID is what an error repeats of an id: all of it, unless a device may be named in it.
func shownID(id string) string {
	rest := uuidWithin.ReplaceAllString(id, "")
	if strings.ContainsRune(rest, '@') || len(personalDigits.FindAllString(rest, -1)) >= 4 {
		return masked(id)
	}
	return quoted(id)
}
