// Proves that "make test" cannot be green when a test was left out, in a stage or in CI.
package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/terraform"
)

// A stage fails if no test ran, or if one was skipped for another reason than a version. Here the
// report is not from gotestsum, but from a program in its place that writes what gotestsum would.
func TestStage(t *testing.T) {
	t.Parallel()
	skipped := func(why string) string {
		return `<testsuites tests="2" failures="0"><testsuite><testcase name="TestGood"/><testcase name="TestVersion"><skipped message="=== RUN   TestVersion&#xA;` +
			why + `--- SKIP: TestVersion (0.00s)&#xA;"/></testcase></testsuite></testsuites>`
	}
	for name, test := range map[string]struct{ report, want string }{
		"passed":           {`<testsuites tests="3" failures="0"></testsuites>`, ""},
		"of a version":     {skipped("    a_test.go:9: no version of OpenTofu has a query command yet&#xA;"), ""},
		"not today":        {skipped("    a_test.go:9: not today&#xA;"), "TestVersion was skipped"},
		"without a reason": {skipped(""), "TestVersion was skipped"},
		"left to the CLIs": {skipped("    cli.go:9: " + terraform.NeedsCLI + "&#xA;"), ""},
		"left to one CLI":  {skipped("    cli.go:9: " + terraform.NeedsAnyCLI + "&#xA;"), ""},
		"nothing":          {`<testsuites tests="0" failures="0"></testsuites>`, "no test ran"},
		"failed":           {`<testsuites tests="3" failures="1"></testsuites>`, "exit status 1"},
	} {
		// All are written before one is started: a process that is forked meanwhile would hold a
		// file open for writing, and to start that fails with "text file busy".
		dir := t.TempDir()
		report, fake := filepath.Join(dir, "report.xml"), filepath.Join(dir, "gotestsum")
		if err := os.WriteFile(report, []byte(test.report), 0o600); err != nil {
			t.Fatal(err)
		}
		script := "#!/bin/sh\nfor a; do case $a in --junitfile=*) cp " + report + " ${a#*=};; esac; done\n! grep -q 'failures=\"1\"' " + report + "\n"
		if err := os.WriteFile(fake, []byte(script), 0o700); err != nil { //nolint:gosec // it must be executable
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := options{gotestsum: fake}.test(t.Context(), stage{})
			if err == nil {
				err = r.complete()
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// What a stage without a CLI skips runs on each CLI, once a test, and is missed if it does not.
func TestLeftToCLIs(t *testing.T) {
	t.Parallel()
	report := func(cases string) (r results) {
		if err := xml.Unmarshal([]byte(`<testsuites tests="5"><testsuite>`+cases+`</testsuite></testsuites>`), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	skip := `<skipped message="    cli.go:9: ` + terraform.NeedsCLI + `"/></testcase>`
	skipAny := `<skipped message="    cli.go:9: ` + terraform.NeedsAnyCLI + `"/></testcase>`
	first := report(`<testcase classname="m/a" name="TestPlain"/>` +
		`<testcase classname="m/b" name="TestWhole">` + skip +
		`<testcase classname="m/a" name="TestLife/one">` + skip + `<testcase classname="m/a" name="TestLife/two">` + skip +
		`<testcase classname="m/a" name="TestLife"/>` +
		`<testcase classname="m/a" name="TestLife/any.sh">` + skipAny +
		`<testcase classname="m/a" name="TestFault">` + skipAny)
	if got, want := strings.Join(only(first.left(), nil), " "), "-run=^(TestFault|TestLife|TestWhole)$ m/a m/b"; got != want {
		t.Errorf("the stage of the last CLI runs %s, want %s", got, want)
	}
	if got, want := strings.Join(only(divide(first.left())), " "), `-run=^(TestLife|TestWhole)$ -skip=^TestFault$|^TestLife$/^any\.sh$ m/a m/b`; got != want {
		t.Errorf("the stage of another CLI runs %s, want %s", got, want)
	}
	if got, want := first.String(), "   0 tests, 0 failed, 0 skipped, 5 left to the CLIs"; got != want {
		t.Errorf("the tally is %q, want %q", got, want)
	}
	const two, anyCLI = `<testcase classname="m/a" name="TestLife/two"/>`, `<testcase classname="m/a" name="TestLife/any.sh"/>`
	whole := `<testcase classname="m/b" name="TestWhole"/><testcase classname="m/a" name="TestFault"/><testcase classname="m/a" name="TestLife"/>`
	one := `<testcase classname="m/a" name="TestLife/one"/>`
	for name, test := range map[string]struct{ cases, want string }{
		"all":               {whole + one + two + anyCLI, ""},
		"one is missing":    {whole + one + anyCLI, "TestLife/two in m/a starts a CLI, and did not run on this one"},
		"any CLI would do":  {whole + one + two, "TestLife/any.sh in m/a starts a CLI"},
		"of another":        {whole + one + `<testcase classname="m/b" name="TestLife/two"/>` + anyCLI, "TestLife/two in m/a starts a CLI"},
		"skipped once more": {whole + two + anyCLI + `<testcase classname="m/a" name="TestLife/one">` + skip, "TestLife/one in m/a found no CLI"},
	} {
		err := report(test.cases).ran(first.left())
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestEnough(t *testing.T) {
	t.Parallel()
	terraform, tofu := cli{product: "Terraform"}, cli{product: "OpenTofu"}
	for name, test := range map[string]struct {
		clis           []cli
		everything, ci bool
		want           string
	}{
		"both":             {[]cli{terraform, tofu}, true, true, ""},
		"one, a person":    {[]cli{tofu}, true, false, ""},
		"one, CI":          {[]cli{tofu}, true, true, "there is no Terraform"},
		"other one, CI":    {[]cli{terraform}, true, true, "there is no OpenTofu"},
		"one cell of many": {[]cli{terraform}, false, true, ""},
		"none":             {nil, true, false, "no CLI"},
	} {
		err := options{everything: test.everything, ci: test.ci}.enough(test.clis)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestVersionLine(t *testing.T) {
	t.Parallel()
	for out, want := range map[string][]string{
		"Terraform v1.11.4\non linux_amd64\n":                  {"Terraform", "1.11.4"},
		"\nWarning: something first\n\nOpenTofu v1.12.6\non\n": {"OpenTofu", "1.12.6"},
		"GNU bash, version 5.2\n":                              nil,
	} {
		got := versionLine.FindStringSubmatch(out)
		if len(got) > 0 {
			got = got[1:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", out, got, want)
		}
	}
}

func TestCLIEnv(t *testing.T) {
	t.Parallel()
	terraform := cli{product: "Terraform", path: "/bin/terraform"}
	if got, want := terraform.env(), []string{"TF_ACC_TERRAFORM_PATH=/bin/terraform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	tofu := cli{product: "OpenTofu", path: "/bin/tofu"}
	if got, want := tofu.env(), []string{"TF_ACC_TERRAFORM_PATH=/bin/tofu", "TF_ACC_PROVIDER_HOST=registry.opentofu.org"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
