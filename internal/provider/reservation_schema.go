package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

func (r *reservationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reserves network quality for one device during a time window, such as an event. It holds at most one session of the " +
			"Quality on Demand API at a time, and only inside the window: a Terraform run before the window opens requests nothing and costs nothing, " +
			"one inside the window requests a session for the time that remains, and one after it ends any session that is still live; " +
			"from then on every plan is empty.\n\n" +
			"Nothing is reserved or ended except by a Terraform run, so schedule one for when the window opens, more until it closes, and one afterwards. " +
			"The network's clock decides, not the clock of the machine that runs Terraform.",
		Attributes: requestAttributes("reservation", map[string]schema.Attribute{
			"starts_at": schema.StringAttribute{
				MarkdownDescription: "Start of the window: an RFC 3339 time with its offset from UTC, such as `2028-02-29T21:15:00+01:00`. " +
					"`provider::qod::local_time` returns it for a wall-clock time. It may be in the past. " +
					"Default: none, so the window is already open. " +
					"Changing this never replaces the reservation. It ends the session only if the new window has not opened yet.",
				Optional:   true,
				CustomType: validators.InstantType{},
				Validators: []validator.String{validators.Instant},
			},
			"ends_at": schema.StringAttribute{
				MarkdownDescription: "End of the window: an RFC 3339 time with its offset from UTC, such as `2028-03-01T01:15:00+01:00`, after `starts_at`. " +
					"The window may be longer than the " + diagnostics.HoursText(longestSession) + " of a session: the first run after a session has ended requests the next one. " +
					"Changing this never replaces the reservation. It ends the session only if the new end has passed. " +
					"With the default API, a later end does not extend the session: see `replace_to_extend`. With CAMARA's APIs (`camara-v1`, `camara-v0`), it extends the session in place.",
				Required:   true,
				CustomType: validators.InstantType{},
				Validators: []validator.String{validators.Instant},
			},
			"replace_to_extend": schema.BoolAttribute{
				MarkdownDescription: "Replace a live session when `ends_at` is moved beyond the session's end: the next apply deletes the session and requests one for the rest of the window, " +
					"with an interruption of a few seconds. Only with the default API: CAMARA's (`camara-v1`, `camara-v0`) always extend the session instead. With `false`, the session stays, and the first run after its end requests the next one, so there is a gap until that run. " +
					"An earlier `ends_at` never replaces a session. Default: `false`. Changing this never replaces the reservation.",
				Optional: true,
			},
			"timeouts": timeoutsAttribute(map[string]schema.Attribute{
				"create": timeoutAttribute("Time allowed for a session to become available when the reservation is created inside its window, including retries and waiting", defaultCreateTimeout),
				"update": timeoutAttribute("Time allowed for an update to delete a session and for the next one to become available, including retries and waiting", defaultUpdateTimeout),
				"delete": timeoutAttribute("Time allowed for the session to be deleted", defaultDeleteTimeout),
			}),
			"id": schema.StringAttribute{
				MarkdownDescription: "Identifier of the reservation, which stays the same from session to session: a random UUID, or the id of the session that was imported. The network does not know it.",
				Computed:            true,
			},
			"session_id": schema.StringAttribute{
				MarkdownDescription: "Identifier that the network assigned to the current session. Null while there is none.",
				Computed:            true,
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "Status when Terraform last looked: `SCHEDULED` (the window has not opened yet), `DUE` (the window is open and there is no session), " +
					"`REQUESTED`, `AVAILABLE` or `UNAVAILABLE` (the window is open, and this is the status of its session), " +
					"`EXPIRING` (the same as `AVAILABLE`, but the session ends before the window and it is time to extend it; only with CAMARA's APIs, `camara-v1` and `camara-v0`), " +
					"`OVERDUE` (there is a session outside the window) or `ENDED` (the window is over). " +
					"The next apply acts on `DUE`, `UNAVAILABLE`, `EXPIRING` and `OVERDUE`, and on `REQUESTED` unless `wait_for_available` is `false`.",
				Computed: true,
			},
			"status_info": schema.StringAttribute{
				MarkdownDescription: "Reason why the current session is `UNAVAILABLE`, which only `camara-v1` shows: `DURATION_EXPIRED`, `NETWORK_TERMINATED` or `DELETE_REQUESTED`. Otherwise null.",
				Computed:            true,
			},
			"started_at": schema.StringAttribute{
				MarkdownDescription: "Start of the current session (RFC 3339, UTC). Null while there is none, or while it is only requested.",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "End of the current session (RFC 3339, UTC), " +
					"before `ends_at` if the window is longer than a session can be, or if its end was moved. Null while there is none, or while it is only requested.",
				Computed: true,
			},
			"sessions": schema.ListNestedAttribute{
				MarkdownDescription: "Every session that the reservation has had, oldest first, to check a bill against; the 50 most recent ones at most. It is kept after the window has ended.",
				Computed:            true,
				NestedObject:        historySchema(),
			},
			"granted_seconds": schema.Int64Attribute{
				MarkdownDescription: "Total duration of all sessions of the reservation in seconds, including those that `sessions` no longer lists. A live session counts until its `expires_at`, or, where the API shows none, for as long as it was granted; " +
					"one that the network ended early, until its `ended_at`. So this is an upper bound of what the sessions lasted.",
				Computed:   true,
				CustomType: validators.WholeNumberType{},
			},
			"window_seconds": schema.Int64Attribute{
				MarkdownDescription: "Seconds from `starts_at` to `ends_at`, rounded down. Known at plan time, for outputs and policies that count device-hours. " +
					"Null without `starts_at`, because the length then depends on when it is applied.",
				Computed:   true,
				CustomType: validators.WholeNumberType{},
			},
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the API where the session was created, or will be requested: the provider's `endpoint` when Terraform last looked. " +
					"Unless `api` is `open-gateway` with the default `api_path`, the path and the name of the API are appended. " +
					"A saved plan that is applied with another endpoint, path or API is refused.",
				Computed: true,
			},
		}),
	}
}
