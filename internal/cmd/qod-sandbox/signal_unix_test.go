//go:build linux || darwin || freebsd

package main

import (
	"bufio"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestServeUntilSignalled(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, stderr := started(t, "-listen", "localhost:0", "-provisioning", "0s")
			stdout, err := p.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			exports := map[string]string{}
			for len(exports) < 5 && lines.Scan() {
				name, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
				if !ok || !strings.HasPrefix(lines.Text(), "export QOD_") {
					t.Fatalf("stdout says %q", lines.Text())
				}
				exports[name] = value
			}
			if exports["QOD_CLIENT_ID"] != "sandbox-client" || exports["QOD_CLIENT_SECRET"] != "sandbox-secret" {
				t.Errorf("exports %v", exports)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, exports["QOD_ENDPOINT"]+"/qod/sessions", nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("status %d, want 401", answer.StatusCode)
			}
			reserveAt(t, exports["QOD_ENDPOINT"])
			if err := p.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("it ends with %v", err)
			}
			if !strings.Contains(stderr.String(), "1 session was still live:") || !strings.Contains(stderr.String(), "…56") {
				t.Errorf("stderr %q", stderr)
			}
		})
	}
}

// reserveAt creates a session from a separate process, whose environment names the sandbox.
func reserveAt(t *testing.T, endpoint string) {
	t.Helper()
	c, _ := started(t)
	c.Args = []string{os.Args[0], "child", "create=+34600123456"}
	c.Env = append(os.Environ(), "QOD_ENDPOINT="+endpoint, "QOD_CLIENT_ID=sandbox-client", "QOD_CLIENT_SECRET=sandbox-secret")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
}

func TestServeSaysWhyItCannotListen(t *testing.T) {
	t.Parallel()
	if got := run(nil, "", "-listen", "127.0.0.1:99999"); got.code != exitFailed || !strings.Contains(got.err, "99999") {
		t.Errorf("%+v", got)
	}
}

// Without a terminal, as in a pipeline, a signal to the whole process group must reach the command
// exactly once: Terraform takes a second interrupt as an order to abort at once.
func TestSignalsReachTheCommandOnce(t *testing.T) {
	t.Parallel()
	p, stderr := started(t, "exec", "--", os.Args[0], "child", "signals")
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	expect := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the command says %q, want %q; stderr %q", lines.Text(), want, stderr)
		}
	}
	expect("ready")
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	expect("interrupted")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("1 interrupts")
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit %d, want the command's 5", code)
	}
}
