// Package diagnostics says what went wrong, to whoever's pipeline just failed: it turns the errors
// of package qod, and what the API says of a session, into errors and warnings of Terraform. There
// is a file for each family of them; testdata has every text.
package diagnostics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	faultSummary  = "Internal Provider Error"
)

// Operation is what Terraform had a resource do when it failed: how the error is headed, and what
// becomes of the resource.
type Operation struct {
	summary string
	timeout string // the attribute that limits it
	like    string // an address of such a resource
	// updates says that the resource was in the state before, and stays there, untainted.
	updates bool
	// perDevice says that an import has to name the device.
	perDevice bool
	// deletes says that Terraform shows no address with the error.
	deletes bool
	// windowOver says that the window of a reservation has closed since it began.
	windowOver bool
}

// Everything that Terraform has a resource do.
var (
	CreatingSession  = Operation{summary: createSummary, timeout: "timeouts.create", like: likeSession}
	ResumingWait     = Operation{summary: waitSummary, timeout: "timeouts.create", like: likeSession, updates: true}
	UpdatingSession  = Operation{summary: "Unable to Update QoS Session", timeout: "timeouts.create", like: likeSession, updates: true}
	ReadingSession   = Operation{summary: readSummary, like: likeSession}
	DeletingSession  = Operation{summary: deleteSummary, timeout: "timeouts.delete", like: likeSession, updates: true, deletes: true}
	ImportingSession = Operation{summary: importSummary, like: likeSession}

	CreatingReservation  = Operation{summary: "Unable to Create QoS Reservation", timeout: "timeouts.create", like: likeReservation}
	UpdatingReservation  = Operation{summary: "Unable to Update QoS Reservation", timeout: "timeouts.update", like: likeReservation, updates: true}
	ReadingReservation   = Operation{summary: "Unable to Read QoS Reservation", like: likeReservation}
	DeletingReservation  = Operation{summary: "Unable to Delete QoS Reservation", timeout: "timeouts.delete", like: likeReservation, updates: true, deletes: true}
	ImportingReservation = Operation{summary: "Unable to Import QoS Reservation", like: likeReservation}
)

// addressAbove points to the address that Terraform prints above all errors but those of a delete.
const addressAbove = "ADDRESS is the one above"

const (
	likeSession     = `qod_session.camera["north"]`
	likeReservation = `qod_reservation.camera["north"]`
)

// AfterWindow is the operation where the window of a reservation has closed since it began.
func (o Operation) AfterWindow() Operation {
	o.windowOver = true
	return o
}

// failed heads a message. An update reserves, releases and waits, all within a limit of its own.
func (o Operation) failed(m message) diag.Diagnostic {
	text := m.detail()
	if o.timeout != "" {
		text = strings.NewReplacer("timeouts.create", o.timeout, "timeouts.delete", o.timeout).Replace(text)
	}
	if o.deletes {
		text = strings.ReplaceAll(text, addressAbove, "terraform state list shows ADDRESS")
	}
	return diag.NewErrorDiagnostic(cmp.Or(m.summary, o.summary), text)
}

// Catch turns a panic into a diagnostic. Neither the framework nor go-plugin recovers one: the
// plugin would die, and with it the record of every session of the run.
func Catch(diags *diag.Diagnostics) {
	if fault := recover(); fault != nil {
		m := explainFault(fault)
		m.cause += " What was known of the session has been kept in the state."
		diags.AddError(faultSummary, m.detail())
	}
}

// InternalFault reports a panic.
func InternalFault(fault any) diag.Diagnostic {
	return diag.NewErrorDiagnostic(faultSummary, explainFault(fault).detail())
}

func explainFault(fault any) message {
	return message{
		cause:  sentence(fmt.Sprintf("The provider has failed because of a bug: %v", fault)),
		remedy: "Please report this at https://github.com/telefonica/terraform-provider-qod/issues.",
	}
}

// message is what an error or a warning comes down to.
type message struct {
	summary string // in place of the operation's; mostly empty
	cause   string
	remedy  string
	facts   []string
}

