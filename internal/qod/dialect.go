package qod

// dialect is one API document: what it can express, where its operations live and what its
// bodies look like. A dialect is pure (bytes in, bytes out) and knows neither HTTP clients nor
// clocks nor tokens, so that another document is another file and nothing else.
type dialect interface {
	// check names what of the Spec the document cannot express. Empty fields are not known yet.
	check(Spec) []Problem
	// maxSeconds is the most seconds one session may last.
	maxSeconds() int64

	create(Spec) (request, error)
	read(id string) request
	list() request
	delete(id string) request

	// session decodes one session. It returns the ID with the error when a damaged body still
	// shows one.
	session(body []byte) (Session, error)
	// idFromLocation is the id that the Location header of a create names; empty when it names none.
	idFromLocation(location string) string
	// sessions decodes a list. An entry without a usable id is a Session without one.
	sessions(body []byte) ([]Session, error)
	// failure reads an error body; both are empty when it holds none.
	failure(body []byte) (code, message string)
	// saysNotFound reports whether the code of an error body is the document's own for what is not
	// there. Gateways in front of an API answer in other words: a number, a message, or nothing.
	saysNotFound(code string) bool
}

// Field names a member of Spec, as the API document spells it.
type Field string

// The fields a Problem can name.
const (
	FieldQoSProfile Field = "qosProfile"
	FieldDuration   Field = "duration"
)

// Problem is one thing that the API cannot express.
type Problem struct {
	Field   Field
	Given   string
	Allowed string
}

// Operation is one of the four that the API document has.
type Operation string

// The operations, as the provider's errors and logs name them.
const (
	OperationCreate Operation = "create"
	OperationRead   Operation = "read"
	OperationList   Operation = "list"
	OperationDelete Operation = "delete"
)

// request is one operation spelled out by a dialect.
type request struct {
	operation Operation
	method    string
	path      string // below the endpoint, escaped
	template  string // the path with a placeholder for the id: what logs show
	scope     string // what the token must carry
	sessionID string
	body      []byte
	secret    string // in the body; must not come back in an error
	maxBody   int64  // bytes of the answer after decompression
}
