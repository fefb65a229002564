package validators

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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

// instantForm is the form of RFC 3339, with as much of a second as is kept. Package time takes more: an
// hour of one digit, a comma, an offset of a day.
var instantForm = regexp.MustCompile(`\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\z`)

// ParseInstant reads a time of the configuration. It takes what RFC 3339 says and no more.
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

var (
	leapSecond = regexp.MustCompile(`\A[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}:60`)
	midnight   = regexp.MustCompile(`\A[0-9-]{10}[Tt ]24:`)
	noSeconds  = regexp.MustCompile(`T[0-9]{2}:[0-9]{2}\z`)
	farYear    = regexp.MustCompile(`\A(?:[+-]?[0-9]{5,}|0000|0001|9999)-`)
)

// Instant validates a time with its offset.
var Instant = StringCheck{
	description: "value must be a time in RFC 3339 form with its offset from UTC",
	problem: func(s string) string {
		if _, err := ParseInstant(s); err == nil {
			return ""
		}
		const allowed = `must be a time in RFC 3339 form with its offset from UTC, as in "2028-02-29T20:15:00+01:00" or "2028-02-29T19:15:00Z"`
		local := strings.Replace(s, " ", "T", 1)
		if noSeconds.MatchString(local) {
			local += ":00"
		}
		_, withoutOffset := ParseInstant(local + "Z")
		switch {
		case withoutOffset == nil:
			return fmt.Sprintf(`%s; the offset is missing: write %q if that is UTC, or the offset of the place, as in %q`, allowed, local+"Z", local+"+01:00")
		case leapSecond.MatchString(s):
			return allowed + "; seconds go from 00 to 59: write a leap second as the second before or after it"
		case midnight.MatchString(s):
			return allowed + "; hours go from 00 to 23: write midnight as 00:00:00 of the next day"
		case farYear.MatchString(s):
			return allowed + "; years go from 0001 to 9999, in UTC, too"
		}
		return allowed
	},
}
