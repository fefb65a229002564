package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

func (r *reservationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reserves network quality for one device during a window, such as that of an event. It holds at most one session of the " +
			"Quality on Demand API at a time, and only inside the window: a run of Terraform before it reserves and bills nothing, one inside it " +
			"reserves what remains, and one after it ends what is left, if anything, and plans nothing for ever after.\n\n" +
			"Only a run of Terraform acts, so have one while the window opens, more until it is over, and one afterwards. " +
			"The time is the network's, not that of the machine.",
		Attributes: requestAttributes("reservation", map[string]schema.Attribute{
			"starts_at": schema.StringAttribute{
				MarkdownDescription: "Start of the window: a time in RFC 3339 form with its offset from UTC, such as `2028-02-29T21:15:00+01:00`. It may be past. " +
					"Default: none, the window is open already. " +
					"Moving it never replaces the reservation. It ends the session only if the new window is yet to open.",
				Optional:   true,
				Validators: []validator.String{validators.Instant},
			},
			"ends_at": schema.StringAttribute{
				MarkdownDescription: "End of the window: a time in RFC 3339 form with its offset from UTC, such as `2028-03-01T01:15:00+01:00`, after `starts_at`. " +
					"A window may be longer than the 24 hours of a session: the first run after one has ended reserves the next. " +
					"Moving it never replaces the reservation. It ends the session only if the new end is past. A later end does not extend the session, which the network cannot do.",
				Required:   true,
				Validators: []validator.String{validators.Instant},
			},
			"timeouts": timeoutsAttribute(map[string]schema.Attribute{
				"create": timeoutAttribute("Time for a session to become available when the reservation is created inside its window, retries and waiting included", defaultCreateTimeout),
				"update": timeoutAttribute("Time for an update to release a session and for the next one to become available, retries and waiting included", defaultUpdateTimeout),
				"delete": timeoutAttribute("Time for a session to be deleted", defaultDeleteTimeout),
			}),
			"id": schema.StringAttribute{
				MarkdownDescription: "Identifier of the reservation, which stays the same from session to session: a random UUID, or the session id that it was imported by. The network does not know it.",
				Computed:            true,
			},
			"session_id": schema.StringAttribute{
				MarkdownDescription: "Identifier that the network gave the current session. Null while there is none.",
				Computed:            true,
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "Status when Terraform last looked: `SCHEDULED` (the window is yet to open), `DUE` (it is open, and there is no session), " +
					"`REQUESTED`, `AVAILABLE` or `UNAVAILABLE` (it is open, and the network says so of the session), `OVERDUE` (there is a session outside the window) or `ENDED` (it is over). " +
					"The next apply acts on `DUE`, `UNAVAILABLE`, `OVERDUE`, and on `REQUESTED` unless `wait_for_available` is `false`.",
				Computed: true,
			},
			"started_at": schema.StringAttribute{
				MarkdownDescription: "Start of the current session (RFC 3339, UTC). Null while there is none, or it is only requested.",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "End of the current session (RFC 3339, UTC): before `ends_at` where the window is longer than a session may be or its end was moved. Null while there is none, or it is only requested.",
				Computed:            true,
			},
			"window_seconds": schema.Int64Attribute{
				MarkdownDescription: "Seconds from `starts_at` to `ends_at`, rounded down and known while planning, for outputs and policies that count device-hours. Null without `starts_at`, since only a clock could say.",
				Computed:            true,
				CustomType:          validators.WholeNumberType{},
			},
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the API where the session was made, or will be requested: the provider's `endpoint` when Terraform last looked. " +
					"A saved plan that is applied at another endpoint is refused.",
				Computed: true,
			},
		}),
	}
}
