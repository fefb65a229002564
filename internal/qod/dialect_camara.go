package qod

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
)

// What CAMARA's documents have in common, whatever their version.

// camaraProfile is the schema QosProfileName.
var camaraProfile = regexp.MustCompile(`\A[a-zA-Z0-9_.-]{3,256}\z`)

// checkCAMARA names what no version can express. They differ in the lowest port.
func checkCAMARA(s Spec, lowestPort int64) []Problem {
	var problems []Problem
	refuse := func(field Field, given, allowed string) {
		problems = append(problems, Problem{field, given, allowed})
	}
	if s.ApplicationServer == nil && !s.Unknown[FieldApplicationServer] {
		refuse(FieldApplicationServer, "no application_server", "set: CAMARA's API reserves quality between the device and a server. "+
			"Set its ipv4_address or ipv6_address to the address or network that the device sends to, as the mobile network sees it")
	}
	if v4 := s.Device.IPv4Address; v4 != nil && v4.PublicPort == nil && v4.PrivateAddress == "" &&
		!s.Unknown[FieldPublicPort] && !s.Unknown[FieldPrivateAddress] && !s.Unknown[FieldIPv4Address] {
		refuse(FieldIPv4Address, "a public address alone", "given with public_port or private_address: CAMARA's API requires one of them, "+
			"because many devices share a public address")
	}
	if v4 := s.Device.IPv4Address; v4 != nil && v4.PublicPort != nil && *v4.PublicPort < lowestPort {
		refuse(FieldPublicPort, strconv.FormatInt(*v4.PublicPort, 10), fmt.Sprintf("from %d to %d", lowestPort, highestPort))
	}
	for _, ports := range []struct {
		field Field
		ports *Ports
	}{{FieldDevicePorts, s.DevicePorts}, {FieldApplicationServerPorts, s.ApplicationServerPorts}} {
		if problem := checkPorts(ports.ports, lowestPort); problem != "" {
			refuse(ports.field, problem, fmt.Sprintf("made of ports from %d to %d, and of ranges whose from is not above their to; at least one", lowestPort, highestPort))
		}
	}
	if s.QoSProfile != "" && !camaraProfile.MatchString(s.QoSProfile) {
		refuse(FieldQoSProfile, strconv.Quote(s.QoSProfile), "the name of one of the operator's profiles: 3 to 256 letters, digits, dots, dashes and underscores")
	}
	return problems
}

const highestPort = 65535

// checkPorts is what is wrong with ports; empty for nothing.
func checkPorts(p *Ports, lowest int64) string {
	if p == nil {
		return ""
	}
	for _, r := range p.all() {
		if r.From < lowest || r.To > highestPort || r.From > r.To {
			if r.From == r.To {
				return fmt.Sprintf("port %d", r.From)
			}
			return fmt.Sprintf("a range from %d to %d", r.From, r.To)
		}
	}
	if len(p.all()) == 0 {
		return "no port"
	}
	return ""
}

// Parts of bodies. They are strict: what is not set is left out, no object is empty, and nothing is
// sent that is not in the documents.
type (
	camaraDevice struct {
		PhoneNumber             string      `json:"phoneNumber,omitempty"`
		NetworkAccessIdentifier string      `json:"networkAccessIdentifier,omitempty"`
		IPv4Address             *camaraIPv4 `json:"ipv4Address,omitempty"`
		IPv6Address             string      `json:"ipv6Address,omitempty"`
	}
	camaraIPv4 struct {
		PublicAddress  string `json:"publicAddress"`
		PrivateAddress string `json:"privateAddress,omitempty"`
		PublicPort     *int64 `json:"publicPort,omitempty"`
	}
	camaraPorts struct {
		Ranges []camaraRange `json:"ranges,omitempty"`
		Ports  []int64       `json:"ports,omitempty"`
	}
	camaraRange struct {
		From int64 `json:"from"`
		To   int64 `json:"to"`
	}
)

func toCAMARADevice(d Device) *camaraDevice {
	body := &camaraDevice{PhoneNumber: d.PhoneNumber, NetworkAccessIdentifier: d.NetworkAccessIdentifier, IPv4Address: nil, IPv6Address: d.IPv6Address}
	if v4 := d.IPv4Address; v4 != nil {
		body.IPv4Address = &camaraIPv4{PublicAddress: v4.PublicAddress, PrivateAddress: v4.PrivateAddress, PublicPort: v4.PublicPort}
	}
	return body
}

func toCAMARAPorts(p *Ports) *camaraPorts {
	if p == nil {
		return nil
	}
	body := &camaraPorts{Ranges: nil, Ports: p.Ports}
	for _, r := range p.Ranges {
		body.Ranges = append(body.Ranges, camaraRange(r))
	}
	return body
}

// postCAMARA is a POST of a body.
func postCAMARA(op Operation, path, scope string, body any) (request, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return request{}, fmt.Errorf("encode session request: %w", err)
	}
	return request{
		operation: op, method: http.MethodPost, path: path, template: path,
		scope: scope, body: encoded, maxBody: maxSessionsBody,
	}, nil
}

func readCAMARA(id, scope string) request {
	return request{
		operation: OperationRead, method: http.MethodGet,
		path: "/sessions/" + url.PathEscape(id), template: "/sessions/{sessionId}",
		scope: scope, sessionID: id, maxBody: maxSessionBody,
	}
}

func deleteCAMARA(id, scope string) request {
	r := readCAMARA(id, scope)
	r.operation, r.method = OperationDelete, http.MethodDelete
	return r
}

func extendCAMARA(id string, seconds int64, scope string) request {
	r, _ := postCAMARA(OperationExtend, "/sessions/"+url.PathEscape(id)+"/extend", scope, struct {
		RequestedAdditionalDuration int64 `json:"requestedAdditionalDuration"`
	}{seconds}) // it cannot fail
	r.template, r.sessionID = "/sessions/{sessionId}/extend", id
	return r
}

// ServesEverybody reports whether an address or CIDR block stands for all servers. A session for it
// is in the way of every other session of the device, also of other clients.
func ServesEverybody(address string) bool {
	block, err := netip.ParsePrefix(address)
	return err == nil && block.Bits() == 0
}
