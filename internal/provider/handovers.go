package provider

import (
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
)

// defaultParallelism is how many resources Terraform and OpenTofu work on at a time, unless
// -parallelism says otherwise, which no provider is told.
const defaultParallelism = 10

// handovers are the flows that pass from one resource to another in this run's plan: one resource
// deletes its session, and another one requests one, as after the keys of a for_each were renamed.
// Terraform knows of no order between the two. The request waits for the delete, in a place that
// the delete may need: if requests take all the places, no delete can start. Nothing can be done
// about that in the apply, but the plan can warn of it. A provider sees the resources of its own
// process, one after another and in any order.
type handovers struct {
	collide func(a, b flow) bool

	mu               sync.Mutex
	deleted, created map[string][]flow // by the identifiers of their devices
	count            int
}

// deletes is called for a resource that is planned to delete its session.
func (h *handovers) deletes(f flow) diag.Diagnostics { return h.add(f, true) }

// creates is called for a resource that is planned to request a session.
func (h *handovers) creates(f flow) diag.Diagnostics { return h.add(f, false) }

// add warns once, when there are as many handovers as Terraform has places. A flow counts once:
// Terraform plans a resource that is replaced twice, and does not show what the second plan says.
func (h *handovers) add(f flow, deletes bool) diag.Diagnostics {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deleted == nil {
		h.deleted, h.created = map[string][]flow{}, map[string][]flow{}
	}
	same, opposite := h.created, h.deleted
	if deletes {
		same, opposite = opposite, same
	}
	if h.found(f, same) {
		return nil
	}
	for _, identifier := range f.spec.Device.Identifiers() {
		same[identifier] = append(same[identifier], f)
	}
	if !h.found(f, opposite) {
		return nil
	}
	if h.count++; h.count != defaultParallelism {
		return nil
	}
	return diag.Diagnostics{diagnostics.ManyHandovers(defaultParallelism)}
}

// found reports whether a flow collides with others, which are sorted by the identifiers of their
// devices.
func (h *handovers) found(f flow, others map[string][]flow) bool {
	return slices.ContainsFunc(f.spec.Device.Identifiers(), func(identifier string) bool {
		return slices.ContainsFunc(others[identifier], func(other flow) bool { return h.collide(f, other) })
	})
}
