package qod

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that the API cannot express.
type Problem struct {
	Field   Field
	Given   string
	Allowed string
}

// Check names what in the Spec the API cannot express, or a token cannot be had for. It sends
// nothing.
func (c *Client) Check(s Spec) []Problem { return check(c.dialect, c.config.Grant, s) }

// CheckFor is Client.Check of a supported API and a grant, for when no client can be configured
// yet.
func CheckFor(api API, g Grant, s Spec) []Problem {
	speaks, supported := dialectOf(api)
	if !supported {
		return nil
	}
	return check(speaks, g, s)
}

// check refuses fields that the document does not have, so that none is dropped without a word, and
// what the dialect refuses of the others; and what a token cannot be had for, where that is not
// refused already.
func check(speaks dialect, g Grant, s Spec) []Problem {
	var problems []Problem
	for _, m := range s.members() {
		if m.set && !slices.Contains(speaks.limits().fields, m.field) {
			problems = append(problems, Problem{m.field, "a value", leftOut(speaks, m.field)})
		}
	}
	problems = append(problems, speaks.check(s)...)
	for _, p := range checkGrant(g, s) {
		if !slices.ContainsFunc(problems, func(other Problem) bool { return other.Field == p.Field }) {
			problems = append(problems, p)
		}
	}
	return problems
}

// leftOut says which APIs have the field that this one does not have.
func leftOut(speaks dialect, field Field) string {
	var of API
	var have []string
	for _, d := range dialects {
		if d.speaks == speaks {
			of = d.api
		}
		if slices.Contains(d.speaks.limits().fields, field) {
			have = append(have, fmt.Sprintf("%q", d.api))
		}
	}
	return fmt.Sprintf("left out with api = %q; only api = %s has it", of, strings.Join(have, " or "))
}
