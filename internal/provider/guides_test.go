// Proves what the guides say: their configurations and scripts are files under examples, which run here
// as they are, and nothing else that a reader could copy is in the pages.

//go:build !windows

package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/semver"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// toolsDir holds the programs that scripts of the guides call, built once a test process.
var toolsDir = sync.OnceValues(func() (string, error) {
	dir, err := acctest.ProviderDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "tools")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for name, args := range map[string][]string{
		"jq":          {"-C", "../tools/jq", "build", "-o", filepath.Join(dir, "jq"), "tool"},
		"qod-sandbox": {"build", "-o", filepath.Join(dir, "qod-sandbox"), "../cmd/qod-sandbox"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

// withTools puts jq, qod-sandbox and a CLI by the name of terraform on the PATH.
func withTools(c *acctest.CLI) *acctest.CLI {
	c.Network.T.Helper()
	tools, err := toolsDir()
	if err != nil {
		c.Network.T.Fatal(err)
	}
	dir := c.Network.T.TempDir()
	path, err := filepath.Abs(acctest.CLIPath(c.Network.T))
	if err != nil {
		c.Network.T.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "terraform")); err != nil {
		c.Network.T.Fatal(err)
	}
	c.Env = append(c.Env, "PATH="+dir+string(os.PathListSeparator)+tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	return c
}

// mirrored has the CLI install the provider with init, as the registries' users do, from a mirror of both.
func withMirror(c *acctest.CLI) *acctest.CLI {
	c.Network.T.Helper()
	built, err := acctest.ProviderDir()
	if err != nil {
		c.Network.T.Fatal(err)
	}
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		dir := filepath.Join(c.Dir, "mirror", registry, "telefonica", "qod", "0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			c.Network.T.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(built, "terraform-provider-qod"), filepath.Join(dir, "terraform-provider-qod_v0.1.0")); err != nil {
			c.Network.T.Fatal(err)
		}
	}
	c.Write("cli.tfrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(c.Dir, "mirror")))
	return c
}

// lay copies a directory of examples into the working directory, in place of its configuration.
func copyExample(c *acctest.CLI, example string) *acctest.CLI {
	c.Network.T.Helper()
	removeFiles(c, "main.tf")
	if err := os.CopyFS(c.Dir, os.DirFS(filepath.Join(examplesDir, example))); err != nil {
		c.Network.T.Fatal(err)
	}
	return c
}

func removeFiles(c *acctest.CLI, names ...string) {
	c.Network.T.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(c.Dir, name)); err != nil {
			c.Network.T.Fatal(err)
		}
	}
}

// The recipe finds a device by its number, also where the API shows it without the plus.
func TestGuide_recover(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	network.Echo(func(info map[string]any) {
		device, _ := info["device"].(map[string]any)
		if number, ok := device["phoneNumber"].(string); ok {
			device["phoneNumber"] = strings.TrimPrefix(number, "+")
		}
	})
	c := copyExample(network.CLI(""), "recover")
	c.Apply()
	network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000099"}})         // another fleet's
	network.Seed(sandbox.Session{Device: sandbox.Device{NetworkAccessIdentifier: "a@b.test"}}) // without a number
	removeFiles(c, "terraform.tfstate")
	writes := network.Writes()

	plan := c.Must(0, "plan", "-no-color", "-input=false", "-out=tfplan")
	if want := "3 to import, 0 to add, 0 to change, 0 to destroy"; !strings.Contains(plan, want) {
		t.Errorf("the plan does not say %q:\n%s", want, plan)
	}
	c.Must(0, "apply", "-no-color", "-input=false", "tfplan")
	if network.Writes() != writes {
		t.Errorf("the recovery wrote to the network: %s, then %s", writes, network.Writes())
	}
	if n := len(acctest.SessionIDs(c.State())); n != 3 {
		t.Errorf("%d sessions are in the state, want 3", n)
	}
	// The import blocks stay, and do nothing any more.
	c.Must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	c.Must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	if left := len(network.Ledger()); left != 2 {
		t.Errorf("%d sessions are left, want the two of others", left)
	}
}

// A device whose session is gone is planned anew, next to the imports.
func TestGuide_recoverInPart(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := copyExample(network.CLI(""), "recover")
	c.Apply()
	removeFiles(c, "terraform.tfstate")
	network.RemovePastLag(network.SessionIDs()[0])
	if plan := c.Must(0, "plan", "-no-color", "-input=false"); !strings.Contains(plan, "2 to import, 1 to add, 0 to change, 0 to destroy") {
		t.Error(plan)
	}
}

// The same for reservations, during their event. One whose session is gone is made anew, in its window.
func TestGuide_recoverReservations(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := copyExample(network.CLI(""), "recover/reservations")
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	network.AtMatch(time.Hour)
	removeFiles(c, "terraform.tfstate")
	if plan := c.Plan(2, "-out=tfplan"); !strings.Contains(plan, "3 to import, 0 to add, 3 to change, 0 to destroy") {
		t.Errorf("the plan is another one:\n%s", plan)
	}
	c.Sends(acctest.NoWrites, 0, "apply", "tfplan")
	c.Plan(0) // the import blocks stay, and do nothing any more

	removeFiles(c, "terraform.tfstate")
	network.Remove(network.SessionIDs()[0])
	if plan := c.Plan(2); !strings.Contains(plan, "2 to import, 1 to add, 2 to change, 0 to destroy") {
		t.Error(plan)
	}
	c.Sends("1 POST 0 DELETE", 0, acctest.ApplyCommand...)
	network.AtMatch(4 * time.Hour)
	c.Plan(0)
}

// What is generated for an imported reservation has no window, which nothing but its user knows.
func TestGuide_recoverGenerates(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	id := network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000010"}, QoSProfile: "QOS_L", Duration: 3600}).ID
	c := network.CLI(fmt.Sprintf("import {\n  to = qod_reservation.camera\n  id = %q\n}\n", id))
	if said := c.Must(1, "plan", "-no-color", "-generate-config-out=generated.tf"); !strings.Contains(said, "ends_at") {
		t.Errorf("it does not say what is missing:\n%s", said)
	}
	generated, err := os.ReadFile(filepath.Join(c.Dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	c.Write("generated.tf", regexp.MustCompile(`ends_at( *)= null`).ReplaceAllString(string(generated), fmt.Sprintf("ends_at$1= %q", matchEnds)))
	if plan := c.Plan(2); !strings.Contains(plan, "1 to import, 0 to add, 1 to change, 0 to destroy") {
		t.Errorf("the plan is another one:\n%s", plan)
	}
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	c.Plan(0)
}

// What a query writes is a configuration that imports what it found.
func TestGuide_query(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(network.CLI(`provider "qod" {}`))
	var product struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(c.Must(0, "version", "-json")), &product); err != nil {
		t.Fatal(err)
	}
	if acctest.IsOpenTofu(t) || semver.Compare("v"+product.Version, "v1.14.0") < 0 {
		t.Skip("terraform query needs Terraform of version 1.14 or later")
	}
	best := network.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}})
	network.Seed(sandbox.Session{QoSProfile: "QOS_E"})
	c.Write("best.tfquery.hcl", readExample(t, "list-resources/qod_session/list-resource.tfquery.hcl"))
	if got := c.Shell(snippet(t, "guides/recover.md", "terraform query")); got.Code != 0 || !strings.Contains(got.Text, "…10 QOS_L AVAILABLE") {
		t.Fatalf("exit code %d\n%s", got.Code, got.Text)
	}
	plan := c.Must(0, "plan", "-no-color", "-input=false")
	if !strings.Contains(plan, "1 to import, 0 to add, ") || !strings.Contains(plan, best.ID) {
		t.Errorf("the configuration that was written plans:\n%s", plan)
	}
	if writes := network.Writes(); writes != "" {
		t.Errorf("a query and a plan wrote to the network: %s", writes)
	}
}

