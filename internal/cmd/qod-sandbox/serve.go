package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var serveCommand = command{
	name: "serve",
	about: `Serving, it prints the provider's environment to standard output as lines for a
shell, logs requests to standard error with devices masked, and when it is
stopped says which sessions were still live:

  qod-sandbox > sandbox.env &
  . ./sandbox.env
  terraform apply

A script need not wait for it to listen: see qod-sandbox help exec.
`,
	prepare: func(p *program, flags *flag.FlagSet) func([]string) int {
		var o options
		o.define(flags)
		listen := flags.String("listen", "127.0.0.1:0",
			"the `address` to listen at, plain HTTP; port 0 takes a free one")
		remote := flags.Bool("allow-remote", false,
			"allow -listen an address that other machines reach: anybody there can use\n"+
				"the sandbox")
		return func(args []string) int {
			if len(args) > 0 {
				return p.misused("serve takes no arguments, such as %q", args[0])
			}
			if !*remote && !loopback(*listen) {
				return p.misused("%s is not an address of this machine alone (127.0.0.1, ::1 or localhost, and a port), which needs -allow-remote", *listen)
			}
			config, err := o.config(p)
			if err != nil {
				return p.misused("%v", err)
			}
			return p.serve(*listen, config)
		}
	},
}

// loopback reports whether only this machine reaches an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (p *program) serve(address string, config sandbox.Config) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	server, err := sandbox.Listen(address, config)
	if err != nil {
		return p.failed(err)
	}
	for _, variable := range environment(server) {
		fmt.Fprintln(p.out, "export "+variable)
	}
	p.say("serving at %s until Ctrl-C; see qod-sandbox help for more", server.Endpoint())
	<-stop
	server.Close()
	p.tellLive(server.Ledger())
	return exitOK
}

// environment is what the provider needs to use a sandbox. No value needs
// quoting.
func environment(s *sandbox.Server) []string {
	return []string{
		"QOD_ENDPOINT=" + s.Endpoint(),
		"QOD_CLIENT_ID=" + sandbox.DefaultClient.ID,
		"QOD_CLIENT_SECRET=" + sandbox.DefaultClient.Secret,
	}
}

// tellLive says which sessions would still be billed, were they real.
func (p *program) tellLive(sessions []sandbox.Session) {
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
