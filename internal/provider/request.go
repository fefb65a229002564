package provider

import (
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// requestModel has the arguments that all resources share. An argument needs a line in each
// of requestModel, toSpec, unknownFields, planner.request and requestAttributes and, if the API
// shows it, in recordImported.
type requestModel struct {
	Device                         types.Object            `tfsdk:"device"`
	DevicePorts                    types.Object            `tfsdk:"device_ports"`
	ApplicationServer              types.Object            `tfsdk:"application_server"`
	ApplicationServerPorts         types.Object            `tfsdk:"application_server_ports"`
	QoSProfile                     types.String            `tfsdk:"qos_profile"`
	NotificationURL                types.String            `tfsdk:"notification_url"`
	NotificationAuthToken          types.String            `tfsdk:"notification_auth_token"`
	NotificationAuthTokenVersion   validators.WholeNumber  `tfsdk:"notification_auth_token_version"`
	NotificationAuthTokenExpiresAt validators.InstantValue `tfsdk:"notification_auth_token_expires_at"`
	WaitForAvailable               types.Bool              `tfsdk:"wait_for_available"`
}

// waits reports whether to wait for AVAILABLE, which is the default.
func (m requestModel) waits() bool {
	return m.WaitForAvailable.IsNull() || m.WaitForAvailable.ValueBool()
}

// mayWait is waits at plan time, when the value may be unknown.
func (m requestModel) mayWait() bool { return m.WaitForAvailable.IsUnknown() || m.waits() }

// toSpec translates what is configured; the duration, or the end, is the resource's own. The token
// comes from the configuration: a write-only value is in nothing else.
func (m requestModel) toSpec(token types.String, seconds int64, until time.Time) qod.Spec {
	return qod.Spec{
		Device:                         toDevice(m.Device),
		DevicePorts:                    toPorts(m.DevicePorts),
		ApplicationServer:              toApplicationServer(m.ApplicationServer),
		ApplicationServerPorts:         toPorts(m.ApplicationServerPorts),
		QoSProfile:                     m.QoSProfile.ValueString(),
		Seconds:                        seconds,
		Until:                          until,
		NotificationURL:                m.NotificationURL.ValueString(),
		NotificationAuthToken:          token.ValueString(),
		NotificationAuthTokenExpiresAt: m.NotificationAuthTokenExpiresAt.Time(),
		Unknown:                        m.unknownFields(),
	}
}

// configuredToken is the token in a configuration. A plan and a state do not have it.
func (m requestModel) configuredToken() types.String { return m.NotificationAuthToken }

// notifiedUntil warns of a webhook token that expires before the end of what it is for.
func (m requestModel) notifiedUntil(end time.Time) diag.Diagnostics {
	expires := m.NotificationAuthTokenExpiresAt
	if !isSet(expires) || !expires.Time().Before(end) {
		return nil
	}
	return diag.Diagnostics{diagnostics.NotifiedUntil(expires.ValueString(), end.UTC().Format(time.RFC3339))}
}

// unknownFields are those whose values Terraform does not know yet. What is in an unknown object is
// unknown, too. The token is not among them: the model does not have it.
func (m requestModel) unknownFields() map[qod.Field]bool {
	attributes := map[string]attr.Value{
		"device": m.Device, "device_ports": m.DevicePorts,
		"application_server": m.ApplicationServer, "application_server_ports": m.ApplicationServerPorts,
		"qos_profile": m.QoSProfile, "notification_url": m.NotificationURL,
		"notification_auth_token_expires_at": m.NotificationAuthTokenExpiresAt,
	}
	unknown := map[qod.Field]bool{}
	for _, field := range qod.Fields() {
		members := attributes
		for _, name := range diagnostics.AttributeOf(field) {
			value := members[name]
			if value != nil && value.IsUnknown() {
				unknown[field] = true
			}
			object, _ := value.(types.Object)
			members = object.Attributes()
		}
	}
	return unknown
}

// recordImported fills in what the state does not have after an import.
func (m *requestModel) recordImported(s qod.Session) {
	if m.Device.IsNull() && !s.Device.IsZero() {
		m.Device = fromDevice(s.Device)
	}
	if m.ApplicationServer.IsNull() {
		m.ApplicationServer = fromApplicationServer(s.ApplicationServer)
	}
	if m.DevicePorts.IsNull() {
		m.DevicePorts = fromPorts(s.DevicePorts)
	}
	if m.ApplicationServerPorts.IsNull() {
		m.ApplicationServerPorts = fromPorts(s.ApplicationServerPorts)
	}
}

// request plans what a session is asked for. A write-only token cannot be compared; its version is.
func (p *planner) request(config, prior requestModel) requestModel {
	return requestModel{
		Device:                         p.device(config.Device, prior.Device),
		DevicePorts:                    p.ports(path.Root("device_ports"), config.DevicePorts, prior.DevicePorts),
		ApplicationServer:              p.server(config.ApplicationServer, prior.ApplicationServer),
		ApplicationServerPorts:         p.ports(path.Root("application_server_ports"), config.ApplicationServerPorts, prior.ApplicationServerPorts),
		QoSProfile:                     planAttribute(p, path.Root("qos_profile"), config.QoSProfile, prior.QoSProfile),
		NotificationURL:                planAttribute(p, path.Root("notification_url"), config.NotificationURL, prior.NotificationURL),
		NotificationAuthToken:          types.StringNull(),
		NotificationAuthTokenVersion:   planAttribute(p, path.Root("notification_auth_token_version"), config.NotificationAuthTokenVersion, prior.NotificationAuthTokenVersion),
		NotificationAuthTokenExpiresAt: planAttribute(p, path.Root("notification_auth_token_expires_at"), planInstant(config.NotificationAuthTokenExpiresAt, prior.NotificationAuthTokenExpiresAt), prior.NotificationAuthTokenExpiresAt),
		WaitForAvailable:               config.WaitForAvailable,
	}
}

// requestAttributes are the arguments that every resource shares, see requestModel, and those of
// its own. The resource is the noun that descriptions use for it.
func requestAttributes(resource string, own map[string]schema.Attribute) map[string]schema.Attribute {
	replaces := "Changing this replaces the " + resource + "."
	lasts := map[string]string{"session": "session", "reservation": "window"}[resource]
	all := map[string]schema.Attribute{
		"device": deviceSchema(requestedDevice, "Device to reserve quality for, identified by at least one of these attributes. "+replaces),
		"application_server": applicationServerSchema(false, "Application server that the device communicates with, such as the receiver that an encoder sends its stream to: "+
			"at least one address or CIDR block, as the mobile network sees it (behind NAT, the public one). Only traffic with it has quality. Default: any server. CAMARA's APIs (`camara-v1`, `camara-v0`) require it. "+replaces),
		"device_ports":             portsSchema(false, "Ports of the device that the session is for. Default: all. Only with CAMARA's APIs (`camara-v1`, `camara-v0`). "+replaces),
		"application_server_ports": portsSchema(false, "Ports of the application server that the session is for. Default: all. Only with CAMARA's APIs (`camara-v1`, `camara-v0`). "+replaces),
		"qos_profile": schema.StringAttribute{
			MarkdownDescription: "QoS profile: " + profileNames() + ". With CAMARA's APIs (`camara-v1`, `camara-v0`), one of the operator's profiles. " + replaces + " So does a change made by the network.",
			Required:            true,
			Validators:          []validator.String{profileName()},
		},
		"notification_url": schema.StringAttribute{
			MarkdownDescription: "Absolute `https` or `http` URL that the network notifies of status changes. `camara-v1` allows only `https`. " + replaces,
			Optional:            true,
			Validators:          []validator.String{validators.WebhookURL},
		},
		"notification_auth_token": schema.StringAttribute{
			MarkdownDescription: "Bearer token that the network sends to `notification_url`; with `camara-v0`, 20 to 256 characters. " +
				"Write-only: it is stored in neither plan nor state, so Terraform cannot detect that it has changed. " +
				"Increase `notification_auth_token_version` whenever it changes. " +
				"Supply it from the environment or an ephemeral variable, because Terraform stores literals in saved plans.",
			Optional: true,
			// Not Sensitive as well: what is never stored need not be hidden, and each mark of a
			// sensitive value is written with every snapshot of the state, which takes a tenth of
			// an apply of a thousand sessions.
			WriteOnly: true,
			Validators: []validator.String{
				validators.BearerToken,
				validators.AlsoRequires("notification_url", "the network sends the token to that URL"),
			},
		},
		"notification_auth_token_version": schema.Int64Attribute{
			MarkdownDescription: "Version of `notification_auth_token`, 0 or greater. Increase it whenever the token changes. " +
				replaces + " The new session uses the configured token.",
			Optional:   true,
			CustomType: validators.WholeNumberType{},
			Validators: []validator.Int64{
				validators.Int64Between(0, 1<<53, ""),
				validators.AlsoRequires("notification_auth_token", "it is the version of that token"),
			},
		},
		"notification_auth_token_expires_at": schema.StringAttribute{
			MarkdownDescription: "Expiry of `notification_auth_token`: an RFC 3339 time with its offset from UTC, such as `2028-03-01T01:15:00+01:00`. " +
				"Afterwards the network sends no notifications. Default: an hour after the end of the " + lasts + ". An extension does not move it. Only with `camara-v1`. " + replaces,
			Optional:   true,
			CustomType: validators.InstantType{},
			Validators: []validator.String{
				validators.Instant,
				validators.AlsoRequires("notification_auth_token", "it is when that token expires"),
			},
		},
		"wait_for_available": schema.BoolAttribute{
			MarkdownDescription: "Wait until the network reports the session as `AVAILABLE`. " +
				"With `false`, an apply succeeds as soon as the session has been requested. Default: `true`.",
			Optional: true,
		},
	}
	maps.Copy(all, own)
	return all
}
