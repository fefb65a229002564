// Proves what the provider makes of lists that stand still, come from a cache, in pages or in part,
// or are empty in other words.

package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A list stands still: it shows as requested what has become available, or dead, and what has
// ended.
func TestSession_listStandsStill(t *testing.T) {
	acc.InBubble(0, sandbox.Config{Provisioning: time.Minute}, func(t *testing.T, network *acctest.Network) {
		requested := createCameras(network, 6, attrs{"wait_for_available": false})
		network.StaleList(true)
		network.Advance(time.Minute)
		network.Revoke(requested[5].Text("id"))
		c := network.Client()
		began := time.Now()
		resumed := sideBySide(len(requested), func(i int) acctest.Result { return c.Apply(c.Plan(requested[i], cameraOf(i, nil))) })
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("the waits took %s", took)
		}
		available := make([]acctest.State, 0, len(requested))
		for i, got := range resumed {
			status := map[bool]string{true: "UNAVAILABLE", false: "AVAILABLE"}[i == 5]
			if got.Text("qos_status") != status || acctest.HasError(got.Diagnostics) != (i == 5) {
				t.Errorf("session %d is %s in the state; %s", i, got.Text("qos_status"), acctest.Describe(got.Diagnostics))
			}
			available = append(available, got.State)
		}

		// What a list shows stays, whichever of them are asked for one by one; and when it shows
		// better, all that have ended leave the state, each named.
		network.StaleList(false)
		network.StaleList(true)
		network.RemovePastLag(network.SessionIDs()...)
		c = network.Client()
		for i, read := range refreshAll(c, available) {
			if read.Text("id") != available[i].Text("id") || acctest.HasError(read.Diagnostics) {
				t.Errorf("while a list shows it: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
			}
		}
		network.StaleList(false)
		c = network.Client()
		for i, read := range refreshAll(c, available) {
			network.ExpectGoneWarning(read, available[i].Text("id"))
		}
	})(t)
}

// A cache in front of the lists repeats what was so before: it confirms nothing and proves nothing.
func TestSession_listFromACache(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]func() sandbox.Effect{
		"with Age": sandbox.Cached, "without Age": sandbox.CachedWithoutAge, "that heeds no-cache": sandbox.CachedUnlessNoCache,
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := createCameras(network, 12, nil)
			network.InjectFault(sandbox.OpList, -1, effect())
			query(network.Client(), attrs{}, 0, false) // it is in the cache now
			network.AdvancePastLag()
			for _, r := range made[:6] {
				network.Revoke(r.Text("id"))
			}
			c := network.Client()
			c.Refresh(made[0]) // what time it is shows by an answer that is current, and by that the age of the list
			for i, read := range refreshAll(c, made) {
				if dead := read.Text("qos_status") == "UNAVAILABLE"; dead != (i < 6) || len(read.Diagnostics) > 0 {
					t.Errorf("session %d: %v; %s", i, read.Values, acctest.Describe(read.Diagnostics))
				}
			}
			expectSessions(network, made...)

			network.RemovePastLag(network.SessionIDs()...)
			c = network.Client()
			c.Refresh(made[0])
			for i, read := range refreshAll(c, made) {
				if name == "that heeds no-cache" {
					network.ExpectGoneWarning(read, made[i].Text("id"))
				} else {
					expectKept(c, read, made[i], "Unable to Read QoS Session: ", "does not prove that the session is gone", "A cache answered")
				}
			}
		}))
	}
}

// A list that comes in pages is read to its end; one that is cut short is not taken for the whole;
// and one that is empty may say so in other ways.
func TestSession_listsInPages(t *testing.T) {
	acc.InBubble(0, sandbox.Config{PageSize: 2}, func(t *testing.T, network *acctest.Network) {
		made := createCameras(network, 7, nil)
		c := network.ClientPastLag()
		for i, read := range refreshAll(c, made) { // three of them by lists
			expectKept(c, read, made[i])
		}
		if found := query(c, attrs{}, 0, false); len(found) != 7 || len(found[0].Diagnostics) > 0 {
			t.Errorf("a query finds %v", found)
		}
		if n := len(sessionsRead(c, t, nil)); n != 7 {
			t.Errorf("the data source has %d sessions, want 7", n)
		}

		network.InjectFault(sandbox.OpList, -1, sandbox.Header("Link", ""))
		const part = "Incomplete List of QoS Sessions: "
		c = network.Client()
		if n := len(sessionsRead(c, t, []string{part, "shows 2 of 7"})); n != 2 {
			t.Errorf("the data source has %d sessions of the part, want 2", n)
		}
		found := query(c, attrs{}, 0, false)
		if len(found) != 2 || len(found[1].Diagnostics) > 0 || acctest.HasError(found[0].Diagnostics) {
			t.Errorf("a query of a part finds %v", found)
		}
		acctest.ContainsAll(t, strings.Join(found[0].Warnings(), ""), []string{part})
		// Where nothing is found there is nothing to carry a warning.
		nobody := query(c, attrs{"device": attrs{"phone_number": "+34600000099"}}, 0, false)
		if len(nobody) != 1 || !strings.Contains(nobody[0].Errors(), part) {
			t.Errorf("a query that finds nothing in a part says %v", nobody)
		}
		for i, read := range refreshAll(c, made) {
			expectKept(c, read, made[i])
		}
		network.RemovePastLag(made[0].Text("id"))
		c = network.Client()
		expectKept(c, c.Refresh(made[0]), made[0], "Unable to Read QoS Session: ", "The list of sessions is incomplete")
	})(t)
}

func TestSession_emptyLists(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"204": sandbox.EmptyListAs(http.StatusNoContent), "404 in the API's words": sandbox.EmptyListAs(http.StatusNotFound),
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
			made := network.Client().MustCreate(hour(nil))
			network.RemovePastLag(made.Text("id"))
			network.InjectFault(sandbox.OpList, -1, effect)
			c := network.Client()
			if found := query(c, attrs{}, 0, false); len(found) > 0 {
				t.Errorf("a query finds %v", found)
			}
			if n := len(sessionsRead(c, t, nil)); n > 0 {
				t.Errorf("the data source has %d sessions", n)
			}
			if c := network.Client(); name == "204" {
				network.ExpectGoneWarning(c.Refresh(made), made.Text("id"))
			} else { // to lists a 404 means that nothing is there, but it proves nothing
				expectKept(c, c.Refresh(made), made, "Unable to Read QoS Session: ")
			}
		}))
	}
}

// sessionsRead reads the data source and checks what it warns of.
func sessionsRead(c *acctest.ProtocolClient, t *testing.T, warns []string) []tftypes.Value {
	t.Helper()
	read, diags := c.ReadDataSource("qod_sessions", attrs{})
	if acctest.HasError(diags) || (len(diags) > 0) != (len(warns) > 0) {
		t.Errorf("the data source says: %s", acctest.Describe(diags))
	}
	acctest.ContainsAll(t, strings.Join(acctest.Diagnostics(diags).Warnings(), ""), warns)
	var sessions []tftypes.Value
	if v, ok := read["sessions"]; ok {
		c.Must("As", v.As(&sessions))
	}
	return sessions
}
