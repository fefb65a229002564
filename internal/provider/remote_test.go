// Proves the main job on any endpoint: a session is reserved, shown, found, imported, replaced and
// released. "make testacc-remote" runs it on the API that QOD_* name, for the device in
// QOD_TEST_PHONE_NUMBER. Without QOD_ENDPOINT it runs on a sandbox, so that it is not first tried
// where it costs money.
//
// It touches no session but those it makes. Each is noted on disk until it is gone; the next run
// begins by sweeping up what one that was killed has left. What is killed within the very request
// that makes a session can note nothing, but no session here lasts much longer than a minute.

package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// noted is an API that notes which sessions it made: a file for each, named by its id, which says
// where it was made.
type noted struct {
	qod.Sessions
	dir string
}

// remote is the API that the environment names.
func remote(t *testing.T, dir string, getenv func(string) string) noted {
	t.Helper()
	sessions, diags := connect(providerModel{}, getenv, "terraform-provider-qod/test", nil, nil)
	if diags.HasError() {
		t.Fatal(diags)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return noted{sessions, dir}
}

func (n noted) Create(ctx context.Context, spec qod.Spec) (qod.Session, error) {
	made, err := n.Sessions.Create(ctx, spec)
	if made.ID != "" {
		err = errors.Join(err, os.WriteFile(filepath.Join(n.dir, made.ID), []byte(n.Origin()), 0o600))
	}
	return made, err
}

func (n noted) Delete(ctx context.Context, ref qod.Ref) error {
	err := n.Sessions.Delete(ctx, ref)
	if err == nil || qod.IsGone(err) {
		err = errors.Join(err, os.RemoveAll(filepath.Join(n.dir, ref.ID)))
	}
	return err
}

// left are the sessions made here that are not known to be gone.
func (n noted) left() ([]string, error) {
	notes, err := os.ReadDir(n.dir)
	var ids []string
	for _, note := range notes {
		origin, err := os.ReadFile(filepath.Join(n.dir, note.Name()))
		if err != nil {
			return nil, err
		}
		if string(origin) == n.Origin() {
			ids = append(ids, note.Name())
		}
	}
	return ids, err
}

// sweep releases what was made here and is left.
func (n noted) sweep(ctx context.Context) error {
	ids, err := n.left()
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if err := n.Delete(ctx, qod.Ref{ID: id}); err != nil && !qod.IsGone(err) {
			failed = append(failed, fmt.Errorf("%s is not swept up: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// sandboxEnvironment is the environment of this network's client.
func sandboxEnvironment(network *acctest.Network) func(string) string {
	return func(name string) string {
		return map[string]string{
			"QOD_ENDPOINT": network.Endpoint(), "QOD_CLIENT_ID": sandbox.DefaultClient.ID, "QOD_CLIENT_SECRET": sandbox.DefaultClient.Secret,
		}[name]
	}
}

func TestRemote_life(t *testing.T) {
	getenv, dir := os.Getenv, filepath.Join("..", "..", "bin", "testacc-remote")
	phone := os.Getenv("QOD_TEST_PHONE_NUMBER")
	if os.Getenv("QOD_ENDPOINT") == "" {
		network := acc.NewNetwork(t, sandbox.Config{})
		getenv, dir, phone = sandboxEnvironment(network), t.TempDir(), "+34600000010"
		others := network.Seed(sandbox.Session{ClientID: sandbox.DefaultClient.ID})
		defer func() {
			if left := network.SessionIDs(); len(left) != 1 || left[0] != others.ID {
				t.Errorf("left are %v, want the one that was there before", left)
			}
		}()
		// As networks do, it shows the line by another name, too, and not how long it was asked
		// for.
		network.Echo(func(info map[string]any) {
			device, _ := info["device"].(map[string]any)
			device["networkAccessIdentifier"] = "line@operator.example"
			delete(info, "duration")
		})
	}
	if phone == "" {
		t.Fatal("name a device of yours in QOD_TEST_PHONE_NUMBER: sessions of a minute are made for it")
	}
	api := remote(t, dir, getenv)
	if err := api.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := api.sweep(context.Background()); err != nil {
			t.Error(err)
		}
	})
	config := func(seconds int) string {
		return fmt.Sprintf(`
resource "qod_session" "test" {
  device      = { phone_number = %[1]q }
  qos_profile = "QOS_E"
  duration    = %[2]d
}

data "qod_sessions" "test" {
  device     = { phone_number = %[1]q }
  depends_on = [qod_session.test]
}
`, phone, seconds)
	}
	available := []statecheck.StateCheck{
		statecheck.ExpectKnownValue("qod_session.test", tfjsonpath.New("qos_status"), knownvalue.StringExact("AVAILABLE")),
		statecheck.ExpectKnownValue("data.qod_sessions.test", tfjsonpath.New("sessions"), knownvalue.ListPartial(map[int]knownvalue.Check{
			0: knownvalue.ObjectPartial(map[string]knownvalue.Check{"qos_status": knownvalue.StringExact("AVAILABLE")}),
		})),
	}
	empty := resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	acctest.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"qod": func() (tfprotov6.ProviderServer, error) {
				return NewServer(os.Getenv, nil, api), nil
			},
		},
		Steps: []resource.TestStep{
			{Config: config(60), ConfigStateChecks: available, ConfigPlanChecks: empty},
			{
				ResourceName: "qod_session.test", ImportState: true, ImportStateVerify: true,
				// An import takes these from the network, a create from the configuration.
				ImportStateVerifyIgnore: []string{"device", "duration"},
			},
			acctest.WithPlanChecks(resource.TestStep{Config: config(61), ConfigPlanChecks: empty}, acctest.ExpectReplacement("qod_session.test", "duration")),
		},
		CheckDestroy: func(*terraform.State) error {
			left, err := api.left()
			if len(left) > 0 {
				err = fmt.Errorf("left on the network after destroy: %v", left)
			}
			return err
		},
	})
}

func TestSweep(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
	dir := t.TempDir()
	api := remote(t, dir, sandboxEnvironment(network))
	others := network.Seed(sandbox.Session{ClientID: sandbox.DefaultClient.ID}).ID
	var made []string
	for i := range 3 {
		s, err := api.Create(t.Context(), qod.Spec{
			Device: qod.Device{PhoneNumber: fmt.Sprintf("+3460000001%d", i)}, QoSProfile: "QOS_E", Seconds: 60,
		})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, s.ID)
	}
	// One has ended by itself, and one was made on another network, which has one with this very
	// id.
	network.Remove(made[0])
	if err := os.WriteFile(filepath.Join(dir, others), []byte("https://elsewhere.example/v1 as client me"), 0o600); err != nil {
		t.Fatal(err)
	}

	api = remote(t, dir, sandboxEnvironment(network)) // as the next run sweeps
	network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Times: 1, Effect: sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"no"}`)})
	if err := api.sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "is not swept up") {
		t.Errorf("a DELETE is refused, and the sweep says: %v", err)
	}
	if left, err := api.left(); err != nil || len(left) != 1 {
		t.Errorf("noted are %v (%v), want the one whose DELETE was refused", left, err)
	}
	if err := api.sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if left := network.SessionIDs(); len(left) != 1 || left[0] != others {
		t.Errorf("left are %v, want the one that was not made here", left)
	}
	if left, err := api.left(); err != nil || len(left) > 0 {
		t.Errorf("noted are %v (%v)", left, err)
	}
}
