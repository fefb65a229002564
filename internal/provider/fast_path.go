package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// shortcut answers for sessions that are as they were, before the framework sees the call. Those are
// nearly all of nearly every plan, and the framework spends two milliseconds and most of a MiB to
// find out for each: of a thousand, that is half of what a user waits for. Whatever is not plainly
// unchanged goes the framework's way, where the rules are.
type fastPath struct {
	framework
	provider *qodProvider
}

// framework is what terraform-plugin-framework serves. Its operations of later protocols are in an
// interface of their own, and would be lost behind tfprotov6.ProviderServer.
type framework = tfprotov6.ProviderServerWithListResource //nolint:staticcheck // deprecated in favour of a version to come

// ReadResource confirms a session that the network lists just as the state has it. See
// sessionResource.Read for all others.
func (s fastPath) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if req.TypeName == sessionTypeName {
		if id, ok := s.readUnchanged(ctx, req); ok {
			return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, NewIdentity: id}, nil
		}
	}
	return s.framework.ReadResource(ctx, req)
}

// PlanResourceChange plans no change of an AVAILABLE session whose configuration is what it was. See
// planSession, which decides the same.
func (s fastPath) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	if req.TypeName == sessionTypeName && sameValue(req.PriorState, req.ProposedNewState) {
		if recorded, ok := decodeState(req.PriorState); ok && recorded.QoSStatus.ValueString() == string(qod.StatusAvailable) && !decodePrivate(req.PriorPrivate).Expired {
			planned := req.PriorIdentity
			if planned == nil {
				planned = encodeIdentity(nil) // OpenTofu keeps none, nor does Terraform before 1.12
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

// confirmed reports whether a list shows the session as the state has it, and its identity.
func (s fastPath) readUnchanged(ctx context.Context, req *tfprotov6.ReadResourceRequest) (id *tfprotov6.ResourceIdentityData, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // the framework's way turns the same fault into an error, or does without it
		}
	}()
	before, ok := decodeState(req.CurrentState)
	private := decodePrivate(req.Private)
	if !ok || s.provider.sessions == nil || private.Origin != s.provider.sessions.Origin() || private.Owner == "" || private.Expired {
		return nil, false
	}
	id = encodeIdentity(map[string]tftypes.Value{"id": tftypes.NewValue(tftypes.String, before.ID.ValueString())})
	if req.CurrentIdentity != nil && !sameValue(req.CurrentIdentity.IdentityData, id.IdentityData) {
		return nil, false // another session's is for the framework to refuse
	}
	found, ok := s.provider.sessions.ReadCached(ctx, before.ref(s.provider.sessions, private))
	if !ok {
		return nil, false
	}
	after := before
	after.record(found, s.provider.sessions.Endpoint())
	// A session that another resource holds, too, is for the framework's way to warn of.
	return id, after.recordUnchanged(before) && !s.provider.owners.heldByAnother(found.ID, private.Owner)
}

// identityOf encodes a session's identity; of nil, that of none.
func encodeIdentity(attributes any) *tfprotov6.ResourceIdentityData {
	typ := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"id": tftypes.String}}
	value, _ := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ, attributes)) // it can fail for other types only
	return &tfprotov6.ResourceIdentityData{IdentityData: &value}
}

// sessionType is what Terraform encodes a session as.
var sessionType = sync.OnceValue(func() tftypes.Type {
	var resp resource.SchemaResponse
	new(sessionResource).Schema(context.Background(), resource.SchemaRequest{}, &resp)
	return resp.Schema.Type().TerraformType(context.Background())
})

// recordedIn reads from a state what the API decides of a session.
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
			return m, false // unknown, or not said yet
		}
		*to = types.StringValue(*text)
	}
	return m, true
}

// privateIn reads what a session's record knows from Terraform's private state, as the framework encodes
// it. It is that of no session where it cannot be read.
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
