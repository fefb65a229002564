package validators

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var (
	_ basetypes.StringTypable  = InstantType{}
	_ basetypes.StringValuable = InstantValue{}
)

// InstantType is a string that holds a time. It is parsed once, when Terraform's value is read.
type InstantType struct{ basetypes.StringType }

// InstantValue is the string as it was written, and the time that it means.
type InstantValue struct {
	basetypes.StringValue
	time time.Time
}

// NewInstant reads the time in a string, if there is one.
func NewInstant(s basetypes.StringValue) InstantValue {
	t, err := ParseInstant(s.ValueString())
	if err != nil {
		t = time.Time{}
	}
	return InstantValue{StringValue: s, time: t}
}

func (t InstantType) String() string { return "instant" }

func (t InstantType) Equal(o attr.Type) bool {
	_, ok := o.(InstantType)
	return ok
}

func (t InstantType) ValueType(context.Context) attr.Value { return InstantValue{} }

func (t InstantType) ValueFromString(_ context.Context, s basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return NewInstant(s), nil
}

func (t InstantType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	v, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("read instant: %w", err)
	}
	s, ok := v.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("read instant: unexpected %T", v)
	}
	return NewInstant(s), nil
}

func (v InstantValue) Type(context.Context) attr.Type { return InstantType{} }

// Equal compares the spelling, as Terraform does.
func (v InstantValue) Equal(o attr.Value) bool {
	other, ok := o.(InstantValue)
	return ok && v.StringValue.Equal(other.StringValue)
}

// Time is zero where the value is null, unknown or no time.
func (v InstantValue) Time() time.Time { return v.time }

// instantForm is the form of RFC 3339, with as much of a second as is kept. Package time takes
// more: an hour of one digit, a comma, an offset of a day.
var instantForm = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\z`)

// ParseInstant reads a time of the configuration. It takes what RFC 3339 says and no more. Nothing
// else reads one: Instant refuses what it cannot read.
func ParseInstant(s string) (time.Time, error) {
	if !instantForm.MatchString(s) {
		return time.Time{}, errors.New("not in the form of RFC 3339")
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, err
	}
	// An offset can lead out of the years that the form has, and the zero time stands for none.
	if year := t.UTC().Year(); year < 1 || year > 9999 || t.IsZero() {
		return time.Time{}, fmt.Errorf("year %d", year)
	}
	return t, nil
}

// Instant validates a time with its offset.
var Instant = StringCheck{
	allowed: `must be a time in RFC 3339 form with its offset from UTC, as in "2028-02-29T20:15:00+01:00" or "2028-02-29T19:15:00Z"`,
	check: func(s string) (bool, string) {
		if _, err := ParseInstant(s); err == nil {
			return true, ""
		}
		return false, instantHint(s)
	},
}

const offsetOfPlace = "the offset of the place on that day, such as +01:00 (Madrid in winter), +02:00 (Madrid in summer) or -03:00 (São Paulo)"

var (
	dateAndTime  = regexp.MustCompile(`\A([0-9]{4})-([0-9]{2})-([0-9]{2})(?:([Tt ])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)?`)
	withoutColon = regexp.MustCompile(`[T ][0-9:.]+([+-][0-9]{2})([0-9]{2})?\z`)
	zoneName     = regexp.MustCompile(`[A-Za-z]+/[A-Za-z_]+|[A-Z]{3,4}\]?\z`)
	otherDate    = regexp.MustCompile(`\A[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}|\A[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}`)
	farYear      = regexp.MustCompile(`\A(?:[+-]?[0-9]{5,}|0000|0001|9999)-`)
)

// instantHint says what is wrong with a time.
func instantHint(s string) string {
	trimmed := strings.TrimSpace(s)
	switch {
	case s == "":
		return "It is empty. To leave starts_at out, set it to null."
	case InQuotes(s) || strings.ContainsAny(s, "\r\n") || s != trimmed || strings.ContainsFunc(s, isInvisible):
		return Mistyped(s)
	case bareNumber.MatchString(s):
		return "It looks like a count of seconds, which is not accepted."
	case otherDate.MatchString(s):
		return "Write the date as year-month-day with hyphens, as in 2028-02-29."
	}
	if hint := instantOutOfRange(s); hint != "" {
		return hint
	}
	local := strings.Replace(s, " ", "T", 1)
	if noSeconds := regexp.MustCompile(`T[0-9]{2}:[0-9]{2}\z`); noSeconds.MatchString(local) {
		local += ":00"
	}
	_, withoutOffset := ParseInstant(local + "Z")
	offset := withoutColon.FindStringSubmatch(s)
	parts := dateAndTime.FindStringSubmatch(s)
	switch {
	case withoutOffset == nil:
		return fmt.Sprintf("The offset is missing: write %q for UTC; otherwise write, in place of the Z, %s.", local+"Z", offsetOfPlace)
	case offset != nil && offset[2] != "":
		return fmt.Sprintf("The offset needs a colon: %s:%s.", offset[1], offset[2])
	case offset != nil:
		return fmt.Sprintf("The offset needs minutes: %s:00.", offset[1])
	case strings.HasSuffix(s, "UTC") || strings.HasSuffix(s, "GMT"):
		return "Write Z in place of the name."
	case zoneName.MatchString(s):
		return "Names of time zones are not accepted: write " + offsetOfPlace + "."
	case farYear.MatchString(s):
		return "Years go from 0001 to 9999, in UTC, too."
	case parts == nil:
		return ""
	case parts[0] == s && parts[4] == "":
		return "The time of day is missing."
	case parts[4] == "":
		return "Hours, minutes and seconds have two digits each."
	case parts[4] != "T" || strings.HasSuffix(s, "z"):
		return "Write a capital T between date and time, and a capital Z for UTC."
	case parts[7] == "":
		return "The seconds are missing."
	}
	return ""
}

// instantOutOfRange says which part of a time does not exist.
func instantOutOfRange(s string) string {
	parts := dateAndTime.FindStringSubmatch(s)
	if parts == nil {
		return ""
	}
	part := func(i int) int { n, _ := strconv.Atoi(parts[i]); return n }
	year, month, day := part(1), time.Month(part(2)), part(3)
	if month < time.January || month > time.December {
		return "Months go from 01 to 12."
	}
	days := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch hour, minute, second := part(5), part(6), part(7); {
	case day < 1 || day > days:
		return fmt.Sprintf("%s %d has %d days.", month, year, days)
	case hour == 24:
		return "Hours go from 00 to 23: write midnight as 00:00:00 of the next day."
	case hour > 24:
		return "Hours go from 00 to 23."
	case second == 60:
		return "Seconds go from 00 to 59: write a leap second as the second before or after it."
	case minute > 59 || second > 59:
		return "Minutes and seconds go from 00 to 59."
	}
	return ""
}
