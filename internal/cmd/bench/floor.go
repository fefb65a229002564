package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	// timed names the provider to run under a stopwatch, and watch the file that gets what it took.
	timed = "QOD_BENCH_PROVIDER"
	watch = "QOD_BENCH_WATCH"
)

// cookie is how a provider knows that Terraform has started it.
const (
	cookie      = "TF_PLUGIN_MAGIC_COOKIE"
	cookieValue = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
)

// startedAsProvider reports whether it was Terraform that started this process.
func startedAsProvider() bool { return os.Getenv(cookie) != "" }

func asProvider() int {
	var err error
	if path := os.Getenv(timed); path != "" {
		err = stopwatch(path, os.Getenv(watch))
	} else {
		err = provider.ServeWithout(noAPI{})
	}
	if err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

// took is what a provider process took in all.
type took struct {
	CPU  time.Duration
	Peak int64 // bytes of memory; 0 where the system does not say
}

func (t took) megabytes() int { return int(t.Peak / 1_000_000) }

// stopwatch runs a provider in place of this process, and adds what it took to a file, a line each.
func stopwatch(path, file string) error {
	cmd := exec.Command(path) //nolint:noctx,gosec // it is the one that bench was given, and ends when Terraform ends it
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	line, err := json.Marshal(took{CPU: cpu(cmd.ProcessState), Peak: peak(cmd.ProcessState)})
	if err != nil {
		return err
	}
	to, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := to.Write(append(line, '\n')); err != nil {
		return err
	}
	return to.Close()
}

func cpu(s *os.ProcessState) time.Duration { return s.UserTime() + s.SystemTime() }

// noAPI is the network at no cost: it agrees to everything and remembers nothing. All its sessions
// have the times and the profile of the configuration that the bench applies.
type noAPI struct{}

const profile = "QOS_L"

var (
	kickOff = time.Date(2100, 1, 1, 20, 15, 0, 0, time.UTC)
	theEnd  = kickOff.Add(24 * time.Hour)
)

func session(id string) qod.Session {
	return qod.Session{ID: id, QoSProfile: profile, Status: qod.StatusAvailable, StartedAt: kickOff, ExpiresAt: theEnd, Seconds: 86_400}
}

func (noAPI) Check(qod.Spec) []qod.Problem { return nil }

func (noAPI) Create(_ context.Context, spec qod.Spec) (qod.Session, error) {
	var b [16]byte
	_, _ = rand.Read(b[:])
	s := session(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
	s.Device = spec.Device
	return s, nil
}

func (noAPI) Await(_ context.Context, ref qod.Ref) (qod.Session, error) { return session(ref.ID), nil }
func (noAPI) Read(_ context.Context, ref qod.Ref) (qod.Session, error)  { return session(ref.ID), nil }
func (noAPI) ReadCached(_ context.Context, ref qod.Ref) (qod.Session, bool) {
	return session(ref.ID), true
}
func (noAPI) Delete(context.Context, qod.Ref) error                   { return nil }
func (noAPI) List(context.Context, qod.Filter) ([]qod.Session, error) { return nil, nil }
func (noAPI) Now(context.Context) (time.Time, error)                  { return kickOff, nil }
func (noAPI) EstimateNow() time.Time                                  { return kickOff }
func (noAPI) Endpoint() string                                        { return "https://no-api.example" }
func (noAPI) Origin() string                                          { return "https://no-api.example" }
