// Demo is what "make demo" runs: it plans, applies and destroys examples/quickstart against a
// sandbox on this machine, checks what it shows, and leaves nothing behind.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

const provisioning = 2 * time.Second

func main() {
	d := demo{out: newPrinter(os.Stdout)}
	flag.StringVar(&d.cli.Path, "cli", "terraform", "path of the Terraform or OpenTofu CLI")
	flag.StringVar(&d.provider, "provider", "", "path of the provider's binary")
	flag.StringVar(&d.mirror, "mirror", "", "filesystem mirror to install the provider from, instead of -provider")
	flag.StringVar(&d.quickstart, "quickstart", "examples/quickstart", "directory of the configuration to apply")
	flag.Parse()

	// SIGHUP is a closed terminal, SIGPIPE a closed pipe: neither may leave anything behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := d.run(ctx)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		fmt.Fprintln(os.Stderr, "demo: interrupted; all temporary files are removed")
		os.Exit(130)
	case err != nil:
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

type demo struct {
	cli                  terraform.CLI // its directory holds all there is on disk, until run returns
	provider, quickstart string
	mirror               string // where the CLI installs the provider from
	out                  *printer
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.cli.Dir, err = os.MkdirTemp("", "qod-demo-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.cli.Dir)) }()

	network, err := sandbox.Listen("127.0.0.1:0", sandbox.Config{Provisioning: provisioning})
	if err != nil {
		return err
	}
	defer network.Close()
	hook, err := listen(ctx, d.out)
	if err != nil {
		return err
	}
	defer hook.close()
	d.cli.Env = terraform.Environment(os.Environ(),
		"TF_CLI_CONFIG_FILE="+filepath.Join(d.cli.Dir, "cli.tfrc"),
		"QOD_ENDPOINT="+network.Endpoint(),
		"QOD_CLIENT_ID="+sandbox.DefaultClient.ID,
		"QOD_CLIENT_SECRET="+sandbox.DefaultClient.Secret,
		"TF_VAR_notification_url="+hook.url,
		"TF_VAR_notification_auth_token="+hook.token,
	)
	if err := d.writeConfiguration(); err != nil {
		return err
	}
	d.out.step("The sandbox listens on %s; a session becomes available after %v", network.Endpoint(), provisioning)
	d.out.step("A webhook listens on %s", hook.url)
	return d.tour(ctx, network, hook)
}

// tour runs the commands that a person would type, and shows their results.
func (d *demo) tour(ctx context.Context, network *sandbox.Server, hook *webhook) error {
	if err := d.terraform(ctx, "init"); err != nil {
		return err
	}
	if err := d.terraform(ctx, "plan", "-out=tfplan"); err != nil {
		return err
	}
	if err := d.terraform(ctx, "apply", "tfplan"); err != nil {
		return err
	}

	output, err := d.cli.Execute(ctx, "output", "-json", "sessions")
	if err != nil {
		return err
	}
	sessions := map[string]session{}
	if err := json.Unmarshal(output.Stdout, &sessions); err != nil {
		return fmt.Errorf("decode the output \"sessions\": %w", err)
	}
	d.out.step("Sessions")
	d.out.say("%s", table(sessions))
	if err := agree(sessions, network.Ledger()); err != nil {
		return err
	}
	if err := hook.await(ctx, sessions); err != nil {
		return err
	}

	// With this flag, a plan that is not empty exits with status 2.
	if err := d.terraform(ctx, "plan", "-detailed-exitcode"); err != nil {
		return fmt.Errorf("the second plan must be empty: %w", err)
	}
	if err := d.terraform(ctx, "destroy", "-auto-approve"); err != nil {
		return err
	}
	if left := network.Ledger(); len(left) > 0 {
		return fmt.Errorf("the network still has %d live sessions after the destroy", len(left))
	}
	d.out.step("The network has no live session left")
	return nil
}

// writeConfiguration writes the configuration, a filesystem mirror of both registries with the
// provider in it, and a CLI configuration that installs providers from that mirror only.
func (d *demo) writeConfiguration() error {
	files, err := filepath.Glob(filepath.Join(d.quickstart, "*.tf"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no .tf files", d.quickstart)
	}
	for _, file := range files {
		if err := copyFile(filepath.Join(d.cli.Dir, filepath.Base(file)), file, 0o600); err != nil {
			return err
		}
	}
	if d.mirror == "" {
		d.mirror = filepath.Join(d.cli.Dir, "mirror")
		if err := d.fillMirror(); err != nil {
			return err
		}
	}
	config := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(d.mirror))
	return os.WriteFile(filepath.Join(d.cli.Dir, "cli.tfrc"), []byte(config), 0o600)
}

func (d *demo) fillMirror() error {
	const version = "0.1.0" // any version but a pre-release, which is installed only if it is named
	binary := "terraform-provider-qod_v" + version
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		to := filepath.Join(d.mirror, registry, "telefonica", "qod", version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		if err := copyFile(filepath.Join(to, binary), d.provider, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to, from string, mode os.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, mode)
}

// terraform prints a command, runs it and prints its result.
func (d *demo) terraform(ctx context.Context, args ...string) error {
	d.out.step("%s %s", d.cli.Name(), strings.Join(args, " "))
	args = append(args[:1:1], append([]string{"-input=false", "-no-color"}, args[1:]...)...)
	run, err := d.cli.Execute(ctx, args...)
	if err != nil {
		return err
	}
	d.out.say("%s", outcome(run.Stdout))
	return nil
}

var outcomeLine = regexp.MustCompile(`(?m)^(.* has been successfully initialized!|Plan: .*|No changes\..*|(?:Apply|Destroy) complete! .*)$`)

// outcome is the line of a command's output that states its result.
func outcome(out []byte) string {
	lines := outcomeLine.FindAll(out, -1)
	if lines == nil {
		return "done"
	}
	return string(lines[len(lines)-1])
}

// session is one element of the quickstart's output "sessions".
type session struct {
	ID        string    `json:"id"`
	Profile   string    `json:"qos_profile"`
	Status    string    `json:"qos_status"`
	StartedAt time.Time `json:"started_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func table(sessions map[string]session) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CAMERA\tPROFILE\tSTATUS\tFROM\tUNTIL\tSESSION")
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		s := sessions[name]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", name, s.Profile, s.Status, clock(s.StartedAt), clock(s.ExpiresAt), s.ID)
	}
	_ = w.Flush()
	return strings.TrimRight(out.String(), "\n")
}

func clock(t time.Time) string { return t.Local().Format("2 Jan 15:04 MST") }

// agree checks that Terraform shows exactly the sessions that the network holds, all available.
func agree(shown map[string]session, held []sandbox.Session) error {
	if len(shown) == 0 || len(shown) != len(held) {
		return fmt.Errorf("the output shows %d sessions, but the network holds %d", len(shown), len(held))
	}
	for name, s := range shown {
		if !slices.ContainsFunc(held, func(h sandbox.Session) bool { return h.ID == s.ID }) {
			return fmt.Errorf("the network does not hold the session of %s", name)
		}
		if s.Status != sandbox.StatusAvailable {
			return fmt.Errorf("the session of %s is %s", name, s.Status)
		}
	}
	return nil
}
