// Proves what the plan of a reservation decides, as a table and without a CLI: nothing, an update
// that sends nothing, one that may create or delete a session, or a replacement. It also proves
// that Terraform accepts the plan.

package provider

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

const (
	matchStarts = "2028-02-29T20:15:00Z"
	matchEnds   = "2028-03-01T00:15:00Z"

	lostID   = "11111111-1111-4111-8111-111111111111"
	secondID = "22222222-2222-4222-8222-222222222222"
)

var reservationTimeouts = []string{"create", "update", "delete"}

// fullReservation is a configuration that sets everything.
func fullReservation() reservationModel {
	return reservationModel{
		requestModel: fullRequest(),
		StartsAt:     validators.NewInstant(types.StringValue(matchStarts)),
		EndsAt:       validators.NewInstant(types.StringValue(matchEnds)),
		Timeouts:     noTimeouts(reservationTimeouts...),
		ID:           types.StringNull(), SessionID: types.StringNull(), Status: types.StringNull(),
		StartedAt: types.StringNull(), ExpiresAt: types.StringNull(), WindowSeconds: validators.NullWholeNumber(),
		Sessions: types.ListNull(pastSessionType), GrantedSeconds: validators.NullWholeNumber(), ReplaceToExtend: types.BoolValue(false),
	}
}

// appliedReservation is the state after fullReservation was applied inside its window.
func appliedReservation() reservationModel {
	m := fullReservation()
	m.NotificationAuthToken = types.StringNull()
	m.ID, m.SessionID = types.StringValue(secondID), types.StringValue(lostID)
	m.Status = types.StringValue("AVAILABLE")
	m.StartedAt, m.ExpiresAt = types.StringValue("2028-02-29T20:15:03Z"), types.StringValue("2028-03-01T00:15:00Z")
	m.WindowSeconds = validators.NewWholeNumber(4 * 3600)
	m.Endpoint = madeEndpoint
	m.recordHistory(sessionHistory{sessions: []pastSession{{id: lostID, started: instantOf(m.StartedAt), expires: instantOf(m.ExpiresAt)}}})
	return m
}

func withStatus(status string) func(*reservationModel) {
	return func(m *reservationModel) {
		m.Status = types.StringValue(status)
		switch status {
		case "SCHEDULED", "DUE", "ENDED":
			m.SessionID, m.StartedAt, m.ExpiresAt = types.StringNull(), types.StringNull(), types.StringNull()
		case "REQUESTED":
			m.StartedAt, m.ExpiresAt = types.StringNull(), types.StringNull()
		}
	}
}

func withWindow(starts, ends types.String) func(*reservationModel) {
	return func(m *reservationModel) {
		m.StartsAt, m.EndsAt = validators.NewInstant(starts), validators.NewInstant(ends)
	}
}

