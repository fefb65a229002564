// Package localtime turns what a clock on the wall shows somewhere into an instant.
//
// It uses the time zone data that is embedded here and never that of the machine: two runners with
// another data version would plan two windows for one event. zoneinfo.zip is the IANA Time Zone
// Database as Go distributes it (lib/time/zoneinfo.zip, in the public domain); "make zoneinfo"
// takes a newer one from the Go toolchain in use. Package time/tzdata embeds the same data, but is
// asked only where the machine has none.
package localtime

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed zoneinfo.zip
var zoneinfo []byte

// A TimeError says why a wall-clock time cannot be read, or stands for no instant or for two.
type TimeError struct{ text string }

func (e *TimeError) Error() string { return e.text }

// A ZoneError says why there is no such time zone.
type ZoneError struct{ text string }

func (e *ZoneError) Error() string { return e.text }

// Parse returns the instant at which clocks in the zone show the wall-clock time, such as
// "2026-12-05T20:30" or "2026-12-05T20:30:00" in "Europe/Madrid". Times that clocks skip or show
// twice when they change are errors that show both readings. Errors: *TimeError, *ZoneError.
func Parse(wall, zone string) (time.Time, error) {
	location, err := load(zone)
	if err != nil {
		return time.Time{}, err
	}
	clock, err := parseClock(wall)
	if err != nil {
		return time.Time{}, err
	}
	instant, err := resolve(clock, wall, location)
	if err == nil && offsetAt(instant, location)%time.Minute != 0 {
		return time.Time{}, &TimeError{fmt.Sprintf("clocks in %s were no whole number of minutes from UTC then, which a timestamp cannot express. Check the year. Given: %q.", location, wall)}
	}
	return instant, err
}

// resolve finds the instants at which clocks in the location show what the UTC time clock shows. No
// two changes of a zone's clocks are less than a day apart, so the offsets of a day before and a
// day after are all there can be.
func resolve(clock time.Time, wall string, location *time.Location) (time.Time, error) {
	before, after := offsetAt(clock.Add(-24*time.Hour), location), offsetAt(clock.Add(24*time.Hour), location)
	earlier, later := clock.Add(-before).In(location), clock.Add(-after).In(location)
	first, second := shows(earlier, clock), shows(later, clock)
	switch {
	case first && second && !earlier.Equal(later):
		return time.Time{}, &TimeError{fmt.Sprintf("clocks in %s show %s twice that day, because they are put back. "+
			"Write the one that is meant in full: %s (the first time) or %s (the second time).",
			location, wall, earlier.Format(time.RFC3339), later.Format(time.RFC3339))}
	case first:
		return earlier, nil
	case second:
		return later, nil
	}
	return time.Time{}, &TimeError{fmt.Sprintf("clocks in %s never show %s, because they are put forward over it that day. "+
		"Write the one that is meant: %s (counted from before the change) or %s (counted from after it).",
		location, wall, earlier.Format(time.RFC3339), later.Format(time.RFC3339))}
}

func offsetAt(t time.Time, location *time.Location) time.Duration {
	_, seconds := t.In(location).Zone()
	return time.Duration(seconds) * time.Second
}

// shows reports whether a clock at t's location shows what the UTC time clock shows.
func shows(t, clock time.Time) bool {
	return t.Format(time.DateTime) == clock.Format(time.DateTime)
}

var (
	clockForm = regexp.MustCompile(`\A(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?\z`)
	hasOffset = regexp.MustCompile(`(?i)\d(?:Z|[+-]\d{2}:?\d{0,2})\z`)
	timeOfDay = regexp.MustCompile(`\d:\d`)
	byDay     = regexp.MustCompile(`\A\d{1,2}[/.-]\d{1,2}[/.-]\d{4}`)
	fraction  = regexp.MustCompile(`:\d{2}[.,]\d+\z`)
)

