// Package provider is what Terraform sees: it translates configuration into the verbs of package
// qod, calls one, and records what became of it.
package provider

import (
	"net/http"
	"os"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Address is where the registries list the provider.
const Address = "registry.terraform.io/telefonica/qod"

// Serve runs the provider until Terraform ends the process. With attach, it prints how Terraform
// can attach to it, and runs until its debugger ends it. It fails if the process was not started by
// Terraform, or has lost it.
func Serve(version string, attach bool) error {
	var postInFlight sync.RWMutex
	if !attach { // otherwise it belongs to whoever debugs it
		ignoreTermination()
		go exitWithParent(os.Getppid(), &postInFlight)
	}
	p := &qodProvider{version: version, getenv: os.Getenv, postInFlight: postInFlight.RLocker()}
	disableUnaskedLogging(os.Getenv, os.Setenv)
	tuneGC()
	var options []tf6server.ServeOpt
	if attach {
		options = append(options, tf6server.WithManagedDebug())
	}
	return tf6server.Serve(Address, func() tfprotov6.ProviderServer { return newServer(p) }, options...)
}

// newServer returns the provider as a server of Terraform's protocol.
func newServer(p *qodProvider) tfprotov6.ProviderServer {
	return panicGuard{fastPath{providerserver.NewProtocol6(p)().(framework), p}} //nolint:forcetypeassert // the framework implements it
}

// NewServer makes the provider for acceptance tests, with an environment and an HTTP transport of
// their own, and an API in place of the one that the configuration names. A transport or API that
// is nil is the one that the provider makes itself.
func NewServer(getenv func(string) string, transport http.RoundTripper, api qod.Sessions) tfprotov6.ProviderServer {
	return newServer(&qodProvider{version: "test", getenv: getenv, transport: transport, override: api})
}

// tuneGC tunes the garbage collector for a process that lives for seconds and allocates little.
// With the defaults, collecting a heap of a few MiB each time it doubles takes a tenth of a large
// refresh. The memory limit is for those who have ten thousand sessions. GOGC and GOMEMLIMIT take
// precedence.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(165 << 20)
	}
}