func (m message) detail() string {
	parts := []string{m.cause}
	if m.remedy != "" {
		parts = append(parts, m.remedy)
	}
	if len(m.facts) > 0 {
		parts = append(parts, strings.Join(m.facts, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// fact adds a line that is not there yet.
func (m message) fact(name, value string) message {
	if value == "" {
		return m
	}
	return m.also(name + ": " + value)
}

func (m message) also(facts ...string) message {
	for _, f := range facts {
		if !slices.Contains(m.facts, f) {
			m.facts = append(slices.Clip(m.facts), f)
		}
	}
	return m
}

// warning is a warning, at an attribute if it is about one.
func warning(attribute, summary string, m message) diag.Diagnostic {
	if attribute == "" {
		return diag.NewWarningDiagnostic(summary, m.detail())
	}
	return diag.NewAttributeWarningDiagnostic(path.Root(attribute), summary, m.detail())
}

// explain says what an error of the client means and what to do, for whoever's pipeline just
// failed.
func explain(err error) message {
	var (
		failure      *qod.Error
		token        *qod.TokenError
		interruption *qod.InterruptedError
		unknown      *UnknownConfigurationError
		missing      *MissingCredentialsError
		fault        *qod.PanicError
		unproven     *qod.UnprovenError
		clock        *qod.ClockError
		pending      *qod.PendingConsentError
	)
	switch {
	case errors.As(err, &pending):
		return explainPending(err, pending)
	case errors.As(err, &interruption):
		return explainInterruption(interruption)
	case errors.As(err, &unknown):
		depend := "depends"
		if len(unknown.Attributes) > 1 {
			depend = "depend"
		}
		return message{
			cause:  "The provider is not fully configured: its " + enumerated(unknown.Attributes) + " " + depend + " on a resource that has not been created yet.",
			remedy: "Create that resource first (terraform apply -target), or pass the values as variables or in the QOD_* environment variables.",
		}
	case errors.As(err, &missing):
		return missingCredentials()
	case errors.As(err, &fault):
		return explainFault(fault.Value)
	case errors.As(err, &unproven):
		return explainUnproven(unproven)
	case errors.As(err, &clock):
		return message{
			cause:  fmt.Sprintf("The API's answers contradict each other: one says that it is %s, another, at the same moment, %s.", instantText(clock.Expected), instantText(clock.Shown)),
			remedy: "One of the API's servers has a wrong clock, or a cache answers in its place. Try again later. If the problem persists, report this to the operator.",
		}
	case errors.Is(err, qod.ErrClockStandsStill):
		return message{
			cause:  "The API's answers carry the same Date, although a few seconds lie between them, as answers from a cache do.",
			remedy: behindCache,
		}
	case errors.Is(err, qod.ErrCachedList):
		return message{
			cause:  "A cache answered with a list of the sessions that is older than the request (its Age or Date header says so).",
			remedy: behindCache,
		}
	case errors.As(err, &failure):
		return withError(explainError(failure), failure)
	case errors.As(err, &token):
		return explainToken(token)
	case errors.Is(err, qod.ErrNoDate):
		return message{
			cause:  "The API's answers carry no Date header.",
			remedy: "A proxy may have removed it. If there is none, report this to the operator; until it is fixed, use qod_session, which needs no clock.",
		}
	case errors.Is(err, qod.ErrListNeedsDevice):
		return message{
			cause:  "This API lists the sessions of one device at a time, and no device was given.",
			remedy: "Set device. To find the sessions of several devices, use one data source qod_sessions, or one list block, for each (for_each).",
		}
	case errors.Is(err, qod.ErrNoList):
		return message{
			cause:  fmt.Sprintf("This API has no list of sessions (api = %q and %q do).", qod.OpenGateway, qod.CAMARAV1),
			remedy: "If a session is in no state, take its id from the log of the run that requested it, or ask the operator for it, and import it.",
		}
	case errors.Is(err, qod.ErrNoDeviceProfiles):
		return message{cause: "This API has the same profiles for all devices, and does not list those of one.", remedy: "Leave out device."}
	case errors.Is(err, qod.ErrNoProfiles):
		return message{
			cause:  "This API has no profiles to ask for: its document names them all.",
			remedy: "Use one of " + strings.Join(qod.LimitsOf(qod.OpenGateway).Profiles, ", ") + ", or, if the operator offers CAMARA's API, set api = \"camara-v1\" or \"camara-v0\".",
		}
	case errors.Is(err, context.Canceled):
		return explainInterruption(&qod.InterruptedError{})
	case errors.Is(err, context.DeadlineExceeded):
		return explainInterruption(&qod.InterruptedError{Timeout: true})
	case errors.Is(err, qod.ErrWindowClosed):
		return message{cause: "Less than a second is left until the requested end.", remedy: "Choose a later end."}
	}
	return message{cause: sentence(capital(err.Error()))}
}

// withError adds the lines that support asks for.
func withError(m message, e *qod.Error) message {
	if e == nil {
		return m
	}
	m = m.fact("Session", e.SessionID)
	if e.Status != 0 {
		m = m.fact("Status", statusText(e.Status))
	}
	return m.fact("Code", e.Code).fact("x-correlator", e.Correlator)
}

// withSession names the session, first, where the error did not.
func withSession(m message, id string) message {
	if !slices.ContainsFunc(m.facts, func(f string) bool { return strings.HasPrefix(f, "Session: ") }) {
		m.facts = append([]string{"Session: " + id}, m.facts...)
	}
	return m
}