func TestPlanReservation(t *testing.T) {
	t.Parallel()
	const (
		nothing = "nothing"
		update  = "update" // that sends nothing
		act     = "act"    // an update that may reserve, heal, resume or release
	)
	type change = func(*reservationModel)
	var (
		text            = types.StringValue
		none            = types.StringNull()
		notYet          = types.StringUnknown()
		imported        = sessionPrivate{Imported: true}
		noWait          = func(m *reservationModel) { m.WaitForAvailable = types.BoolValue(false) }
		unrecorded      = func(m *reservationModel) { m.Endpoint = none }
		later           = withWindow(text(matchStarts), text("2028-03-01T01:15:00Z"))
		extends         = func(m *reservationModel) { m.ReplaceToExtend = types.BoolValue(true) }
		ends            = func(at string) change { return func(m *reservationModel) { m.ExpiresAt = text(at) } }
		asked           = func(until string) sessionPrivate { return sessionPrivate{RequestedUntil: instantOf(text(until))} }
		changedTimeouts = func(m *reservationModel) {
			m.Timeouts = timeouts.Value{Object: types.ObjectValueMust(timeoutTypes(reservationTimeouts...), map[string]attr.Value{"create": none, "update": text("9m"), "delete": none})}
		}
		both = func(all ...change) change {
			return func(m *reservationModel) {
				for _, c := range all {
					c(m)
				}
			}
		}
	)
	for _, row := range []struct {
		name          string
		config, prior change
		private       sessionPrivate
		want          string // or the paths that replace it
		warns         string
	}{
		{name: "as applied", want: nothing},
		{name: "SCHEDULED", prior: withStatus("SCHEDULED"), want: nothing},
		{name: "ENDED", prior: withStatus("ENDED"), want: nothing},
		{name: "no endpoint", prior: unrecorded, want: nothing},
		{name: "no endpoint, timeouts changed", prior: unrecorded, config: changedTimeouts, want: update},
		{name: "no endpoint, and DUE", prior: both(withStatus("DUE"), unrecorded), want: act},
		{name: "DUE", prior: withStatus("DUE"), want: act},
		{name: "UNAVAILABLE", prior: withStatus("UNAVAILABLE"), want: act},
		{name: "OVERDUE", prior: withStatus("OVERDUE"), want: act},
		{name: "REQUESTED", prior: withStatus("REQUESTED"), want: act},
		{name: "REQUESTED, waiting not wanted", prior: both(withStatus("REQUESTED"), noWait), config: noWait, want: nothing},
		{name: "REQUESTED, waiting not known", prior: withStatus("REQUESTED"), config: func(m *reservationModel) { m.WaitForAvailable = types.BoolUnknown() }, want: act},
		{name: "OVERDUE, waiting not wanted", prior: both(withStatus("OVERDUE"), noWait), config: noWait, want: act},

		{name: "end later", config: later, want: update, warns: "There will be no session from 2028-03-01T00:15:00Z until the first run after it."},
		{name: "end later, REQUESTED, waiting not wanted", prior: both(withStatus("REQUESTED"), noWait), config: both(later, noWait), want: update, warns: "requested for the window as it was"},
		{name: "end later, and DUE", prior: withStatus("DUE"), config: later, want: act},
		{name: "end later, to be replaced", config: both(later, extends), private: asked(matchEnds), want: act},
		{name: "end later, to be replaced, end asked for not known", config: both(later, extends), want: act},
		{name: "end later before, now to be replaced", prior: later, config: both(later, extends), private: asked(matchEnds), want: act},
		{name: "end later, replaced already and granted less", prior: later, config: both(later, extends), private: asked("2028-03-01T01:15:00Z"), want: update},
		{name: "end later, replacing not known", config: both(later, func(m *reservationModel) { m.ReplaceToExtend = types.BoolUnknown() }), want: act},
		{name: "replacing wanted, and no gap", config: extends, private: asked(matchEnds), want: update},
		{name: "replacing wanted, and SCHEDULED", prior: withStatus("SCHEDULED"), config: both(later, extends), want: act},
		{name: "replacing no longer wanted", prior: extends, want: update},
		{name: "end earlier, to be replaced", config: both(withWindow(text(matchStarts), text("2028-02-29T23:15:00Z")), extends), private: asked(matchEnds), want: act},
		{name: "end earlier, behind the session", prior: ends("2028-02-29T22:15:00Z"), config: withWindow(text(matchStarts), text("2028-02-29T23:15:00Z")), want: update, warns: "There will be no session from 2028-02-29T22:15:00Z"},
		{name: "start later, before the session", prior: func(m *reservationModel) { m.StartedAt = text("2028-02-29T21:30:00Z") }, config: withWindow(text("2028-02-29T21:15:00Z"), text(matchEnds)), want: update},
		{name: "end earlier", config: withWindow(text(matchStarts), text("2028-02-29T23:15:00Z")), want: act},
		{name: "end a part of a second later", config: withWindow(text(matchStarts), text("2028-03-01T00:15:00.5Z")), want: update},
		{name: "start later", config: withWindow(text("2028-02-29T21:15:00Z"), text(matchEnds)), want: act},
		{name: "start left out", config: withWindow(none, text(matchEnds)), want: update},
		{name: "start added", prior: withWindow(none, text(matchEnds)), want: update},
		{name: "next week", prior: withStatus("ENDED"), config: withWindow(text("2028-03-07T20:15:00Z"), text("2028-03-08T00:15:00Z")), want: act},
		{name: "end not known", config: withWindow(text(matchStarts), notYet), want: act, warns: "The window of a reservation with a live session is not known before the apply."},
		{name: "end not known, and no session", prior: withStatus("SCHEDULED"), config: withWindow(text(matchStarts), notYet), want: act},
		{name: "start not known", config: withWindow(notYet, text(matchEnds)), want: act, warns: "The window of a reservation with a live session is not known before the apply."},
		{name: "start not known, and SCHEDULED", prior: withStatus("SCHEDULED"), config: withWindow(notYet, text(matchEnds)), want: act, warns: "If starts_at is timestamp()"},
		{name: "start not known, and DUE", prior: withStatus("DUE"), config: withWindow(notYet, text(matchEnds)), want: act, warns: "If starts_at is timestamp()"},
		{name: "start not known, and ENDED", prior: withStatus("ENDED"), config: withWindow(notYet, text(matchEnds)), want: act},
		{name: "end later, and granted less than it was requested for", prior: ends("2028-02-29T23:15:00Z"), config: both(later, extends), private: asked("2028-03-01T01:15:00Z"), want: update, warns: "remains despite replace_to_extend"},
		{name: "end later, kept for it before, as it was out of reach", config: both(later, extends), private: sessionPrivate{OutOfReach: instantOf(text("2028-03-01T01:15:00Z"))}, want: update, warns: "remains despite replace_to_extend"},
		{name: "imported, to be replaced", private: imported, prior: both(withWindow(none, none), ends("2028-02-29T23:15:00Z")), config: extends, want: act, warns: "Apply twice"},
		{name: "the same instants, spelled otherwise", config: withWindow(text("2028-02-29T21:15:00+01:00"), text("2028-02-29T19:15:00-05:00")), want: nothing},
		{name: "the same instants with fractions", config: withWindow(text("2028-02-29T20:15:00.000Z"), text("2028-03-01T00:15:00.0Z")), want: nothing},
		{name: "spelled otherwise, and DUE", prior: withStatus("DUE"), config: withWindow(text("2028-02-29T21:15:00+01:00"), text(matchEnds)), want: act},

		{name: "timeouts changed", config: changedTimeouts, want: update},
		{name: "waiting switched off", config: noWait, want: update},
		{name: "waiting switched off while SCHEDULED", prior: withStatus("SCHEDULED"), config: noWait, want: update},

		{name: "phone changed", config: func(m *reservationModel) { m.Device = member(m.Device, "phone_number", text("+34611222334")) }, want: "device.phone_number"},
		{name: "profile changed", config: func(m *reservationModel) { m.QoSProfile = text("QOS_E") }, want: "qos_profile"},
		{name: "profile changed by the network", prior: func(m *reservationModel) { m.QoSProfile = text("QOS_E") }, want: "qos_profile"},
		{name: "server changed", config: func(m *reservationModel) { m.ApplicationServer = serverOf("198.51.100.0/25", "2001:db8::/32") }, want: "application_server.ipv4_address"},
		{name: "webhook changed", config: func(m *reservationModel) { m.NotificationURL = text("https://example.com/2") }, want: "notification_url"},
		{name: "token version changed", config: func(m *reservationModel) { m.NotificationAuthTokenVersion = validators.NewWholeNumber(2) }, want: "notification_auth_token_version"},
		{name: "profile and window changed", config: both(withWindow(text(matchStarts), text("2028-03-01T01:15:00Z")), func(m *reservationModel) { m.QoSProfile = text("QOS_E") }), want: "qos_profile"},
		{name: "address re-spelled", config: func(m *reservationModel) {
			m.Device = member(m.Device, "ipv6_address", text("2A02:9130:0:0:0:0:0:0077"))
		}, want: nothing},
		{name: "profile not known", config: func(m *reservationModel) { m.QoSProfile = notYet }, want: "qos_profile", warns: "qos_profile is not known until the apply."},
		{name: "device not known", config: func(m *reservationModel) { m.Device = types.ObjectUnknown(deviceTypes) }, want: "device", warns: "device is not known until the apply."},
		{name: "phone not known, profile changed", config: func(m *reservationModel) {
			m.Device, m.QoSProfile = member(m.Device, "phone_number", notYet), text("QOS_E")
		}, want: "device.phone_number qos_profile"},

		{name: "imported", private: imported, prior: withWindow(none, none), want: act},
		{name: "imported, without webhook", private: imported, prior: both(withWindow(none, none), func(m *reservationModel) {
			m.NotificationURL, m.NotificationAuthTokenVersion = none, validators.NullWholeNumber()
		}), want: act, warns: "The state of the session has no notification_url and notification_auth_token_version"},
		{name: "imported while UNAVAILABLE", private: imported, prior: both(withWindow(none, none), withStatus("UNAVAILABLE")), want: act},
		{name: "imported another device", private: imported, prior: both(withWindow(none, none), func(m *reservationModel) {
			m.Device = member(m.Device, "phone_number", text("+34611222334"))
		}), want: "device.phone_number"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			config, prior := fullReservation(), appliedReservation()
			if row.config != nil {
				row.config(&config)
			}
			if row.prior != nil {
				row.prior(&prior)
			}
			freshConfig, freshPrior := config, prior
			plan := planReservation(config, &prior, row.private, defaultAPI)
			planned := plan.planned

			var replaced []string
			for _, p := range plan.replace {
				replaced = append(replaced, p.String())
			}
			got := strings.Join(replaced, " ")
			switch ofSession := []string{"SessionID", "Status", "StatusInfo", "StartedAt", "ExpiresAt", "Sessions", "GrantedSeconds"}; {
			case got != "":
				if !planned.ID.IsUnknown() {
					t.Error("a replacement keeps the id")
				}
			case differ(planned, reservationModel{SessionID: notYet, Status: notYet, StatusInfo: notYet, StartedAt: notYet, ExpiresAt: notYet,
				Sessions: types.ListUnknown(pastSessionType), GrantedSeconds: validators.UnknownWholeNumber()}, ofSession) == "":
				got = act
			case differ(planned, prior, ofSession) != "":
				t.Errorf("planned of the session is %s, %s, %s, %s", planned.SessionID, planned.Status, planned.StartedAt, planned.ExpiresAt)
			case differ(planned, prior, fieldsOf(reflect.TypeFor[reservationModel]())) == "":
				got = nothing
			default:
				got = update
			}
			if got != row.want {
				t.Errorf("planned is %s, want %s", got, row.want)
			}
			if len(replaced) == 0 && !planned.ID.Equal(prior.ID) {
				t.Errorf("the id changes to %s", planned.ID)
			}
			where := prior.Endpoint
			if got != nothing && got != update && (where.IsNull() || got != act) {
				where = configuredEndpoint
			}
			if !planned.Endpoint.Equal(where) {
				t.Errorf("the endpoint is planned as %s, want %s", planned.Endpoint, where)
			}
			if want := config.windowSeconds(); !planned.WindowSeconds.Equal(want) {
				t.Errorf("window_seconds is %s, want %s", planned.WindowSeconds, want)
			}
			checkPlanned(t, config, planned, prior, "ID", "SessionID", "Status", "StatusInfo", "StartedAt", "ExpiresAt", "WindowSeconds", "Endpoint", "Sessions", "GrantedSeconds")
			var said []string
			for _, w := range plan.warnings {
				said = append(said, w.Detail())
			}
			if said := strings.Join(said, "\n"); (row.warns == "") != (said == "") || !strings.Contains(said, row.warns) || plan.warnings.HasError() {
				t.Errorf("it warns %q, want %q", said, row.warns)
			}
			if again := planReservation(freshConfig, &freshPrior, row.private, defaultAPI); !reflect.DeepEqual(again, plan) {
				t.Error("the second plan decides differently")
			}
		})
	}
}

// window_seconds is known at plan time if the configuration has both ends, so that policies and
// outputs can rely on it.
func TestPlanReservation_windowSeconds(t *testing.T) {
	t.Parallel()
	text, none, notYet := types.StringValue, types.StringNull(), types.StringUnknown()
	for name, test := range map[string]struct {
		starts, ends types.String
		want         validators.WholeNumber
	}{
		"both":            {text(matchStarts), text(matchEnds), validators.NewWholeNumber(4 * 3600)},
		"no start":        {none, text(matchEnds), validators.NullWholeNumber()},
		"start not known": {notYet, text(matchEnds), validators.UnknownWholeNumber()},
		"end not known":   {text(matchStarts), notYet, validators.UnknownWholeNumber()},
		"neither":         {none, notYet, validators.NullWholeNumber()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := fullReservation()
			withWindow(test.starts, test.ends)(&config)
			if got := planReservation(config, nil, sessionPrivate{}, defaultAPI).planned.WindowSeconds; !got.Equal(test.want) {
				t.Errorf("planned is %s, want %s", got, test.want)
			}
		})
	}
}
