package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The test binary also acts as the program, for tests that need a separate process, and as the
// command that exec runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "program":
			os.Args = os.Args[1:]
			main()
		case "child":
			os.Exit(child(os.Args[2:]))
		}
	}
	os.Exit(func() int {
		scratch, err := os.MkdirTemp("", "qod-sandbox")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(scratch)
		quieten(scratch)
		return m.Run()
	}())
}

// instruments make the processes that a test starts behave like the program: with the race
// detector they would wait a second before a successful exit, and with coverage they would warn
// that there is no directory for it.
var instruments []string

func quieten(scratch string) {
	for name, value := range map[string]string{"GORACE": "atexit_sleep_ms=0", "GOCOVERDIR": scratch} {
		os.Setenv(name, value)
		instruments = append(instruments, name+"="+value)
	}
}

// child performs the steps in its arguments, in order.
func child(steps []string) int {
	for _, step := range steps {
		verb, argument, _ := strings.Cut(step, "=")
		switch verb {
		case "environment":
			for _, v := range os.Environ() {
				if strings.HasPrefix(v, "QOD_") {
					fmt.Println(v)
				}
			}
		case "copy":
			_, _ = io.Copy(os.Stdout, os.Stdin)
		case "create":
			if err := createSession(argument); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 99
			}
		case "ask":
			fmt.Println(askForConsent(argument))
		case "exit":
			var code int
			_, _ = fmt.Sscan(argument, &code)
			return code
		case "kill":
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		case "signals":
			return countSignals()
		}
	}
	return 0
}

// countSignals prints how many interrupts it received before SIGTERM, and exits with status 5.
func countSignals() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	fmt.Println("ready")
	for n := 0; ; n++ {
		if <-signals == syscall.SIGTERM {
			fmt.Printf("%d interrupts\n", n)
			return 5
		}
		fmt.Println("interrupted")
	}
}

// askForConsent asks the user of a phone number by CIBA, polls once, and returns the last answer.
func askForConsent(phone string) string {
	origin := strings.TrimSuffix(os.Getenv("QOD_ENDPOINT"), "/v1")
	post := func(path, form string) (body string) {
		form += "&client_id=" + os.Getenv("QOD_CLIENT_ID") + "&client_secret=" + os.Getenv("QOD_CLIENT_SECRET")
		answer, err := http.Post(origin+path, "application/x-www-form-urlencoded", strings.NewReader(form)) //nolint:noctx // a child ends with its test
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		content, _ := io.ReadAll(answer.Body)
		return string(content)
	}
	asked := post("/oauth/bc-authorize", "scope=openid&login_hint=tel:"+phone)
	var authorization struct {
		ID string `json:"auth_req_id"`
	}
	if json.Unmarshal([]byte(asked), &authorization) != nil || authorization.ID == "" {
		return asked
	}
	return post("/oauth/token", "grant_type=urn:openid:params:grant-type:ciba&auth_req_id="+authorization.ID)
}

