// Proves that what an API allows is written in package qod and nowhere else: with another API, a
// copy here would refuse what that one accepts.

package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// copied matches the limits, the profiles and the scopes of an API in a literal.
var copied = regexp.MustCompile(`86_?400|24 h|QOS_[A-Z]\b|qod:sessions`)

func TestLimits_areWrittenOnce(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec: // not the limit of a session
				return n.Names[0].Name != "maxTimeout"
			case *ast.BasicLit:
				if copied.MatchString(n.Value) {
					t.Errorf("%s: %s is the API's: take it from qod.Limits", set.Position(n.Pos()), n.Value)
				}
			case *ast.BinaryExpr:
				if hours, ok := n.X.(*ast.BasicLit); ok && n.Op == token.MUL && hours.Value == "24" {
					t.Errorf("%s: a day is the API's: take it from qod.Limits", set.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// A session that shows no end ends by the limits of the API that made it.
func TestLimits_ofTheOrigin(t *testing.T) {
	t.Parallel()
	made := time.Date(2028, 2, 29, 20, 0, 0, 0, time.UTC)
	for origin, alive := range map[string]bool{
		"":                                 false,
		"https://a.example/v1 as client c": false,
		"https://a.example (" + string(qod.OpenGateway) + ", /elsewhere) as client c": false,
		"https://a.example (unlimited, /v9) as client c":                              true,
	} {
		p := sessionPrivate{Origin: origin, MadeAt: made}
		l := lostSession{Origin: origin, MadeAt: made}
		last := made.Add(qod.LimitsOf(qod.OpenGateway).Longest())
		if !p.mayBeAlive(time.Time{}, last.Add(-1)) || !l.mayBeAlive(last.Add(-1)) {
			t.Errorf("%q: over too early", origin)
		}
		if p.mayBeAlive(time.Time{}, last) != alive || l.mayBeAlive(last) != alive {
			t.Errorf("%q: alive at the longest session's end: want %t", origin, alive)
		}
	}
}

// strict is an API with a profile of its own and no session that could be listed.
type strict struct {
	offline
	checked *qod.Spec
}

func (s strict) Check(spec qod.Spec) []qod.Problem {
	*s.checked = spec
	return []qod.Problem{{Field: qod.FieldQoSProfile, Given: `"QOS_E"`, Allowed: "one of GOLD"}}
}

// A filter is checked by the configured API, and by its profile alone: a filter sets no more than
// that of what the API requires.
func TestLimits_ofAFilter(t *testing.T) {
	t.Parallel()
	var checked qod.Spec
	diags := acc.NewClientOf(t, strict{checked: &checked}).ReadSessions(attrs{}, attrs{"qos_profile": "QOS_E"})
	if len(diags) != 1 || acctest.PathString(diags[0].Attribute) != "qos_profile" || !strings.Contains(diags[0].Detail, "must be one of GOLD") {
		t.Errorf("diagnostics: %s", acctest.Describe(diags))
	}
	for _, field := range qod.Fields() {
		if checked.Unknown[field] != (field != qod.FieldQoSProfile) {
			t.Errorf("%s: not known: %t", field, checked.Unknown[field])
		}
	}
}
