// Proves that what identifies a resource survives everything that its state goes through: states of
// earlier builds and CLIs, reads, updates, replacements, imports and moves.

package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Version 0 had the id alone, and some builds wrote the device with it. Terraform asks for the
// upgrade of a state without an identity as well.
func TestIdentity_upgrade(t *testing.T) {
	t.Parallel()
	const id, device = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "+34600000010"
	sessions := acc.NewClientOf(t, newStill(1))
	for _, c := range []*acctest.ProtocolClient{sessions, sessions.Reservations()} {
		qodtest.Equal(t, "the version of "+c.TypeName, c.Identity.Version, 1)
		for stored, want := range map[string]attrs{
			`{"id":"` + id + `"}`:                                {"id": id},
			`{"id":"` + id + `","device":null}`:                  {"id": id},
			`{"id":"` + id + `","device":"` + device + `"}`:      {"id": id, "device": device},
			`{"id":"` + id + `","device":"","what":["is","it"]}`: {"id": id, "device": ""},
			"":          {},
			"null":      {},
			`{"id":17}`: {},
		} {
			resp, err := c.Server.UpgradeResourceIdentity(t.Context(), &tfprotov6.UpgradeResourceIdentityRequest{TypeName: c.TypeName, RawIdentity: rawIdentity(stored)})
			c.Must("UpgradeResourceIdentity", err)
			if len(resp.Diagnostics) > 0 {
				t.Errorf("%s %s: %s", c.TypeName, stored, acctest.Describe(resp.Diagnostics))
				continue
			}
			got, err := resp.UpgradedIdentity.IdentityData.Unmarshal(identityType)
			c.Must("Unmarshal", err)
			if !got.Equal(c.Convert(identityType, want)) {
				t.Errorf("%s %s becomes %s", c.TypeName, stored, got)
			}
		}
	}
}

// A state without an identity gets one by the first read or, where that is left out, by the first
// update; so does one that was upgraded from none, and one with the identity of another resource,
// which OpenTofu leaves to a qod_session that was a reservation. The device is never guessed.
func TestIdentity_isPutRight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given  attrs // nil for none
		device string
	}{
		"none":                 {},
		"upgraded from none":   {given: attrs{}},
		"another's":            {given: attrs{"id": lostID}},
		"another's and device": {given: attrs{"id": lostID, "device": "+34600000010"}, device: "+34600000010"},
	} {
		t.Run(name, acc.InBubble(0, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
			for c, config := range map[*acctest.ProtocolClient]attrs{network.Client(): hour(nil), network.Client().Reservations(): match(nil)} {
				made := c.MustCreate(config)
				r := made
				r.Identity = nil
				if test.given != nil {
					r.Identity = c.EncodeIdentity(test.given)
				}
				read := c.Refresh(r)
				updated := c.Apply(c.Plan(r, config.With("timeouts", attrs{"delete": "1m"})))
				for how, got := range map[string]acctest.Result{"read": read, "update": updated} {
					if len(got.Diagnostics) > 0 || c.IdentityOf(got.State, "id") != made.Text("id") || c.IdentityOf(got.State, "device") != test.device {
						t.Errorf("%s, %s: %s, %s; %s", c.TypeName, how, c.IdentityOf(got.State, "id"), c.IdentityOf(got.State, "device"), acctest.Describe(got.Diagnostics))
					}
				}
				if gone := c.Destroy(updated.State); len(gone.Diagnostics) > 0 {
					t.Errorf("%s: %s", c.TypeName, acctest.Describe(gone.Diagnostics))
				}
			}
		}))
	}
}

// A reservation keeps its identity, whichever session it has, and after its end. What replaces it
// has another, although Terraform shows the old one to the plan.
func TestIdentity_ofReservation(t *testing.T) {
	acc.InBubble(time.Hour, sandbox.Config{Provisioning: sandbox.Instant}, func(t *testing.T, network *acctest.Network) {
		c := network.Client().Reservations()
		var id string
		expect := func(r acctest.State, device string) acctest.State {
			t.Helper()
			qodtest.Equal(t, "the id", c.IdentityOf(r, "id"), id)
			qodtest.Equal(t, "the device", c.IdentityOf(r, "device"), device)
			return r
		}
		r := network.Expect(network.Run(acctest.State{}, match(nil)), "SCHEDULED", "")
		id = r.Text("id")
		expect(r, "+34600000010")
		network.AtMatch(0)
		r = expect(network.Expect(network.Run(r, match(nil)), "AVAILABLE", "POST"), "+34600000010")
		revokeAll(network)
		r = expect(network.Expect(network.Run(r, match(nil)), "AVAILABLE", "DELETE POST"), "+34600000010")

		if gone := c.Destroy(r); len(gone.Diagnostics) > 0 {
			t.Fatal(acctest.Describe(gone.Diagnostics))
		}
		made := c.Apply(c.Plan(acctest.State{Identity: r.Identity}, match(attrs{"device": attrs{"ipv6_address": "2001:db8::10"}})))
		if id = made.Text("id"); id == r.Text("id") || len(made.Diagnostics) > 0 {
			t.Errorf("the id is %s; %s", id, acctest.Describe(made.Diagnostics))
		}
		r = expect(made.State, "2001:db8::10")

		network.AtMatch(4 * time.Hour)
		ended := network.Expect(network.Run(r, match(attrs{"device": attrs{"ipv6_address": "2001:db8::10"}})), "ENDED", "")
		ended.Identity = nil
		network.AtMatch(48 * time.Hour)
		expect(c.Refresh(ended).State, "")
	})(t)
}

