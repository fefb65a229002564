// Proves the main job on any endpoint: a session is reserved, shown, found, imported, replaced and
// released. "make testacc-remote" runs it on the API that QOD_* name, for the device in
// QOD_TEST_PHONE_NUMBER. Without QOD_ENDPOINT it runs on a sandbox, so that it is not first tried
// where it costs money.
//
// QOD_TEST_QOS_PROFILE names another profile than QOS_E, where the operator has others. With
// CAMARA's APIs, sessions are for a server that there is not (TEST-NET-1), so no traffic changes.
// With a mock that remembers nothing, as Telefónica's developer sandbox, it tries what that can
// show.
//
// It touches no session but those it makes. Each is noted on disk until it is gone; the next run
// begins by sweeping up what one that was killed has left. What is killed within the very request
// that makes a session can note nothing, but no session here lasts much longer than a minute.

package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
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
	dir    string
	device qod.Device
}

// remote is the API that the environment names, for a device.
func remote(t *testing.T, dir, phone string, getenv func(string) string) noted {
	t.Helper()
	sessions, diags := connect(providerModel{}, getenv, "terraform-provider-qod/test", nil, nil)
	if diags.HasError() {
		t.Fatal(diags)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	return noted{sessions, dir, qod.Device{PhoneNumber: phone}}
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
		if err := n.Delete(ctx, qod.Ref{ID: id, Device: n.device}); err != nil && !qod.IsGone(err) {
			failed = append(failed, fmt.Errorf("%s is not swept up: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// sandboxEnvironment is the environment of this network's client. As at Telefónica's gateway, each
// of its tokens with 0.10 is for one device.
func sandboxEnvironment(network *acctest.Network) func(string) string {
	return func(name string) string {
		if name == "QOD_GRANT" && network.API() == sandbox.CAMARAV0 {
			return string(qod.CIBA)
		}
		return map[string]string{
			"QOD_API": string(network.API()), "QOD_ENDPOINT": network.Endpoint(), "QOD_CLIENT_ID": sandbox.DefaultClient.ID, "QOD_CLIENT_SECRET": sandbox.DefaultClient.Secret,
		}[name]
	}
}

// remembers reports whether the API tells a session that it has made from one that it has not.
func (n noted) remembers(ctx context.Context) bool {
	_, err := n.Sessions.Read(ctx, qod.Ref{ID: uuid.NewString(), Device: n.device})
	var answer *qod.Error
	return err != nil && (!errors.As(err, &answer) || answer.Status/100 != 2)
}

// testConfig is a session of the test's device, and where the API lists, what lists show.
func (n noted) testConfig(profile string, seconds int) string {
	server, list := "", ""
	needsServer := func(p qod.Problem) bool { return p.Field == qod.FieldApplicationServer }
	if slices.ContainsFunc(n.Check(qod.Spec{Device: n.device, QoSProfile: profile, Seconds: int64(seconds)}), needsServer) {
		server = `application_server = { ipv4_address = "192.0.2.1" }`
	}
	if limits := n.Limits(); limits.CanList || limits.CanListByDevice {
		list = fmt.Sprintf(`
data "qod_sessions" "test" {
  device     = { phone_number = %q }
  depends_on = [qod_session.test]
}
`, n.device.PhoneNumber)
	}
	return fmt.Sprintf(`
resource "qod_session" "test" {
  device      = { phone_number = %q }
  qos_profile = %q
  duration    = %d
  %s
}
%s`, n.device.PhoneNumber, profile, seconds, server, list)
}

func TestRemote_life(t *testing.T) {
	t.Parallel()
	if os.Getenv("QOD_ENDPOINT") != "" {
		api := remote(t, filepath.Join("..", "..", "bin", "testacc-remote"), os.Getenv("QOD_TEST_PHONE_NUMBER"), os.Getenv)
		api.live(t, cmp.Or(os.Getenv("QOD_TEST_QOS_PROFILE"), "QOS_E"))
		return
	}
	for name, config := range map[string]sandbox.Config{
		"with the default API": {}, "with 0.10": {API: sandbox.CAMARAV0}, "with a mock that forgets": {API: sandbox.CAMARAV0, Forgetful: true, MockRules: true},
	} {
		t.Run(name, func(t *testing.T) {
			if config.Forgetful {
				acctest.AnyCLI(t)
			}
			network := acc.NewNetwork(t, config)
			others := network.Seed(sandbox.Session{ClientID: sandbox.DefaultClient.ID})
			// As networks do, it shows the line by another name, too, and not how long it was asked
			// for.
			network.Echo(func(info map[string]any) {
				if device, ok := info["device"].(map[string]any); ok && !config.Forgetful {
					device["networkAccessIdentifier"] = "line@operator.example"
					delete(info, "duration")
				}
			})
			remote(t, t.TempDir(), "+34600000010", sandboxEnvironment(network)).live(t, "QOS_E")
			if left := network.SessionIDs(); len(left) != 1 || left[0] != others.ID {
				t.Errorf("left are %v, want the one that was there before", left)
			}
		})
	}
}

// live goes through the life of a session.
func (n noted) live(t *testing.T, profile string) {
	t.Helper()
	if n.device.PhoneNumber == "" {
		t.Fatal("name a device of yours in QOD_TEST_PHONE_NUMBER: sessions of a minute are made for it")
	}
	if err := n.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.sweep(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if !n.remembers(t.Context()) {
		n.liveForgotten(t, profile)
		return
	}
	available := []statecheck.StateCheck{
		statecheck.ExpectKnownValue("qod_session.test", tfjsonpath.New("qos_status"), knownvalue.StringExact("AVAILABLE")),
	}
	if limits := n.Limits(); limits.CanList || limits.CanListByDevice {
		available = append(available, statecheck.ExpectKnownValue("data.qod_sessions.test", tfjsonpath.New("sessions"), knownvalue.ListPartial(map[int]knownvalue.Check{
			0: knownvalue.ObjectPartial(map[string]knownvalue.Check{"qos_status": knownvalue.StringExact("AVAILABLE")}),
		})))
	}
	empty := resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	longer := acctest.WithPlanChecks(resource.TestStep{Config: n.testConfig(profile, 61), ConfigPlanChecks: empty}, acctest.ExpectReplacement("qod_session.test", "duration"))
	if n.Limits().CanExtend {
		longer = acctest.WithPlanChecks(resource.TestStep{Config: n.testConfig(profile, 61), ConfigPlanChecks: empty},
			plancheck.ExpectResourceAction("qod_session.test", plancheck.ResourceActionUpdate))
	}
	acctest.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"qod": func() (tfprotov6.ProviderServer, error) {
				return NewServer(os.Getenv, nil, n), nil
			},
		},
		Steps: []resource.TestStep{
			{Config: n.testConfig(profile, 60), ConfigStateChecks: available, ConfigPlanChecks: empty},
			{
				ResourceName: "qod_session.test", ImportState: true, ImportStateVerify: true,
				// The device is needed only where each access token is for one.
				ImportStateIdFunc: func(s *terraform.State) (string, error) {
					return s.RootModule().Resources["qod_session.test"].Primary.ID + "," + n.device.PhoneNumber, nil
				},
				// An import takes these from the network, a create from the configuration.
				ImportStateVerifyIgnore: []string{"device", "duration", "application_server"},
			},
			longer,
		},
		CheckDestroy: func(*terraform.State) error {
			left, err := n.left()
			if len(left) > 0 {
				err = fmt.Errorf("left on the network after destroy: %v", left)
			}
			return err
		},
	})
}

// liveForgotten is what a mock without a memory can show: that sessions are requested and released,
// and that a device whose number ends in 9 is taken, which is Telefónica's rule. Whatever it shows
// of a session is no error of the provider's, and ends no state.
func (n noted) liveForgotten(t *testing.T, profile string) {
	t.Helper()
	t.Log("This API knows every session, also one that was never made. So nothing is tried that takes a memory: " +
		"a session that changes, ends or is gone, an import, and that the second plan is empty.")
	c := acc.NewClientOf(t, n)
	config := attrs{
		"device": attrs{"phone_number": n.device.PhoneNumber}, "application_server": attrs{"ipv4_address": "192.0.2.1"},
		"qos_profile": profile, "duration": 60, "wait_for_available": false,
	}
	made := c.Create(config)
	if made.Errors() != "" || made.Text("id") == "" {
		t.Fatalf("create: %s", acctest.Describe(made.Diagnostics))
	}
	read := c.Refresh(made.State)
	t.Logf("A read of the session says: %s %s", read.Text("qos_status"), acctest.Describe(read.Diagnostics))
	if read.Text("id") != made.Text("id") {
		t.Errorf("it is no longer in the state: %s", acctest.Describe(read.Diagnostics))
	}
	if gone := c.Destroy(made.State); len(gone.Diagnostics) > 0 || gone.Values != nil {
		t.Errorf("destroy: %s", acctest.Describe(gone.Diagnostics))
	}
	taken := c.Create(config.With("device.phone_number", n.device.PhoneNumber[:len(n.device.PhoneNumber)-1]+"9"))
	if taken.Values != nil || !strings.Contains(taken.Errors(), "already has a session") {
		t.Errorf("a number that ends in 9: %v, %s", taken.Values, acctest.Describe(taken.Diagnostics))
	}
}

func TestSweep(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{Provisioning: sandbox.Instant})
	dir := t.TempDir()
	api := remote(t, dir, "+34600000010", sandboxEnvironment(network))
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

	api = remote(t, dir, "+34600000010", sandboxEnvironment(network)) // as the next run sweeps
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
