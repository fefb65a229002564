package acctest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Diagnostics are what the provider reports.
type Diagnostics []*tfprotov6.Diagnostic

// BySeverity are the diagnostics of one severity, each as one text: "summary: detail".
func (d Diagnostics) BySeverity(severity tfprotov6.DiagnosticSeverity) []string {
	var found []string
	for _, one := range d {
		if one.Severity == severity {
			found = append(found, one.Summary+": "+one.Detail)
		}
	}
	return found
}

// Errors are the errors as one text, which is empty when there are none.
func (d Diagnostics) Errors() string {
	return strings.Join(d.BySeverity(tfprotov6.DiagnosticSeverityError), "\n")
}

// Warnings are the warnings, each as one text.
func (d Diagnostics) Warnings() []string { return d.BySeverity(tfprotov6.DiagnosticSeverityWarning) }

// HasError reports whether one of the diagnostics is an error.
func HasError(diags []*tfprotov6.Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d *tfprotov6.Diagnostic) bool {
		return d.Severity == tfprotov6.DiagnosticSeverityError
	})
}

// Describe is all there is to the diagnostics, as one text.
func Describe(diags []*tfprotov6.Diagnostic) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s at %q: %s\n%s\n\n", d.Severity, PathString(d.Attribute), d.Summary, d.Detail)
	}
	return b.String()
}

var (
	quotation = regexp.MustCompile(`"[^"]*"`)
	endsTwice = regexp.MustCompile(`[.?!:;,]"?[.:;,](?:\s|$)`)
)

// EndsOnce wants no sentence that ends twice, as one does that was put together from others.
func EndsOnce(t testing.TB, text string) {
	t.Helper()
	if found := endsTwice.FindString(quotation.ReplaceAllString(text, `""`)); found != "" {
		t.Errorf("a sentence ends in %q:\n%s", found, text)
	}
}

// PathString is a path as a configuration would have it: device.phone_number, scopes[0].
func PathString(p *tftypes.AttributePath) string {
	var b strings.Builder
	for _, step := range p.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(step))
		case tftypes.ElementKeyInt:
			fmt.Fprintf(&b, "[%d]", int64(step))
		default:
			fmt.Fprintf(&b, "<%v>", step)
		}
	}
	return b.String()
}

// ContainsAll checks that every part is in a text.
func ContainsAll(t testing.TB, text string, parts []string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
