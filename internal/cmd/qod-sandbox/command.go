package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit statuses. exec returns the status of its command, or what a shell returns if it cannot run.
const (
	exitOK            = 0
	exitFailed        = 1
	exitUsage         = 2
	exitCannotExecute = 126
	exitNotFound      = 127
	exitBySignal      = 128 // plus the signal's number
)

// command is one subcommand of the program.
type command struct {
	name  string
	about string // the help text before the flags
	// prepare defines the flags and returns the function to call, after parsing, with the
	// arguments.
	prepare func(*program, *flag.FlagSet) func(args []string) int
	// takesFlagsLast allows flags after the arguments, if no argument is itself a command line.
	takesFlagsLast bool
}

// commands returns the subcommands; the first is the default.
func commands() []command {
	return []command{serveCommand, execCommand, ledgerCommand, revokeCommand, advanceCommand, clockCommand, failCommand}
}

const overview = `qod-sandbox is an in-memory Open Gateway: Telefónica's Quality on Demand API, its
authorization server and a network behind them, to try out Terraform plans without
credentials. Nothing is billed, and everything is gone when it stops.

Usage:

  qod-sandbox [flags]                        serve until Ctrl-C or SIGTERM
  qod-sandbox exec [flags] -- command args   serve while a command runs

  qod-sandbox ledger                         show the live sessions; -all: ended ones, too
  qod-sandbox revoke device                  make the network end a session
  qod-sandbox advance 4h                     move the network's clock forward
  qod-sandbox clock                          show the network's clock
  qod-sandbox fail create 503 --times 3      make the next requests fail

  qod-sandbox help [command]                 show the help of one command

`

// run runs a command line and returns the exit status.
func (p *program) run(args []string) int {
	verb := commands()[0]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if args[0] == "help" {
			return p.help(args[1:])
		}
		named, ok := find(args[0])
		if !ok {
			return p.misused("unknown command %q", args[0])
		}
		verb, args = named, args[1:]
	} else {
		verb.about = overview + verb.about
	}
	flags := flag.NewFlagSet(verb.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // this package prints help and mistakes
	act := verb.prepare(p, flags)
	rest, err := parse(flags, args, verb.takesFlagsLast)
	switch {
	case errors.Is(err, flag.ErrHelp):
		p.explain(verb, flags)
		return exitOK
	case err != nil:
		return p.misused("%v", err)
	}
	return act(rest)
}

// parse parses the flags and returns the arguments, which may precede flags if around is true.
func parse(flags *flag.FlagSet, args []string, around bool) ([]string, error) {
	if err := flags.Parse(args); err != nil || !around {
		return flags.Args(), err
	}
	var rest []string
	for flags.NArg() > 0 {
		rest = append(rest, flags.Arg(0))
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func (p *program) help(args []string) int {
	if len(args) == 0 {
		return p.run([]string{"-help"})
	}
	return p.run([]string{args[0], "-help"})
}

// explain prints a command's help.
func (p *program) explain(c command, flags *flag.FlagSet) {
	fmt.Fprintf(p.out, "%s\nFlags, with one dash or two:\n\n", c.about)
	flags.SetOutput(p.out)
	flags.PrintDefaults()
}

// misused reports a mistake on the command line.
func (p *program) misused(format string, args ...any) int {
	p.say(format+"; see qod-sandbox help", args...)
	return exitUsage
}

// misusedAs reports a mistake in the use of one command.
func (p *program) misusedAs(command, format string, args ...any) int {
	p.say(format+"; see qod-sandbox help "+command, args...)
	return exitUsage
}

func (p *program) failed(err error) int {
	p.say("%v", err)
	return exitFailed
}

func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.err, "qod-sandbox: "+format+"\n", args...)
}
