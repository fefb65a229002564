package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// options are the flags of every command that runs a sandbox.
type options struct {
	api                   string
	provisioning, latency time.Duration
	extend                string
	deviations            string
	mockRules             bool
	remoteWebhooks        bool
	quiet                 bool
}

func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.api, "api", string(sandbox.OpenGateway),
		"the `name` of the API to serve, as in the provider's api attribute:\n"+apis())
	flags.StringVar(&o.extend, "extend", "total",
		"the `rule` by which extensions are limited to the profile's longest duration,\n"+
			"where the API has them: total, the whole session; remaining, what is left of it")
	flags.StringVar(&o.deviations, "deviate", "",
		"ways in which gateways deviate from CAMARA's document, as a `list` with commas:\n"+
			"epoch-times, no-device, status-202")
	flags.DurationVar(&o.provisioning, "provisioning", 2*time.Second,
		"the `time` that a session stays REQUESTED before it becomes AVAILABLE, such as 500ms")
	flags.DurationVar(&o.latency, "latency", 0,
		"the `time` that every answer of the API takes, such as 50ms")
	flags.BoolVar(&o.mockRules, "mock-rules", false,
		"add the documented rules of Telefónica's sandbox: 409 for a device\n"+
			"identifier that ends in 9; the client mock_sandbox_app_id with the secret\n"+
			"mock_sandbox_app_secret; the token mock_sandbox_access_token")
	flags.BoolVar(&o.remoteWebhooks, "allow-remote-webhooks", false,
		"deliver status changes to notification URLs on any host, not only on this\n"+
			"machine: anybody who can use the sandbox can then make it send requests")
	flags.BoolVar(&o.quiet, "quiet", false,
		"do not log requests to standard error")
}

func (o *options) config(p *program) (sandbox.Config, error) {
	if o.provisioning < 0 || o.latency < 0 {
		return sandbox.Config{}, errors.New("-provisioning and -latency cannot be negative")
	}
	if !slices.Contains(sandbox.APIs(), sandbox.API(o.api)) {
		return sandbox.Config{}, fmt.Errorf("unknown API %q; -api can be %s", o.api, apis())
	}
	if o.extend != "total" && o.extend != "remaining" {
		return sandbox.Config{}, fmt.Errorf("unknown rule %q; -extend can be total or remaining", o.extend)
	}
	c := sandbox.Config{
		ExtendRemaining: o.extend == "remaining",

		API:          sandbox.API(o.api),
		Clock:        new(sandbox.OffsetClock),
		Provisioning: o.provisioning,
		Latency:      o.latency,
		MockRules:    o.mockRules,
		Control:      true,
	}
	for _, deviation := range strings.FieldsFunc(o.deviations, func(r rune) bool { return r == ',' }) {
		switch deviation {
		case "epoch-times":
			c.EpochTimes = true
		case "no-device":
			c.OmitDevice = true
		case "status-202":
			c.CreateStatus = http.StatusAccepted
		default:
			return sandbox.Config{}, fmt.Errorf("unknown deviation %q; -deviate can be epoch-times, no-device and status-202", deviation)
		}
	}
	if o.remoteWebhooks {
		c.Webhooks = http.DefaultTransport
	}
	if !o.quiet {
		c.Log = newRequestLog(p.err)
	}
	return c, nil
}

// apis lists the values of -api.
func apis() string {
	var names []string
	for _, name := range sandbox.APIs() {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}
