// The pipeline's gate exists twice, in jq and in Rego. Every plan that a test has goes through
// both, which must have the same objections.

//go:build !windows

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// gateLimits are what the gate is told, by the names that both twins have for them.
type gateLimits struct {
	Most   json.Number     `json:"most"`
	Budget json.RawMessage `json:"budget"`
	Cut    json.RawMessage `json:"cut"`
}

// checkGate asks both gates about a plan in JSON. It leaves its files in a directory.
func checkGate(ctx context.Context, dir, plan string, limits gateLimits, want []string) error {
	slices.Sort(want)
	for name, ask := range map[string]func(context.Context, string, string, gateLimits) ([]string, error){"gate.jq": askJQ, "gate.rego": askRego} {
		got, err := ask(ctx, dir, plan, limits)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("%s has the objections %q, want %q", name, got, want)
		}
	}
	return nil
}

func askJQ(ctx context.Context, dir, plan string, limits gateLimits) ([]string, error) {
	tools, err := toolsDir()
	if err != nil {
		return nil, err
	}
	return objections(ctx, dir, plan, filepath.Join(tools, "jq"), "-r", "--argjson", "most", string(limits.Most),
		"--argjson", "budget", string(limits.Budget), "--argjson", "cut", string(limits.Cut), "-f", gateFile(".jq"))
}

func askRego(ctx context.Context, dir, plan string, limits gateLimits) ([]string, error) {
	agent, err := opa()
	if err != nil {
		return nil, err
	}
	file, err := json.Marshal(map[string]any{"limits": limits})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "limits.json"), file, 0o600); err != nil {
		return nil, err
	}
	return objections(ctx, dir, plan, agent, "eval", "--format", "raw", "--data", gateFile(".rego"), "--data", "limits.json", "--stdin-input",
		`concat("\n", data.main.deny)`)
}

// gateFile is the path of a gate from any directory.
func gateFile(extension string) string {
	path, err := filepath.Abs(filepath.Join(examplesDir, "pipeline", "gate"+extension))
	if err != nil {
		panic(err) // there is no working directory
	}
	return path
}

// objections are the lines that a gate prints.
func objections(ctx context.Context, dir, plan string, command ...string) ([]string, error) {
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // built by these tests
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(plan), &out, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, &out, &stderr)
	}
	return strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' }), nil
}

// HCP Terraform shows a policy the plan beside the run, asks what policies.hcl says, and gives no
// limits.
func TestGate_defaults(t *testing.T) {
	t.Parallel()
	query := regexp.MustCompile(`(?m)^  query += "(.*)"$`).FindStringSubmatch(readExample(t, "pipeline/policies.hcl"))
	if query == nil {
		t.Fatal("policies.hcl has no query")
	}
	agent, err := opa()
	if err != nil {
		t.Fatal(err)
	}
	created := `{"address": "qod_session.camera", "type": "qod_session", "mode": "managed", "change": {"actions": ["create"], "before": null}}`
	for most, plan := range map[int]string{
		100: `{"plan": {"resource_changes": [` + strings.Repeat(created+",", 99) + created + `]}, "run": {}}`,
		101: `{"plan": {"resource_changes": [` + strings.Repeat(created+",", 100) + created + `]}, "run": {}}`,
	} {
		var want []string
		if most > 100 {
			want = []string{"the plan may buy 101 sessions, but MOST is 100"}
		}
		got, err := objections(t.Context(), t.TempDir(), plan, agent, "eval", "--format", "raw", "--data", gateFile(".rego"), "--stdin-input", `concat("\n", `+query[1]+")")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d sessions: objections %q, want %q, %v", most, got, want, err)
		}
	}
	for _, command := range [][]string{{agent, "fmt", "--fail", "--diff"}, {agent, "check", "--strict"}} {
		if got, err := objections(t.Context(), t.TempDir(), "", append(command, gateFile(".rego"))...); err != nil {
			t.Errorf("%s: %v\n%s", command[1], err, strings.Join(got, "\n"))
		}
	}
}

