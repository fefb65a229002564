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
	about: `qod-sandbox exec runs a command with its own sandbox:

  qod-sandbox exec -- sh                # a shell, for several commands
  qod-sandbox exec --fail-on-leftovers -- make test-in-sandbox

The sandbox listens on a free loopback port. The command's environment contains
QOD_API, QOD_API_PATH, QOD_ENDPOINT, QOD_CLIENT_ID and QOD_CLIENT_SECRET, with
-grant ciba also QOD_GRANT, with -client-public-key no secret, with -headers
QOD_HEADERS in place of the client, and no other variable that could bypass the sandbox,
such as QOD_ACCESS_TOKEN.
Ctrl-C and SIGTERM reach the command once. The sandbox stops after the command:
its sessions are gone then, and a state that names them can be deleted. If the
configuration sets endpoint, that takes precedence over QOD_ENDPOINT and bypasses
the sandbox.

The exit status is that of the command, 126 or 127 if the command cannot be run,
or 128 plus the signal's number if a signal ended it.
`,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		var o options
		o.define(flags)
		strict := flags.Bool("fail-on-leftovers", false,
			"exit with status 1 if the command succeeds but leaves live sessions")
		return func(args []string) int {
			if len(args) == 0 {
				return p.misusedAs("exec", "exec requires a command to run")
			}
			config, err := o.config(p)
			if err != nil {
				return p.misused("%v", err)
			}
			return p.exec(args, config, &o, *strict)
		}
	},
}

func (p *program) exec(args []string, config sandbox.Config, o *options, strict bool) int {
	server, err := sandbox.Listen("127.0.0.1:0", config)
	if err != nil {
		return p.failed(err)
	}
	child := exec.CommandContext(context.Background(), args[0], args[1:]...) // supervise passes signals on
	child.Stdin, child.Stdout, child.Stderr = p.in, p.out, p.err
	child.Env = append(slices.DeleteFunc(slices.Clone(p.environ), o.misleading), o.environment(server)...)
	code := p.supervise(child)
	server.Close()
	if code == exitOK && len(server.Requests()) == 0 {
		p.say("the sandbox received no request; if it should have, remove endpoint from the provider block")
	}
	left := server.Ledger()
	p.printLive(left)
	if len(left) > 0 {
		p.say("these sessions are gone now that the sandbox has stopped; a state that names them can be deleted")
	}
	if strict && code == exitOK && len(left) > 0 {
		return exitFailed
	}
	return code
}

// misleading reports whether a variable decides which API the provider uses, or with which
// credentials: an access token, for example, takes precedence over the sandbox's client. How a
// client signs that has a key is up to the caller.
func (o *options) misleading(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	switch name {
	case "QOD_CLIENT_PRIVATE_KEY", "QOD_CLIENT_PRIVATE_KEY_ID", "QOD_CLIENT_ASSERTION_AUDIENCE", "QOD_TOKEN_ENDPOINT_AUTH_METHOD":
		return o.publicKey == ""
	case "QOD_API", "QOD_API_PATH", "QOD_PROFILES_PATH", "QOD_ENDPOINT", "QOD_TOKEN_URL", "QOD_SCOPES",
		"QOD_CLIENT_ID", "QOD_CLIENT_SECRET", "QOD_ACCESS_TOKEN", "QOD_HEADERS",
		"QOD_DEVICE_IN_REQUESTS", "QOD_GRANT", "QOD_BACKCHANNEL_AUTHENTICATION_URL":
		return true
	}
	return false
}

// supervise runs the child, passes on the signals that would not reach it otherwise, and outlives
// it: a session that the child creates while it stops must still reach the network.
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
				_ = child.Process.Signal(s) // the child may have just ended
			}
		case err := <-ended:
			return p.status(child, err)
		}
	}
}

// status is the child's exit status, as a shell reports it.
func (p *program) status(child *exec.Cmd, err error) int {
	if child.ProcessState == nil {
		return p.failed(err)
	}
	if s, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return exitBySignal + int(s.Signal())
	}
	return child.ProcessState.ExitCode()
}

// reason unwraps the errors of os/exec, which repeat the command's name.
func reason(err error) error {
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		return lookup.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
