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

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// toolsDir holds the programs that scripts of the guides call, built once a test process.
var toolsDir = sync.OnceValues(func() (string, error) {
	dir, err := binary()
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
func (c *cli) withTools() *cli {
	c.w.t.Helper()
	tools, err := toolsDir()
	if err != nil {
		c.w.t.Fatal(err)
	}
	dir := c.w.t.TempDir()
	path, err := filepath.Abs(cliPath(c.w.t))
	if err != nil {
		c.w.t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "terraform")); err != nil {
		c.w.t.Fatal(err)
	}
	c.env = append(c.env, "PATH="+dir+string(os.PathListSeparator)+tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	return c
}

// mirrored has the CLI install the provider with init, as the registries' users do, from a mirror of both.
func (c *cli) mirrored() *cli {
	c.w.t.Helper()
	built, err := binary()
	if err != nil {
		c.w.t.Fatal(err)
	}
	for _, registry := range []string{"registry.terraform.io", openTofu} {
		dir := filepath.Join(c.dir, "mirror", registry, "telefonica", "qod", "0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			c.w.t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(built, "terraform-provider-qod"), filepath.Join(dir, "terraform-provider-qod_v0.1.0")); err != nil {
			c.w.t.Fatal(err)
		}
	}
	c.write("cli.tfrc", fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(c.dir, "mirror")))
	return c
}

// sh runs a shell script in the working directory, as a reader pastes it.
func (c *cli) sh(script string, args ...string) done {
	c.w.t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(c.w.t.Context(), "sh", append([]string{"-euc", script, "sh"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, &out, &out
	return finished(c.w.t, cmd.Run(), &out)
}

// lay copies a directory of examples into the working directory, in place of its configuration.
func (c *cli) lay(example string) *cli {
	c.w.t.Helper()
	c.drop("main.tf")
	if err := os.CopyFS(c.dir, os.DirFS(filepath.Join(examplesDir, example))); err != nil {
		c.w.t.Fatal(err)
	}
	return c
}

func (c *cli) drop(names ...string) {
	c.w.t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(c.dir, name)); err != nil {
			c.w.t.Fatal(err)
		}
	}
}

// The recipe finds a device by its number, also where the API shows it without the plus.
func TestGuide_recover(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.Echo(func(info map[string]any) {
		device, _ := info["device"].(map[string]any)
		if number, ok := device["phoneNumber"].(string); ok {
			device["phoneNumber"] = strings.TrimPrefix(number, "+")
		}
	})
	c := w.cli("").lay("recover")
	c.apply()
	w.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000099"}})         // another fleet's
	w.Seed(sandbox.Session{Device: sandbox.Device{NetworkAccessIdentifier: "a@b.test"}}) // without a number
	c.drop("terraform.tfstate")
	writes := w.writes()

	plan := c.must(0, "plan", "-no-color", "-input=false", "-out=tfplan")
	if want := "3 to import, 0 to add, 0 to change, 0 to destroy"; !strings.Contains(plan, want) {
		t.Errorf("the plan does not say %q:\n%s", want, plan)
	}
	c.must(0, "apply", "-no-color", "-input=false", "tfplan")
	if w.writes() != writes {
		t.Errorf("the recovery wrote to the network: %s, then %s", writes, w.writes())
	}
	if n := len(sessionIDs(c.state())); n != 3 {
		t.Errorf("%d sessions are in the state, want 3", n)
	}
	// The import blocks stay, and do nothing any more.
	c.must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	c.must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	if left := len(w.Ledger()); left != 2 {
		t.Errorf("%d sessions are left, want the two of others", left)
	}
}

// A device whose session is gone is planned anew, next to the imports.
func TestGuide_recoverInPart(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("recover")
	c.apply()
	c.drop("terraform.tfstate")
	w.Remove(w.ids()[0])
	if plan := c.must(0, "plan", "-no-color", "-input=false"); !strings.Contains(plan, "2 to import, 1 to add, 0 to change, 0 to destroy") {
		t.Error(plan)
	}
}

// What a query writes is a configuration that imports what it found.
func TestGuide_query(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli(`provider "qod" {}`).withTools()
	var product struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(c.must(0, "version", "-json")), &product); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("TF_ACC_PROVIDER_HOST") == openTofu || semver.Compare("v"+product.Version, "v1.14.0") < 0 {
		t.Skip("terraform query needs Terraform of version 1.14 or later")
	}
	best := w.Seed(sandbox.Session{QoSProfile: "QOS_L", Device: sandbox.Device{PhoneNumber: "+34600000010"}})
	w.Seed(sandbox.Session{QoSProfile: "QOS_E"})
	c.write("best.tfquery.hcl", readExample(t, "list-resources/qod_session/list-resource.tfquery.hcl"))
	if got := c.sh(snippet(t, "guides/recover.md", "terraform query")); got.code != 0 || !strings.Contains(got.text, "…10 QOS_L AVAILABLE") {
		t.Fatalf("exit code %d\n%s", got.code, got.text)
	}
	plan := c.must(0, "plan", "-no-color", "-input=false")
	if !strings.Contains(plan, "1 to import, 0 to add, ") || !strings.Contains(plan, best.ID) {
		t.Errorf("the configuration that was written plans:\n%s", plan)
	}
	if writes := w.writes(); writes != "" {
		t.Errorf("a query and a plan wrote to the network: %s", writes)
	}
}

func TestGuide_fleet(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("fleet")
	c.apply()
	outputs := c.must(0, "output", "-json")
	for _, want := range []string{`"not_available"`, `"north-stand/b"`, `"covered_until"`} {
		if !strings.Contains(outputs, want) {
			t.Errorf("%s is not in the outputs:\n%s", want, outputs)
		}
	}
	w.Revoke(w.ids()[0])
	c.must(0, "apply", "-refresh-only", "-auto-approve", "-no-color", "-input=false")
	if shown := c.must(0, "output", "-json", "not_available"); !strings.Contains(shown, "UNAVAILABLE") {
		t.Errorf("the line without quality is not shown: %s", shown)
	}
	c.apply()
	writes := w.writes()
	c.write("cameras.csv", readExample(t, "fleet/cameras.csv")+"south-stand,a,+34600000021,QOS_L\n")
	twice := c.run("apply", "-auto-approve", "-no-color", "-input=false")
	if twice.code != 1 || !strings.Contains(twice.text, "north-stand/a and south-stand/a") || w.writes() != writes {
		t.Errorf("a device that is in the files twice is not refused before anything is asked for: %d %s\n%s", twice.code, w.writes(), twice.text)
	}
	c.write("cameras.csv", readExample(t, "fleet/cameras.csv"))
	c.destroy()
}

func TestGuide_countries(t *testing.T) {
	spain := newWorld(t, sandbox.Config{})
	germany := &world{Server: sandbox.Start(t, sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: "berlin", Secret: "geheim"}}}), t: t}
	clients, err := json.Marshal(map[string]map[string]string{
		"spain":   {"endpoint": spain.Endpoint(), "client_id": sandbox.DefaultClient.ID, "client_secret": sandbox.DefaultClient.Secret},
		"germany": {"endpoint": germany.Endpoint(), "client_id": "berlin", "client_secret": "geheim"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := spain.cli("", "TF_VAR_clients="+string(clients)).lay("countries")
	c.must(0, "apply", "-auto-approve", "-no-color", "-input=false")
	c.must(0, "plan", "-detailed-exitcode", "-no-color", "-input=false")
	if s, g := len(spain.Ledger()), len(germany.Ledger()); s != 1 || g != 1 {
		t.Errorf("%d sessions in Spain and %d in Germany, want one each", s, g)
	}
	for _, r := range germany.Requests() {
		if _, secret, _ := (&http.Request{Header: r.Header}).BasicAuth(); secret == sandbox.DefaultClient.Secret || bytes.Contains(r.Body, []byte(sandbox.DefaultClient.Secret)) {
			t.Errorf("Germany was sent Spain's secret: %s %s", r.Method, r.Path)
		}
	}
	c.must(0, "destroy", "-auto-approve", "-no-color", "-input=false")
	if left := len(spain.Ledger()) + len(germany.Ledger()); left > 0 {
		t.Errorf("%d sessions are left", left)
	}
}

// The trap that the guide warns of is there: what an alias does not set comes from the environment.
func TestGuide_countriesTrap(t *testing.T) {
	spain := newWorld(t, sandbox.Config{})
	germany := sandbox.Start(t, sandbox.Config{})
	c := spain.cli(fmt.Sprintf("provider \"qod\" {\n  alias     = \"germany\"\n  endpoint  = %q\n  client_id = \"berlin\"\n}\n", germany.Endpoint()) +
		block("munich", "provider = qod.germany", 3600))
	c.must(1, "apply", "-auto-approve", "-no-color", "-input=false")
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
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("testing").withTools()
	if err := os.CopyFS(filepath.Join(c.dir, "..", "mocks"), os.DirFS(filepath.Join(examplesDir, "mocks"))); err != nil {
		t.Fatal(err)
	}
	suffix := ".tftest.hcl"
	if os.Getenv("TF_ACC_PROVIDER_HOST") == openTofu {
		suffix = ".tofutest.hcl"
	}
	mocked := c.must(0, "test", "-no-color", "-filter=tests/mocked"+suffix)
	if !strings.Contains(mocked, "3 passed, 0 failed") || len(w.Requests()) > 0 {
		t.Errorf("with mocks, %d requests were made:\n%s", len(w.Requests()), mocked)
	}
	if alive := c.sh(readExample(t, "testing/sandbox.sh")); alive.code != 0 || !strings.Contains(alive.text, "2 passed, 0 failed") {
		t.Errorf("in the sandbox: exit code %d\n%s", alive.code, alive.text)
	}
	odd := c.sh(readExample(t, "testing/misbehave.sh"))
	if odd.code != 0 || !strings.Contains(odd.text, "it is now 20") || !strings.Contains(odd.text, "phoneNumber …10") {
		t.Errorf("told to misbehave: exit code %d\n%s", odd.code, odd.text)
	}
	if len(w.Requests()) > 0 {
		t.Errorf("%d requests went elsewhere than to the sandboxes of the scripts", len(w.Requests()))
	}
	// go run …@latest itself is tried by TestRunWithoutAClone in internal/cmd/qod-sandbox.
	c.write("go", "#!/bin/sh -eu\n[ \"$1 $2\" = 'run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest' ]\nshift 2\nexec qod-sandbox \"$@\"\n")
	if err := os.Chmod(filepath.Join(c.dir, "go"), 0o700); err != nil { //nolint:gosec // it is a script
		t.Fatal(err)
	}
	all := c.sh("PATH=.:$PATH\n" + snippet(t, "guides/testing.md", "go run "))
	if all.code != 0 || !strings.Contains(all.text, "5 passed, 0 failed") {
		t.Errorf("without a clone: exit code %d\n%s", all.code, all.text)
	}
	c.env = append(c.env, "REHEARSAL_PHONE_NUMBER=+34600000010")
	rehearsal := c.sh(readExample(t, "testing/rehearsal.sh"))
	if rehearsal.code != 0 || w.writes() != "POST DELETE" || len(w.Ledger()) > 0 {
		t.Errorf("the rehearsal: exit code %d, %s\n%s", rehearsal.code, w.writes(), rehearsal.text)
	}
}

// objections are what the gate says of the plan that the arguments make.
func (c *cli) objections(most int, cut string, args ...string) []string {
	c.w.t.Helper()
	c.must(0, append([]string{"plan", "-no-color", "-input=false", "-out=tfplan"}, args...)...)
	gate := c.sh(`terraform show -json tfplan >plan.json; jq -r --argjson most "$1" --argjson cut "$2" -f gate.jq plan.json >objections; cat objections`,
		fmt.Sprint(most), cut)
	if gate.code != 0 {
		c.w.t.Fatalf("the gate: exit code %d\n%s", gate.code, gate.text)
	}
	said, err := os.ReadFile(filepath.Join(c.dir, "objections"))
	if err != nil {
		c.w.t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(said)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	slices.Sort(lines)
	return lines
}

func TestGuide_pipelineGate(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("pipeline").withTools()
	const (
		north = `qod_session.camera["north-stand"]`
		touch = `qod_session.camera["touchline"]`
		named = `["qod_session.camera[\"north-stand\"]"]`
	)
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	check("nothing", c.objections(0, "[]", "-var", "live=false"))
	check("two, allowed", c.objections(2, "[]", "-var", "live=true"))
	check("two, one allowed", c.objections(1, "[]", "-var", "live=true"), "2 sessions afterwards, which is more than 1")
	c.must(0, "apply", "-auto-approve", "-no-color", "-input=false", "-var", "live=true")
	check("unchanged", c.objections(2, "[]", "-var", "live=true"))
	check("unchanged, but too many", c.objections(1, "[]", "-var", "live=true"), "2 sessions afterwards, which is more than 1")
	check("cut", c.objections(2, "[]", "-var", "live=false"),
		north+" is live, and the plan would delete it", touch+" is live, and the plan would delete it")
	check("cut, one named", c.objections(2, named, "-var", "live=false"), touch+" is live, and the plan would delete it")
	c.write("main.tf", strings.Replace(readExample(t, "pipeline/main.tf"), "3 * 60 * 60", "4 * 60 * 60", 1))
	check("replaced", c.objections(2, named, "-var", "live=true"), touch+" is live, and the plan would delete and create it")
	c.write("main.tf", readExample(t, "pipeline/main.tf"))
	for _, id := range w.ids() {
		w.Revoke(id)
	}
	check("refused by the network", c.objections(2, "[]", "-var", "live=true"))
	c.destroy()
}

// An event from before its start to after its end, with a session that the network ends in between.
func TestGuide_pipeline(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("pipeline").withTools()
	c.env = append(c.env, "INTERVAL=1")
	w.at(sandbox.OpRead, 3, func() { w.Revoke(w.ids()[0]) })
	now := time.Now().UTC()
	event := c.sh(`./event.sh "$1" "$2"`, now.Add(2*time.Second).Format(time.RFC3339), now.Add(12*time.Second).Format(time.RFC3339))
	if event.code != 0 || len(w.Ledger()) > 0 {
		t.Errorf("exit code %d, %d sessions are left", event.code, len(w.Ledger()))
	}
	if got := w.writes(); got != "POST POST DELETE POST DELETE DELETE" {
		t.Errorf("the network saw %s", got)
	}
	for _, want := range []string{"waiting for the event", "the event is on", "Plan: 2 to add", "Plan: 1 to add, 0 to change, 1 to destroy", "the event is over", "no session is left"} {
		if !strings.Contains(event.text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(event.text)
	}
	log, err := os.ReadFile(filepath.Join(c.dir, "apply.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		if !json.Valid(line) {
			t.Errorf("the log of what was applied has a line that is no JSON: %s", line)
		}
	}
	if first := w.Requests(sandbox.OpCreate)[0].At; first.Before(now.Add(2 * time.Second).Truncate(time.Second)) {
		t.Errorf("the first session was asked for at %v, before the start", first)
	}
}

// A plan that the gate refuses and an API that is down are tried again, and do not end the event.
func TestGuide_pipelineGoesOn(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("", "QOD_MAX_RETRIES=0").lay("pipeline").withTools()
	c.env = append(c.env, "INTERVAL=1", "MOST=2")
	w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.Status(400, "")})
	now := time.Now().UTC()
	event := c.sh(`./event.sh "$1" "$2"`, now.Add(-time.Hour).Format(time.RFC3339), now.Add(8*time.Second).Format(time.RFC3339))
	if event.code != 0 || len(w.Ledger()) > 0 || !strings.Contains(event.text, "this pass failed") || !strings.Contains(event.text, "no session is left") {
		t.Errorf("exit code %d, %d sessions are left\n%s", event.code, len(w.Ledger()), event.text)
	}
	if w.Count(sandbox.OpCreate) != 4 {
		t.Errorf("%d POSTs, want two refused and two granted", w.Count(sandbox.OpCreate))
	}
}

// A state that could not be written is written before anything else, or its sessions would be lost.
func TestGuide_pipelineErroredState(t *testing.T) {
	w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant})
	c := w.cli("").lay("pipeline").withTools()
	c.must(0, "apply", "-auto-approve", "-no-color", "-input=false", "-var", "live=true")
	if err := os.Rename(filepath.Join(c.dir, "terraform.tfstate"), filepath.Join(c.dir, "errored.tfstate")); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "INTERVAL=1")
	now := time.Now().UTC()
	event := c.sh(`./event.sh "$1" "$2"`, now.Add(-time.Hour).Format(time.RFC3339), now.Add(3*time.Second).Format(time.RFC3339))
	if event.code != 0 || w.writes() != "POST POST DELETE DELETE" || len(w.Ledger()) > 0 {
		t.Errorf("exit code %d, the network saw %s\n%s", event.code, w.writes(), event.text)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "errored.tfstate")); err == nil {
		t.Error("the state is still there, and would be written over a later one")
	}
}

