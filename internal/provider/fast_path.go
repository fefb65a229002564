package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// fastPath answers for sessions that have not changed, before the framework sees the call. That is
// nearly every session in nearly every plan, and the framework takes two milliseconds and most of a
// MiB for each: with a thousand sessions, half of the time that a user waits. Whatever is not
// plainly unchanged goes to the framework, where the rules are.
type fastPath struct {
	framework
	provider *qodProvider
}

// framework is what terraform-plugin-framework serves. Its later operations have an interface of
// their own, and would be hidden by tfprotov6.ProviderServer.
type framework = tfprotov6.ProviderServerWithListResource //nolint:staticcheck // deprecated in favour of a version to come

// ReadResource returns the state as it is if the network lists the session just so. All others are
// for sessionResource.Read.
func (s fastPath) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if req.TypeName == sessionTypeName {
		if id, ok := s.readUnchanged(ctx, req); ok {
			return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: id}, nil
		}
	}
	return s.framework.ReadResource(ctx, req)
}

// PlanResourceChange plans no change if the configuration of an AVAILABLE session has not changed.
// planSession decides the same.
func (s fastPath) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if req.TypeName == sessionTypeName && sameValue(req.PriorState, req.ProposedNewState) {
		if recorded, ok := decodeState(req.PriorState); ok && recorded.QoSStatus.ValueString() == string(qod.StatusAvailable) && !decodePrivate(req.PriorPrivate).Expired && !s.reservedTwice(ctx, req.PriorState, recorded) {
			planned := req.PriorIdentity
			if planned == nil {
				planned = encodeIdentity("") // Terraform before 1.12 stores none, nor does OpenTofu 1.11
			}
			return &tfprotov6.PlanResourceChangeResponse{
				PlannedState:    req.ProposedNewState,
				PlannedPrivate:  req.PriorPrivate,
				PlannedIdentity: planned,
			}, nil
		}
	}
	return s.framework.PlanResourceChange(ctx, req)
}

// reservedTwice reports whether another resource reserves what the session is for at the same
// time. The framework warns of it.
func (s fastPath) reservedTwice(ctx context.Context, state *tfprotov6.DynamicValue, recorded sessionModel) bool {
	value, err := state.Unmarshal(sessionType())
	var attributes map[string]tftypes.Value
	if err != nil || value.As(&attributes) != nil {
		return false
	}
	for name, to := range map[string]struct {
		types map[string]attr.Type
		value *types.Object
	}{
		"device": {deviceTypes, &recorded.Device}, "device_ports": {portsTypes, &recorded.DevicePorts},
		"application_server": {serverTypes, &recorded.ApplicationServer}, "application_server_ports": {portsTypes, &recorded.ApplicationServerPorts},
	} {
		decoded, err := types.ObjectType{AttrTypes: to.types}.ValueFromTerraform(ctx, attributes[name])
		object, ok := decoded.(types.Object)
		if err != nil || !ok {
			return false
		}
		*to.value = object
	}
	_, found := s.provider.planned.find(recorded.request(time.Time{}), true)
	return found
}

// readUnchanged reports whether a list shows the session as the state has it, and returns its
// identity.
func (s fastPath) readUnchanged(ctx context.Context, req *tfprotov6.ReadResourceRequest) (id *tfprotov6.ResourceIdentityData, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // the framework runs into the same fault and reports it, or does without it
		}
	}()
	before, ok := decodeState(req.CurrentState)
	private := decodePrivate(req.Private)
	if !ok || s.provider.sessions == nil || private.Origin != s.provider.sessions.Origin() || private.Owner == "" || private.Expired {
		return nil, false
	}
	id = req.CurrentIdentity
	switch {
	case id == nil:
		id = encodeIdentity(before.ID.ValueString())
	case identifiedBy(id) != before.ID.ValueString():
		return nil, false // Read puts it right
	}
	cached, ok := s.provider.sessions.(qod.CachedReader)
	if !ok {
		return nil, false
	}
	found, ok := cached.ReadCached(ctx, before.ref(s.provider.sessions, private))
	if !ok {
		return nil, false
	}
	after := before
	after.record(found, s.provider.sessions.Endpoint())
	// The framework has to warn if another resource holds the session, too.
	return id, after.recordUnchanged(before) && !s.provider.owners.heldByAnother(found.ID, private.Owner)
}

// sessionType is the type of a session as Terraform encodes it.
var sessionType = sync.OnceValue(func() tftypes.Type {
	var resp resource.SchemaResponse
	new(sessionResource).Schema(context.Background(), resource.SchemaRequest{}, &resp)
	return resp.Schema.Type().TerraformType(context.Background())
})

// decodeState reads what the API decides of a session from its state. It is not ok if any of that
// is null or unknown.
func decodeState(state *tfprotov6.DynamicValue) (sessionModel, bool) {
	var m sessionModel
	if state == nil {
		return m, false
	}
	value, err := state.Unmarshal(sessionType())
	if err != nil {
		return m, false
	}
	var attributes map[string]tftypes.Value
	if value.As(&attributes) != nil {
		return m, false
	}
	for name, to := range map[string]*types.String{
		"id": &m.ID, "qos_profile": &m.QoSProfile, "qos_status": &m.QoSStatus, "started_at": &m.StartedAt, "expires_at": &m.ExpiresAt,
		"endpoint": &m.Endpoint,
	} {
		var text *string
		if attributes[name].As(&text) != nil || text == nil {
			return m, false
		}
		*to = types.StringValue(*text)
	}
	return m, true
}

// decodePrivate reads the private state as the framework encodes it. If it cannot be read, it is
// empty.
func decodePrivate(raw []byte) sessionPrivate {
	var keys map[string][]byte
	var private sessionPrivate
	if json.Unmarshal(raw, &keys) != nil || json.Unmarshal(keys[privateKey], &private) != nil {
		return sessionPrivate{}
	}
	return private
}

func sameValue(a, b *tfprotov6.DynamicValue) bool {
	return a != nil && b != nil && len(a.MsgPack) > 0 && bytes.Equal(a.MsgPack, b.MsgPack)
}