func TestGuide_fleet(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := copyExample(network.CLI(""), "fleet")
	c.Apply()
	outputs := c.Must(0, "output", "-json")
	for _, want := range []string{`"not_available"`, `"north-stand/b"`, `"covered_until"`} {
		if !strings.Contains(outputs, want) {
			t.Errorf("%s is not in the outputs:\n%s", want, outputs)
		}
	}
	network.Revoke(network.SessionIDs()[0])
	c.Must(0, "apply", "-refresh-only", "-auto-approve", "-no-color", "-input=false")
	if shown := c.Must(0, "output", "-json", "not_available"); !strings.Contains(shown, "UNAVAILABLE") {
		t.Errorf("the line without quality is not shown: %s", shown)
	}
	c.Apply()
	writes := network.Writes()
	c.Write("cameras.csv", readExample(t, "fleet/cameras.csv")+"south-stand,a,+34600000021,QOS_L\n")
	twice := c.Run("apply", "-auto-approve", "-no-color", "-input=false")
	if twice.Code != 1 || !strings.Contains(twice.Text, "north-stand/a and south-stand/a") || network.Writes() != writes {
		t.Errorf("a device that is in the files twice is not refused before anything is asked for: %d %s\n%s", twice.Code, network.Writes(), twice.Text)
	}
	c.Write("cameras.csv", readExample(t, "fleet/cameras.csv"))
	c.Destroy()
}

