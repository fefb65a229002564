// Terraform-provider-qod is the Terraform provider for Telefónica's Quality on Demand API.
package main

import (
	"flag"
	"log"

	"github.com/telefonica/terraform-provider-qod/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger, and print how Terraform attaches to it")
	flag.Parse()
	if err := provider.Serve(version, *debug); err != nil {
		log.Fatal(err)
	}
}