// What the workflows run, and with which rights.
func TestGuide_pipelineWorkflows(t *testing.T) {
	reader := sandbox.ClientCredentials{ID: "reader", Secret: "readers-secret", Scopes: []string{sandbox.ScopeRead}}
	w := newWorld(t, sandbox.Config{Provisioning: sandbox.Instant, Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, reader}})
	c := w.cli("").lay("pipeline").withTools().mirrored()
	c.env = append(c.env, "INTERVAL=1")
	github, gitlab := readExample(t, "pipeline/github-actions.yml"), readExample(t, "pipeline/gitlab-ci.yml")
	for text, want := range map[string][]string{
		github: {
			"terraform_wrapper: false", "cancel-in-progress: false", "contents: read", "persist-credentials: false", "if: always()",
			"apply.jsonl", "errored.tfstate", "secrets.QOD_CLIENT_SECRET", "secrets.QOD_READER_CLIENT_SECRET", "QOD_SCOPES: qod:sessions:read\n",
		},
		gitlab: {
			"interruptible: false", "resource_group: event-live", "when: always",
			"apply.jsonl", "errored.tfstate", "$QOD_READER_CLIENT_SECRET", "QOD_SCOPES: qod:sessions:read\n",
		},
	} {
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("it lacks %q:\n%.40s…", part, text)
			}
		}
		if strings.Count(text, "uses: hashicorp/setup-terraform") != strings.Count(text, "terraform_wrapper: false") {
			t.Error("terraform is set up with its wrapper, which hides exit codes")
		}
	}
	loop := readExample(t, "pipeline/event.sh")
	for _, part := range []string{"-lock-timeout=5m -detailed-exitcode", "-lock-timeout=5m -json tfplan >>apply.jsonl"} {
		if !strings.Contains(loop, part) {
			t.Errorf("event.sh lacks %s", part)
		}
	}
	for _, yaml := range []string{github, gitlab} {
		for _, command := range []string{"terraform init -input=false", "terraform plan -input=false -lock=false -refresh=false -var live=true", `./event.sh "$STARTS" "$ENDS"`} {
			if !strings.Contains(yaml, command) {
				t.Fatalf("it does not run %s", command)
			}
		}
		times := regexp.MustCompile(`(?m)^ +(STARTS|ENDS): '(\S+)'$`).FindAllStringSubmatch(yaml, -1)
		if len(times) != 2 {
			t.Fatalf("it sets %v", times)
		}
		if wrong := c.sh("./event.sh "+times[1][2]+" "+times[0][2], ""); wrong.code != 2 || !strings.Contains(wrong.text, "ends before it starts") {
			t.Errorf("its times are not read: %s", wrong.text)
		}
	}

	if started := c.sh("terraform init -input=false"); started.code != 0 {
		t.Fatal(started.text)
	}
	now := time.Now().UTC()
	c.env = append(c.env, "STARTS="+now.Add(-time.Hour).Format(time.RFC3339), "ENDS="+now.Add(2*time.Second).Format(time.RFC3339))
	if event := c.sh(`./event.sh "$STARTS" "$ENDS"`); event.code != 0 || w.writes() != "POST POST DELETE DELETE" {
		t.Errorf("exit code %d, the network saw %s\n%s", event.code, w.writes(), event.text)
	}

	// The pull request's client sees the plan, also while the event is on, and can do no more.
	c.must(0, "apply", "-auto-approve", "-no-color", "-input=false", "-var", "live=true")
	live := w.ids()
	c.env = append(c.env, "QOD_CLIENT_ID="+reader.ID, "QOD_CLIENT_SECRET="+reader.Secret, "QOD_SCOPES="+sandbox.ScopeRead)
	if plan := c.sh("terraform plan -input=false -lock=false -refresh=false -var live=true"); plan.code != 0 || !strings.Contains(plan.text, "No changes") {
		t.Errorf("the plan of a pull request: exit code %d\n%s", plan.code, plan.text)
	}
	c.drop("terraform.tfstate")
	if apply := c.sh("terraform apply -auto-approve -input=false -var live=true"); apply.code != 1 || !strings.Contains(apply.text, sandbox.ScopeWrite) {
		t.Errorf("an apply of a pull request: exit code %d\n%s", apply.code, apply.text)
	}
	if after := w.ids(); !slices.Equal(after, live) || len(w.Ledger()) != len(live) {
		t.Errorf("the client of a pull request has changed the network: %v", w.Ledger())
	}
}