// A match, merged days early, and what looks at it meanwhile.
func TestGuide_event(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 4*24*time.Hour, sandbox.Config{})
	c := copyExample(network.CLI(""), "event")
	shows := func(name, want string, args ...string) {
		t.Helper()
		if shown := c.Must(0, append(args, "output", "-json", name)...); shown != want {
			t.Errorf("%s is %s, want %s", name, shown, want)
		}
	}
	looks := func(want string) {
		t.Helper()
		c.Must(0, "-chdir=status", "apply", "-auto-approve", "-no-color", "-input=false")
		shows("without_quality", want, "-chdir=status")
	}
	const all = `["north-stand/a","north-stand/b","touchline/a"]`

	if said := c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...); strings.Count(said, "Reservation Window Is Not Open Yet") < 1 {
		t.Errorf("it does not say that nothing is reserved:\n%s", said)
	}
	shows("device_hours", "10.5") // three SIMs for three hours and a half
	c.Plan(0)
	looks(all)

	network.AtMatch(-30 * time.Minute) // the window opens before kick-off, which is at 21:15+01:00
	c.Plan(2)
	c.Sends("3 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)
	looks("[]")

	network.AtMatch(time.Hour)
	network.Revoke(network.SessionIDs()[0])
	c.Plan(2)
	c.Must(0, "-chdir=status", "apply", "-auto-approve")
	if shown := c.Must(0, "-chdir=status", "output", "-json"); !strings.Contains(shown, "UNAVAILABLE until 2028-02-29T23:1") {
		t.Errorf("the SIM without quality is not shown: %s", shown)
	}
	c.Sends("1 POST 1 DELETE", 0, acctest.ApplyCommand...)
	c.Plan(0)

	writes := network.Writes()
	c.Write("cameras.csv", readExample(t, "event/cameras.csv")+"south-stand,a,+34600000051,QOS_L\n")
	twice := c.Run("apply", "-auto-approve", "-no-color", "-input=false")
	if twice.Code != 1 || !strings.Contains(twice.Text, "north-stand/a and south-stand/a") || network.Writes() != writes {
		t.Errorf("a device that is in the file twice is not refused before anything is asked for: %d %s\n%s", twice.Code, network.Writes(), twice.Text)
	}
	c.Write("cameras.csv", readExample(t, "event/cameras.csv"))

	network.AtMatch(4 * time.Hour)
	c.Plan(0)
	looks(all)
	shows("device_hours", "10.5")
	c.Sends(acctest.NoWrites, 0, "destroy", "-auto-approve")
}

// A festival of four nights: each is bought when it is its turn, and nothing between two of them.
func TestGuide_festival(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := copyExample(network.CLI(""), "event")
	in := func(args ...string) []string { return append([]string{"-chdir=festival"}, args...) }
	c.Must(0, in("apply", "-auto-approve", "-no-color", "-input=false")...)
	if shown := c.Must(0, in("output", "-json", "device_hours")...); shown != `{"fri":19.5,"sat":30,"sun":22.5,"thu":19.5}` {
		t.Errorf("device_hours is %s", shown)
	}
	for night, starts := range []string{"2028-07-06T17:00:00Z", "2028-07-07T17:00:00Z", "2028-07-08T15:00:00Z", "2028-07-09T15:00:00Z"} {
		starts := mustInstant(t, starts)
		network.AtMatch(starts.Add(-time.Hour).Sub(acctest.KickOff))
		c.Must(0, in("plan", "-detailed-exitcode", "-input=false")...)
		network.AtMatch(starts.Sub(acctest.KickOff))
		c.Must(2, in("plan", "-detailed-exitcode", "-input=false")...)
		c.Must(0, in("apply", "-auto-approve", "-no-color", "-input=false")...)
		if live, asked := len(network.Ledger()), network.Count(sandbox.OpCreate); live != 3 || asked != 3*(night+1) {
			t.Errorf("in night %d there are %d sessions, after %d POSTs", night, live, asked)
		}
	}
	network.AtMatch(mustInstant(t, "2028-07-10T00:00:00Z").Sub(acctest.KickOff))
	c.Must(0, in("plan", "-detailed-exitcode", "-input=false")...)
	festival := readExample(t, "event/festival/main.tf")
	c.Write("festival/main.tf", strings.Replace(festival, "2028-07-07T01:30:00+02:00", "2028-07-07T19:00:00+02:00", 1))
	if said := c.Must(1, in("plan", "-no-color", "-input=false")...); !strings.Contains(said, "each night must end before the next one starts") {
		t.Errorf("nights that touch are not refused:\n%s", said)
	}
	c.Write("festival/main.tf", festival)
	c.Must(0, in("destroy", "-auto-approve", "-no-color", "-input=false")...)
	if network.Count(sandbox.OpDelete) != 0 || len(network.Ledger()) > 0 {
		t.Errorf("the network saw %s", network.Writes())
	}
}

