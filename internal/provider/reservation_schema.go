package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func (r *reservationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reserves network quality for one device during a window, such as that of an event. It holds at most one session of the " +
			"Quality on Demand API at a time, and only inside the window: a run of Terraform before it reserves and bills nothing, one inside it " +
			"reserves what remains, and one after it ends what is left.\n\n" +
			"Only a run of Terraform can act, so run one while the window opens and again until it is over. " +
			"The time is the network's, not that of the machine.",
		Attributes: requestAttributes("reservation", map[string]schema.Attribute{
			"starts_at": schema.StringAttribute{
				MarkdownDescription: "Start of the window, in RFC 3339 form with its offset from UTC, such as `2028-02-29T20:15:00+01:00`. It may be past. " +
					"Default: from now on. Moving it keeps a session that the new window covers.",
				Optional:   true,
				Validators: []validator.String{instant},
			},
			"ends_at": schema.StringAttribute{
				MarkdownDescription: "End of the window, in RFC 3339 form with its offset from UTC, such as `2028-03-01T00:15:00+01:00`. It has to be after `starts_at`. " +
					"Moving it keeps a session that the new window covers.",
				Required:   true,
				Validators: []validator.String{instant},
			},
			"timeouts": timeoutsAttribute(map[string]schema.Attribute{
				"create": timeoutAttribute("Time for a session to become available when the reservation is created in its window, retries and waiting included", defaultCreateTimeout),
				"update": timeoutAttribute("Time for an update to release a session and for the next one to become available, retries and waiting included", defaultUpdateTimeout),
				"delete": timeoutAttribute("Time for a session to be deleted", defaultDeleteTimeout),
			}),
			"id": schema.StringAttribute{
				MarkdownDescription: "Identifier of the reservation, which stays the same from session to session. The network does not know it.",
				Computed:            true,
			},
			"session_id": schema.StringAttribute{
				MarkdownDescription: "Identifier that the network gave the current session. Null while there is none.",
				Computed:            true,
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the reservation stood when it was last looked at: `SCHEDULED` (the window is yet to open), `DUE` (it is open, and there is no session), " +
					"`REQUESTED`, `AVAILABLE` or `UNAVAILABLE` (what the network says of its session), `OVERDUE` (there is a session outside the window) or `ENDED`. " +
					"The next apply acts on `DUE`, `UNAVAILABLE`, `OVERDUE`, and on `REQUESTED` unless `wait_for_available` is `false`.",
				Computed: true,
			},
			"started_at": schema.StringAttribute{
				MarkdownDescription: "Start of the current session (RFC 3339, UTC). Null while there is none, or it is only requested.",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "End of the current session (RFC 3339, UTC), which is before `ends_at` where the window is longer than a session may be. Null while there is none, or it is only requested.",
				Computed:            true,
			},
			"window_seconds": schema.Int64Attribute{
				MarkdownDescription: "Seconds from `starts_at` to `ends_at`: what the window costs at most, known while planning. Null without `starts_at`.",
				Computed:            true,
				CustomType:          wholeNumberType{},
			},
		}),
	}
}