func TestGuide_pipelineMisused(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli("").lay("pipeline").withTools()
	for script, says := range map[string]string{
		"./event.sh":                                                "usage",
		"./event.sh 2028-02-29T20:15:00Z":                           "usage",
		"./event.sh tomorrow 2028-02-29T20:15:00Z":                  "UTC",
		"./event.sh 2028-02-29T20:15:00+01:00 2028-02-29T22:15:00Z": "UTC",
		"./event.sh 2028-02-29T22:15:00Z 2028-02-29T20:15:00Z":      "ends before it starts",
	} {
		if got := c.sh(script); got.code != 2 || !strings.Contains(got.text, says) {
			t.Errorf("%s: exit code %d, %s", script, got.code, got.text)
		}
	}
	if len(w.Requests()) > 0 {
		t.Error("requests were made")
	}
}

var fence = regexp.MustCompile("(?ms)^```(terraform|hcl|shell|sh|jq|bash)\n(.*?)^```$")

// elsewhere are shell snippets that are no file, by how they begin, and what runs them.
var elsewhere = map[string]string{
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
	w := newWorld(t, sandbox.Config{})
	c := w.cli("", "TF_CLI_ARGS_apply=-auto-approve").withTools().mirrored()
	c.configure("provider \"qod\" {}\n" + readExample(t, "resources/qod_session/resource.tf"))
	c.env = append(c.env, "TF_VAR_webhook_token=t")
	first, rest, _ := strings.Cut(snippet(t, "index.md", "go run "), "\n")
	_, exec, found := strings.Cut(first, "@latest ")
	got := c.sh("qod-sandbox " + exec + " -eu <<'END'\n" + rest + "END\n")
	if !found || got.code != 0 || !strings.Contains(got.text, "Apply complete! Resources: 1 added") || len(w.Requests()) > 0 {
		t.Errorf("exit code %d\n%s", got.code, got.text)
	}
}

