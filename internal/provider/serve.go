// Package provider is what Terraform sees: it translates configuration into the verbs of package
// qod, calls one, and records what became of it.
package provider

import (
	"context"
	"os"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

// Address is where the registries list the provider.
const Address = "registry.terraform.io/telefonica/qod"

// Serve answers Terraform until it ends the process. With debug it prints how to attach to it
// instead, and lives until its debugger ends it. An error means that the process was not started
// by Terraform, or lost it.
func Serve(ctx context.Context, version string, debug bool) error {
	var posting sync.RWMutex
	outliveSignals()
	if !debug {
		go leaveWith(os.Getppid(), &posting)
	}
	serve := func() provider.Provider {
		return &qodProvider{version: version, getenv: os.Getenv, posting: posting.RLocker()}
	}
	return providerserver.Serve(ctx, serve, providerserver.ServeOpts{
		Address:         Address,
		Debug:           debug,
		ProtocolVersion: 6,
	})
}
