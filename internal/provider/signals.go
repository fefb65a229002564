package provider

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// ignoreTermination keeps the plugin from dying with a POST in flight, whose session nobody would
// record. A pipeline that is cancelled sends SIGTERM to the whole process group; Terraform itself
// answers the signal by asking its plugins to stop, and ends them when they have. (go-plugin does
// the same for SIGINT, and for nothing else.) SIGHUP, of a terminal that is closed, ends Terraform
// at once; SIGPIPE comes with the first log line after that. Then exitWithParent ends this process.
func ignoreTermination() { signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) }

const parentInterval = 200 * time.Millisecond

// exitWithParent ends the process when its parent has died without ending it, as after SIGKILL:
// nothing else would. A POST in flight is finished first, since a request that is cut may still
// create a session.
func exitWithParent(parent int, postInFlight *sync.RWMutex) {
	for range time.Tick(parentInterval) {
		if os.Getppid() != parent {
			postInFlight.Lock()
			os.Exit(1) //nolint:forbidigo,revive // there is nobody left to return to, and no POST in flight
		}
	}
}
