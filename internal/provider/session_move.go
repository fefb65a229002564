package provider

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

var (
	_ resource.ResourceWithMoveState = (*reservationResource)(nil)
	_ resource.ResourceWithMoveState = (*sessionResource)(nil)
)

// movesFrom reports whether a moved block names this type of this provider, by whichever registry.
func movesFrom(req resource.MoveStateRequest, typeName string) bool {
	return req.SourceTypeName == typeName && strings.HasSuffix(req.SourceProviderAddress, "/telefonica/qod") && req.SourceState != nil
}

// MoveState turns a qod_session into a reservation, which keeps the live session. Its window is
// taken from the configuration, by an update that requests nothing, as after an import.
func (r *reservationResource) MoveState(ctx context.Context) []resource.StateMover {
	var source resource.SchemaResponse
	(&sessionResource{}).Schema(ctx, resource.SchemaRequest{}, &source)
	return []resource.StateMover{{SourceSchema: &source.Schema, StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		defer diagnostics.Catch(&resp.Diagnostics)
		if !movesFrom(req, sessionTypeName) {
			return
		}
		var from sessionModel
		resp.Diagnostics.Append(req.SourceState.Get(ctx, &from)...)
		private, diags := loadPrivate(ctx, req.SourcePrivate)
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		to := reservationModel{
			requestModel: from.requestModel, Timeouts: noTimeouts("create", "update", "delete"), WindowSeconds: validators.NullWholeNumber(),
			StartsAt: validators.NewInstant(types.StringNull()), EndsAt: validators.NewInstant(types.StringNull()), ReplaceToExtend: types.BoolNull(),
			Sessions: types.ListNull(pastSessionType), GrantedSeconds: validators.NullWholeNumber(),
			ID: from.ID, SessionID: from.ID, Status: from.QoSStatus, StartedAt: from.StartedAt, ExpiresAt: from.ExpiresAt, StatusInfo: from.StatusInfo, Endpoint: from.Endpoint,
		}
		to.recordHistory(sessionHistory{sessions: []pastSession{{id: from.ID.ValueString(), started: instantOf(from.StartedAt), expires: instantOf(from.ExpiresAt)}}})
		// The network may show no end. A reservation that was moved here and back knows better.
		if started := cmp.Or(instantOf(from.StartedAt), private.MadeAt); private.RequestedUntil.IsZero() && !started.IsZero() && !from.Duration.IsNull() {
			private.RequestedUntil = started.Add(time.Duration(from.Duration.ValueInt64()) * time.Second)
		}
		resp.Diagnostics.Append(resp.TargetState.Set(ctx, to)...)
		resp.Diagnostics.Append(private.save(ctx, resp.TargetPrivate)...)
		resp.Diagnostics.Append(moveIdentity(ctx, req, resp, from.ID)...)
	}}}
}

// MoveState turns a reservation with a session into a qod_session. How long the session was asked
// for is taken from the configuration, as after an import.
func (r *sessionResource) MoveState(ctx context.Context) []resource.StateMover {
	var source resource.SchemaResponse
	(&reservationResource{}).Schema(ctx, resource.SchemaRequest{}, &source)
	return []resource.StateMover{{SourceSchema: &source.Schema, StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		defer diagnostics.Catch(&resp.Diagnostics)
		if !movesFrom(req, reservationTypeName) {
			return
		}
		var from reservationModel
		resp.Diagnostics.Append(req.SourceState.Get(ctx, &from)...)
		private, diags := loadPrivate(ctx, req.SourcePrivate)
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		if from.SessionID.IsNull() {
			resp.Diagnostics.Append(diagnostics.NothingToMove(from.Status.ValueString()))
			return
		}
		private.Imported = true
		to := sessionModel{
			requestModel: from.requestModel, Duration: validators.NullWholeNumber(), Timeouts: noTimeouts("create", "delete"),
			ID: from.SessionID, QoSStatus: sessionStatus(from.Status), StartedAt: from.StartedAt, ExpiresAt: from.ExpiresAt, StatusInfo: from.StatusInfo, Endpoint: from.Endpoint,
		}
		resp.Diagnostics.Append(resp.TargetState.Set(ctx, to)...)
		resp.Diagnostics.Append(private.save(ctx, resp.TargetPrivate)...)
		resp.Diagnostics.Append(moveIdentity(ctx, req, resp, from.SessionID)...)
	}}}
}

// sessionStatus is the status of a reservation if that is its session's, too. Null for one that is
// about the window: the next read knows the session's.
func sessionStatus(status types.String) types.String {
	switch reservationStatus(status.ValueString()) {
	case statusRequested, statusAvailable, statusUnavailable:
		return status
	case statusExpiring:
		return types.StringValue(string(statusAvailable))
	case statusScheduled, statusDue, statusOverdue, statusEnded:
	}
	return types.StringNull()
}
