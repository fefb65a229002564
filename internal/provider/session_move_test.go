// A moved block between qod_session and qod_reservation keeps the live session.

package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestMoved(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
	const request = "  device = { phone_number = \"+34600000031\" }\n  qos_profile = \"QOS_L\"\n"
	session := "resource \"qod_session\" \"camera\" {\n" + request + "  duration = 7200\n}\n"
	reservation := "resource \"qod_reservation\" \"camera\" {\n" + request + "  starts_at = \"" + matchStarts + "\"\n  ends_at = \"" + matchEnds + "\"\n}\n"
	moved := func(from, to string) string {
		return "moved {\n  from = " + from + ".camera\n  to = " + to + ".camera\n}\n"
	}

	// The id of this reservation is not its session's.
	c := network.CLI(reservation)
	c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Configure(session + moved("qod_reservation", "qod_session"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	editInstances(c, func(_ string, instance map[string]any) {
		if instance["identity"] != nil {
			expectIdentity(t, instance, network.SessionIDs()[0], "+34600000031")
		}
	})

	c.Configure(reservation + moved("qod_session", "qod_reservation"))
	said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	if !strings.Contains(said, "0 added, 1 changed, 0 destroyed") {
		t.Errorf("it says:\n%s", said)
	}
	c.Plan(0)
	c.ExpectInSync()
	for _, r := range c.State().Resources {
		if r.AttributeValues["session_id"] != network.SessionIDs()[0] || r.AttributeValues["status"] != "AVAILABLE" {
			t.Errorf("the reservation is %v", r.AttributeValues)
		}
		if sessions, _ := r.AttributeValues["sessions"].([]any); len(sessions) != 1 {
			t.Errorf("its sessions are %v", r.AttributeValues["sessions"])
		}
	}
	c.Configure(session + moved("qod_reservation", "qod_session"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
	c.ExpectInSync()

	// What has no session cannot become one.
	c.Configure(reservation + moved("qod_session", "qod_reservation"))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(5 * time.Hour)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Configure(session + moved("qod_reservation", "qod_session"))
	acctest.ContainsAll(t, c.Must(1, "plan", "-no-color"), []string{"Unable to Move QoS Reservation", "its status is ENDED"})
}

// A network may show no end. What the session was requested for then tells whether a longer window
// replaces it.
func TestMoved_noEndShown(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
	network.Echo(func(info map[string]any) { delete(info, "expiresAt") })
	const request = "  device = { phone_number = \"+34600000031\" }\n  qos_profile = \"QOS_L\"\n"
	c := network.CLI("resource \"qod_session\" \"camera\" {\n" + request + "  duration = 7200\n}\n")
	c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Configure("moved {\n  from = qod_session.camera\n  to = qod_reservation.camera\n}\n" +
		"resource \"qod_reservation\" \"camera\" {\n" + request + "  ends_at = \"" + matchEnds + "\"\n  replace_to_extend = true\n}\n")
	said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	acctest.ContainsAll(t, said, []string{"QoS Session Ends Before Its Window", "Apply twice"})
	c.Sends("1 POST 1 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	if sessions, _ := c.State().Resources[0].AttributeValues["sessions"].([]any); len(sessions) != 2 {
		t.Errorf("its sessions are %v", sessions)
	}
}

// What a reservation says of its window is no status of a session: one that is past its end, and
// still shown, leaves the reservation DUE.
func TestSessionStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"REQUESTED", "AVAILABLE", "UNAVAILABLE"} {
		if got := sessionStatus(types.StringValue(status)); got.ValueString() != status {
			t.Errorf("%s becomes %s", status, got)
		}
	}
	for _, status := range []reservationStatus{statusScheduled, statusDue, statusOverdue, statusEnded} {
		if got := sessionStatus(types.StringValue(string(status))); !got.IsNull() {
			t.Errorf("%s becomes %s", status, got)
		}
	}
}
