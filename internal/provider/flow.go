package provider

import (
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// flow is the traffic that a resource wants a session for, as far as it is known when planning.
type flow struct {
	spec  qod.Spec // the device, the server and the ports
	known bool     // the server and the ports
}

func (m requestModel) flow() flow {
	var spec qod.Spec
	spec.Device, spec.ApplicationServer = toDevice(m.Device), toApplicationServer(m.ApplicationServer)
	spec.DevicePorts, spec.ApplicationServerPorts = toPorts(m.DevicePorts), toPorts(m.ApplicationServerPorts)
	unknown := slices.ContainsFunc([]types.Object{m.ApplicationServer, m.DevicePorts, m.ApplicationServerPorts}, func(o types.Object) bool {
		return !o.IsNull() && !isKnownWhole(o)
	})
	return flow{spec, !unknown}
}

// collisions reports for which flows an API may refuse one session because of another one. Where
// that depends on what is not known yet, it is no reason to warn.
func collisions(api qod.Sessions) func(a, b flow) bool {
	return func(a, b flow) bool {
		return (a.known && b.known || !api.Limits().PerFlow) && api.Collide(a.spec, b.spec)
	}
}