func TestGuide_countries(t *testing.T) {
	spain := acc.NewNetwork(t, sandbox.Config{})
	germany := acc.StartNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: "berlin", Secret: "geheim"}}})
	clients, err := json.Marshal(map[string]map[string]string{
		"spain":   {"endpoint": spain.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret},
		"germany": {"endpoint": germany.Endpoint(), "client_id": "berlin", "client_secret": "geheim"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := copyExample(spain.CLI("", "TF_VAR_clients="+string(clients)), "countries")
	c.Must(0, "apply", "-auto-approve", "-no-color", "-input=false")
	c.Must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	if s, g := len(spain.Ledger()), len(germany.Ledger()); s != 1 || g != 1 {
		t.Errorf("%d sessions in Spain and %d in Germany, want one each", s, g)
	}
	for _, r := range germany.Requests() {
		if _, secret, _ := (&http.Request{Header: r.Header}).BasicAuth(); secret == sandbox.DefaultClient.Secret || bytes.Contains(r.Body, []byte(sandbox.DefaultClient.Secret)) {
			t.Errorf("Germany was sent Spain's secret: %s %s", r.Method, r.Path)
		}
	}
	c.Must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	if left := len(spain.Ledger()) + len(germany.Ledger()); left > 0 {
		t.Errorf("%d sessions are left", left)
	}
}

// The trap that the guide warns of is there: what an alias does not set comes from the environment.
func TestGuide_countriesTrap(t *testing.T) {
	spain := acc.NewNetwork(t, sandbox.Config{})
	germany := sandbox.Start(t, sandbox.Config{})
	c := spain.CLI(fmt.Sprintf("provider \"qod\" {\n  alias     = \"germany\"\n  endpoint  = %q\n  client_id = \"berlin\"\n}\n", germany.Endpoint()) +
		acctest.SessionBlock("munich", "provider = qod.germany", 3600))
	c.Must(1, "apply", "-auto-approve", "-no-color", "-input=false")
	for _, r := range germany.Requests(sandbox.OpToken) {
		if id, secret, _ := (&http.Request{Header: r.Header}).BasicAuth(); id != "berlin" || secret != sandbox.DefaultClient.Secret {
			t.Errorf("Germany got %q with %q", id, secret)
		}
	}
	if germany.Count(sandbox.OpToken) == 0 {
		t.Error("Germany was asked for no token")
	}
}

func TestGuide_testing(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(copyExample(network.CLI(""), "testing"))
	if err := os.CopyFS(filepath.Join(c.Dir, "..", "mocks"), os.DirFS(filepath.Join(examplesDir, "mocks"))); err != nil {
		t.Fatal(err)
	}
	suffix := ".tftest.hcl"
	if acctest.IsOpenTofu(t) {
		suffix = ".tofutest.hcl"
	}
	mocked := c.Must(0, "test", "-no-color", "-filter=tests/mocked"+suffix)
	if !strings.Contains(mocked, "3 passed, 0 failed") || len(network.Requests()) > 0 {
		t.Errorf("with mocks, %d requests were made:\n%s", len(network.Requests()), mocked)
	}
	if alive := c.Shell(readExample(t, "testing/sandbox.sh")); alive.Code != 0 || !strings.Contains(alive.Text, "2 passed, 0 failed") {
		t.Errorf("in the sandbox: exit code %d\n%s", alive.Code, alive.Text)
	}
	odd := c.Shell(readExample(t, "testing/misbehave.sh"))
	if odd.Code != 0 || !strings.Contains(odd.Text, "it is now 20") || !strings.Contains(odd.Text, "phoneNumber …10") {
		t.Errorf("told to misbehave: exit code %d\n%s", odd.Code, odd.Text)
	}
	if len(network.Requests()) > 0 {
		t.Errorf("%d requests went elsewhere than to the sandboxes of the scripts", len(network.Requests()))
	}
	// go run …@latest itself is tried by TestRunWithoutAClone in internal/cmd/qod-sandbox.
	c.Write("go", "#!/bin/sh -eu\n[ \"$1 $2\" = 'run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest' ]\nshift 2\nexec qod-sandbox \"$@\"\n")
	if err := os.Chmod(filepath.Join(c.Dir, "go"), 0o700); err != nil { //nolint:gosec // it is a script
		t.Fatal(err)
	}
	all := c.Shell("PATH=.:$PATH\n" + snippet(t, "guides/testing.md", "go run "))
	if all.Code != 0 || !strings.Contains(all.Text, "5 passed, 0 failed") {
		t.Errorf("without a clone: exit code %d\n%s", all.Code, all.Text)
	}
	c.Env = append(c.Env, "REHEARSAL_PHONE_NUMBER=+34600000010")
	rehearsal := c.Shell(readExample(t, "testing/rehearsal.sh"))
	if rehearsal.Code != 0 || network.Writes() != "POST DELETE" || len(network.Ledger()) > 0 {
		t.Errorf("the rehearsal: exit code %d, %s\n%s", rehearsal.Code, network.Writes(), rehearsal.Text)
	}
}

// objections are what the gate says of the plan that the arguments make.
func objections(c *acctest.CLI, most int, cut string, args ...string) []string {
	c.Network.T.Helper()
	c.Must(0, append([]string{"plan", "-no-color", "-input=false", "-out=tfplan"}, args...)...)
	gate := c.Shell(`terraform show -json tfplan >plan.json; jq -r --argjson most "$1" --argjson cut "$2" -f gate.jq plan.json >objections; cat objections`,
		fmt.Sprint(most), cut)
	if gate.Code != 0 {
		c.Network.T.Fatalf("the gate: exit code %d\n%s", gate.Code, gate.Text)
	}
	said, err := os.ReadFile(filepath.Join(c.Dir, "objections"))
	if err != nil {
		c.Network.T.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(said)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	slices.Sort(lines)
	return lines
}

func TestGuide_pipelineGate(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
	c := withTools(copyExample(network.CLI(""), "pipeline"))
	const (
		north = `qod_reservation.camera["north-stand"]`
		touch = `qod_reservation.camera["touchline"]`
		named = `["qod_reservation.camera[\"north-stand\"]"]`
		cut   = " is live, and its new window would end its session early"
	)
	original := readExample(t, "pipeline/main.tf")
	reads := func(replacements ...string) {
		t.Helper()
		c.Write("main.tf", strings.NewReplacer(replacements...).Replace(original))
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("two that are yet to open", objections(c, 2, "[]"))
	check("two, one allowed", objections(c, 1, "[]"), "the plan may buy 2 sessions, but MOST is 1")
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	check("nothing to do", objections(c, 0, "[]"))

	network.AtMatch(0)
	check("due", objections(c, 2, "[]"))
	check("due, one allowed", objections(c, 1, "[]"), "the plan may buy 2 sessions, but MOST is 1")
	c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
	check("live", objections(c, 0, "[]"))
	check("replaced", objections(c, 2, named, "-replace="+north, "-replace="+touch), touch+" is live, and the plan would delete and create it")
	reads(`+34600000032"`, `+34600000033"`)
	check("another device", objections(c, 2, "[]"), touch+" is live, and the plan would delete and create it")
	reads("local.cameras", "{}")
	check("deleted", objections(c, 2, "[]"), north+" is live, and the plan would delete it", touch+" is live, and the plan would delete it")
	reads("local.cameras", `{ north-stand = "+34600000031" }`)
	check("one deleted, another one named", objections(c, 2, named), touch+" is live, and the plan would delete it")

	// Moving the window, from 20:15 to 00:15.
	network.AtMatch(time.Hour)
	for what, test := range map[string]struct {
		from, to string
		cuts     bool
	}{
		"a later end":                     {`"2028-03-01T00:15:00Z"`, `"2028-03-01T01:15:00Z"`, false},
		"a later end, in another offset":  {`"2028-03-01T00:15:00Z"`, `"2028-02-29T21:15:00-05:00"`, false},
		"the same end, in another offset": {`"2028-03-01T00:15:00Z"`, `"2028-03-01T05:45:00+05:30"`, false},
		"an earlier end":                  {`"2028-03-01T00:15:00Z"`, `"2028-02-29T23:15:00Z"`, true},
		"an earlier end, in other words":  {`"2028-03-01T00:15:00Z"`, `"2028-03-01T02:15:00.5+03:00"`, true},
		"an earlier start":                {`"2028-02-29T20:15:00Z"`, `"2028-02-29T19:15:00Z"`, false},
		"no start":                        {`"2028-02-29T20:15:00Z"`, "null", false},
		"a start to come":                 {`"2028-02-29T20:15:00Z"`, `"2028-02-29T22:15:00Z"`, true},
		"an end that is not known":        {`"2028-03-01T00:15:00Z"`, "terraform_data.end.output\n}\nresource \"terraform_data\" \"end\" {\n  input = \"2028-03-01T01:15:00Z\"", true},
	} {
		reads(test.from, test.to)
		if test.cuts {
			check(what, objections(c, 2, named), touch+cut)
		} else {
			check(what, objections(c, 2, "[]"))
		}
	}
	reads()

	for _, id := range network.SessionIDs() {
		network.Revoke(id)
	}
	check("refused by the network", objections(c, 2, "[]"))
	check("refused by the network, one allowed", objections(c, 1, "[]"), "the plan may buy 2 sessions, but MOST is 1")
	c.Sends("2 POST 2 DELETE", 0, acctest.ApplyCommand...)

	// An end that has passed: what is left is released, which buys nothing and needs no leave.
	reads(`"2028-03-01T00:15:00Z"`, `"2028-02-29T22:15:00Z"`)
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	network.AtMatch(2 * time.Hour)
	check("left over", objections(c, 0, "[]"))
	c.Sends("0 POST 2 DELETE", 0, acctest.ApplyCommand...)
	reads("2028-02-29T20:15:00Z", "2028-03-07T20:15:00Z", "2028-03-01T00:15:00Z", "2028-03-08T00:15:00Z")
	check("the next event", objections(c, 2, "[]"))
	check("the next event, one allowed", objections(c, 1, "[]"), "the plan may buy 2 sessions, but MOST is 1")
}

// Adopting the window of an imported session is no cut, unless the window says so.
func TestGuide_pipelineGateImports(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	c := withTools(copyExample(network.CLI(""), "pipeline"))
	c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
	removeFiles(c, "terraform.tfstate")
	imports := ""
	for _, live := range network.Ledger() {
		name := map[string]string{"+34600000031": "north-stand", "+34600000032": "touchline"}[live.Device.PhoneNumber]
		imports += fmt.Sprintf("import {\n  to = qod_reservation.camera[%q]\n  id = %q\n}\n", name, live.ID)
	}
	c.Write("imports.tf", imports)
	network.AtMatch(time.Hour)
	if got := objections(c, 2, "[]"); len(got) > 0 {
		t.Errorf("an import is refused: %q", got)
	}
	c.Write("main.tf", strings.Replace(readExample(t, "pipeline/main.tf"), `"2028-02-29T20:15:00Z"`, `"2028-02-29T22:15:00Z"`, 1))
	if got := objections(c, 2, "[]"); len(got) != 2 {
		t.Errorf("an import that releases is let through: %q", got)
	}
}

// What the gate says of qod_session, which a configuration may have as well.
func TestGuide_pipelineGateSessions(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(copyExample(network.CLI(""), "pipeline"))
	reads := func(seconds int, numbers string) {
		c.Write("main.tf", fmt.Sprintf("terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n"+
			"resource \"qod_session\" \"camera\" {\n  for_each = %s\n  device = { phone_number = each.value }\n  qos_profile = \"QOS_L\"\n  duration = %d\n}\n", numbers, seconds))
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	const both, north, south, named = `{ north = "+34600000031", south = "+34600000032" }`, "qod_session.camera[\"north\"]", "qod_session.camera[\"south\"]", `["qod_session.camera[\"north\"]"]`
	reads(3600, both)
	check("two", objections(c, 2, "[]"))
	check("two, one allowed", objections(c, 1, "[]"), "the plan may buy 2 sessions, but MOST is 1")
	c.Apply()
	check("live", objections(c, 0, "[]"))
	reads(7200, both)
	check("replaced", objections(c, 2, named), south+" is live, and the plan would delete and create it")
	reads(3600, "{}")
	check("cut", objections(c, 0, "[]"), north+" is live, and the plan would delete it", south+" is live, and the plan would delete it")
	reads(3600, both)
	for _, id := range network.SessionIDs() {
		network.Revoke(id)
	}
	check("refused by the network", objections(c, 2, "[]"))
	c.Destroy()
}

// sleeps puts a sleep on the PATH that lets the network's time pass instead of anybody's, and has things
// happen at the n-th time.
func fakeSleep(c *acctest.CLI, happens map[int]string) {
	c.Network.T.Helper()
	dir := c.Network.T.TempDir()
	script := "#!/bin/sh\nset -eu\nqod-sandbox advance \"$1s\" >/dev/null\necho slept >>slept\ncase $(wc -l <slept | tr -d ' ') in\n"
	for n, command := range happens {
		script += fmt.Sprintf("%d) %s ;;\n", n, command)
	}
	if err := os.WriteFile(filepath.Join(dir, "sleep"), []byte(script+"esac\n"), 0o700); err != nil { //nolint:gosec // it is a program
		c.Network.T.Fatal(err)
	}
	for i, v := range c.Env {
		if path, is := strings.CutPrefix(v, "PATH="); is {
			c.Env[i] = "PATH=" + dir + string(os.PathListSeparator) + path
		}
	}
}

// An event from before its start to after its end, with a session that the network ends in between.
func TestGuide_pipeline(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 50*time.Minute, sandbox.Config{Control: true})
	c := withTools(copyExample(network.CLI("", "INTERVAL=3000", "MOST=2"), "pipeline"))
	fakeSleep(c, map[int]string{2: "qod-sandbox revoke +34600000031"})
	event := c.Shell("./event.sh")
	if event.Code != 0 || len(network.Ledger()) > 0 {
		t.Errorf("exit code %d, %d sessions are left", event.Code, len(network.Ledger()))
	}
	if got := network.Writes(); got != "POST POST DELETE POST" {
		t.Errorf("the network saw %s", got)
	}
	for _, want := range []string{"Plan: 2 to add, 0 to change, 0 to destroy", "Plan: 0 to add, 2 to change", "Plan: 0 to add, 1 to change", "2 AVAILABLE", "2 ENDED", "the event is over, and no session is live; failed passes: 0"} {
		if !strings.Contains(event.Text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(event.Text)
	}
	log, err := os.ReadFile(filepath.Join(c.Dir, "apply.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		if !json.Valid(line) {
			t.Errorf("the log of what was applied has a line that is no JSON: %s", line)
		}
	}
	for _, r := range c.State().Resources {
		if r.AttributeValues["status"] != "ENDED" {
			t.Errorf("the state says that %s is %v", r.Address, r.AttributeValues["status"])
		}
	}
	if first := network.Requests(sandbox.OpCreate)[0].At; first.Before(acctest.KickOff) {
		t.Errorf("the first session was asked for at %v, before the start", first)
	}
}

// A pass that the gate refuses and an API that is down are tried again, and do not end the event. A job
// that has no more time ends between two passes, and the next one goes on.
func TestGuide_pipelineGoesOn(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Control: true})
	c := withTools(copyExample(network.CLI("", "QOD_MAX_RETRIES=0", "INTERVAL=5000", "MOST=1"), "pipeline"))
	fakeSleep(c, nil)
	refused := c.Shell("MINUTES=0 ./event.sh")
	acctest.ContainsAll(t, refused.Text, []string{"the plan may buy 2 sessions, but MOST is 1", "this pass failed", "stopped after MINUTES=0, before the event is over"})
	if refused.Code != 0 || network.Writes() != "" {
		t.Errorf("exit code %d, and the network saw %s", refused.Code, network.Writes())
	}

	network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.Status(400, "")})
	event := c.Shell("MOST=2 ./event.sh")
	acctest.ContainsAll(t, event.Text, []string{"this pass failed", "Error: Unable to Create QoS Reservation", "2 ENDED", "failed passes: 1"})
	if event.Code != 0 || len(network.Ledger()) > 0 {
		t.Errorf("exit code %d, %d sessions are left\n%s", event.Code, len(network.Ledger()), event.Text)
	}
	if network.Count(sandbox.OpCreate) != 4 {
		t.Errorf("%d POSTs, want two refused and two granted", network.Count(sandbox.OpCreate))
	}
}

// A job that is cancelled between two passes ends at once, and leaves what is live to the next one.
func TestGuide_pipelineStops(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Control: true})
	c := withTools(copyExample(network.CLI(""), "pipeline"))
	fakeSleep(c, map[int]string{1: "kill -TERM $PPID"})
	event := c.Shell("./event.sh")
	acctest.ContainsAll(t, event.Text, []string{"stopped. Live sessions stay live until their windows end"})
	if event.Code != 130 || network.Writes() != "POST POST" {
		t.Errorf("exit code %d, and the network saw %s\n%s", event.Code, network.Writes(), event.Text)
	}
	c.ExpectInSync()
}