// createSession creates a session with the environment that the provider would use.
func createSession(phone string) error {
	endpoint := os.Getenv("QOD_ENDPOINT")
	tokenRequest, err := http.NewRequestWithContext(context.Background(), http.MethodPost, strings.TrimSuffix(endpoint, "/v1")+"/oauth/token",
		strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return err
	}
	tokenRequest.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	tokenRequest.SetBasicAuth(os.Getenv("QOD_CLIENT_ID"), os.Getenv("QOD_CLIENT_SECRET"))
	answer, err := http.DefaultClient.Do(tokenRequest)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, endpoint+"/qod/sessions",
		strings.NewReader(`{"device":{"phoneNumber":"`+phone+`"},"qosProfile":"QOS_E","duration":3600}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	created, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer created.Body.Close()
	if created.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s", created.Status)
	}
	return nil
}

type outcome struct {
	code     int
	out, err string
}

// run runs the program in this process.
func run(environ []string, input string, args ...string) outcome {
	var out, err lockedBuffer
	environ = append(environ, instruments...)
	p := &program{in: strings.NewReader(input), out: &out, err: &err, environ: environ}
	code := p.run(args)
	return outcome{code, out.written.String(), err.written.String()}
}

// lockedBuffer is a buffer that the program and its command both write to, as they would to a file.
type lockedBuffer struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (s *lockedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.Write(p)
}

// unused is the message of exec if the sandbox received no request.
const unused = "qod-sandbox: the sandbox received no request; if it should have, remove endpoint from the provider block\n"

// execute runs exec, with the child and these steps as its command.
func execute(environ []string, input string, flags []string, steps ...string) outcome {
	args := append([]string{"exec"}, flags...)
	return run(environ, input, append(append(args, "--", os.Args[0], "child"), steps...)...)
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args  []string
		names []string
	}{
		"double dash":    {[]string{"--help"}, []string{"Usage:", "exec", "-listen", "-provisioning", "(default 2s)"}},
		"single dash":    {[]string{"-help"}, []string{"Usage:", "-listen"}},
		"short":          {[]string{"-h"}, []string{"Usage:", "-listen"}},
		"verb":           {[]string{"help"}, []string{"Usage:", "-listen"}},
		"of exec":        {[]string{"exec", "--help"}, []string{"exec -- sh", "-fail-on-leftovers", "QOD_ENDPOINT", "127"}},
		"help of exec":   {[]string{"help", "exec"}, []string{"-fail-on-leftovers"}},
		"deviations":     {[]string{"-help"}, []string{"-extend", "remaining", "-deviate", "epoch-times (camara-v1), no-device, status-202; forgetful (camara-v0)"}},
		"help of serve":  {[]string{"help", "serve"}, []string{"-listen", "sandbox.env"}},
		"flags and help": {[]string{"-quiet", "--mock-rules", "-help"}, []string{"Usage:"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(nil, "", test.args...)
			if got.code != exitOK || got.err != "" {
				t.Errorf("exit %d, stderr %q", got.code, got.err)
			}
			for _, want := range test.names {
				if !strings.Contains(got.out, want) {
					t.Errorf("help does not name %q:\n%s", want, got.out)
				}
			}
		})
	}
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args  []string
		names string
	}{
		"unknown verb":           {[]string{"start"}, `"start"`},
		"help of unknown verb":   {[]string{"help", "start"}, `"start"`},
		"unknown flag":           {[]string{"-verbose"}, "-verbose"},
		"bad duration":           {[]string{"-provisioning", "soon"}, "soon"},
		"negative":               {[]string{"exec", "-latency", "-1s", "--", "true"}, "negative"},
		"arguments":              {[]string{"serve", "now"}, `"now"`},
		"nothing to run":         {[]string{"exec"}, "command"},
		"nothing to run after -": {[]string{"exec", "-quiet", "--"}, "command"},
		"all addresses":          {[]string{"-listen", ":8080"}, "-allow-remote"},
		"all IPv4 addresses":     {[]string{"--listen", "0.0.0.0:8080"}, "-allow-remote"},
		"a name":                 {[]string{"-listen", "example.com:80"}, "-allow-remote"},
		"no port":                {[]string{"-listen", "127.0.0.1"}, "port"},
		"an unknown deviation":   {[]string{"-deviate", "late"}, "status-202 and forgetful"},
		"forgetful elsewhere":    {[]string{"-api", "camara-v1", "-deviate", "forgetful"}, "-api camara-v0"},
		"ledger of what":         {[]string{"ledger", "all"}, `"all"`},
		"revoke nobody":          {[]string{"revoke"}, "identifier"},
		"advance by nothing":     {[]string{"advance"}, "duration"},
		"advance to nothing":     {[]string{"advance", "-to", ""}, "-to and a time"},
		"advance twice":          {[]string{"advance", "4h", "-to", "2026-12-05T20:30:00Z"}, "-to and a time"},
		"advance to no time":     {[]string{"advance", "-to", "20:30"}, `"20:30"`},
		"clock of what":          {[]string{"clock", "+1h"}, `"+1h"`},
		"fail nothing":           {[]string{"fail", "create"}, "fail create 503"},
		"fail what":              {[]string{"fail", "update", "503"}, `"update"`},
		"fail never":             {[]string{"fail", "create", "503", "-times", "0"}, "-times must be"},
		"an unknown answer":      {[]string{"-consent", "maybe"}, `"maybe"`},
		"an unknown grant":       {[]string{"-grant", "password"}, `"password"`},
		"consent in the past":    {[]string{"-consent-after", "-1s"}, "negative"},
		"no time for consent":    {[]string{"-consent-time", "10ms"}, "at least 1s"},
		"exec does not listen":   {[]string{"exec", "-listen", "127.0.0.1:0", "--", "true"}, "-listen"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(nil, "", test.args...)
			if got.code != exitUsage || got.out != "" {
				t.Errorf("exit %d, stdout %q", got.code, got.out)
			}
			if !strings.Contains(got.err, test.names) || !strings.HasPrefix(got.err, "qod-sandbox: ") || strings.Count(got.err, "\n") != 1 {
				t.Errorf("stderr %q must name %q in one line", got.err, test.names)
			}
		})
	}
}

// The flags of camara-v0 make the sandbox that they say.
func TestOptionsOfV0(t *testing.T) {
	t.Parallel()
	var o options
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	o.define(flags)
	if err := flags.Parse([]string{"-api", "camara-v0", "-deviate", "no-device,forgetful", "-mock-rules", "-quiet"}); err != nil {
		t.Fatal(err)
	}
	config, err := o.config(&program{})
	if err != nil || config.API != sandbox.CAMARAV0 || !config.Forgetful || !config.OmitDevice || !config.MockRules {
		t.Errorf("%+v, %v", config, err)
	}
}

func TestLoopbackAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "127.8.8.8:80": true, "[::1]:80": true, "localhost:80": true,
		"": false, ":80": false, "0.0.0.0:80": false, "[::]:80": false, "192.0.2.1:80": false, "localhost.example:80": false, "::1": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

func TestExecSetsTheEnvironment(t *testing.T) {
	t.Parallel()
	got := execute([]string{
		"QOD_API=real", "QOD_API_PATH=real", "QOD_ACCESS_TOKEN=real", "QOD_TOKEN_URL=real", "QOD_SCOPES=real", "QOD_ENDPOINT=real",
		"QOD_CLIENT_ID=real", "QOD_CLIENT_SECRET=real", "QOD_CLIENT_PRIVATE_KEY=real", "QOD_CLIENT_PRIVATE_KEY_ID=real",
		"QOD_CLIENT_ASSERTION_AUDIENCE=real", "QOD_TOKEN_ENDPOINT_AUTH_METHOD=real", "QOD_HEADERS=real", "QOD_OTHER=kept",
		"QOD_GRANT=real", "QOD_DEVICE_IN_REQUESTS=real", "QOD_BACKCHANNEL_AUTHENTICATION_URL=real",
	}, "", nil, "environment")
	if got.code != 0 || strings.Contains(got.out, "real") {
		t.Errorf("exit %d, environment:\n%s%s", got.code, got.out, got.err)
	}
	lines := strings.Fields(got.out)
	slices.Sort(lines)
	want := []string{"QOD_API=open-gateway", "QOD_API_PATH=/qod", "QOD_CLIENT_ID=sandbox-client", "QOD_CLIENT_SECRET=sandbox-secret"}
	if len(lines) != 6 || !slices.Equal(lines[:4], want) ||
		!strings.HasPrefix(lines[4], "QOD_ENDPOINT=http://127.0.0.1:") || !strings.HasSuffix(lines[4], "/v1") || lines[5] != "QOD_OTHER=kept" {
		t.Errorf("environment: %v", lines)
	}
}

func TestExecPassesInputAndOutput(t *testing.T) {
	t.Parallel()
	if got := execute(nil, "through", nil, "copy"); got.out != "through" || got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestExecReturnsTheCommandsStatus(t *testing.T) {
	t.Parallel()
	plain := t.TempDir() + "/plain"
	if err := os.WriteFile(plain, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		code int
		says string
	}{
		"success":        {[]string{os.Args[0], "child"}, 0, ""},
		"failure":        {[]string{os.Args[0], "child", "exit=7"}, 7, ""},
		"killed":         {[]string{os.Args[0], "child", "kill"}, 128 + 9, ""},
		"not found":      {[]string{"no-such-command-anywhere"}, 127, "cannot run no-such-command-anywhere: "},
		"no such file":   {[]string{t.TempDir() + "/nothing"}, 127, "no such file"},
		"not executable": {[]string{plain}, 126, "permission denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(nil, "", append([]string{"exec", "--"}, test.args...)...)
			if told := strings.Contains(got.err, unused); told != (test.code == 0) {
				t.Errorf("told that the sandbox was not used: %v", told)
			}
			got.err = strings.Replace(got.err, unused, "", 1)
			if got.code != test.code || !strings.Contains(got.err, test.says) || (test.says == "") != (got.err == "") {
				t.Errorf("exit %d, want %d; stderr %q", got.code, test.code, got.err)
			}
		})
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flags []string
		steps []string
		code  int
		live  string
	}{
		"none":                {[]string{"--fail-on-leftovers"}, nil, 0, ""},
		"one, told":           {nil, []string{"create=+34600123456"}, 0, "1 session was still live:"},
		"one, fatal":          {[]string{"-fail-on-leftovers"}, []string{"create=+34600123456"}, 1, "1 session was still live:"},
		"two, fatal":          {[]string{"--fail-on-leftovers"}, []string{"create=+34600123456", "create=+34600654321"}, 1, "2 sessions were still live:"},
		"the command's first": {[]string{"-fail-on-leftovers"}, []string{"create=+34600123456", "exit=3"}, 3, "1 session was still live:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := execute(nil, "", append(test.flags, "-quiet", "-provisioning", "0"), test.steps...)
			if used := !strings.Contains(got.err, unused); used != (len(test.steps) > 0) {
				t.Errorf("used: %v; stderr %q", used, got.err)
			}
			got.err = strings.Replace(got.err, unused, "", 1)
			if got.code != test.code || !strings.Contains(got.err, test.live) || (test.live == "") != (got.err == "") {
				t.Errorf("exit %d, want %d; stderr %q", got.code, test.code, got.err)
			}
			if test.live != "" && (!strings.Contains(got.err, " AVAILABLE QOS_E until 2") || !strings.Contains(got.err, "phoneNumber …56")) {
				t.Errorf("a session is not described: %q", got.err)
			}
			if strings.Contains(got.err, "600123456") {
				t.Errorf("stderr shows a phone number: %q", got.err)
			}
		})
	}
}

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	got := execute(nil, "", []string{"-provisioning", "1h"}, "create=+34600123456")
	for _, want := range []string{"POST /oauth/token 200\n", "POST /v1/qod/sessions 201 phoneNumber …56\n", "REQUESTED QOS_E, phoneNumber …56"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("the log does not say %q:\n%s", want, got.err)
		}
	}
	for _, secret := range []string{"600123456", "sandbox-secret", "sandbox-token"} {
		if strings.Contains(got.err+got.out, secret) {
			t.Errorf("the log shows %q:\n%s", secret, got.err)
		}
	}
}

// What CIBA is to do is decided on the command line, and the provider told to use it.
func TestCIBAFlags(t *testing.T) {
	t.Parallel()
	if got := execute(nil, "", []string{"-grant", "ciba"}, "environment"); !strings.Contains(got.out, "QOD_GRANT=ciba\n") {
		t.Errorf("%+v", got)
	}
	for flags, says := range map[string]string{
		"-consent agree": "access_token", "-consent deny": "access_denied", "-consent never": "authorization_pending",
		"-consent agree -consent-after 1h": "authorization_pending", "-consent unknown": "unknown_user_id",
		"-consent deny -telefonica-errors": `"code":400`,
	} {
		if got := execute(nil, "", append(strings.Fields(flags), "-quiet"), "ask=%2B34600123450"); !strings.Contains(got.out, says) {
			t.Errorf("%s: %+v", flags, got)
		}
	}
}

func TestMockRulesFlag(t *testing.T) {
	t.Parallel()
	if got := execute(nil, "", []string{"-mock-rules"}, "create=+34600123459"); got.code != 99 || !strings.Contains(got.err, "409") {
		t.Errorf("%+v", got)
	}
}

// started is the program in a separate process.
func started(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	p := exec.CommandContext(t.Context(), os.Args[0], append([]string{"program"}, args...)...)
	var stderr bytes.Buffer
	p.Stderr = &stderr
	t.Cleanup(func() {
		if p.Process != nil && p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p, &stderr
}