// A moved block keeps the device of the identity, if the CLI shows it: some builds and CLIs wrote
// none.
func TestIdentity_moved(t *testing.T) {
	t.Parallel()
	sessions := acc.NewClientOf(t, newStill(1))
	reservations := sessions.Reservations()
	for identity, device := range map[string]string{
		"none": "", "": "", "null": "", `{"id":"` + lostID + `"}`: "", `{"id":"` + lostID + `","device":"+34600000010"}`: "+34600000010",
	} {
		for to, from := range map[*acctest.ProtocolClient]struct{ typeName, state string }{
			reservations: {sessionTypeName, `{"id":"` + secondID + `","qos_status":"AVAILABLE"}`},
			sessions:     {reservationTypeName, `{"id":"` + lostID + `","session_id":"` + secondID + `","status":"AVAILABLE"}`},
		} {
			resp, err := to.Server.MoveResourceState(t.Context(), &tfprotov6.MoveResourceStateRequest{
				SourceProviderAddress: "registry.terraform.io/telefonica/qod", SourceTypeName: from.typeName, TargetTypeName: to.TypeName,
				SourceState: &tfprotov6.RawState{JSON: []byte(from.state)}, SourceIdentity: rawIdentity(identity),
			})
			to.Must("MoveResourceState", err)
			moved := to.Decode(resp.TargetState, resp.TargetPrivate, resp.TargetIdentity)
			if len(resp.Diagnostics) > 0 || moved.Text("id") != secondID {
				t.Errorf("%s: %v; %s", to.TypeName, moved.Values, acctest.Describe(resp.Diagnostics))
			}
			qodtest.Equal(t, "the id", to.IdentityOf(moved, "id"), secondID)
			qodtest.Equal(t, "the device", to.IdentityOf(moved, "device"), device)
		}
	}
}

// rawIdentity is an identity as a state has it. Where it has none, Terraform sends an empty one,
// and OpenTofu nothing.
func rawIdentity(stored string) *tfprotov6.RawState {
	switch stored {
	case "":
		return &tfprotov6.RawState{}
	case "none":
		return nil
	}
	return &tfprotov6.RawState{JSON: []byte(stored)}
}

// A plan of a state is empty, whichever identities earlier builds and CLIs have written, and the
// next apply gives them what they lack.
func TestIdentity_earlierStates(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Provisioning: sandbox.Instant})
	config := ""
	for i, name := range []string{"with_device", "with_id", "without"} {
		config += acctest.SessionBlock(name, "", 3600+i) + fmt.Sprintf(`
resource "qod_reservation" %q {
  device      = { phone_number = "+3463000000%d" }
  qos_profile = "QOS_L"
  ends_at     = %q
}
`, name, i, matchEnds)
	}
	c := network.CLI(config)
	c.Apply()
	stores := false // the CLI identities
	editInstances(c, func(name string, instance map[string]any) {
		id, device := identityIn(instance)
		stores = instance["identity"] != nil
		if stores {
			expectIdentity(t, instance, id, device)
		}
		instance["identity_schema_version"] = 0
		instance["identity"] = map[string]any{"id": id, "device": device}
		switch name {
		case "with_id":
			instance["identity"] = map[string]any{"id": id}
		case "without":
			delete(instance, "identity")
		}
	})
	c.Plan(0)
	c.Plan(0, "-refresh=false")
	c.Apply()
	editInstances(c, func(name string, instance map[string]any) {
		id, device := identityIn(instance)
		if name != "with_device" {
			device = nil
		}
		if stores {
			expectIdentity(t, instance, id, device)
		}
	})
	c.Destroy()
}

// editInstances changes what the state file has of resources with one instance.
func editInstances(c *acctest.CLI, change func(name string, instance map[string]any)) {
	t := c.Network.T
	t.Helper()
	file := filepath.Join(c.Dir, "terraform.tfstate")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&state); err != nil {
		t.Fatal(err)
	}
	resources, _ := state["resources"].([]any)
	for _, r := range resources {
		r, _ := r.(map[string]any)
		name, _ := r["name"].(string)
		instances, _ := r["instances"].([]any)
		instance, _ := instances[0].(map[string]any)
		change(name, instance)
	}
	text, err = json.Marshal(state)
	if err != nil || len(resources) == 0 {
		t.Fatalf("%d resources, %v", len(resources), err)
	}
	c.Write("terraform.tfstate", string(text))
}

// identityIn is what the identity of an instance should have, by its attributes.
func identityIn(instance map[string]any) (id, device any) {
	attributes, _ := instance["attributes"].(map[string]any)
	configured, _ := attributes["device"].(map[string]any)
	return attributes["id"], configured["phone_number"]
}

func expectIdentity(t *testing.T, instance map[string]any, id, device any) {
	t.Helper()
	got := fmt.Sprint(instance["identity"], " of version ", instance["identity_schema_version"])
	if want := fmt.Sprint(map[string]any{"id": id, "device": device}, " of version 1"); got != want {
		t.Errorf("an identity is %s, want %s", got, want)
	}
}
