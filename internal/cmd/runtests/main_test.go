// Proves that what "make test" prints is what ran: failures in full, counts of what really ran, no
// variable of the person who runs it, and no CLI missing in CI unnoticed.
package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

// A run as go test -json tells it: a table with a skip and a failure, a test that was still running
// when its package crashed, and a package that does not compile.
const events = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestTable"}
{"Action":"output","Package":"a","Test":"TestTable","Output":"=== RUN   TestTable\n"}
{"Action":"output","Package":"a","Test":"TestTable/good","Output":"    a_test.go:9: chatter\n"}
{"Action":"pass","Package":"a","Test":"TestTable/good"}
{"Action":"output","Package":"a","Test":"TestTable/old","Output":"    a_test.go:11: needs Terraform 1.12\n"}
{"Action":"output","Package":"a","Test":"TestTable/old","Output":"    --- SKIP: TestTable/old (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestTable/old"}
{"Action":"output","Package":"a","Test":"TestTable/bad","Output":"    a_test.go:13: got 1, want 2\n"}
{"Action":"output","Package":"a","Test":"TestTable/bad","Output":"    --- FAIL: TestTable/bad (0.00s)\n"}
{"Action":"fail","Package":"a","Test":"TestTable/bad"}
{"Action":"fail","Package":"a","Test":"TestTable"}
{"Action":"pass","Package":"a","Test":"TestPlain"}
{"Action":"output","Package":"a","Test":"TestStuck","Output":"panic: test timed out\n"}
{"Action":"output","Package":"a","Output":"FAIL\ta\t0.1s\n"}
{"Action":"fail","Package":"a"}
{"Action":"output","Package":"b","Output":"PASS\n"}
{"Action":"output","Package":"b","Output":"ok  \tb\t0.2s\n"}
{"Action":"pass","Package":"b"}
{"Action":"output","Package":"c","Output":"?   \tc\t[no test files]\n"}
{"ImportPath":"d","Action":"build-output","Output":"d.go:1:1: expected 'package'\n"}
not JSON at all
`

func TestFollow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	got, err := follow(strings.NewReader(events), &out)
	if err != nil {
		t.Fatal(err)
	}
	if got.passed != 2 || got.failed != 1 || !slices.Equal(got.skipped, []string{"TestTable/old: needs Terraform 1.12"}) {
		t.Errorf("got %+v", got)
	}
	const want = `    a_test.go:13: got 1, want 2
    --- FAIL: TestTable/bad (0.00s)
FAIL	a	0.1s
panic: test timed out
ok  	b	0.2s
d.go:1:1: expected 'package'
not JSON at all
`
	if out.String() != want {
		t.Errorf("printed:\n%s\nwant:\n%s", &out, want)
	}
}

func TestOnlyForVersions(t *testing.T) {
	t.Parallel()
	for skip, allowed := range map[string]bool{
		"TestList_query: Terraform CLI version 1.11.4 is below minimum version 1.14.0: skipping test": true,
		"TestList_query: no version of OpenTofu has a query command yet":                              true,
		"TestConversion: not today": false,
		"TestVersion":               false,
	} {
		if err := onlyForVersions([]string{skip}); (err == nil) != allowed {
			t.Errorf("%s: %v", skip, err)
		}
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	summarize(&out, []step{{name: "no CLI"}, {name: "OpenTofu 1.12.6"}}, []tally{{passed: 200}, {passed: 40, failed: 1, skipped: []string{"TestQuery: needs Terraform 1.14"}}})
	const want = `Tests on         passed  failed  skipped
no CLI              200       0        0
OpenTofu 1.12.6      40       1        1
skipped on OpenTofu 1.12.6: TestQuery: needs Terraform 1.14
240 passed, 1 failed, 1 skipped
`
	if out.String() != want {
		t.Errorf("printed:\n%s\nwant:\n%s", &out, want)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	environ := []string{"HOME=/home/me", "TF_LOG=TRACE", "TF_CLI_CONFIG_FILE=mine", "QOD_CLIENT_SECRET=s3cret"}
	own := []string{"TF_CLI_CONFIG_FILE=" + os.DevNull, "CHECKPOINT_DISABLE=1"}
	if got, want := clean(environ, false), append([]string{"HOME=/home/me"}, own...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := clean(environ, true), append([]string{"HOME=/home/me", "QOD_CLIENT_SECRET=s3cret"}, own...); !slices.Equal(got, want) {
		t.Errorf("remote: got %q, want %q", got, want)
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
		err := enough(test.clis, test.everything, test.ci)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing":  {nil, []string{"QOD_ENDPOINT", "QOD_CLIENT_ID", "QOD_TEST_PHONE_NUMBER"}},
		"half":     {map[string]string{"QOD_ENDPOINT": "e", "QOD_CLIENT_ID": "i"}, []string{"QOD_CLIENT_SECRET"}},
		"pair":     {map[string]string{"QOD_ENDPOINT": "e", "QOD_CLIENT_ID": "i", "QOD_CLIENT_SECRET": "s", "QOD_TEST_PHONE_NUMBER": "+1"}, nil},
		"token":    {map[string]string{"QOD_ENDPOINT": "e", "QOD_ACCESS_TOKEN": "t", "QOD_TEST_PHONE_NUMBER": "+1"}, nil},
		"no place": {map[string]string{"QOD_ACCESS_TOKEN": "t"}, []string{"QOD_ENDPOINT"}},
	} {
		err := named(func(key string) string { return test.env[key] })
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: got %v", name, err)
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not name %s", name, err, want)
			}
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
