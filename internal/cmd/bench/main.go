//go:build unix

// Bench measures what no test can hold: the time that a CLI takes for a fleet of sessions, next to
// as many terraform_data resources, and the memory and processor time of the provider. The number
// of requests is a promise, which internal/provider/fleet_test.go keeps.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

const (
	runs    = 5
	latency = 50 * time.Millisecond // of each answer of the API

	memoryLimit = 230_000_000

	arguments = "device = { phone_number = format(\"+346%%08d\", count.index) }\n qos_profile = \"QOS_L\"\n duration = 86400\n"
	empty     = "resource \"terraform_data\" \"camera\" {\n count = %d\n}\n"
	content   = "resource \"terraform_data\" \"camera\" {\n count = %d\n input = {\n" + arguments + "}\n}\n"
	session   = "resource \"qod_session\" \"camera\" {\n count = %d\n" + arguments + "}\n"
	list      = "data \"qod_sessions\" \"all\" {}\noutput \"n\" { value = length(data.qod_sessions.all.sessions) }\n"

	// Terraform starts this program in place of the provider, which it runs and measures.
	providerVariable = "QOD_BENCH_PROVIDER"
	resultsVariable  = "QOD_BENCH_RESULTS"
)

type bench struct{ cli, provider, dir string }

func main() {
	if path := os.Getenv(providerVariable); path != "" {
		if err := measure(path, os.Getenv(resultsVariable)); err != nil {
			log.Fatal(err)
		}
		return
	}
	var b bench
	flag.StringVar(&b.cli, "cli", "terraform", "the Terraform or OpenTofu to run")
	flag.StringVar(&b.provider, "provider", "", "the provider, built")
	n := flag.Int("sessions", 1000, "the size of the fleet")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := b.run(ctx, *n)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func (b bench) run(ctx context.Context, n int) (err error) {
	if b.dir, err = os.MkdirTemp("", "qod-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	fmt.Printf("Each answer of the API takes %v. Medians of %d runs, with the fastest and the slowest.\n", latency, runs)
	return errors.Join(
		b.compare(ctx, fmt.Sprintf("%d × terraform_data, empty", n), fmt.Sprintf(empty, n), 0),
		b.compare(ctx, fmt.Sprintf("%d × terraform_data, same content", n), fmt.Sprintf(content, n), 0),
		b.compare(ctx, fmt.Sprintf("%d × qod_session", n), fmt.Sprintf(session, n), 0),
		b.compare(ctx, "data source over 10,000 sessions", list, 10_000),
	)
}

// compare takes a configuration through its life on networks that hold so many sessions already.
func (b bench) compare(ctx context.Context, name, config string, listed int) error {
	fmt.Printf("\n%s\n", name)
	commands := []string{"apply -auto-approve", "plan -detailed-exitcode", "destroy -auto-approve"}
	took := make([][]time.Duration, len(commands))
	for range runs {
		network, err := sandbox.Listen("127.0.0.1:0", sandbox.Config{Latency: latency, Provisioning: sandbox.Instant})
		if err != nil {
			return err
		}
		defer network.Close()
		for range listed {
			network.Seed(sandbox.Session{})
		}
		cli, err := b.workspace(config, "QOD_ENDPOINT="+network.Endpoint(), "QOD_CLIENT_ID="+sandbox.DefaultClient.ID, "QOD_CLIENT_SECRET="+sandbox.DefaultClient.Secret)
		if err != nil {
			return err
		}
		for i, command := range commands {
			cli.Env = append(cli.Env, resultsVariable+"="+filepath.Join(b.dir, name+command))
			began := time.Now()
			if _, err := cli.Execute(ctx, strings.Fields(command)...); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i, command := range commands {
		slices.Sort(took[i])
		processor, memory := most(filepath.Join(b.dir, name+command))
		fmt.Printf("  %-25s %5.2f s (%.2f to %.2f); the provider: %.2f s of processor time and %d MB of memory at most\n", command,
			took[i][runs/2].Seconds(), took[i][0].Seconds(), took[i][runs-1].Seconds(), processor.Seconds(), memory/1_000_000)
		if memory > memoryLimit {
			return fmt.Errorf("%s of %s took more than the %d MB that are promised", command, name, memoryLimit/1_000_000)
		}
	}
	return nil
}

// workspace is a directory with a configuration, and with this program in place of the provider.
func (b bench) workspace(config string, env ...string) (terraform.CLI, error) {
	dir, err := os.MkdirTemp(b.dir, "")
	if err != nil {
		return terraform.CLI{}, err
	}
	self, notFound := os.Executable()
	cli, err := terraform.New(b.cli, dir, dir, append(env, providerVariable+"="+b.provider)...)
	return cli, errors.Join(notFound, err, os.Symlink(self, filepath.Join(dir, "terraform-provider-qod")), cli.Configure(config))
}

// measure runs the provider and records its processor time and its peak of memory.
func measure(path, results string) error {
	cmd := exec.Command(path) //nolint:noctx // the provider that bench was given, which ends with Terraform
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage) //nolint:forcetypeassert // on Unix it is one
	memory := usage.Maxrss
	if runtime.GOOS != "darwin" { // which counts bytes, where others count KiB
		memory *= 1024
	}
	used := fmt.Append(nil, int64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()), memory)
	return os.WriteFile(fmt.Sprintf("%s.%d", results, os.Getpid()), used, 0o600)
}

// most is the most that one provider process used; nothing where Terraform needed no provider.
func most(results string) (processor time.Duration, memory int64) {
	files, _ := filepath.Glob(results + ".*")
	for _, file := range files {
		used, _ := os.ReadFile(file)
		var p time.Duration
		var m int64
		_, _ = fmt.Sscan(string(used), &p, &m)
		processor, memory = max(processor, p), max(memory, m)
	}
	return processor, memory
}
