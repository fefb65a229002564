package diagnostics

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

// inWords quotes a server.
func inWords(message string) string {
	if message == "" {
		return ""
	}
	return " It says: \"" + strings.TrimRight(message, ". ") + "\"."
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

func waitText(d time.Duration) string {
	if d > 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return validators.FormatDuration(d.Round(time.Second))
}

// HoursText writes how long something lasts that is counted in hours.
func HoursText(d time.Duration) string { return fmt.Sprintf("%g hours", d.Hours()) }

func sentence(s string) string { return strings.TrimRight(s, ". ") + "." }

// introduced puts a sentence behind a colon.
func introduced(lead, text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return lead + ": " + string(unicode.ToLower(first)) + text[size:]
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// enumerated lists names as a sentence does.
func enumerated(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}
