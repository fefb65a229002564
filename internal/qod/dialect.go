package qod

import (
	"net/http"
	"slices"
)

// dialect is one API document: what it can express, the paths of its operations and the format of
// its bodies. A dialect is pure (bytes in, bytes out) and knows nothing of HTTP clients, clocks or
// tokens, so that supporting another document takes another file and nothing else.
type dialect interface {
	// path is where the API usually lies below the endpoint: the default of Config.APIPath.
	path() string
	// limits are what the document allows, and which operations it has.
	limits() Limits
	// check names what in the Spec the document cannot express.
	check(Spec) []Problem

	// create and list get whether the token is bound to the device: some documents refuse a device
	// in the body of such a request.
	create(s Spec, bound bool) (request, error)
	read(id string) request
	// list is the list that shows the sessions of a device: all sessions where the document has
	// that (Limits.CanList), else those of the device (Limits.CanListByDevice). It is empty where
	// the document has neither, and never sent.
	list(d Device, bound bool) request
	// clockRequest is a request whose answer, also a refusal, shows the API's time. It is asked
	// only where there is no list of all sessions, which shows the time as well.
	clockRequest() request
	delete(id string) request
	// extend adds seconds to a session. It is not asked for where Limits.CanExtend is false.
	extend(id string, seconds int64) request

	// profiles is the list of the operator's profiles. It is false where the document has none.
	profiles(f ProfileFilter, bound bool) (request, bool)

	// collide reports whether the network may refuse a session for one flow because there is one
	// for the other.
	collide(a, b flow) bool

	// session decodes one session. If a damaged body still shows the ID, it comes with the error.
	session(body []byte) (Session, error)
	// sessions decodes a list. An entry without a usable id is a Session without one.
	sessions(body []byte) ([]Session, error)
	// failure decodes an error body; both are empty when it contains neither.
	failure(body []byte) (code, message string)
	// classify says what a refusal of an operation means, by its status and the code of its body.
	classify(op Operation, status int, code string) class
}

// class is what a failed request means to those who decide what follows it.
type class int

const (
	classOther       class = iota // nothing that has a name here
	classConflict                 // create: there is a session already, which may be in the way
	classMissing                  // there is no such session, says an answer that may not be the API's
	classGone                     // there is no such session, says the API in the words of its document
	classBusy                     // the session cannot be changed just now
	classRateLimited              // the API did nothing, as there are too many requests
	classTooLong                  // create, extend: the profile allows no session that lasts so long
	classNoList                   // list: not for these credentials, or not for this device
	classNotOffered               // create: not for this device, says the API in the words of its document
)

// classifyStatus is what the documents have in common, and HTTP. Gateways in front of an API send
// a 404 too, so it takes a code of the document for it to count as gone.
func classifyStatus(op Operation, status int) class {
	switch {
	case status == http.StatusTooManyRequests:
		return classRateLimited
	case op == OperationCreate && status == http.StatusConflict:
		return classConflict
	case op == OperationList && slices.Contains([]int{http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented}, status):
		return classNoList
	case op != OperationCreate && status == http.StatusNotFound, ofSession(op) && status == http.StatusGone:
		return classMissing
	case changes(op) && slices.Contains([]int{http.StatusConflict, http.StatusLocked, http.StatusTooEarly}, status):
		return classBusy
	}
	return classOther
}

// ofSession reports whether an operation is about a session that exists.
func ofSession(op Operation) bool { return op == OperationRead || changes(op) }

// changes reports whether an operation changes a session that exists.
func changes(op Operation) bool { return op == OperationDelete || op == OperationExtend }

// Operation is one that an API document has.
type Operation string

// The operations, as the provider's errors and logs name them.
const (
	OperationCreate Operation = "create"
	OperationRead   Operation = "read"
	OperationList   Operation = "list"
	OperationDelete Operation = "delete"
	OperationExtend Operation = "extend"

	OperationProfiles Operation = "list profiles"

	// OperationConsent asks the user of a device, at the authorization server.
	OperationConsent Operation = "ask for consent"
)

// request is one operation in the terms of a dialect.
type request struct {
	operation Operation
	method    string
	path      string // below Config.APIPath or, of an API of profiles, Config.ProfilesPath; escaped
	template  string // the path with a placeholder for the id: what logs show
	scope     string // what the token must carry
	sessionID string
	body      []byte
	anonymous bool   // sent without a token
	secret    string // part of the body; it must not come back in an error
	maxBody   int64  // bytes of the answer after decompression
}