// What is left after the end, as when the network was slow to grant it, is released by the loop.
func TestGuide_pipelineReleases(t *testing.T) {
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{Control: true})
	c := withTools(copyExample(network.CLI("", "INTERVAL=7200"), "pipeline"))
	fakeSleep(c, nil)
	c.Sends("2 POST 0 DELETE", 0, acctest.ApplyCommand...)
	c.Write("main.tf", strings.Replace(readExample(t, "pipeline/main.tf"), `"2028-03-01T00:15:00Z"`, `"2028-02-29T21:15:00Z"`, 1))
	c.Sends(acctest.NoWrites, 0, acctest.ApplyCommand...)
	event := c.Shell("./event.sh")
	acctest.ContainsAll(t, event.Text, []string{"2 AVAILABLE", "Plan: 0 to add, 2 to change, 0 to destroy", "2 ENDED"})
	if event.Code != 0 || network.Writes() != "POST POST DELETE DELETE" {
		t.Errorf("exit code %d, and the network saw %s\n%s", event.Code, network.Writes(), event.Text)
	}
}

func TestGuide_pipelineMisused(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(copyExample(network.CLI(""), "pipeline"))
	original := readExample(t, "pipeline/main.tf")
	for _, odd := range []string{"MOST=many", "CUT=north-stand", `CUT='{}'`} {
		if got := c.Shell(odd + " ./event.sh"); got.Code != 2 || !strings.Contains(got.Text, "MOST must be a number, and CUT a JSON list of addresses") {
			t.Errorf("%s: exit code %d, %s", odd, got.Code, got.Text)
		}
	}
	for says, config := range map[string]string{
		"must be a time in RFC 3339 form":          strings.Replace(original, "2028-02-29T20:15:00Z", "tomorrow", 1),
		"the configuration has no qod_reservation": strings.Replace(original, "local.cameras", "{}", 1),
	} {
		c.Write("main.tf", config)
		if got := c.Shell("./event.sh"); got.Code != 2 || !strings.Contains(got.Text, says) {
			t.Errorf("want %q: exit code %d, %s", says, got.Code, got.Text)
		}
	}
	if len(network.Requests()) > 0 {
		t.Error("requests were made")
	}
}

