package localtime_test

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/localtime"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ wall, zone, want string }{
		{"2026-12-05T20:30", "Europe/Madrid", "2026-12-05T20:30:00+01:00"},
		{"2026-07-05T20:30:15", "Europe/Madrid", "2026-07-05T20:30:15+02:00"},
		{"2026-12-05T20:30", "Atlantic/Canary", "2026-12-05T20:30:00Z"},
		{"2026-07-05T20:30", "America/Sao_Paulo", "2026-07-05T20:30:00-03:00"},
		{"2026-07-05T20:30", "UTC", "2026-07-05T20:30:00Z"},
		{"2026-07-05T20:30", "Asia/Kathmandu", "2026-07-05T20:30:00+05:45"},
		{"2028-02-29T00:00", "Australia/Lord_Howe", "2028-02-29T00:00:00+11:00"},
		{"2060-07-01T12:00", "Europe/Madrid", "2060-07-01T12:00:00+02:00"}, // by the rule, beyond the table
		// The minutes around a change have one reading each.
		{"2027-03-28T01:59:59", "Europe/Madrid", "2027-03-28T01:59:59+01:00"},
		{"2027-03-28T03:00", "Europe/Madrid", "2027-03-28T03:00:00+02:00"},
		{"2026-10-25T01:59:59", "Europe/Madrid", "2026-10-25T01:59:59+02:00"},
		{"2026-10-25T03:00", "Europe/Madrid", "2026-10-25T03:00:00+01:00"},
	} {
		got, err := localtime.Parse(test.wall, test.zone)
		if text := got.Format(time.RFC3339); err != nil || text != test.want {
			t.Errorf("%s in %s is %s (%v), want %s", test.wall, test.zone, text, err, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const madrid = "Europe/Madrid"
	for _, test := range []struct {
		wall, zone string
		zoneError  bool
		says       []string
	}{
		// Clocks are changed.
		{wall: "2027-03-28T02:30", zone: madrid, says: []string{"never show 2027-03-28T02:30", "2027-03-28T03:30:00+02:00 (counted from before", "2027-03-28T01:30:00+01:00 (counted from after"}},
		{wall: "2026-10-25T02:30", zone: madrid, says: []string{"show 2026-10-25T02:30 twice", "2026-10-25T02:30:00+02:00 (the first", "2026-10-25T02:30:00+01:00 (the second"}},
		{wall: "2027-03-28T02:00", zone: madrid, says: []string{"never show"}},
		{wall: "2026-10-25T02:59:59", zone: madrid, says: []string{"twice"}},
		{wall: "2027-04-04T01:45", zone: "Australia/Lord_Howe", says: []string{"twice", "2027-04-04T01:45:00+11:00", "2027-04-04T01:45:00+10:30"}},
		{wall: "2011-12-30T12:00", zone: "Pacific/Apia", says: []string{"never show"}}, // a whole day
		// The time.
		{wall: "", zone: madrid, says: []string{"It is empty"}},
		{wall: " 2026-12-05T20:30", zone: madrid, says: []string{"Remove the spaces"}},
		{wall: "2026-12-05", zone: madrid, says: []string{"The time of day is missing"}},
		{wall: "2026-12-05T20:30Z", zone: madrid, says: []string{"has an offset already"}},
		{wall: "2026-12-05T20:30:00+01:00", zone: madrid, says: []string{"has an offset already"}},
		{wall: "2026-12-05T20:30:00+0100", zone: madrid, says: []string{"has an offset already"}},
		{wall: "2026-12-05T20:30:00-03", zone: madrid, says: []string{"has an offset already"}},
		{wall: "2026-12-05 20:30", zone: madrid, says: []string{"Write a T"}},
		{wall: "2026-12-05T20:30:00.5", zone: madrid, says: []string{"fraction"}},
		{wall: "05/12/2026 20:30", zone: madrid, says: []string{"year first"}},
		{wall: "5.12.2026 20:30", zone: madrid, says: []string{"year first"}},
		{wall: "2026-12-05T8:30", zone: madrid, says: []string{`such as "2026-12-05T20:30"`, `Given: "2026-12-05T8:30"`}},
		{wall: "2026-02-30T20:30", zone: madrid, says: []string{"February 2026 has 28 days"}},
		{wall: "2026-00-05T20:30", zone: madrid, says: []string{"no month 00"}},
		{wall: "2026-13-05T20:30", zone: madrid, says: []string{"no month 13"}},
		{wall: "2026-12-31T24:00", zone: madrid, says: []string{`"2027-01-01T00:00"`}},
		{wall: "2026-12-05T25:00", zone: madrid, says: []string{"00:00:00 to 23:59:59"}},
		{wall: "2026-12-05T20:60", zone: madrid, says: []string{"00:00:00 to 23:59:59"}},
		{wall: "2026-12-05T20:30:60", zone: madrid, says: []string{"00:00:00 to 23:59:59"}},
		{wall: strings.Repeat("x", 500), zone: madrid, says: []string{"…"}},
		{wall: "1880-01-01T00:00", zone: madrid, says: []string{"whole number of minutes", "Check the year"}},
		// The zone.
		{wall: "2026-12-05T20:30", zone: "", zoneError: true, says: []string{"It is empty"}},
		{wall: "2026-12-05T20:30", zone: "Local", zoneError: true, says: []string{"machine that runs Terraform"}},
		{wall: "2026-12-05T20:30", zone: "local", zoneError: true, says: []string{"machine that runs Terraform"}},
		{wall: "2026-12-05T20:30", zone: "Madrid", zoneError: true, says: []string{`Did you mean "Europe/Madrid"?`}},
		{wall: "2026-12-05T20:30", zone: "europe/madrid", zoneError: true, says: []string{`Did you mean "Europe/Madrid"?`}},
		{wall: "2026-12-05T20:30", zone: "America/São Paulo", zoneError: true, says: []string{`Did you mean "America/Sao_Paulo"?`}},
		{wall: "2026-12-05T20:30", zone: "+01:00", zoneError: true, says: []string{"An offset is no zone"}},
		{wall: "2026-12-05T20:30", zone: "UTC+1", zoneError: true, says: []string{"An offset is no zone"}},
		{wall: "2026-12-05T20:30", zone: "Europe/Atlantis", zoneError: true, says: []string{"IANA Time Zone Database", `Given: "Europe/Atlantis"`}},
		{wall: "2026-12-05T20:30", zone: "../Europe/Madrid", zoneError: true, says: []string{"IANA Time Zone Database"}},
		{wall: "2026-12-05T20:30", zone: "Europe/", zoneError: true, says: []string{"IANA Time Zone Database"}},
		{wall: "2026-12-05T20:30", zone: "Europe", zoneError: true, says: []string{"IANA Time Zone Database"}},
	} {
		got, err := localtime.Parse(test.wall, test.zone)
		if err == nil {
			t.Errorf("%q in %q is %s", test.wall, test.zone, got)
			continue
		}
		var zoneError *localtime.ZoneError
		if errors.As(err, &zoneError) != test.zoneError {
			t.Errorf("%q in %q blames the wrong parameter: %v", test.wall, test.zone, err)
		}
		for _, text := range test.says {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q in %q: %q is missing in: %v", test.wall, test.zone, text, err)
			}
		}
	}
}

// Around every change of every zone, each wall-clock time has the readings that a search over all
// offsets finds: one, none or two.
func TestParseAroundChanges(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{
		"Europe/Madrid", "Europe/London", "Europe/Dublin", "America/Sao_Paulo", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
		"Australia/Adelaide", "Africa/Casablanca", "Asia/Gaza", "Pacific/Chatham", "Pacific/Apia", "America/Scoresbysund", "Antarctica/Troll",
	} {
		noon, err := localtime.Parse("2010-01-15T12:00", zone)
		if err != nil {
			t.Fatal(err)
		}
		location := noon.Location()
		for at := noon; at.Year() < 2030; {
			_, next := at.ZoneBounds()
			if !next.After(at) { // the last change
				break
			}
			_, before := next.Add(-time.Second).Zone()
			_, after := next.Zone()
			for minute := -27 * 60; minute <= 27*60; minute += 15 {
				clock := next.UTC().Add(time.Duration(before)*time.Second + time.Duration(minute)*time.Minute)
				wall := clock.Format("2006-01-02T15:04:05")
				var want []time.Time
				for _, offset := range []int{before, after} {
					reading := clock.Add(-time.Duration(offset) * time.Second).In(location)
					if reading.Format("2006-01-02T15:04:05") == wall && !slices.ContainsFunc(want, reading.Equal) {
						want = append(want, reading)
					}
				}
				got, err := localtime.Parse(wall, zone)
				switch {
				case len(want) == 1 && (err != nil || !got.Equal(want[0])):
					t.Fatalf("%s in %s is %s (%v), want %s", wall, zone, got, err, want[0])
				case len(want) != 1 && err == nil:
					t.Fatalf("%s in %s is %s, and has the readings %s", wall, zone, got, want)
				}
			}
			at = next
		}
	}
}

// What the machine has in place of zone data changes nothing: by this one's, Madrid is Tokyo.
func TestParseKnowsNoMachine(t *testing.T) {
	archive, err := zip.OpenReader("zoneinfo.zip")
	if err != nil {
		t.Fatal(err)
	}
	tokyo, err := fs.ReadFile(archive, "Asia/Tokyo")
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/Europe", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/Europe/Madrid", tokyo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZONEINFO", dir)
	got, err := localtime.Parse("2026-12-05T20:30", "Europe/Madrid")
	if text := got.Format(time.RFC3339); err != nil || text != "2026-12-05T20:30:00+01:00" {
		t.Errorf("it is %s (%v)", text, err)
	}
	misled, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	if text := got.In(misled).Format(time.RFC3339); text != "2026-12-06T04:30:00+09:00" {
		t.Errorf("package time is not misled, so this test proves nothing: %s", text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2026-12-05T20:30", "Europe/Madrid")
	f.Add("2027-03-28T02:30", "Europe/Madrid")
	f.Add("0000-01-01T00:00", "Pacific/Apia")
	f.Fuzz(func(t *testing.T, wall, zone string) {
		got, err := localtime.Parse(wall, zone)
		if err != nil {
			return
		}
		if text := got.Format("2006-01-02T15:04:05"); !strings.HasPrefix(text, wall) {
			t.Errorf("%q in %q is %s", wall, zone, text)
		}
	})
}
