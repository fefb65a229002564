package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

func (r *sessionResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reserves network quality for one device. Each resource is exactly one session of the Quality on Demand API, " +
			"which exists from when the network grants it until it ends or is destroyed, for at most " + diagnostics.HoursText(longestSession) + " (with `camara-v1`, as long as its profile allows); your contract says what is billed.\n\n" +
			"No API can change a session, so changing an argument that is sent to it replaces the session: the old one is deleted first. " +
			"There is one exception: CAMARA's APIs (`camara-v1`, `camara-v0`) can extend a session, so there a longer `duration` is an update in place.",
		Attributes: requestAttributes("session", map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Identifier that the network assigned to the session.",
				Computed:            true,
			},
			"duration": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("Duration of the session in seconds, from 1 to %d (%s). ", seconds(longestSession), diagnostics.HoursText(longestSession)) + "`camara-v1` allows longer ones, up to the limit of the profile. " +
					"Changing this replaces the session. With CAMARA's APIs (`camara-v1`, `camara-v0`), a longer duration extends it in place, as far as the network grants. " +
					"The first apply after a session has ended requests a new one.",
				Required:   true,
				CustomType: validators.WholeNumberType{},
				Validators: []validator.Int64{durationRange()},
			},
			"timeouts": timeoutsAttribute(map[string]schema.Attribute{
				"create": timeoutAttribute("Time allowed for the session to become available, including retries and waiting", defaultCreateTimeout),
				"delete": timeoutAttribute("Time allowed for the session to be deleted", defaultDeleteTimeout),
			}),
			"qos_status": schema.StringAttribute{
				MarkdownDescription: "Status of the session on the network: `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`. " +
					"An `UNAVAILABLE` session is planned for replacement.",
				Computed: true,
			},
			"status_info": schema.StringAttribute{
				MarkdownDescription: "Reason why the session is `UNAVAILABLE`, which only `camara-v1` shows: `DURATION_EXPIRED`, `NETWORK_TERMINATED` or `DELETE_REQUESTED`. Otherwise null.",
				Computed:            true,
			},
			"started_at": schema.StringAttribute{
				MarkdownDescription: "Start of the session (RFC 3339, UTC). Null while the session is only requested.",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "End of the session (RFC 3339, UTC). Null while the session is only requested.",
				Computed:            true,
			},
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the API where the session was created, or will be requested: the provider's `endpoint` when the plan was made. " +
					"Unless `api` is `open-gateway` with the default `api_path`, the path and the name of the API are appended. " +
					"A saved plan that is applied with another endpoint, path or API is refused.",
				Computed: true,
			},
		}),
	}
}
