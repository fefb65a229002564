package provider

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// ignoreTermination keeps the plugin from dying with a POST in flight, whose session nobody would
// record. A cancelled pipeline sends SIGTERM to the whole process group. Terraform then asks its
// plugins to stop, and ends them when they have; go-plugin covers SIGINT the same way, and nothing
// else. SIGHUP, from a terminal that was closed, ends Terraform at once, and the next log line of a
// plugin raises SIGPIPE. Then exitWithParent ends this process.
func ignoreTermination() { signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) }

const parentInterval = 200 * time.Millisecond

// exitWithParent ends the process once its parent has died without ending it, as after SIGKILL. A
// POST in flight finishes first, because a request that is cut may still create a session.
func exitWithParent(parent int, postInFlight *sync.RWMutex) {
	for range time.Tick(parentInterval) {
		if os.Getppid() != parent {
			postInFlight.Lock()
			os.Exit(1) //nolint:revive // there is nobody left to return to, and no POST in flight
		}
	}
}
