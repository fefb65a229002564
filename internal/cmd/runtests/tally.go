package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// tally counts the tests of one run: those that have no tests of their own below them.
type tally struct {
	passed, failed int
	skipped        []string // name, and why
}

// event is a line of go test -json, see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

type testID struct{ pkg, name string }

// follow reads the events of go test and writes what go test would have without -json: a line for
// each package, and all that a failed test said.
func follow(events io.Reader, out io.Writer) (tally, error) {
	said := map[testID][]string{}
	ended := map[testID]string{}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				e = event{Action: "build-output", Output: line}
			}
			e.show(out, said)
			if e.Test != "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip") {
				id := testID{e.Package, e.Test}
				ended[id] = e.Action
				if e.Action == "skip" {
					ended[id] += reason(e.Test, said[id])
				}
				delete(said, id)
			}
		}
		if err == io.EOF {
			return count(ended), nil
		}
		if err != nil {
			return count(ended), err
		}
	}
}

func (e event) show(out io.Writer, said map[testID][]string) {
	id := testID{e.Package, e.Test}
	switch {
	case e.Action == "build-output":
		fmt.Fprint(out, e.Output)
	case e.Action == "output" && e.Test != "":
		if !strings.HasPrefix(e.Output, "=== ") {
			said[id] = append(said[id], e.Output)
		}
	case e.Action == "output":
		if e.Output != "PASS\n" && !strings.HasSuffix(e.Output, "[no test files]\n") {
			fmt.Fprint(out, e.Output)
		}
	case e.Action == "fail" && e.Test != "":
		fmt.Fprint(out, strings.Join(said[id], ""))
	case e.Action == "fail":
		// The package ended before these tests did: a crash, or the time was up.
		for _, id := range slices.SortedFunc(maps.Keys(said), testID.compare) {
			if id.pkg == e.Package {
				fmt.Fprint(out, strings.Join(said[id], ""))
				delete(said, id)
			}
		}
	}
}

func (id testID) compare(other testID) int {
	return strings.Compare(id.pkg+" "+id.name, other.pkg+" "+other.name)
}

// reason is what a skipped test said last, without the line number.
func reason(test string, said []string) string {
	for _, line := range slices.Backward(said) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--- SKIP") {
			continue
		}
		if _, after, found := strings.Cut(line, ".go:"); found {
			_, line, _ = strings.Cut(after, ": ")
		}
		return test + ": " + line
	}
	return test
}

func count(ended map[testID]string) tally {
	parents := map[testID]bool{}
	for id := range ended {
		for i, r := range id.name {
			if r == '/' {
				parents[testID{id.pkg, id.name[:i]}] = true
			}
		}
	}
	var t tally
	for _, id := range slices.SortedFunc(maps.Keys(ended), testID.compare) {
		switch how := ended[id]; {
		case parents[id]:
		case how == "pass":
			t.passed++
		case how == "fail":
			t.failed++
		default:
			t.skipped = append(t.skipped, strings.TrimPrefix(how, "skip"))
		}
	}
	return t
}

func summarize(out io.Writer, steps []step, tallies []tally) {
	width := len("Tests on")
	for _, s := range steps {
		width = max(width, len(s.name))
	}
	fmt.Fprintf(out, "%-*s  passed  failed  skipped\n", width, "Tests on")
	var passed, failed, skipped int
	for i, t := range tallies {
		fmt.Fprintf(out, "%-*s  %6d  %6d  %7d\n", width, steps[i].name, t.passed, t.failed, len(t.skipped))
		passed, failed, skipped = passed+t.passed, failed+t.failed, skipped+len(t.skipped)
	}
	for i, t := range tallies {
		for _, s := range t.skipped {
			fmt.Fprintf(out, "skipped on %s: %s\n", steps[i].name, s)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
}
