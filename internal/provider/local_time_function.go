package provider

import (
	"context"
	"errors"
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
		Summary: "The time with its offset, from the time that clocks show somewhere",
		MarkdownDescription: "Returns the RFC 3339 timestamp of a wall-clock time in a time zone, with the offset that the zone has on that day: " +
			"summer or winter time is looked up, so that no offset has to be written by hand. " +
			"A time that clocks skip or show twice when they change is an error that shows both readings.\n\n" +
			"The time zone data is part of the provider: the machine's is never used, so two machines with the same version of the provider agree.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "time",
				MarkdownDescription: "Date and time of day as a clock there shows them, without an offset: `2026-12-05T20:30` or `2026-12-05T20:30:00`.",
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
		resp.Error = function.NewArgumentFuncError(1, err.Error())
	case err != nil:
		resp.Error = function.NewArgumentFuncError(0, err.Error())
	default:
		resp.Error = resp.Result.Set(ctx, instant.Format(time.RFC3339))
	}
}
