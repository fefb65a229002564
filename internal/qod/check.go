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
	FieldIPv6Address             Field = "device.ipv6Address"
	FieldApplicationServer       Field = "applicationServer"
	FieldServerIPv4Address       Field = "applicationServer.ipv4Address"
	FieldServerIPv6Address       Field = "applicationServer.ipv6Address"
	FieldQoSProfile              Field = "qosProfile"
	FieldDuration                Field = "duration"
	FieldNotificationURL         Field = "notificationUrl"
	FieldNotificationAuthToken   Field = "notificationAuthToken"
)

// Fields are all fields of a Spec.
func Fields() []Field {
	return []Field{
		FieldDevice, FieldPhoneNumber, FieldNetworkAccessIdentifier, FieldIPv4Address, FieldPublicAddress, FieldPublicPort, FieldIPv6Address,
		FieldApplicationServer, FieldServerIPv4Address, FieldServerIPv6Address,
		FieldQoSProfile, FieldDuration, FieldNotificationURL, FieldNotificationAuthToken,
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
