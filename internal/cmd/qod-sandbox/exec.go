package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var execCommand = command{
	name: "exec",
	about: `qod-sandbox exec runs a command with a sandbox of its own:

  qod-sandbox exec -- sh                # for several commands, with one network
  qod-sandbox exec --fail-on-leftovers -- make test-in-sandbox

The sandbox listens on a free loopback port. The command gets QOD_ENDPOINT,
QOD_CLIENT_ID and QOD_CLIENT_SECRET in its environment; QOD_ACCESS_TOKEN,
QOD_TOKEN_URL and QOD_SCOPES, which would lead it elsewhere, are taken out.
Ctrl-C and SIGTERM reach the command once, and the sandbox stops after it: its
sessions are gone then, and a state that names them can be deleted. An endpoint
in the configuration comes before QOD_ENDPOINT and leads past the sandbox.

The exit status is the command's: 126 or 127 when it cannot be run, 128 and the
number when a signal ended it.
`,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		var o options
		o.define(flags)
		strict := flags.Bool("fail-on-leftovers", false,
			"when the command succeeds but leaves sessions live, exit with status 1")
		return func(args []string) int {
			if len(args) == 0 {
				return p.misusedAs("exec", "exec needs a command to run")
			}
			config, err := o.config(p)
			if err != nil {
				return p.misused("%v", err)
			}
			return p.exec(args, config, *strict)
		}
	},
}

func (p *program) exec(args []string, config sandbox.Config, strict bool) int {
	server, err := sandbox.Listen("127.0.0.1:0", config)
	if err != nil {
		return p.failed(err)
	}
	child := exec.CommandContext(context.Background(), args[0], args[1:]...) //nolint:gosec // it runs what it is told to; supervise passes signals on
	child.Stdin, child.Stdout, child.Stderr = p.in, p.out, p.err
	child.Env = append(slices.DeleteFunc(slices.Clone(p.environ), misleading), environment(server)...)
	code := p.supervise(child)
	server.Close()
	if len(server.Requests()) == 0 {
		p.say("no request came here: if the command was to reserve, does its configuration set an endpoint of its own?")
	}
	left := server.Ledger()
	p.tellLive(left)
	if len(left) > 0 {
		p.say("they are gone with this sandbox; a state that names them can be deleted")
	}
	if strict && code == exitOK && len(left) > 0 {
		return exitFailed
	}
	return code
}

// misleading variables decide what the provider talks to, and with which
// credentials: an access token would win over the sandbox's client.
func misleading(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "QOD_ENDPOINT", "QOD_CLIENT_ID", "QOD_CLIENT_SECRET", "QOD_ACCESS_TOKEN", "QOD_TOKEN_URL", "QOD_SCOPES":
		return true
	}
	return false
}

// supervise runs the child, hands it the signals that it would not get
// otherwise, and outlives it: a session that it reserves while it stops must
// find its network.
func (p *program) supervise(child *exec.Cmd) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	passes, done := place(child)
	defer done()
	if err := child.Start(); err != nil {
		p.say("cannot run %s: %v", child.Args[0], reason(err))
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return exitNotFound
		}
		return exitCannotExecute
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-signals:
			if passes(s) {
				_ = child.Process.Signal(s) // it may have ended just now
			}
		case err := <-ended:
			return p.status(child, err)
		}
	}
}

// status is the child's exit status as a shell gives it.
func (p *program) status(child *exec.Cmd, err error) int {
	if child.ProcessState == nil {
		return p.failed(err)
	}
	if s, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return exitBySignal + int(s.Signal())
	}
	return child.ProcessState.ExitCode()
}

// reason leaves out what os/exec says around it: the command's name, again.
func reason(err error) error {
	var lookup *exec.Error
	if errors.As(err, &lookup) {
		return lookup.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
