// provider::qod::local_time as a configuration calls it. What it computes is tested in
// internal/localtime.

package provider

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/localtime"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestLocalTime(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	call := func(wall, zone string) string {
		return "terraform {\n  required_providers {\n    qod = { source = \"telefonica/qod\" }\n  }\n}\n\noutput \"at\" {\n  value = provider::qod::local_time(" + wall + ", " + zone + ")\n}\n"
	}
	c := network.CLI(call(`"2026-07-05T20:30"`, `"Europe/Madrid"`))
	c.Must(0, acctest.ApplyCommand...)
	if got := c.Must(0, "output", "-raw", "at"); got != "2026-07-05T20:30:00+02:00" {
		t.Errorf("it is %q", got)
	}
	for says, config := range map[string]string{
		`clocks in Europe/Madrid never show 2027-03-28T02:30`: call(`"2027-03-28T02:30"`, `"Europe/Madrid"`),
		`Did you mean "Europe/Madrid"?`:                       call(`"2026-07-05T20:30"`, `"Madrid"`),
		`It is empty`:                                         call(`"2026-07-05T20:30"`, `""`),
		`argument must not be null`:                           call(`null`, `"Europe/Madrid"`),
	} {
		c.Configure(config)
		text := c.Must(1, "plan", "-no-color")
		acctest.ContainsAll(t, text, []string{says})
		acctest.EndsOnce(t, text)
	}
	if asked := network.Requests(); len(asked) > 0 {
		t.Errorf("the function sent %v", asked)
	}
}

// The example says what each call returns, and that the night when clocks change has six hours.
func TestLocalTime_example(t *testing.T) {
	t.Parallel()
	results := regexp.MustCompile(`local_time\("([^"]+)", "([^"]+)"\) +# (\S+)`).FindAllStringSubmatch(readExample(t, "functions/local_time/function.tf"), -1)
	if len(results) != 5 {
		t.Fatalf("%d results", len(results))
	}
	var hours []time.Time
	for _, result := range results {
		instant, err := localtime.Parse(result[1], result[2])
		if err != nil || instant.Format(time.RFC3339) != result[3] {
			t.Errorf("%s: %v, %v", result[0], instant, err)
		}
		if strings.HasPrefix(result[1], "2026-10-2") {
			hours = append(hours, instant)
		}
	}
	if len(hours) != 2 || hours[1].Sub(hours[0]) != 6*time.Hour {
		t.Errorf("the night is %v", hours)
	}
}
