package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
  qod-sandbox ledger -all               # with the sessions that have ended, and why
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		all := flags.Bool("all", false, "also show the sessions that have ended")
		whole := flags.Bool("json", false, "print JSON, with unmasked devices")
		return func(args []string) int {
			if len(args) > 0 {
				return p.misusedAs("ledger", "ledger takes no arguments, but got %q", args[0])
			}
			verb, table := "ledger", p.table
			if *all {
				verb, table = "history", p.historyTable
			}
			response, err := sendControl(*at, verb, nil)
			if err != nil {
				return p.failed(err)
			}
			if !*whole {
				return table(response.Sessions)
			}
			encoder := json.NewEncoder(p.out)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(append([]sandbox.Session{}, response.Sessions...)); err != nil {
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
  qod-sandbox revoke 203.0.113.7:5060
  qod-sandbox revoke 3fa85f64-5717-4562-b3fc-2c963f66afa6
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		return func(args []string) int {
			if len(args) != 1 {
				return p.misusedAs("revoke", "revoke requires one device identifier or session id")
			}
			response, err := sendControl(*at, "revoke", &sandbox.ControlRequest{Device: args[0]})
			if err != nil {
				return p.failed(err)
			}
			return p.table(response.Sessions)
		}
	},
}

var advanceCommand = command{
	name:           "advance",
	takesFlagsLast: true,
	about: `qod-sandbox advance moves the network's clock forward, so that you need not wait for a
session to become available or to end. It never goes back:

  qod-sandbox advance 4h
  qod-sandbox advance -to 2026-12-05T20:30:00+01:00
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		to := flags.String("to", "", "the `time` to advance to, instead of a duration")
		return func(args []string) int {
			request := &sandbox.ControlRequest{}
			switch {
			case *to != "" && len(args) == 0:
				var err error
				if request.To, err = time.Parse(time.RFC3339, *to); err != nil {
					return p.misusedAs("advance", "invalid time %q: use one such as 2026-12-05T20:30:00+01:00", *to)
				}
			case *to == "" && len(args) == 1:
				request.By = args[0]
			default:
				return p.misusedAs("advance", "advance requires one duration, such as 90m or 4h, or -to and a time")
			}
			response, err := sendControl(*at, "advance", request)
			if err != nil {
				return p.failed(err)
			}
			fmt.Fprintf(p.out, "the network's clock shows %s\n", response.Now.UTC().Format(time.RFC3339))
			return exitOK
		}
	},
}

var clockCommand = command{
	name:           "clock",
	takesFlagsLast: true,
	about: `qod-sandbox clock prints the time of the network's clock:

  qod-sandbox clock
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		return func(args []string) int {
			if len(args) > 0 {
				return p.misusedAs("clock", "clock takes no arguments, but got %q", args[0])
			}
			response, err := sendControl(*at, "clock", nil)
			if err != nil {
				return p.failed(err)
			}
			fmt.Fprintln(p.out, response.Now.UTC().Format(time.RFC3339))
			return exitOK
		}
	},
}

var failCommand = command{
	name:           "fail",
	takesFlagsLast: true,
	about: `qod-sandbox fail makes the next requests of one operation fail: create, read, list,
delete, extend or profiles, as far as the API has them, token, bc-authorize or
discovery. The failure is one of:

  an HTTP status   refuse the request with this status
  drop             close the connection, without carrying out the request
  lose             carry out the request, but lose the answer
  hang             never answer
  a duration       delay the answer

  qod-sandbox fail create 503 --times 3
  qod-sandbox fail create lose
  qod-sandbox fail list 10s
  qod-sandbox fail none                 # all requests succeed again
` + whichSandbox,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		at := p.sandboxFlag(flags)
		times := flags.Int("times", 1, "how `many` requests fail; -1 for all")
		return func(args []string) int {
			if len(args) == 1 && args[0] == "none" {
				if _, err := sendControl(*at, "heal", &sandbox.ControlRequest{}); err != nil {
					return p.failed(err)
				}
				return exitOK
			}
			if len(args) != 2 {
				return p.misusedAs("fail", "fail requires an operation and a failure, such as: fail create 503")
			}
			operation := sandbox.Operation(args[0])
			if !slices.Contains(sandbox.Operations(), operation) {
				return p.misusedAs("fail", "unknown operation %q; use create, read, list, delete, extend, profiles, token, bc-authorize or discovery", args[0])
			}
			if *times == 0 {
				return p.misusedAs("fail", "-times must be 1 or more, or -1 for all requests")
			}
			if _, err := sendControl(*at, "fail", &sandbox.ControlRequest{Operation: operation, Effect: args[1], Times: *times}); err != nil {
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

// sendControl sends a control request to a running sandbox, or a GET if request is nil.
func sendControl(endpoint, verb string, control *sandbox.ControlRequest) (sandbox.ControlResponse, error) {
	var result sandbox.ControlResponse
	if endpoint == "" {
		return result, errors.New("no sandbox given: set QOD_ENDPOINT to the value that qod-sandbox printed, or use -sandbox")
	}
	// A sandbox speaks plain HTTP and a real network never does, so no control request reaches a
	// real one.
	to, err := url.Parse(endpoint)
	if err != nil || to.Scheme != "http" || to.Host == "" {
		return result, fmt.Errorf("%s is not the endpoint of a sandbox, such as http://127.0.0.1:8080/v1", endpoint)
	}
	to.Path = sandbox.PathControl + verb
	method, body := http.MethodGet, []byte(nil)
	if control != nil {
		method = http.MethodPost
		if body, err = json.Marshal(control); err != nil {
			return result, err
		}
	}
	request, err := http.NewRequest(method, to.String(), bytes.NewReader(body)) //nolint:noctx // its client has a timeout
	if err != nil {
		return result, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return result, fmt.Errorf("the sandbox does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(content, &result)
	}
	if err != nil || result.Now.IsZero() {
		return result, fmt.Errorf("%s is not a sandbox that can be controlled: it answered %s", endpoint, response.Status)
	}
	if result.Reason != "" {
		return result, errors.New(result.Reason)
	}
	return result, nil
}

// historyTable prints sessions, with how and when those that have ended did so.
func (p *program) historyTable(sessions []sandbox.Session) int {
	if len(sessions) == 0 {
		fmt.Fprintln(p.out, "no sessions")
		return exitOK
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tPROFILE\tSTATUS\tSTARTED\tENDED\tREASON\tDEVICE")
	for _, s := range sessions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.ID, s.QoSProfile, s.Status, shown(s.StartedAt), shown(s.EndedAt), cmp.Or(s.EndReason, "-"), printable(s.Device.Masked()))
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitOK
}

// shown is a time in a table.
func shown(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// table prints live sessions.
func (p *program) table(sessions []sandbox.Session) int {
	if len(sessions) == 0 {
		fmt.Fprintln(p.out, "no live sessions")
		return exitOK
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SESSION\tPROFILE\tSTATUS\tUNTIL\tDEVICE")
	for _, s := range sessions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.QoSProfile, s.Status, shown(s.ExpiresAt), printable(s.Device.Masked()))
	}
	if err := w.Flush(); err != nil {
		return p.failed(err)
	}
	return exitOK
}
