// Proves what the guides say: their configurations and scripts are files under examples, which run
// here as they are, and nothing else that a reader could copy is in the pages.

//go:build !windows

package provider

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
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

	"github.com/go-jose/go-jose/v4"

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

// opa is the path of Open Policy Agent, which only tests of the gate build: it is large.
var opa = sync.OnceValues(func() (string, error) {
	dir, err := toolsDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "opa")
	out, err := exec.Command("go", "-C", "../tools/opa", "build", "-ldflags=-s -w", "-o", path, "tool").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build opa: %w\n%s", err, out)
	}
	return path, nil
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

// withMirror has the CLI install the provider with init, as the registries' users do, from a mirror
// of both.
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

// copyExample copies a directory of examples into the working directory, in place of its
// configuration.
func copyExample(c *acctest.CLI, example string) *acctest.CLI {
	c.Network.T.Helper()
	if err := os.Remove(filepath.Join(c.Dir, "main.tf")); err != nil {
		c.Network.T.Fatal(err)
	}
	if err := os.CopyFS(c.Dir, os.DirFS(filepath.Join(examplesDir, example))); err != nil {
		c.Network.T.Fatal(err)
	}
	return c
}

func TestCountries(t *testing.T) {
	spain := acc.NewNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: "my-client-es", Secret: "my-secret-es"}}})
	germany := acc.StartNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: "my-client-de", Secret: "my-secret-de"}}})
	c := withTools(copyExample(spain.CLI("", "QOD_ENDPOINT=", "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET="), "countries"))
	// All but the hosts is as it stands.
	clients := strings.NewReplacer("https://qod.operator.es/v1", spain.Endpoint(), "https://qod.operator.de/v1", germany.Endpoint()).Replace(readExample(t, "countries/clients.sh"))
	run := func(command string) {
		t.Helper()
		if got := c.Shell(clients + "terraform " + command + " -no-color -input=false\n"); got.Code != 0 {
			t.Fatalf("%s: exit code %d\n%s", command, got.Code, got.Text)
		}
	}
	run("apply -auto-approve")
	run("plan -detailed-exitcode")
	if s, g := len(spain.Ledger()), len(germany.Ledger()); s != 1 || g != 1 {
		t.Errorf("%d sessions in Spain and %d in Germany, want one each", s, g)
	}
	for _, r := range germany.Requests() {
		if _, secret, _ := (&http.Request{Header: r.Header}).BasicAuth(); secret == "my-secret-es" || bytes.Contains(r.Body, []byte("my-secret-es")) {
			t.Errorf("Germany was sent Spain's secret: %s %s", r.Method, r.Path)
		}
	}
	run("destroy -auto-approve")
	if left := len(spain.Ledger()) + len(germany.Ledger()); left > 0 {
		t.Errorf("%d sessions are left", left)
	}
}

