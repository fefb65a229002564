package provider

import (
	"os/signal"
	"syscall"
)

// outliveTerminate keeps SIGTERM from killing the plugin with a POST in flight, whose session
// nobody would record. A pipeline that is cancelled signals the whole process group; Terraform
// itself answers the signal by asking its plugins to stop, and ends them when they have.
// (go-plugin does the same for SIGINT, and for nothing else.)
func outliveTerminate() { signal.Ignore(syscall.SIGTERM) }
