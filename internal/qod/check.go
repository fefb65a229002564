package qod

// Field names a member of Spec.
type Field string

// The fields that a Problem can name, and that a Spec may not know yet.
const (
	FieldDevice                  Field = "device"
	FieldPhoneNumber             Field = "device.phoneNumber"
	FieldNetworkAccessIdentifier Field = "device.networkAccessIdentifier"
	FieldIPv4Address             Field = "device.ipv4Address"
	FieldPublicAddress           Field = "device.ipv4Address.publicAddress"
	FieldPublicPort              Field = "device.ipv4Address.publicPort"
	FieldPrivateAddress          Field = "device.ipv4Address.privateAddress"
	FieldIPv6Address             Field = "device.ipv6Address"
	FieldApplicationServer       Field = "applicationServer"
	FieldServerIPv4Address       Field = "applicationServer.ipv4Address"
	FieldServerIPv6Address       Field = "applicationServer.ipv6Address"
	FieldDevicePorts             Field = "devicePorts"
	FieldApplicationServerPorts  Field = "applicationServerPorts"
	FieldQoSProfile              Field = "qosProfile"
	FieldDuration                Field = "duration"
	FieldNotificationURL         Field = "notificationUrl"
	FieldNotificationAuthToken   Field = "notificationAuthToken"
	// FieldNotificationAuthTokenExpiresAt has CAMARA's name for it.
	FieldNotificationAuthTokenExpiresAt Field = "accessTokenExpiresUtc"
)

// Fields are all fields of a Spec.
func Fields() []Field {
	return []Field{
		FieldDevice, FieldPhoneNumber, FieldNetworkAccessIdentifier, FieldIPv4Address, FieldPublicAddress, FieldPublicPort, FieldPrivateAddress, FieldIPv6Address,
		FieldApplicationServer, FieldServerIPv4Address, FieldServerIPv6Address, FieldDevicePorts, FieldApplicationServerPorts,
		FieldQoSProfile, FieldDuration, FieldNotificationURL, FieldNotificationAuthToken, FieldNotificationAuthTokenExpiresAt,
	}
}

// Problem is one thing that the API cannot express.
type Problem struct {
	Field   Field
	Given   string
	Allowed string
}

// CheckFor is Client.Check of a supported API, for when no client can be configured yet.
func CheckFor(api API, s Spec) []Problem {
	speaks, supported := dialectOf(api)
	if !supported {
		return nil
	}
	return speaks.check(s)
}
