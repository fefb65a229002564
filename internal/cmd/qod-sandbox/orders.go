package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const whichSandbox = `
It uses the sandbox that QOD_ENDPOINT names. Inside exec, and after sourcing the
lines that serve prints, -sandbox is not needed.
`

var ledgerCommand = command{
	name:           "ledger",
	takesFlagsLast: true,
	about: `qod-sandbox ledger shows the live sessions of a running sandbox, in order of creation,
with devices masked:

  qod-sandbox ledger
  qod-sandbox ledger -json | jq length
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		whole := flags.Bool("json", false, "print JSON, with unmasked devices")
		return func(args []string) int {
			if len(args) > 0 {
				return p.misusedAs("ledger", "ledger takes no arguments, but got %q", args[0])
			}
			outcome, err := give(*at, "ledger", nil)
			if err != nil {
				return p.failed(err)
			}
			if !*whole {
				return p.table(outcome.Sessions)
			}
			encoder := json.NewEncoder(p.out)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(append([]sandbox.Session{}, outcome.Sessions...)); err != nil {
				return p.failed(err)
			}
			return exitOK
		}
	},
}

var revokeCommand = command{
	name:           "revoke",
	takesFlagsLast: true,
	about: `qod-sandbox revoke makes the network end a session early, as a real one may: the
session becomes UNAVAILABLE and blocks its device for 360 seconds.

  qod-sandbox revoke +34600000010
  qod-sandbox revoke 3fa85f64-5717-4562-b3fc-2c963f66afa6
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		return func(args []string) int {
			if len(args) != 1 {
				return p.misusedAs("revoke", "revoke requires one device identifier or session id")
			}
			outcome, err := give(*at, "revoke", &sandbox.Order{Device: args[0]})
			if err != nil {
				return p.failed(err)
			}
			return p.table(outcome.Sessions)
		}
	},
}

var advanceCommand = command{
	name:           "advance",
	takesFlagsLast: true,
	about: `qod-sandbox advance moves the network's clock forward, so that you need not wait for a
session to become available or to end:

  qod-sandbox advance 4h
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		return func(args []string) int {
			if len(args) != 1 {
				return p.misusedAs("advance", "advance requires one duration, such as 90m or 4h")
			}
			outcome, err := give(*at, "advance", &sandbox.Order{By: args[0]})
			if err != nil {
				return p.failed(err)
			}
			fmt.Fprintf(p.out, "the network's clock shows %s\n", outcome.Now.UTC().Format(time.RFC3339))
			return exitOK
		}
	},
}

// operations are the operations that can fail, by their Terraform names.
var operations = map[string]sandbox.Operation{
	"create": sandbox.OpCreate, "read": sandbox.OpRead, "list": sandbox.OpList, "delete": sandbox.OpDelete,
	"token": sandbox.OpToken, "discovery": sandbox.OpDiscovery,
}

var failCommand = command{
	name:           "fail",
	takesFlagsLast: true,
	about: `qod-sandbox fail makes the next requests of one operation fail: create, read, list,
delete, token or discovery. The failure is one of:

  an HTTP status   refuse the request with this status
  drop             close the connection, without carrying out the request
  lose             carry out the request, but lose the answer
  hang             never answer
  a duration       delay the answer

  qod-sandbox fail create 503 --times 3
  qod-sandbox fail create lose
  qod-sandbox fail list 10s
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		times := flags.Int("times", 1, "how `many` requests fail; -1 for all")
		return func(args []string) int {
			if len(args) != 2 {
				return p.misusedAs("fail", "fail requires an operation and a failure, such as: fail create 503")
			}
			operation, known := operations[args[0]]
			if !known {
				return p.misusedAs("fail", "unknown operation %q; use create, read, list, delete, token or discovery", args[0])
			}
			if *times == 0 {
				return p.misusedAs("fail", "-times must be 1 or more, or -1 for all requests")
			}
			if _, err := give(*at, "fail", &sandbox.Order{Operation: operation, Effect: args[1], Times: *times}); err != nil {
				return p.failed(err)
			}
			return exitOK
		}
	},
}

func (p *program) sandboxFlag(flags *flag.FlagSet) *string {
	named := ""
	for _, variable := range p.environ {
		if value, ok := strings.CutPrefix(variable, "QOD_ENDPOINT="); ok {
			named = value
		}
	}
	return flags.String("sandbox", named, "the `endpoint` of the sandbox")
}

// give sends an order to a running sandbox, or reads its ledger if the order is nil.
func give(endpoint, verb string, order *sandbox.Order) (sandbox.Outcome, error) {
	if endpoint == "" {
		return sandbox.Outcome{}, errors.New("no sandbox given: set QOD_ENDPOINT to the value that qod-sandbox printed, or use -sandbox")
	}
	// A sandbox speaks plain HTTP and a real network never does, so no order reaches a real one.
	to, err := url.Parse(endpoint)
	if err != nil || to.Scheme != "http" || to.Host == "" {
		return sandbox.Outcome{}, fmt.Errorf("%s is not the endpoint of a sandbox, such as http://127.0.0.1:8080/v1", endpoint)
	}
	to.Path = sandbox.PathControl + verb
	method, body := http.MethodGet, []byte(nil)
	if order != nil {
		method = http.MethodPost
		if body, err = json.Marshal(order); err != nil {
			return sandbox.Outcome{}, err
		}
	}
	request, err := http.NewRequest(method, to.String(), bytes.NewReader(body)) //nolint:noctx // its client has a timeout
	if err != nil {
		return sandbox.Outcome{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return sandbox.Outcome{}, fmt.Errorf("the sandbox does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var outcome sandbox.Outcome
	content, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(content, &outcome)
	}
	if err != nil || outcome.Now.IsZero() {
		return sandbox.Outcome{}, fmt.Errorf("%s is not a sandbox that takes orders: it answered %s", endpoint, response.Status)
	}
	if outcome.Reason != "" {
		return sandbox.Outcome{}, errors.New(outcome.Reason)
	}
	return outcome, nil
}

// table prints sessions as a table.
func (p *program) table(sessions []sandbox.Session) int {
	if len(sessions) == 0 {
		fmt.Fprintln(p.out, "no live sessions")
		return exitOK
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tPROFILE\tSTATUS\tUNTIL\tDEVICE")
	for _, s := range sessions {
		until := "-"
		if !s.ExpiresAt.IsZero() {
			until = s.ExpiresAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.QoSProfile, s.Status, until, printable(s.Device.Masked()))
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitOK
}
