package diagnostics

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// ImportFailed reports an import that could not look at the session.
func (o Operation) ImportFailed(id string, err error) diag.Diagnostic {
	m := explain(err)
	if errors.Is(err, qod.ErrOtherDevice) {
		m.remedy = "Check the device that the import names, and the id. If both are right, a gateway may have mixed up two answers: try again."
	}
	m.cause += " Nothing was imported."
	return o.failed(withSession(m, id))
}

func (o Operation) ImportUnknown(id, origin string, err error) diag.Diagnostic {
	m := explain(err)
	m.cause = fmt.Sprintf("The session %s does not exist at %s, or belongs to other credentials.", id, originText(origin))
	m.remedy = "Check the id, the provider's endpoint and its credentials. "
	if e, ok := errors.AsType[*qod.Error](err); ok && e.PerDevice {
		m.cause = fmt.Sprintf("The session %s does not exist at %s, is for another device than the one that the import names, or belongs to other credentials.", id, originText(origin))
		m.remedy = "Check the device that the import names, the id, the provider's endpoint and its credentials. "
	}
	m.remedy += "Where the API has a list, the data source qod_sessions shows the sessions that these credentials can see. " +
		"A session that has ended cannot be imported."
	if o == ImportingReservation {
		m.remedy += " The id is that of the reservation's session (session_id), not its own. " +
			"A reservation without a session needs no import: remove the import, and apply to create the reservation."
	}
	return o.failed(m)
}

// CheckImportID refuses what no session can be imported by, before any request is made of it. What
// a network could have given is accepted as it is spelled: the ids that errors name have to be
// importable. The exceptions are what people write in place of an id, and no network does.
func CheckImportID(id string) diag.Diagnostics {
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

const importDevices = "The device is a phone number (+34600000010), an IPv4 address (198.51.100.10), which may have its port (198.51.100.10:5000), or an IPv6 address (2001:db8::10)."

// ImportNeedsDevice refuses an id alone where there is no token for a session without its device.
func ImportNeedsDevice(id string) diag.Diagnostic {
	return diag.NewErrorDiagnostic("Invalid Import ID", "With this grant, each access token is for one device. So import a session by its id and its device, with a comma between them, as in "+
		validators.Quoted(id+",+34600000010")+" (in an identity, set device). "+importDevices)
}

// ImportDeviceInvalid refuses what stands in place of the device.
func ImportDeviceInvalid(id, device string) diag.Diagnostic {
	given := "nothing"
	if device != "" {
		given = validators.Masked(device)
	}
	return diag.NewErrorDiagnostic("Invalid Import ID", "What follows the comma must be the session's device, as in "+validators.Quoted(id+",+34600000010")+". "+importDevices+" Given: "+given+".")
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
		return validators.Masked(id)
	}
	return validators.Quoted(id)
}