var fence = regexp.MustCompile("(?ms)^```(terraform|hcl|shell|sh|jq|bash)\n(.*?)^```$")

// elsewhere are shell snippets that are no file, by how they begin, and what runs them.
var elsewhere = map[string]string{
	"make bench":   "make bench",
	"make demo":    ".ci/run",
	"make test":    ".ci/run",
	"make install": "TestReadme",
	"export QOD_":  "TestSnippets_exports",
	"go run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest exec -- sh\n":           "TestIndex",
	"go run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest exec -- terraform test": "TestGuide_testing",
	"terraform query -generate": "TestGuide_query",
}

// snippet is the shell snippet of a page that begins like this.
func snippet(t *testing.T, page, begins string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range fence.FindAllStringSubmatch(string(content), -1) {
		if match[1] == "shell" && strings.HasPrefix(match[2], begins) {
			return match[2]
		}
	}
	t.Fatalf("%s has no snippet that begins with %q", page, begins)
	return ""
}

// The first thing that the Registry's page has a reader try, in a directory with the example below it.
func TestIndex(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withMirror(withTools(network.CLI("", "TF_CLI_ARGS_apply=-auto-approve")))
	c.Configure("provider \"qod\" {}\n" + readExample(t, "resources/qod_session/resource.tf"))
	c.Env = append(c.Env, "TF_VAR_webhook_token=t")
	first, rest, _ := strings.Cut(snippet(t, "index.md", "go run "), "\n")
	_, exec, found := strings.Cut(first, "@latest ")
	got := c.Shell("qod-sandbox " + exec + " -eu <<'END'\n" + rest + "END\n")
	if !found || got.Code != 0 || !strings.Contains(got.Text, "Apply complete! Resources: 1 added") || len(network.Requests()) > 0 {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
}

// Credentials in the environment are enough for a plan; with sessions still to be made, it asks the API for nothing.
func TestSnippets_exports(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(network.CLI(readExample(t, "pipeline/main.tf")))
	c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "QOD_") })
	if without := c.Shell("terraform plan -no-color"); without.Code != 1 || !strings.Contains(without.Text, "QOD_CLIENT_ID") {
		t.Errorf("without credentials: exit code %d\n%s", without.Code, without.Text)
	}
	readme := snippet(t, "../README.md", "export ") + "terraform plan -no-color\n"
	for _, script := range []string{snippet(t, "index.md", "export "), readme} {
		if got := c.Shell(script); got.Code != 0 || !strings.Contains(got.Text, "2 to add") {
			t.Errorf("exit code %d\n%s", got.Code, got.Text)
		}
	}
}

