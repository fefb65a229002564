// Proves what the guide on events says of sheets and of the status page: sheets as people save them
// are read, and the page is right about every kind of device and of status.

//go:build !windows

package provider

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// copyExamples copies directories of examples, each under its own name.
func copyExamples(c *acctest.CLI, names ...string) {
	c.Network.T.Helper()
	for _, name := range names {
		if err := os.CopyFS(filepath.Join(c.Dir, name), os.DirFS(filepath.Join(examplesDir, name))); err != nil {
			c.Network.T.Fatal(err)
		}
	}
}

// Each way in which people save one sheet gives the same devices, and one that is no sheet is
// refused in words.
func TestSheet(t *testing.T) {
	network := acc.NewNetwork(t, sandbox.Config{})
	const commas = "camera,sim,phone_number,public_address,public_port,network_access_identifier,profile\r\n" +
		"Tribuna Señor,a,+34600000051,,,,QOS_L\r\n" +
		"crane,a,,198.51.100.20,50001,,QOS_M\r\n" +
		"roof,a,,198.51.100.30,,,QOS_M\r\n" +
		"touchline,a,,,,touchline@example.com,QOS_M\r\n"
	semicolons := strings.ReplaceAll(commas, ",", ";") + ";;;;;;\r\n"
	windows := func(s string) string { return strings.ReplaceAll(s, "ñ", "\xf1") }
	sheets := map[string]string{
		"commas.csv":                   commas,
		"semicolons.csv":               semicolons,
		"utf8.csv":                     "\ufeff" + commas,
		"utf8-semicolons.csv":          "\ufeff" + semicolons,
		"windows1252.csv":              windows(commas),
		"windows1252-semicolons.csv":   windows(semicolons),
		"unix-and-no-end-of-line.csv":  strings.TrimSpace(strings.ReplaceAll(commas, "\r", "")),
		"macintosh.csv":                strings.ReplaceAll(commas, "\n", ""),
		"spaces-and-capitals.csv":      strings.NewReplacer("camera,", "Camera ,", "+34600000051", " +34600000051 ", "QOS_M", "QOS_M ").Replace(commas) + ",,, ,,,\r\n",
		"more-columns.csv":             strings.NewReplacer("profile\r", "Profile,Notes,,\r", "phone_number", "Phone Number", "QOS_L\r", "QOS_L,on the roof,,\r", "QOS_M\r", "QOS_M,,,\r").Replace(commas),
		"columns-in-another-order.csv": "profile,sim,camera,public_port,public_address,phone_number,network_access_identifier\nQOS_L,a,Tribuna Señor,,,+34600000051,\nQOS_M,a,crane,50001,198.51.100.20,,\nQOS_M,a,roof,,198.51.100.30,,\nQOS_M,a,touchline,,,,touchline@example.com\n",
	}
	c := network.CLI("module \"sheet\" {\n  for_each = fileset(path.module, \"*.csv\")\n  source   = \"./sheet\"\n  file     = each.value\n  ignore   = [\"notes\"]\n}\n" +
		"output \"devices\" {\n  value = { for file, sheet in module.sheet : file => sheet.devices }\n}\n")
	copyExamples(c, "sheet")
	for name, sheet := range sheets {
		c.Write(name, sheet)
	}
	c.Must(0, "get")
	c.Must(0, "apply", "-auto-approve", "-no-color")
	device := func(members string) string {
		all := map[string]any{"phone_number": nil, "network_access_identifier": nil, "ipv6_address": nil, "ipv4_address": nil}
		if err := json.Unmarshal([]byte(members), &all); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(all)
		return string(text)
	}
	want := map[string]string{
		"Tribuna Señor/a": "QOS_L " + device(`{"phone_number": "+34600000051"}`),
		"crane/a":         "QOS_M " + device(`{"ipv4_address": {"public_address": "198.51.100.20", "public_port": "50001"}}`),
		"roof/a":          "QOS_M " + device(`{"ipv4_address": {"public_address": "198.51.100.30", "public_port": null}}`),
		"touchline/a":     "QOS_M " + device(`{"network_access_identifier": "touchline@example.com"}`),
	}
	var read map[string]map[string]struct {
		Profile string         `json:"profile"`
		Device  map[string]any `json:"device"`
	}
	if err := json.Unmarshal([]byte(c.Must(0, "output", "-json", "devices")), &read); err != nil {
		t.Fatal(err)
	}
	if len(read) != len(sheets) {
		t.Errorf("%d sheets were read, want %d", len(read), len(sheets))
	}
	for name, devices := range read {
		got := map[string]string{}
		for key, line := range devices {
			text, _ := json.Marshal(line.Device)
			got[key] = line.Profile + " " + string(text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	// With semicolons, a comma is text, and so is a semicolon in quotes.
	c.Write("commas.csv", "camera;sim;phone_number;profile\r\n\"Stand, north; roof\";a;3,46E+10;QOS_L\r\n")
	c.Must(0, "apply", "-auto-approve", "-no-color")
	if got := c.Must(0, "output", "-json", "devices"); !strings.Contains(got, `"Stand, north; roof/a"`) || !strings.Contains(got, `"3,46E+10"`) {
		t.Errorf("the sheet with commas is read as %s", got)
	}

	c.Write("tabs.csv", strings.ReplaceAll(commas, ",", "\t"))
	c.Write("spanish.csv", strings.Replace(semicolons, "camera", "cámara", 1))
	c.Write("empty.csv", "camera,sim,profile\r\n,,\r\n")
	c.Write("none.csv", "")
	c.Write("rows-only.csv", "Tribuna;a;+34600000051;QOS_L\r\n")
	c.Write("copied.csv", commas+"crane,a,,198.51.100.20,50001,,QOS_M\r\n")
	c.Write("twice.csv", commas+"crane,b,,198.51.100.20,50001,,QOS_L\r\n")
	c.Write("misspelt.csv", strings.NewReplacer("phone_number", "phone", "profile", "profil").Replace(commas))
	c.Write("unknown.csv", strings.NewReplacer("phone_number", "phone", "public_port", "port", "network_access_identifier", "tel").Replace(commas))
	c.Write("same.csv", strings.Replace(commas, "public_port", "sim", 1))
	c.Write("no-device.csv", commas+"crane,b,,,,,QOS_L\r\n")
	c.Write("short.csv", commas+"crane,b,+34600000059\r\n")
	c.Write("quotation.csv", semicolons+"crane;b;+34600000059;;;;\"QOS_L\r\n")
	refused := c.Must(1, "plan", "-no-color")
	acctest.ContainsAll(t, refused, []string{
		"tabs.csv does not have these columns: camera, profile, sim. Its first line is: camera sim phone_number",
		"spanish.csv does not have these columns: camera. Its first line is: cámara;sim;phone_number",
		"empty.csv has no rows below the names of the columns.",
		"none.csv does not have these columns: camera, profile, sim.",
		"rows-only.csv does not have these columns: camera, profile, sim. Its first line is: Tribuna;a;+***********;QOS_L.",
		"Some rows of copied.csv have the same camera and sim: crane/a. Remove the row that is there twice",
		`save the sheet as "CSV UTF-8"`,
		"some rows of twice.csv have the same one: crane/a and crane/b.",
		`misspelt.csv does not have these columns: profile. "phone" may be meant to be phone_number. "profil" may be meant to be profile. Its first line is: camera,sim,phone,`,
		`unknown.csv has columns that are not known: phone, port, tel. "phone" may be meant to be phone_number. "port" may be meant to be public_port. ` +
			"The known ones are camera, sim, profile, phone_number, network_access_identifier, ipv6_address, public_address, public_port. Rename what is misspelt",
		"same.csv has two columns of this name: sim.",
		"Some rows of no-device.csv have no device: crane/b. Each needs one of phone_number, network_access_identifier, ipv6_address, public_address.",
		"short.csv cannot be read. Each line needs as many cells as the first, which has 7, and quotation marks in pairs around whole cells. Look at line 6.",
		"quotation.csv cannot be read. Each line needs as many cells as the first, which has 7, and quotation marks in pairs around whole cells. Look at line 7.",
	})
	// Each sheet has one error, in which nobody's number is.
	if n := strings.Count(refused, "Error: "); n != 13 || strings.Contains(refused, "346000000") {
		t.Errorf("there are %d errors, or one shows a phone number:\n%s", n, refused)
	}
}

// statusSheet has a camera for each kind of identifier, three that the network has failed, and a
// name that is not fit for HTML.
const statusSheet = `camera,sim,phone_number,public_address,public_port,network_access_identifier,profile
phone,a,+34600000051,,,,QOS_L
port,a,,198.51.100.20,50001,,QOS_M
address,a,,198.51.100.30,,,QOS_M
"name <b>&""x""",a,,,,touchline@example.com,QOS_M
healing,a,+34600000052,,,,QOS_L
dead,a,+34600000053,,,,QOS_L
missing,a,+34600000054,,,,QOS_L
`

// The page knows every device by whatever names it, and says what is not known. Reading is all that
// it needs.
func TestEventStatus(t *testing.T) {
	t.Parallel()
	for _, api := range []sandbox.API{sandbox.OpenGateway, sandbox.CAMARAV1} {
		t.Run(string(api), func(t *testing.T) {
			if api != sandbox.OpenGateway {
				acctest.AnyCLI(t)
			}
			network := acc.NewNetworkAtMatch(t, -27*time.Minute, sandbox.Config{API: api, Provisioning: time.Hour})
			c := network.CLI("", "QOD_SCOPES="+strings.Join(readScopes[api], " "))
			copyExamples(c, "event", "sheet")
			sheet := statusSheet
			if api == sandbox.CAMARAV1 { // which takes no other kinds
				sheet = strings.Replace(sheet, "198.51.100.30,,", "198.51.100.30,50002,", 1)
				sheet = strings.Replace(sheet, ",,,,touchline@example.com", ",+34600000055,,,", 1)
			}
			c.Write("event/cameras.csv", sheet)
			c.Must(0, "-chdir=event/status", "get")
			apply := func() string { return c.Must(0, "-chdir=event/status", "apply", "-auto-approve", "-no-color") }

			// Where these credentials see no session, nobody can tell.
			network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: "+34600000054"}, ClientID: "another team"})
			acctest.ContainsAll(t, apply(), []string{
				"Cup final: Unknown which of 7 SIMs have quality at 21:42:",
				"phone/a UNKNOWN 21:42 or before These credentials see no session of any SIM.",
			})

			seedStatus(network)
			apply()
			name := `name <b>&"x"/a`
			notes := [...]string{"The network ended the session. The match's next apply requests another.", "Requested, but not granted yet.", "The network shows no session. The match's next apply requests one.", "Ends before the match. The first apply after that requests another."}
			if api == sandbox.CAMARAV1 {
				notes[0] += " (NETWORK_TERMINATED)"
			}
			want := [][]string{
				{"address/a QOS_M", "AVAILABLE", "20:45", "00:15", ""},
				{"dead/a QOS_L", "UNAVAILABLE", "21:42 or before", "", notes[0]},
				{"healing/a QOS_L", "REQUESTED", "21:42 or before", "", notes[1]},
				{"missing/a QOS_L", "NO SESSION", "21:42 or before", "", notes[2]},
				{name + " QOS_M", "AVAILABLE", "20:45", "00:15", ""},
				{"phone/a QOS_L", "AVAILABLE", "20:45", "22:45", notes[3]},
				{"port/a QOS_M", "AVAILABLE", "20:45", "00:15", ""},
			}
			document, err := html.Parse(strings.NewReader(rawOutput(c, "event/status", "page")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, statusRows(t, document)); diff != "" {
				t.Errorf("the page (-want +got):\n%s", diff)
			}
			checkSelfContained(t, document)
			if text := textOf(document); !strings.Contains(text, "4 of 7 SIMs have quality Without quality: dead/a, healing/a, missing/a As of 21:42:") || !strings.Contains(text, " on 29 February by the network's clock Match: Tuesday 29 February 2028, 20:45 to 00:15") {
				t.Errorf("the page says: %s", text)
			}

			table := statusTable(rawOutput(c, "event/status", "table"))
			for n := range want {
				want[n][0] = want[n][0][:strings.LastIndex(want[n][0], " ")]
			}
			if diff := cmp.Diff(want, table); diff != "" {
				t.Errorf("the table (-want +got):\n%s", diff)
			}
		})
	}
}

// readScopes are what the sandbox asks for to list sessions.
var readScopes = map[sandbox.API][]string{sandbox.OpenGateway: {"qod:sessions:read"}, sandbox.CAMARAV1: {"quality-on-demand:sessions:retrieve-by-device"}}

func seedStatus(network *acctest.Network) {
	began := acctest.KickOff.Add(-30 * time.Minute)
	match := 3*60*60 + 30*60
	line := func(number string) sandbox.Device { return sandbox.Device{PhoneNumber: number} }
	address := &sandbox.IPv4Address{PublicAddress: "198.51.100.30"}
	touchline := sandbox.Device{NetworkAccessIdentifier: "touchline@example.com"}
	if network.API() == sandbox.CAMARAV1 {
		address.PublicPort, touchline = new(50002), line("+34600000055")
	}
	for _, s := range []sandbox.Session{
		{Device: line("+34600000051"), Duration: 2 * 60 * 60},
		{Device: sandbox.Device{IPv4Address: &sandbox.IPv4Address{PublicAddress: "198.51.100.20", PublicPort: new(50001)}}},
		{Device: sandbox.Device{IPv4Address: address}},
		{Device: touchline},
		{Device: line("+34600000052"), Status: sandbox.StatusUnavailable, EndReason: "NETWORK_TERMINATED"},
		{Device: line("+34600000053"), Status: sandbox.StatusUnavailable, EndReason: "NETWORK_TERMINATED"},
		{Device: line("+34600000052"), Status: sandbox.StatusRequested, CreatedAt: network.Clock.Now()},
	} {
		if s.Duration == 0 {
			s.Duration = match
		}
		if s.CreatedAt.IsZero() {
			s.CreatedAt, s.StartedAt = began, began
		}
		network.Seed(s)
	}
}

// rawOutput is an output as it is, for a file or a terminal.
func rawOutput(c *acctest.CLI, dir, name string) string {
	c.Network.T.Helper()
	command := c.Command(c.Network.T.Context(), "-chdir="+dir, "output", "-raw", name)
	out, err := command.Output()
	if err != nil {
		c.Network.T.Fatal(err)
	}
	return string(out)
}

// statusTable are the cells below the header of a table, as far as they are aligned with it.
func statusTable(text string) (rows [][]string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")[3:]
	columns := []int{0}
	for _, name := range []string{"STATUS", "SINCE", "UNTIL", "NOTE"} {
		columns = append(columns, strings.Index(lines[0], name))
	}
	for _, line := range lines[1:] {
		var row []string
		line = fmt.Sprintf("%-*s", columns[4], line)
		for n, start := range columns {
			end := len(line)
			if n < 4 {
				end = columns[n+1]
			}
			row = append(row, strings.TrimSpace(line[start:end]))
		}
		rows = append(rows, row)
	}
	return rows
}

// statusRows are the texts of a page's rows without their bars, whose places it checks.
func statusRows(t *testing.T, document *html.Node) (rows [][]string) {
	t.Helper()
	for tr := range document.Descendants() {
		if tr.Data != "tr" || tr.Parent.Data != "tbody" {
			continue
		}
		var row, bars []string
		for cell := range tr.ChildNodes() {
			if cell.Type == html.ElementNode && attributeOf(cell, "class") != "axis" {
				row = append(row, textOf(cell))
			}
		}
		for bar := range tr.Descendants() {
			if kind, isBar := strings.CutPrefix(attributeOf(bar, "class"), "bar "); isBar {
				bars = append(bars, kind+" "+attributeOf(bar, "style"))
			}
		}
		rows = append(rows, row)
		// The axis goes from 20:00 to 01:00. The sessions began at 20:45, and it is 21:42.
		want := "AVAILABLE left: 15.00%; width: 70.00%"
		switch camera, _, _ := strings.Cut(row[0], "/"); camera {
		case "phone":
			want = "AVAILABLE left: 15.00%; width: 40.00%"
		case "dead", "healing":
			want = "UNAVAILABLE left: 15.00%; width: 19.00%"
		case "missing":
			want = ""
		}
		if got := strings.Join(bars, ", "); got != want {
			t.Errorf("the bars of %s are %q, want %q", row[0], got, want)
		}
		if word, _, _ := strings.Cut(row[1], " "); !strings.HasPrefix(attributeOf(tr, "class"), word) {
			t.Errorf("the row of %s is coloured as %s", row[0], attributeOf(tr, "class"))
		}
	}
	return rows
}

// checkSelfContained checks that a page is readable without anything else, on every screen.
func checkSelfContained(t *testing.T, document *html.Node) {
	t.Helper()
	seen := map[string]bool{}
	for node := range document.Descendants() {
		seen[node.Data+" "+attributeOf(node, "name")] = true
		switch node.Data {
		case "b":
			if textOf(node) == `&"x"` {
				t.Error("a name is not escaped")
			}
		case "script", "link", "img", "iframe", "base", "form":
			t.Errorf("the page has a %s", node.Data)
		case "style":
			text := node.FirstChild.Data
			if strings.Contains(text, "url(") || strings.Contains(text, "@import") || !strings.Contains(text, "(prefers-color-scheme: dark)") || !strings.Contains(text, "(max-width:") {
				t.Errorf("the style is %s", text)
			}
		}
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "href" {
				t.Errorf("the page has %s=%q", a.Key, a.Val)
			}
		}
	}
	if !seen["meta viewport"] || !seen["style "] {
		t.Error("the page is not made for telephones")
	}
}

func attributeOf(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is the text of an element that is visible, on one line.
func textOf(node *html.Node) string {
	var text strings.Builder
	for n := range node.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			text.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}
