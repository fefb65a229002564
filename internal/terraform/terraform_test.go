package terraform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// asCLI makes this test binary a CLI: one that hangs as soon as it has written the named file, or
// one that fails.
const asCLI = "TERRAFORM_TEST_AS_CLI"

func TestMain(m *testing.M) {
	switch as := os.Getenv(asCLI); as {
	case "":
		os.Exit(m.Run())
	case "fail":
		_, _ = os.Stdout.WriteString("what it did\n")
		_, _ = os.Stderr.WriteString("what went wrong\n")
		os.Exit(3)
	default:
		if err := os.WriteFile(as, nil, 0o600); err != nil {
			panic(err)
		}
		<-time.After(time.Minute)
	}
}

func self(t *testing.T, as string) CLI {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return CLI{Path: path, Dir: t.TempDir(), Env: Environment(os.Environ(), asCLI+"="+as)}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	got := Environment([]string{"PATH=/bin", "TF_CLI_ARGS_apply=-target=x", "QOD_ENDPOINT=https://real", "QODA=1"}, "QOD_ENDPOINT=mine")
	if want := []string{"PATH=/bin", "QODA=1", "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "QOD_ENDPOINT=mine"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExecuteFails(t *testing.T) {
	t.Parallel()
	_, err := self(t, "fail").Execute(t.Context(), "apply", "-auto-approve")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{" apply: exit status 3", "what it did\n", "what went wrong\n"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestExecuteIsInterrupted(t *testing.T) {
	t.Parallel()
	started := filepath.Join(t.TempDir(), "started")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for range time.Tick(10 * time.Millisecond) {
			if _, err := os.Stat(started); err == nil || ctx.Err() != nil {
				return
			}
		}
	}()
	began := time.Now()
	if _, err := self(t, started).Execute(ctx, "apply"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if time.Since(began) > 30*time.Second {
		t.Error("it was not interrupted")
	}
}