// parseClock reads a wall-clock time, as if it were UTC.
func parseClock(wall string) (time.Time, error) {
	parts := clockForm.FindStringSubmatch(wall)
	if parts == nil {
		return time.Time{}, &TimeError{`must be a date and a time of day without an offset, such as "2026-12-05T20:30" or "2026-12-05T20:30:00". ` + mistake(wall)}
	}
	var n [7]int
	for i, digits := range parts[1:] {
		n[i+1], _ = strconv.Atoi(digits) // the form lets only digits through, or nothing for the seconds
	}
	year, month, day, hour, minute, second := n[1], time.Month(n[2]), n[3], n[4], n[5], n[6]
	if month < time.January || month > time.December {
		return time.Time{}, &TimeError{fmt.Sprintf("there is no month %02d: write year-month-day. Given: %q.", month, wall)}
	}
	if last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day(); day < 1 || day > last {
		return time.Time{}, &TimeError{fmt.Sprintf("%s %d has %d days. Given: %q.", month, year, last, wall)}
	}
	if hour == 24 && minute == 0 && second == 0 {
		return time.Time{}, &TimeError{fmt.Sprintf("write midnight as 00:00 of the next day: %q. Given: %q.",
			time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC).Format("2006-01-02T15:04"), wall)}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, &TimeError{fmt.Sprintf("a time of day goes from 00:00:00 to 23:59:59. Given: %q.", wall)}
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC), nil
}

// mistake names what is wrong with a time that has not the form of one.
func mistake(wall string) string {
	given := fmt.Sprintf("Given: %q.", cut(wall))
	switch {
	case strings.TrimSpace(wall) == "":
		return "It is empty."
	case strings.TrimSpace(wall) != wall:
		return "Remove the spaces around it. " + given
	case byDay.MatchString(wall):
		return "Write the year first: year-month-day. " + given
	case !timeOfDay.MatchString(wall):
		return "The time of day is missing. " + given
	case hasOffset.MatchString(wall):
		return "It has an offset already, so it needs no zone: use it as it is, or leave the offset out. " + given
	case fraction.MatchString(wall):
		return "Leave the fraction of the second out. " + given
	case strings.Count(wall, " ") == 1:
		return "Write a T between the date and the time, not a space. " + given
	}
	return given
}

// load returns a zone of the embedded data.
func load(zone string) (*time.Location, error) {
	switch {
	case strings.TrimSpace(zone) == "":
		return nil, &ZoneError{`must be the name of a time zone, such as "Europe/Madrid". It is empty.`}
	case strings.EqualFold(zone, "local"):
		return nil, &ZoneError{`must be the name of a time zone, such as "Europe/Madrid". "Local" would be the zone of the machine that runs Terraform, which another one need not share.`}
	}
	file, known := zones()[zone]
	if !known {
		return nil, &ZoneError{fmt.Sprintf(`must be the name of a time zone in the IANA Time Zone Database, such as "Europe/Madrid".%s Given: %q.`, suggestion(zone), cut(zone))}
	}
	if location, ok := loaded.Load(zone); ok {
		return location.(*time.Location), nil //nolint:forcetypeassert // nothing else is stored
	}
	data, err := contents(file)
	if err == nil {
		var location *time.Location
		if location, err = time.LoadLocationFromTZData(zone, data); err == nil {
			loaded.Store(zone, location)
			return location, nil
		}
	}
	return nil, &ZoneError{fmt.Sprintf("the embedded data of %q cannot be read: %v", zone, err)}
}

// loaded are the zones that were asked for before: a fleet asks a thousand times for one.
var loaded sync.Map

// zones are the files of the embedded data, by the name of the zone.
var zones = sync.OnceValue(func() map[string]*zip.File {
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		panic(err) // it is embedded, and every test reads it
	}
	found := make(map[string]*zip.File, len(archive.File))
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, "/") {
			found[file.Name] = file
		}
	}
	return found
})

func contents(file *zip.File) (data []byte, err error) {
	reader, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	return io.ReadAll(reader)
}

var offsetName = regexp.MustCompile(`(?i)\A(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?\z`)

// suggestion is the zone that was probably meant, as a sentence; empty where nobody can tell.
// People leave out the continent, or write a name as they would a city.
func suggestion(zone string) string {
	if offsetName.MatchString(zone) {
		return " An offset is no zone: with one, write the time as \"2026-12-05T20:30:00+01:00\" and leave this function out."
	}
	var same, city []string
	wanted := folded(zone)
	for name := range zones() {
		switch {
		case folded(name) == wanted:
			same = append(same, name)
		case folded(path.Base(name)) == path.Base(wanted):
			city = append(city, name)
		}
	}
	found := same
	if len(found) == 0 {
		found = city
	}
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return fmt.Sprintf(" Did you mean %q?", found[0])
}

var unaccented = strings.NewReplacer(" ", "_", "-", "_", "á", "a", "ã", "a", "é", "e", "í", "i", "ó", "o", "ö", "o", "ú", "u", "ü", "u", "ñ", "n", "ç", "c")

func folded(name string) string { return unaccented.Replace(strings.ToLower(strings.TrimSpace(name))) }

func cut(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
