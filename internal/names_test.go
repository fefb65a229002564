// Package internal_test holds what is true of the whole module.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// These words were once names in this module. Terraform, OAuth and CAMARA have others for the same
// things, and a newcomer knows those.
var (
	// No identifier has one of these words in it.
	retiredWords = []string{
		"account", "courier", "endeavour", "enactment", "face", "glance", "guarded", "knobs", "lab",
		"parcel", "recall", "remark", "remarks", "season", "shortcut", "spoil",
	}
	// No identifier is one of these.
	retiredNames = []string{
		"Confirm", "OpRelease", "OperationRelease", "anybody", "beBrief", "blocker", "burstShare",
		"clocked", "deletionGrace", "deletionPatience", "explainConflict", "foresee", "formerEnd", "guard",
		"hasWork", "inTheWay", "instead", "leaveWith", "listPatience", "logWhatIsAsked", "memoryWire",
		"needsAction", "oneOf", "outliveSignals", "posting", "readyToken", "sessionMemory",
		"startPatience", "useless", "verifyAdopted", "verifySingle",
	}
	// No type, function, method or file is one of these. They are fair names of a variable.
	retiredDeclarations = []string{
		"Glance", "Release", "Reserve", "core", "elsewhere", "held", "judge", "life", "lists", "memory",
		"notes", "reader", "relations", "release", "remember", "reserve", "shared", "wire", "within",
		"world",
	}
)

func TestNames(t *testing.T) {
	t.Parallel()
	for path, file := range goFiles(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".go"), "_test")
		if slices.Contains(retiredDeclarations, name) || hasRetiredWord(strings.Split(name, "_")) {
			t.Errorf("%s: the file has a retired name", path)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if slices.Contains(retiredNames, n.Name) || hasRetiredWord(words(n.Name)) {
					t.Errorf("%s: %s is a retired name", path, n.Name)
				}
			case *ast.TypeSpec:
				checkDeclared(t, path, n.Name.Name)
			case *ast.FuncDecl:
				checkDeclared(t, path, n.Name.Name)
			case *ast.InterfaceType:
				for _, method := range n.Methods.List {
					for _, name := range method.Names {
						checkDeclared(t, path, name.Name)
					}
				}
			}
			return true
		})
	}
}

func checkDeclared(t *testing.T, path, name string) {
	t.Helper()
	if slices.Contains(retiredDeclarations, name) {
		t.Errorf("%s: %s is a retired name", path, name)
	}
}

func hasRetiredWord(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(retiredWords, strings.ToLower(word)) })
}

var camelCase = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// words are the parts of an identifier in camel case.
func words(identifier string) []string {
	return strings.FieldsFunc(camelCase.ReplaceAllString(identifier, "$1 $2"), func(r rune) bool {
		return !unicode.IsLetter(r)
	})
}

// goFiles are all Go files of the module.
func goFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		files[path], err = parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d Go files", len(files))
	}
	return files
}
