package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Operation is what a request asks for.
type Operation string

// The operations of the APIs, of which each has some, those of the authorization server, and
// everything else, which is refused.
const (
	OpCreate    Operation = "create"
	OpRead      Operation = "read"
	OpList      Operation = "list"
	OpDelete    Operation = "delete"
	OpExtend    Operation = "extend"
	OpProfiles  Operation = "profiles"
	OpToken     Operation = "token"
	OpDiscovery Operation = "discovery"
	// OpBackchannel asks for somebody's consent (CIBA).
	OpBackchannel Operation = "bc-authorize"
	OpOther       Operation = "other"
)

// Operations returns the operations that a Fault can name: all but OpOther.
func Operations() []Operation {
	return []Operation{OpCreate, OpRead, OpList, OpDelete, OpExtend, OpProfiles, OpToken, OpBackchannel, OpDiscovery}
}

// Request is one request as it arrived, including those refused, those affected by a fault and
// those in flight. It contains credentials, so that tests can look for leaks; a program must not
// print Header or Body, and of Device only what Masked shows.
type Request struct {
	Operation Operation
	Method    string
	Path      string
	Device    Device // that it names; zero: none
	Header    http.Header
	Body      []byte
	Status    int       // of the answer; 0 if there is none yet, or the connection was closed instead
	At        time.Time // by the sandbox's clock
	Remote    string    // the client's address: one per connection
}

// maxLogged limits the request log of a sandbox that runs for long.
const maxLogged = 50_000 // requests

// requests is the request log and the hooks that are called before a request is carried out.
type requests struct {
	keep int // the maximum length of log

	mu     sync.Mutex
	log    []*Request
	counts map[Operation]int
	hooks  map[Operation][]func(int, *http.Request)
}

// Requests returns the requests of these operations, or all if none is named, in order of arrival.
// Only the latest 50,000 are kept.
func (s *Sandbox) Requests(ops ...Operation) []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	var found []Request
	for _, r := range s.requests.log {
		if len(ops) == 0 || slices.Contains(ops, r.Operation) {
			found = append(found, *r)
		}
	}
	return found
}

// Count returns how many requests of an operation have arrived.
func (s *Sandbox) Count(op Operation) int {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	return s.requests.counts[op]
}

// Before has f called with the number of each request of op, counted from 1, before the request is
// validated or carried out. Concurrent requests call it concurrently. f may use the sandbox.
func (s *Sandbox) Before(op Operation, f func(n int, r *http.Request)) {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	if s.requests.hooks == nil {
		s.requests.hooks = map[Operation][]func(int, *http.Request){}
	}
	s.requests.hooks[op] = append(s.requests.hooks[op], f)
}

// record logs a request and calls the hooks.
func (q *requests) record(c call, device Device, at time.Time) *Request {
	r := c.request
	entry := &Request{
		Operation: c.op, Method: r.Method, Path: r.URL.Path, Device: device,
		Header: r.Header.Clone(), Body: c.body, At: at, Remote: r.RemoteAddr,
	}
	q.mu.Lock()
	if len(q.log) >= q.keep {
		q.log = slices.Delete(q.log, 0, max(1, q.keep/10))
	}
	q.log = append(q.log, entry)
	if q.counts == nil {
		q.counts = map[Operation]int{}
	}
	q.counts[c.op]++
	n, hooks := q.counts[c.op], slices.Clone(q.hooks[c.op])
	q.mu.Unlock()
	for _, hook := range hooks {
		r.Body = io.NopCloser(bytes.NewReader(c.body))
		hook(n, r)
	}
	return entry
}

// setStatus records the status of the answer.
func (q *requests) setStatus(entry *Request, status int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	entry.Status = status
}

// current returns a copy of the entry.
func (q *requests) current(entry *Request) Request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return *entry
}