// Credentials in the environment are enough for a plan; with sessions still to be made, it asks the API for nothing.
func TestSnippets_exports(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.cli(readExample(t, "pipeline/main.tf"), "TF_VAR_live=true").withTools()
	c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "QOD_") })
	if without := c.sh("terraform plan -no-color"); without.code != 1 || !strings.Contains(without.text, "QOD_CLIENT_ID") {
		t.Errorf("without credentials: exit code %d\n%s", without.code, without.text)
	}
	readme := snippet(t, "../README.md", "export ") + "terraform plan -no-color\n"
	for _, script := range []string{snippet(t, "index.md", "export "), readme} {
		if got := c.sh(script); got.code != 0 || !strings.Contains(got.text, "2 to add") {
			t.Errorf("exit code %d\n%s", got.code, got.text)
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
	w := newWorld(t, sandbox.Config{})
	c := w.cli("", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve").lay("quickstart").withTools()
	got := c.sh("qod-sandbox exec -quiet --fail-on-leftovers -- sh -eu <<'END'\n" + commands + "END\n")
	if got.code != 0 || strings.Count(got.text, "phoneNumber …") != 2 || len(w.Requests()) > 0 {
		t.Errorf("exit code %d\n%s", got.code, got.text)
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
		w := &world{Server: sandbox.Start(t, sandbox.Config{}), t: t}
		c := w.cli(hcl)
		c.apply()
		c.destroy()
	}
}
