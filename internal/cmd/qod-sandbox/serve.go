package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var serveCommand = command{
	name: "serve",
	about: `While it serves, qod-sandbox prints the provider's environment to standard output, as
shell commands, and logs requests to standard error, with devices masked. When it
stops, it prints the sessions that were still live:

  qod-sandbox > sandbox.env &
  . ./sandbox.env
  terraform apply

In a script, use exec, which needs no waiting: see qod-sandbox help exec.
`,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		var o options
		o.define(flags)
		listen := flags.String("listen", "127.0.0.1:0",
			"the `address` to listen on, with plain HTTP; port 0 picks a free port")
		remote := flags.Bool("allow-remote", false,
			"allow -listen on an address that other machines can reach: anybody on them\n"+
				"can use the sandbox")
		return func(args []string) int {
			if len(args) > 0 {
				return p.misused("serve takes no arguments, but got %q", args[0])
			}
			if !*remote && !loopback(*listen) {
				return p.misused("-listen %s may be reachable from other machines; use 127.0.0.1, ::1 or localhost and a port, or add -allow-remote", *listen)
			}
			config, err := o.config(p)
			if err != nil {
				return p.misused("%v", err)
			}
			return p.serve(*listen, config, o.environment)
		}
	},
}

// loopback reports whether only this machine can reach an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (p *program) serve(address string, config sandbox.Config, environment func(*sandbox.Server) []string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	server, err := sandbox.Listen(address, config)
	if err != nil {
		return p.failed(err)
	}
	for _, variable := range environment(server) {
		fmt.Fprintln(p.out, "export "+assignment(variable))
	}
	p.say("serving at %s until Ctrl-C; see qod-sandbox help", server.Endpoint())
	<-stop
	server.Close()
	p.printLive(server.Ledger())
	return exitOK
}

// assignment is NAME=value as a shell reads it.
func assignment(variable string) string {
	name, value, _ := strings.Cut(variable, "=")
	if !strings.ContainsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\n'\"$`\\;&|<>(){}*?[]#~!", r) }) {
		return variable
	}
	return name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// printLive prints the sessions that were still live, and would be billed on a real network.
func (p *program) printLive(sessions []sandbox.Session) {
	switch len(sessions) {
	case 0:
		return
	case 1:
		p.say("1 session was still live:")
	default:
		p.say("%d sessions were still live:", len(sessions))
	}
	for _, s := range sessions {
		until := ""
		if !s.ExpiresAt.IsZero() {
			until = s.ExpiresAt.UTC().Format(" until 2006-01-02T15:04:05Z")
		}
		p.say("  %s %s %s%s, %s", s.ID, s.Status, s.QoSProfile, until, printable(s.Device.Masked()))
	}
}
