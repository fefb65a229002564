package provider

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// plannedRequest is what one resource is planned to have: quality for a device during a time.
type plannedRequest struct {
	flow
	id           string    // of the resource; empty for a new one
	starts, ends time.Time // a zero start is open
}

// meets reports whether the times of both overlap. Networks count from when they grant a session,
// so times that touch may overlap by some seconds, which is nobody's mistake.
func (r plannedRequest) meets(other plannedRequest) bool {
	return r.starts.Add(lateTolerance).Before(other.ends) && other.starts.Add(lateTolerance).Before(r.ends)
}

// plannedRequests are those of this run, so that two that cannot both be had are warned of in the
// plan, days before the second one is refused in the middle of an event. A provider sees the
// resources of its own process, one after another, so the later one is warned of.
type plannedRequests struct {
	collide func(a, b flow) bool

	mu           sync.Mutex
	byIdentifier map[string][]*plannedRequest
}

// find returns what overlaps with what a resource is planned to have, and keeps that if wanted. A
// resource that Terraform plans twice is one resource.
func (p *plannedRequests) find(r plannedRequest, keep bool) (other plannedRequest, found bool) {
	if p == nil || !r.starts.Before(r.ends) {
		return other, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byIdentifier == nil {
		p.byIdentifier = map[string][]*plannedRequest{}
	}
	for _, identifier := range r.spec.Device.Identifiers() {
		others := slices.DeleteFunc(p.byIdentifier[identifier], func(before *plannedRequest) bool {
			return r.id != "" && r.id == before.id // planned before
		})
		if at := slices.IndexFunc(others, func(before *plannedRequest) bool {
			return r.meets(*before) && p.collide(r.flow, before.flow)
		}); at >= 0 && !found {
			other, found = *others[at], true
		}
		if keep {
			others = append(others, &r)
		}
		p.byIdentifier[identifier] = others
	}
	return other, found
}

// created names the new resource that was planned for a flow: a process that goes on, as one that
// is debugged does, plans it again as one that exists.
func (p *plannedRequests) created(f flow, id string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, identifier := range f.spec.Device.Identifiers() {
		for _, r := range p.byIdentifier[identifier] {
			if r.id == "" && p.collide(r.flow, f) {
				r.id = id
				return
			}
		}
	}
}

// request is what the session is planned to have. A new one starts when it is applied, which is now
// as far as a plan can tell.
func (m sessionModel) request(now time.Time) plannedRequest {
	r := plannedRequest{flow: m.flow(), id: m.ID.ValueString(), starts: now}
	if started := instantOf(m.StartedAt); !started.IsZero() {
		r.starts = started
	}
	r.ends = r.starts.Add(time.Duration(m.Duration.ValueInt64()) * time.Second)
	if expires := instantOf(m.ExpiresAt); !expires.IsZero() {
		r.ends = expires
	}
	return r
}

// request is what the reservation is planned to have; nothing where that is not known yet, or over.
func (m reservationModel) request() plannedRequest {
	w, known := m.window()
	if !known || reservationStatus(m.Status.ValueString()) == statusEnded {
		return plannedRequest{}
	}
	return plannedRequest{flow: m.flow(), id: m.ID.ValueString(), starts: w.starts, ends: w.ends}
}

// warnIfOverlapping warns of a resource that wants what another one has, or wants. A resource that
// is replaced is planned once more, as a new one, which is then kept; but what the provider says of
// it that time is thrown away.
func warnIfOverlapping(ctx context.Context, api qod.Sessions, p *plannedRequests, r plannedRequest, prior tfsdk.State, replaced bool) diag.Diagnostics {
	if !prior.Raw.IsNull() { // the id of a replacement is not known yet
		var id types.String
		if diags := prior.GetAttribute(ctx, path.Root("id"), &id); diags.HasError() {
			return diags
		}
		r.id = id.ValueString()
	}
	other, found := p.find(r, !replaced)
	if !found {
		return nil
	}
	return diag.Diagnostics{diagnostics.DeviceReservedTwice(period{r.starts, r.ends}.String(), period{other.starts, other.ends}.String(), api.Limits().PerFlow)}
}

// period is a time from one instant to another, in words.
type period struct{ starts, ends time.Time }

func (p period) String() string {
	if p.starts.IsZero() {
		return "until " + p.ends.UTC().Format(time.RFC3339)
	}
	return "from " + p.starts.UTC().Format(time.RFC3339) + " to " + p.ends.UTC().Format(time.RFC3339)
}
