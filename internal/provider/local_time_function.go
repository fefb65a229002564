package provider

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/telefonica/terraform-provider-qod/internal/localtime"
)

// localTimeFunction is provider::qod::local_time. It needs neither credentials nor the network.
type localTimeFunction struct{}

var _ function.Function = localTimeFunction{}

func newLocalTimeFunction() function.Function { return localTimeFunction{} }

func (localTimeFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "local_time"
}

func (localTimeFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Timestamp with its offset for a wall-clock time in a time zone",
		MarkdownDescription: "Converts a wall-clock time in a time zone to an RFC 3339 timestamp with the offset that the zone has on that day, " +
			"so that you do not have to look up summer and winter time. " +
			"A time that clocks skip or show twice when they change is an error that shows both possible timestamps.\n\n" +
			"The time zone data is part of the provider. The machine's own is never used, so the same version of the provider returns the same result everywhere. " +
			"A module that calls the function needs the provider in its `required_providers`.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "time",
				MarkdownDescription: "Date and time of day as clocks in the zone show them, without an offset: `2026-12-05T20:30` or `2026-12-05T20:30:00`.",
			},
			function.StringParameter{
				Name: "zone",
				MarkdownDescription: "Name of the time zone in the [IANA Time Zone Database](https://www.iana.org/time-zones), such as `Europe/Madrid`, `America/Sao_Paulo` or `UTC`. " +
					"`Local` is not accepted: it would depend on the machine.",
			},
		},
		Return: function.StringReturn{},
	}
}

func (localTimeFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var wall, zone string
	if resp.Error = req.Arguments.Get(ctx, &wall, &zone); resp.Error != nil {
		return
	}
	instant, err := localtime.Parse(wall, zone)
	var zoneError *localtime.ZoneError
	switch {
	case errors.As(err, &zoneError):
		resp.Error = function.NewArgumentFuncError(1, withoutStop(err))
	case err != nil:
		resp.Error = function.NewArgumentFuncError(0, withoutStop(err))
	default:
		resp.Error = resp.Result.Set(ctx, instant.Format(time.RFC3339))
	}
}

// withoutStop leaves the full stop to Terraform, which puts one behind whatever a function says.
func withoutStop(err error) string { return strings.TrimSuffix(err.Error(), ".") }
