package qod

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The documents of all APIs call the members of a session alike, and what is read leniently may be
// of any of them.

// decodeSessionBody decodes a body with one session. If a damaged one still shows the id, it comes
// with the error.
func decodeSessionBody(body []byte) (Session, error) {
	fields, err := decodeObject(body)
	var s Session
	if err == nil {
		s, err = decodeSession(fields)
	}
	if s.ID == "" {
		s.ID = salvageID(body)
	}
	return s, err
}

// decodeSessionsBody decodes a body with several. An entry without a usable id is a Session without
// one.
func decodeSessionsBody(body []byte) ([]Session, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(jsonText(body), &items); err != nil {
		if _, err := decodeObject(body); err == nil {
			// An object around a list may say that this is one page of many.
			return nil, errors.New("the answer is a JSON object and not an array of sessions, which is what the API document has")
		}
		return nil, errors.New("the answer is not a JSON array of sessions")
	}
	if items == nil {
		return nil, errors.New("the answer is null and not a JSON array of sessions")
	}
	sessions := make([]Session, 0, len(items))
	position := make(map[string]int, len(items))
	for _, item := range items {
		// An entry without a usable id is kept: it may be the session that is looked for.
		var s Session
		if fields, err := decodeObject(item); err == nil {
			s, _ = decodeSession(fields)
		}
		if s.ID == "" {
			sessions = append(sessions, s)
			continue
		}
		// An id that is listed twice is one session; the last entry counts.
		if at, seen := position[s.ID]; seen {
			sessions[at] = s
			continue
		}
		position[s.ID] = len(sessions)
		sessions = append(sessions, s)
	}
	return sessions, nil
}

func decodeSession(fields object) (Session, error) {
	device := fields.object("device")
	s := Session{
		ID:         fields.text("sessionId"),
		QoSProfile: fields.text("qosProfile"),
		Status:     Status(strings.ToUpper(strings.TrimSpace(fields.text("qosStatus")))),
		Device: Device{
			PhoneNumber:             e164(device.text("phoneNumber")),
			NetworkAccessIdentifier: device.text("networkAccessIdentifier"),
			IPv4Address:             decodeIPv4(device.object("ipv4Address")),
			IPv6Address:             device.text("ipv6Address"),
		},
		StatusInfo:             strings.ToUpper(strings.TrimSpace(fields.text("statusInfo"))),
		ApplicationServer:      decodeServer(fields.object("applicationServer")),
		DevicePorts:            decodePorts(fields.object("devicePorts")),
		ApplicationServerPorts: decodePorts(fields.object("applicationServerPorts")),
	}
	unread := unreadFields{fields: fields, device: s.Device}
	s.StartedAt = unread.instant("startedAt")
	s.ExpiresAt = unread.instant("expiresAt")
	s.Seconds = unread.wholeNumber("duration")
	s.Unread = strings.Join(unread.shown, ", ")
	if !validID(s.ID) {
		s.ID = ""
		return s, errors.New("the answer shows no usable sessionId")
	}
	return s, nil
}

// decodeIPv4 is nil where no public address is shown.
func decodeIPv4(fields object) *IPv4Address {
	public := fields.text("publicAddress")
	if public == "" {
		return nil
	}
	address := IPv4Address{PublicAddress: public, PublicPort: nil, PrivateAddress: fields.text("privateAddress")}
	if port, ok := fields.number("publicPort"); ok {
		address.PublicPort = &port
	}
	return &address
}

// decodeServer is nil where no address is shown.
func decodeServer(fields object) *ApplicationServer {
	server := ApplicationServer{IPv4Address: fields.text("ipv4Address"), IPv6Address: fields.text("ipv6Address")}
	if server == (ApplicationServer{}) {
		return nil
	}
	return &server
}

// decodePorts is nil, which counts as all of them, unless each port can be read. Port 0 stands for
// any, as in programs that listen.
func decodePorts(fields object) *Ports {
	single, ok := fields.items("ports")
	ranges, okRanges := fields.items("ranges")
	var ports Ports
	for _, item := range single {
		port, okPort := object{"port": item}.number("port")
		ok = ok && okPort
		ports.Ports = append(ports.Ports, port)
	}
	for _, item := range ranges {
		ends, _ := decodeObject(item)
		from, okFrom := ends.number("from")
		to, okTo := ends.number("to")
		ok = ok && okFrom && okTo
		ports.Ranges = append(ports.Ranges, PortRange{from, to})
	}
	if !ok || !okRanges || checkPorts(&ports, 0) != "" || slices.Contains(ports.all(), PortRange{0, 0}) {
		return nil
	}
	return &ports
}

// e164 brings a phone number, which networks spell in several ways, into the form that generated
// configuration and import recipes need: a plus and digits. Anything else than a complete number
// stays as it is.
func e164(number string) string {
	if digits := phoneDigits(number); digits != "" {
		return "+" + digits
	}
	return number
}

// unreadFields decodes fields and records those whose values cannot be read. Without the reason,
// people would look for a missing end of session in the wrong place.
type unreadFields struct {
	fields object
	device Device
	shown  []string
}

func (u *unreadFields) instant(name string) time.Time {
	t, ok := u.fields.instant(name)
	if !ok {
		u.note(name)
		return time.Time{}
	}
	return t
}

func (u *unreadFields) wholeNumber(name string) int64 {
	n, ok := u.fields.wholeNumber(name)
	if !ok {
		u.note(name)
		return 0
	}
	return n
}

// maxUnread bounds what is shown of one value, in characters.
const maxUnread = 60

func (u *unreadFields) note(name string) {
	value := []rune(printable(redactServer(u.fields.raw(name), nil, u.device)))
	if len(value) > maxUnread {
		value = append(value[:maxUnread], '…')
	}
	if raw := u.fields[name]; len(raw) > 0 && raw[0] == '"' {
		u.shown = append(u.shown, fmt.Sprintf("%s %q", name, string(value)))
		return
	}
	u.shown = append(u.shown, name+" "+string(value))
}

// decodeFailure decodes the body of an error; both are empty when it contains neither.
func decodeFailure(body []byte) (code, message string) {
	fields, err := decodeObject(body)
	if err != nil {
		return "", ""
	}
	// The authorization endpoints of the same gateway use the error members of RFC 6749.
	return fields.firstText("code", "error"), fields.firstText("message", "error_description")
}