// The dry run reserves one session on each of its two sandboxes.
func TestCountries_dryRun(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withMirror(withTools(copyExample(network.CLI(""), "countries")))
	got := c.Shell("./dry-run.sh")
	_, ledgers, _ := strings.Cut(got.Text, "Spain:")
	spain, germany, _ := strings.Cut(ledgers, "Germany:")
	if got.Code != 0 || strings.Count(spain, "QOS_L AVAILABLE") != 1 || strings.Count(germany, "QOS_L AVAILABLE") != 1 || !strings.Contains(germany, "Destroy complete! Resources: 2 destroyed") {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
}

// The trap that the guide warns of is there: what an alias does not set comes from the environment.
func TestCountries_environment(t *testing.T) {
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

var fence = regexp.MustCompile("(?ms)^```(terraform|hcl|shell|sh|jq|bash)\n(.*?)^```$")

// elsewhere are shell snippets that are no file, by how they begin, and what runs them.
var elsewhere = map[string]string{
	"qod-sandbox exec -quiet -- sh rehearse.sh": "TestGuide/pipeline-rehearsal",
	"make bench":              "make bench",
	"make demo":               ".ci/run",
	"make test":               ".ci/run",
	"eval \"$(make mirror)\"": "TestReadme",
	"export QOD_":             "TestSnippets_exports",
	"go run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest exec -- sh\n":           "TestIndex",
	"go run github.com/telefonica/terraform-provider-qod/internal/cmd/qod-sandbox@latest exec -- terraform test": "TestGuide/testing",
	"terraform query -generate": "TestGuide/query",
	"terraform init -upgrade":   "TestReadme",
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

// The first thing that the Registry's page has a reader try, in a directory with the example below
// it.
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

// Credentials in the environment are enough. A plan of sessions still to be made asks the API for
// nothing, and would do without them; an apply would not.
func TestSnippets_exports(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(network.CLI(readExample(t, "pipeline/main.tf")))
	c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "QOD_") })
	if without := c.Shell("terraform apply -auto-approve -no-color"); without.Code != 1 || !strings.Contains(without.Text, "QOD_CLIENT_ID") {
		t.Errorf("without credentials: exit code %d\n%s", without.Code, without.Text)
	}
	if got := c.Shell(snippet(t, "index.md", "export ")); got.Code != 0 || !strings.Contains(got.Text, "2 to add") {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
	// The README's are those of the guide, and plan what the README shows.
	exports, shown := snippet(t, "../README.md", "export "), readExample(t, "../README.md")
	_, shown, _ = strings.Cut(shown, "```terraform\n")
	shown, _, _ = strings.Cut(shown, "```\n")
	if !strings.HasPrefix(exports, strings.TrimSpace(readExample(t, "gateways/telefonica.sh"))) {
		t.Errorf("the README has other settings than the guide:\n%s", exports)
	}
	c.Configure("terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n\n" + shown)
	if got := c.Shell(exports + "terraform plan -no-color\n"); got.Code != 0 || !strings.Contains(got.Text, "2 to add") {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
}

// What the README has a newcomer type, from the clone to a sandbox: with a backend and a module,
// which an override of the provider's path would be at odds with.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const mirror, sandboxed = "eval \"$(make mirror)\"", "qod-sandbox exec -quiet -- sh "
	_, rest, found := strings.Cut(string(readme), mirror)
	setUp, rest, starts := strings.Cut(rest, sandboxed)
	commands, _, ends := strings.Cut(rest, "exit\n")
	_, commands, comment := strings.Cut(commands, "\n")
	if !found || !starts || !ends || !comment || strings.Count(setUp, "terraform init") != 1 || strings.Count(commands, "terraform ") != 3 {
		t.Fatalf("the README has other commands than this test knows:\n%s\n%s", setUp, commands)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	network := acc.NewNetwork(t, sandbox.Config{})
	c := withTools(copyExample(network.CLI("", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve"), "quickstart"))
	c.Write("more.tf", "terraform {\n  backend \"local\" {\n    path = \"elsewhere.tfstate\"\n  }\n}\n\nmodule \"cameras\" {\n  source = \"./cameras\"\n}\n")
	if err := os.Mkdir(filepath.Join(c.Dir, "cameras"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.Write("cameras/main.tf", "terraform {\n  required_providers {\n    qod = {\n      source = \"telefonica/qod\"\n    }\n  }\n}\n\n"+oneSession)
	// Where it is cloned to and built in is the test's own.
	mine := filepath.Join(t.TempDir(), "a place")
	build := "eval \"$(make --no-print-directory -C '" + root + "' mirror MIRROR='" + mine + "')\"\n"
	// The guide to upgrades is tried on the way, with a version that only its name makes newer.
	newer := "for v in '" + mine + "'/registry.*/telefonica/qod; do mkdir \"$v/0.1.1\"; for p in \"$v\"/0.1.0/*; do\n" +
		"n=\"$v/0.1.1/${p##*/}\"; mkdir \"$n\"; ln \"$p\"/* \"$n/terraform-provider-qod_v0.1.1\"; done; done\n"
	upgrade := snippet(t, "guides/upgrade.md", "terraform init -upgrade")
	commands = strings.Replace(commands, "terraform destroy", newer+upgrade+"terraform destroy", 1)
	got := c.Shell(build + strings.ReplaceAll(setUp, "cd examples/quickstart", "cd .") + "qod-sandbox exec -quiet --fail-on-leftovers -- sh -eu <<'END'\n" + commands + "END\n")
	if got.Code != 0 || strings.Count(got.Text, "phoneNumber …") != 3 || len(network.Requests()) > 0 {
		t.Errorf("exit code %d\n%s", got.Code, got.Text)
	}
	if lock, err := os.ReadFile(filepath.Join(c.Dir, ".terraform.lock.hcl")); err != nil || !bytes.Contains(lock, []byte(`"0.1.1"`)) {
		t.Errorf("init -upgrade has not installed the newer version:\n%s", got.Text)
	}
}

// Each recipe of the guide on credentials opens the door that it is for.
func TestCredentials(t *testing.T) {
	t.Parallel()
	withSecret := sandbox.Config{Clients: []sandbox.ClientCredentials{{ID: "my-client", Secret: "my-secret"}}}
	header := map[string]string{"X-Api-Key": "my-key"}
	for recipe, config := range map[string]sandbox.Config{
		"secret.sh": withSecret,
		"key.sh":    {}, // see below
		"header.sh": {Clients: withSecret.Clients, RequiredHeaders: header, TrustHeaders: true},
		"token.sh":  withSecret,
		"vault.sh":  withSecret,

		"ciba.sh":      withSecret,
		"assertion.sh": {}, // as key.sh
	} {
		t.Run(recipe, func(t *testing.T) {
			acctest.AnyCLI(t)
			dir := t.TempDir()
			if recipe == "key.sh" || recipe == "assertion.sh" {
				config.Clients = []sandbox.ClientCredentials{{ID: "my-client", Keys: []jose.JSONWebKey{{Key: newKeyPair(t, dir)}}}}
			}
			network := acc.NewNetwork(t, config)
			network.AcceptToken("my-token", "my-client")
			c := withTools(network.CLI(oneSession))
			c.Env = append(c.Env, "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=")
			got := c.Shell("vault() { echo my-secret; }\ncp \"$1\"/* . 2>/dev/null || true\n"+readExample(t, "credentials/"+recipe)+
				"terraform apply -auto-approve -no-color\nterraform destroy -auto-approve -no-color\n", dir)
			if got.Code != 0 || !strings.Contains(got.Text, "Destroy complete! Resources: 1 destroyed") {
				t.Errorf("exit code %d\n%s", got.Code, got.Text)
			}
		})
	}
	// Providers of other publishers cannot be installed here: a variable stands in for Vault.
	t.Run("vault/main.tf", func(t *testing.T) {
		network := acc.NewNetwork(t, withSecret)
		_, block, found := strings.Cut(readExample(t, "credentials/vault/main.tf"), "\n}\n")
		config := strings.ReplaceAll(block, "ephemeral.vault_kv_secret_v2.qod.data", "var.data")
		c := network.CLI("variable \"data\" {\n  type      = map(string)\n  ephemeral = true\n}\n"+config+oneSession,
			"QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=", `TF_VAR_data={"client_id": "my-client", "client_secret": "my-secret"}`)
		c.Must(0, "apply", "-auto-approve", "-no-color")
		c.Must(0, "destroy", "-auto-approve", "-no-color")
		if !found || network.Count(sandbox.OpCreate) != 1 {
			t.Errorf("%d sessions", network.Count(sandbox.OpCreate))
		}
	})
	t.Run("parameters/main.tf", func(t *testing.T) {
		network := acc.NewNetwork(t, sandbox.Config{})
		network.CLI(readExample(t, "credentials/parameters/main.tf") + oneSession).Apply()
		if form := string(network.Requests(sandbox.OpToken)[0].Body); strings.Contains(form, "scope") || !strings.Contains(form, "audience=https") {
			t.Errorf("the form is %s", form)
		}
	})
}

// Each recipe of the guide on gateways opens a gateway like the one that it is for, and the
// configuration that moves between APIs is good for all of them.
func TestGateways(t *testing.T) {
	t.Parallel()
	secret := []sandbox.ClientCredentials{{ID: "my-client", Secret: "my-secret"}}
	for recipe, config := range map[string]sandbox.Config{
		"orange.sh":     {API: sandbox.CAMARAV1, APIPath: "/quality-on-demand/v0.11", Clients: secret},
		"nokia.sh":      {API: sandbox.CAMARAV1, Clients: secret, RequiredHeaders: map[string]string{"X-RapidAPI-Key": "my-key"}, TrustHeaders: true, EpochTimes: true, ExtendRemaining: true},
		"operator.sh":   {API: sandbox.CAMARAV1, Clients: secret},
		"telefonica.sh": {API: sandbox.CAMARAV0, MockRules: true, TelefonicaErrors: true},
		"":              {Clients: secret}, // the default API
	} {
		t.Run(recipe, func(t *testing.T) {
			if recipe != "" {
				acctest.AnyCLI(t)
			}
			network := acc.NewNetwork(t, config)
			exports := "export QOD_CLIENT_ID=my-client QOD_CLIENT_SECRET=my-secret\n"
			if recipe != "" {
				exports = readExample(t, "gateways/"+recipe)
			}
			c := withTools(network.CLI(readExample(t, "gateways/portable/main.tf")))
			c.Env = append(c.Env, "QOD_CLIENT_ID=", "QOD_CLIENT_SECRET=", "QOD_API=")
			// All but the hosts is as it stands.
			hosts := "export QOD_ENDPOINT=" + network.Endpoint() + "\nunset QOD_TOKEN_URL QOD_BACKCHANNEL_AUTHENTICATION_URL\n"
			got := c.Shell(exports + hosts + "terraform apply -auto-approve -no-color\nterraform plan -detailed-exitcode -no-color\nterraform destroy -auto-approve -no-color\n")
			if got.Code != 0 || !strings.Contains(got.Text, "Destroy complete! Resources: 1 destroyed") {
				t.Errorf("exit code %d\n%s", got.Code, got.Text)
			}
		})
	}
}

// newKeyPair makes a key pair as the guide does, in dir, and reads the public key.
func newKeyPair(t *testing.T, dir string) any {
	t.Helper()
	script := exec.CommandContext(t.Context(), "sh", "-euc", readExample(t, "credentials/keypair.sh"))
	script.Dir = dir
	if out, err := script.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	public, err := os.ReadFile(filepath.Join(dir, "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(public)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Nothing that a reader may copy is in a page without being run.
func TestSnippets(t *testing.T) {
	t.Parallel()
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
	err = filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
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

// The guide says how to recover by the words of the messages, so each quotation is in one of them.
func TestGuide_quotations(t *testing.T) {
	t.Parallel()
	var messages strings.Builder
	files, err := filepath.Glob("diagnostics/testdata/*")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no messages")
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		messages.Write(content)
	}
	quotations := 0
	guides := readExample(t, "../templates/guides/reliability.md") + readExample(t, "../templates/guides/credentials.md.tmpl")
	for _, heading := range regexp.MustCompile(`(?m)^\*\*".*?\*\*`).FindAllString(guides, -1) {
		for _, quoted := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(heading, -1) {
			quotations++
			for part := range strings.SplitSeq(quoted[1], "…") {
				if part = strings.TrimSpace(part); !strings.Contains(messages.String(), part) {
					t.Errorf("the guide quotes %q, and no message says so", part)
				}
			}
		}
	}
	if quotations < 20 {
		t.Errorf("%d quotations were found", quotations)
	}
}
