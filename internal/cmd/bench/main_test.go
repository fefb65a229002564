// Proves that the bench counts, compares and complains as it says; what it measures is nobody's
// business here.
package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func run(wall time.Duration, calls map[sandbox.Operation]int, connections int) cost {
	return cost{wall: wall, cpu: 2 * wall, calls: calls, connections: connections}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := bench{out: &out, parallelism: 10, latency: 50 * time.Millisecond}
	all := costs{empty: {}, data: {}, floor: {}, reserved: {}}
	for _, p := range phases {
		all[data][p] = []cost{run(4*time.Second, nil, 0), run(2*time.Second, nil, 0), run(time.Second, nil, 0)}
		all[empty][p] = []cost{run(time.Second, nil, 0)}
		all[floor][p] = []cost{run(5*time.Second, nil, 0)}
	}
	all[reserved][applying] = []cost{run(7*time.Second, map[sandbox.Operation]int{sandbox.OpCreate: 1000, sandbox.OpList: 17}, 10)}
	all[reserved][refreshing] = []cost{run(3*time.Second, map[sandbox.Operation]int{sandbox.OpRead: 4, sandbox.OpList: 9, sandbox.OpToken: 1}, 11)}
	all[reserved][destroying] = []cost{run(7*time.Second, map[sandbox.Operation]int{sandbox.OpDelete: 1000, sandbox.OpToken: 2}, 20)}
	b.report(1000, all)
	for _, want := range []string{
		"1,000 sessions", "1000 POST + 17", "1000 DELETE + 2", "2.00 s (1.00 s–4.00 s)", "4.00 s", "14",
		// of the apply, with the five seconds of latency, and without an API
		"1.00 × (≤ 1.1)", "1.17 × (≤ 1.1)", "1.40 ×",
		// of the refresh
		"1.50 × (≤ 2.5, goal 2)", "3.00 × (≤ 2.5, goal 2)", "0.60 × (≤ 1.1)",
		// of no API
		"2.50 ×", "5.00 ×",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
	slices.Sort(b.broken)
	want := []string{
		"11 connections, refresh of 1000, where 10 are promised at most",
		"14 calls, refresh of 1000, where 12 are promised at most",
		"17 other calls, apply of 1000, where 16 are promised at most",
	}
	if !slices.Equal(b.broken, want) {
		t.Errorf("got %q, want %q", b.broken, want)
	}
}

// Limits are promised for a thousand sessions.
func TestReportOfFew(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := bench{out: &out, parallelism: 10}
	all := costs{empty: {}, data: {}, floor: {}, reserved: {}}
	for _, s := range subjects {
		for _, p := range phases {
			all[s][p] = []cost{run(time.Second, nil, 0)}
		}
	}
	b.report(10, all)
	if strings.Contains(out.String(), "≤") {
		t.Errorf("limits in:\n%s", &out)
	}
}

func TestUnavoidable(t *testing.T) {
	t.Parallel()
	b := bench{latency: 50 * time.Millisecond, parallelism: 10}
	for n, want := range map[int]time.Duration{1: 5 * time.Millisecond, 15: 75 * time.Millisecond, 1000: 5 * time.Second} {
		if got := b.unavoidable(n); got != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestReportOfOne(t *testing.T) {
	t.Parallel()
	b := bench{parallelism: 10}
	b.judge(1, map[phase][]cost{refreshing: {run(0, map[sandbox.Operation]int{
		sandbox.OpRead: 2, sandbox.OpToken: 2, sandbox.OpDiscovery: 2, sandbox.OpList: 1,
	}, 1)}})
	if len(b.broken) != 4 {
		t.Errorf("got %q, want one for each operation", b.broken)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	if got, err := numbers("1, 10,1000"); err != nil || !slices.Equal(got, []int{1, 10, 1000}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, odd := range []string{"", "0", "ten", "1,,2", "-1"} {
		if _, err := numbers(odd); err == nil {
			t.Errorf("%q was taken", odd)
		}
	}
}

func TestTheMost(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "took")
	if err := os.WriteFile(file, []byte("{\"CPU\":1,\"Peak\":10}\n{\"CPU\":3,\"Peak\":30}\n{\"CPU\":2,\"Peak\":20}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := theMost(file); err != nil || got != (took{CPU: 3, Peak: 30}) {
		t.Errorf("got %v, %v", got, err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := theMost(file); err == nil {
		t.Error("nothing was measured, and nothing said so")
	}
}
