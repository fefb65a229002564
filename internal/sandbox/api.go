package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// API names an API document that a sandbox can serve, as the provider's api attribute does.
type API string

// OpenGateway is Telefónica's Quality on Demand API of openapi.yaml.
const OpenGateway API = "open-gateway"

// definitions are the APIs. Each has a file handler_<api>.go and its document, and nothing else
// depends on which one is served.
var definitions = map[API]definition{
	OpenGateway: openGatewayDefinition,
	CAMARAV1:    camaraV1Definition,
	CAMARAV0:    camaraV0Definition,
}

// definition is what an API is made of.
type definition struct {
	basePath string // of the provider's endpoint, which precedes all paths of the API
	apiPath  string // of the API below it, unless Config.APIPath is another
	profiles []Profile
	allScope string // of a token that may do everything; empty where there is none
	// noCorrelator says that answers do not repeat the x-correlator of their request.
	noCorrelator bool
	// conflict reports whether the network cannot hold both sessions at the same time.
	conflict func(a, b *Session) bool
	// routes are the paths of the documents. apiPath is where the API is.
	routes  func(apiPath string) []route
	handler func(*Sandbox) apiHandler
}

// apiHandler translates between the messages of an API and the network. All that the APIs have in
// common is outside of it: the network, the authorization server, webhooks and faults.
type apiHandler interface {
	// answer carries out a valid request that its token allows. Whether a device that the token is
	// bound to matters is the API's affair.
	answer(g grant, c call) answer
	refusal(status int, code, message string) answer
	device(c call) Device      // that the request names, for logs; zero: none
	event(ch statusChange) any // the CloudEvent for a notification URL
}

// route is a path of an API document.
type route struct {
	path     string // below the endpoint, with {parameter} for one segment at most
	template string // the same path in the document
	document *openapi3.T
	methods  map[string]apiMethod // by HTTP method
}

// apiMethod is what an HTTP method does at a path.
type apiMethod struct {
	op    Operation
	scope string // that the token must have
}

// define returns the definition that a configuration selects, and fills in the configuration.
func define(c *Config) (definition, error) {
	c.API = cmp.Or(c.API, OpenGateway)
	d, ok := definitions[c.API]
	if !ok {
		return definition{}, fmt.Errorf("unknown API %q: use %s", c.API, joined(APIs()))
	}
	switch path := c.APIPath; {
	case path == "":
	case path == "/":
		d.apiPath = "" // directly below the base path
	case !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/"):
		return definition{}, fmt.Errorf("invalid API path %q: it must begin with a slash and not end with one", path)
	default:
		d.apiPath = path
	}
	return d, nil
}

// APIs returns the APIs that a sandbox can serve.
func APIs() []API { return slices.Sorted(maps.Keys(definitions)) }

func joined[T ~string](names []T) string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return strings.Join(texts, ", ")
}

// match returns the route of a path and the value of its parameter, if it has one.
func (s *Sandbox) match(path string) (found *route, parameter string) {
	below, ok := strings.CutPrefix(path, s.definition.basePath)
	if !ok {
		return nil, ""
	}
	for i := range s.routes {
		r := &s.routes[i]
		before, name, after := r.split()
		if name == "" && below == r.path {
			return r, ""
		}
		rest, ok := strings.CutPrefix(below, before)
		value, end := strings.CutSuffix(rest, after)
		if ok && end && name != "" && value != "" && !strings.Contains(value, "/") {
			return r, value
		}
	}
	return nil, ""
}

// split returns what precedes and what follows the route's parameter, and its name.
func (r *route) split() (before, parameter, after string) {
	before, rest, _ := strings.Cut(r.path, "{")
	parameter, after, _ = strings.Cut(rest, "}")
	return before, parameter, after
}

// operations returns the API's operations, in the order of Operations.
func (s *Sandbox) operations() []Operation {
	return slices.DeleteFunc(Operations(), func(op Operation) bool {
		return !ofServer(op) && !slices.ContainsFunc(s.routes, func(r route) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(r.methods)), func(m apiMethod) bool { return m.op == op })
		})
	})
}

// scopes returns all scopes of the API, sorted.
func (s *Sandbox) scopes() []string {
	var scopes []string
	for _, r := range s.routes {
		for _, m := range r.methods {
			scopes = append(scopes, m.scope)
		}
	}
	if s.definition.allScope != "" {
		scopes = append(scopes, s.definition.allScope)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