// Plans that the scripts under testdata/guides do not come to.
func TestGate(t *testing.T) {
	t.Parallel()
	const (
		start, end = "2028-02-29T20:15:00Z", "2028-03-01T00:15:00Z"
		early      = "qod_reservation.camera is live, and its new window would end its session early"
	)
	window := func(change map[string]any, starts, ends any) map[string]any {
		change["starts_at"], change["ends_at"] = starts, ends
		return change
	}
	reservation := func(status string, sessions int) map[string]any {
		return window(map[string]any{
			"status": status, "started_at": "2028-02-29T20:15:10Z", "expires_at": "2028-03-01T00:14:55Z", "sessions": make([]any, sessions),
		}, start, end)
	}
	change := func(kind string, before, after any, actions ...string) map[string]any {
		unknown := map[string]any{}
		if slices.Equal(actions, []string{"update"}) {
			unknown["session_id"] = true
		}
		return map[string]any{
			"address": kind + ".camera", "type": kind, "mode": "managed",
			"change": map[string]any{"actions": actions, "before": before, "after": after, "after_unknown": unknown},
		}
	}
	live := reservation("AVAILABLE", 1)
	moved := func(starts, ends any) map[string]any {
		return change("qod_reservation", live, window(reservation("AVAILABLE", 1), starts, ends), "update")
	}
	created := change("qod_reservation", nil, reservation("", 0), "create")
	updated := func(kind string, before, after map[string]any, unknown ...string) map[string]any {
		c := change(kind, before, after, "update")
		leaves := map[string]any{}
		for _, name := range unknown {
			leaves[name] = true
		}
		c["change"].(map[string]any)["after_unknown"] = leaves //nolint:forcetypeassert // made above
		return c
	}
	lasting := func(status string, seconds int) map[string]any {
		return map[string]any{"qos_status": status, "duration": seconds}
	}
	held := reservation("AVAILABLE", 1)
	held["session_id"] = lostID
	var (
		longer   = updated("qod_session", lasting("AVAILABLE", 3600), lasting("AVAILABLE", 7200), "expires_at")
		resumed  = updated("qod_session", lasting("REQUESTED", 3600), lasting("REQUESTED", 3600), "qos_status", "expires_at")
		adopted  = updated("qod_session", map[string]any{"qos_status": "AVAILABLE", "duration": nil}, lasting("AVAILABLE", 3600))
		extended = updated("qod_reservation", held, window(reservation("AVAILABLE", 1), start, "2028-03-01T01:15:00Z"), "expires_at", "granted_seconds")
		healed   = updated("qod_reservation", held, reservation("AVAILABLE", 1), "session_id", "status", "expires_at", "granted_seconds")
	)
	for name, test := range map[string]struct {
		changes []map[string]any
		budget  string
		want    []string
	}{
		"nothing":                    {},
		"of another provider":        {changes: []map[string]any{change("aws_instance", live, nil, "delete")}},
		"forgotten":                  {changes: []map[string]any{change("qod_reservation", live, nil, "forget")}, want: []string{"qod_reservation.camera is live, and the plan would forget it"}},
		"forgotten and not live":     {changes: []map[string]any{change("qod_reservation", reservation("ENDED", 1), nil, "forget")}},
		"a session forgotten":        {changes: []map[string]any{change("qod_session", map[string]any{"qos_status": "AVAILABLE"}, nil, "forget")}, want: []string{"qod_session.camera is live, and the plan would forget it"}},
		"replaced the other way":     {changes: []map[string]any{change("qod_reservation", live, live, "create", "delete")}, want: []string{"qod_reservation.camera is live, and the plan would create and delete it"}},
		"the window is the same":     {changes: []map[string]any{moved(start, end)}},
		"a minute early":             {changes: []map[string]any{moved(start, "2028-03-01T00:13:55Z")}},
		"more than a minute early":   {changes: []map[string]any{moved(start, "2028-03-01T00:13:54Z")}, want: []string{early}},
		"fractions do not count":     {changes: []map[string]any{moved(start, "2028-03-01T00:13:55.9Z")}},
		"a start before the session": {changes: []map[string]any{moved("2028-02-29T21:15:10.9+01:00", end)}},
		"a start after it":           {changes: []map[string]any{moved("2028-02-29T20:15:11Z", end)}, want: []string{early}},
		"no start before or after":   {changes: []map[string]any{change("qod_reservation", window(reservation("AVAILABLE", 1), nil, end), window(reservation("AVAILABLE", 1), nil, "2028-03-01T01:15:00Z"), "update")}},
		"a start where none was":     {changes: []map[string]any{change("qod_reservation", window(reservation("AVAILABLE", 1), nil, end), window(reservation("AVAILABLE", 1), "2028-02-29T21:15:00Z", end), "update")}, want: []string{early}},
		"no end in state":            {changes: []map[string]any{change("qod_reservation", window(reservation("AVAILABLE", 1), start, nil), window(reservation("AVAILABLE", 1), start, end), "update")}},
		"within the budget":          {changes: []map[string]any{created, change("qod_reservation", reservation("ENDED", 4), reservation("ENDED", 4), "no-op")}, budget: "5"},
		"beyond the budget":          {changes: []map[string]any{created, change("qod_reservation", reservation("ENDED", 4), reservation("ENDED", 4), "no-op")}, budget: "4", want: []string{"the event has had 4 sessions and the plan may buy 1 more, but BUDGET is 4"}},
		"a session has been bought":  {changes: []map[string]any{created, change("qod_session", map[string]any{"qos_status": "UNAVAILABLE"}, nil, "no-op")}, budget: "1", want: []string{"the event has had 1 sessions and the plan may buy 1 more, but BUDGET is 1"}},
		"spent, and nothing bought":  {changes: []map[string]any{change("qod_reservation", reservation("ENDED", 4), nil, "delete")}, budget: "1"},
		"extended as often as MOST":  {changes: []map[string]any{longer, extended, resumed, adopted}},
		"extended beyond MOST":       {changes: []map[string]any{longer, extended, created}, want: []string{"the plan may buy 1 sessions and extend 2, but MOST is 2"}},
		"healed, not extended":       {changes: []map[string]any{healed, extended, created}, want: []string{"the plan may buy 2 sessions and extend 1, but MOST is 2"}},
		"extended with BUDGET spent": {changes: []map[string]any{extended}, budget: "1"},
		"more than MOST":             {changes: []map[string]any{created, change("qod_session", nil, nil, "create"), created}, want: []string{"the plan may buy 3 sessions, but MOST is 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := json.Marshal(map[string]any{"resource_changes": test.changes})
			if err != nil {
				t.Fatal(err)
			}
			if test.budget == "" {
				test.budget = "null"
			}
			limits := gateLimits{Most: "2", Budget: json.RawMessage(test.budget), Cut: json.RawMessage("[]")}
			if err := checkGate(t.Context(), t.TempDir(), string(plan), limits, test.want); err != nil {
				t.Error(err)
			}
		})
	}
}