// What the README has a newcomer type behind the set-up.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "qod-sandbox exec -quiet -- sh ")
	commands, _, ends := strings.Cut(rest, "exit\n")
	_, commands, comment := strings.Cut(commands, "\n")
	if !found || !ends || !comment || strings.Count(commands, "terraform ") != 3 {
		t.Fatalf("the README has other commands than this test knows:\n%s", commands)
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(copyExample(network.CLI("", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve"), "quickstart"))
	got := c.Shell("qod-sandbox exec -quiet --fail-on-leftovers -- sh -eu <<'END'\n" + commands + "END\n")
	if got.Code != 0 || strings.Count(got.Text, "phoneNumber …") != 2 || len(network.Requests()) > 0 {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
}

// Nothing that a reader may copy is in a page without being run.
func TestSnippets(t *testing.T) {
	var known []string
	examples := os.DirFS(examplesDir)
	err := fs.WalkDir(examples, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(examples, name)
		known = append(known, strings.TrimSpace(string(content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages := []string{"../../README.md", "../../.github/CONTRIBUTING.md"}
	err = filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	var inline []string
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range fence.FindAllStringSubmatch(string(content), -1) {
			checked++
			if slices.Contains(known, strings.TrimSpace(match[2])) {
				continue
			}
			// A configuration that is no file is applied below.
			if match[1] == "terraform" {
				inline = append(inline, match[2])
				continue
			}
			runs := false
			for start := range elsewhere {
				runs = runs || strings.HasPrefix(match[2], start)
			}
			if !runs {
				t.Errorf("%s has a snippet that is no file under examples, so that nothing runs it:\n%s", page, match[2])
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d snippets were found", checked)
	}
	for _, hcl := range inline {
		network := acc.StartNetwork(t, sandbox.Config{})
		c := network.CLI(hcl)
		c.Apply()
		c.Destroy()
	}
}
