// Proves that the loop of the pipeline runs as a systemd service, as a Job of Kubernetes, and in
// GitHub and GitLab: each definition is read as its engine reads it, and its commands run against a
// sandbox, on the first two until they are stopped with a POST in flight.

//go:build !windows

package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
	"go.yaml.in/yaml/v3"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// engine is a CLI's directory with the files of the loop, and what an engine would start there.
type engine struct {
	*acctest.CLI

	command []string
	stop    syscall.Signal
	group   bool // who is told to stop: every process, or the one that was started
}

// newEngine has the provider in a mirror, as its command runs terraform init. What is in the
// environment is for the engine to say.
func newEngine(network *acctest.Network) *engine {
	c := withMirror(withTools(network.CLI("")))
	c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "QOD_") })
	return &engine{CLI: c}
}

// credentials are what the engine keeps for the loop, by the name of the variable.
func credentials(network *acctest.Network) map[string]string {
	return map[string]string{
		"QOD_ENDPOINT": network.Endpoint(), "QOD_CLIENT_ID": sandbox.DefaultClient.ID, "QOD_CLIENT_SECRET": sandbox.DefaultClient.Secret,
	}
}

// stopsDuringPost starts the command and stops it with a POST in flight, as the engine would. It
// ends with 130, and all that is on the network is in the state.
func (e *engine) stopsDuringPost() {
	t, network := e.Network.T, e.Network
	t.Helper()
	cmd := exec.CommandContext(t.Context(), e.command[0], e.command[1:]...) //nolint:gosec // from the examples
	out := acctest.NewTranscript()
	// A loop that is not stopped ends after its first pass, with another status.
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = e.Dir, slices.Concat(e.Env, []string{"MINUTES=0"}), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started := make(chan int, 1)
	network.OnRequest(sandbox.OpCreate, 1, func() {
		pid := <-started
		if e.group {
			pid = -pid
		}
		if err := syscall.Kill(pid, e.stop); err != nil {
			t.Error(err)
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process.Pid
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(out.String(), "stopped. Live sessions stay live") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if len(network.SessionIDs()) == 0 {
		t.Errorf("no session was made\n%s", out)
	}
	e.ExpectInSync()
}

// statuses are the exit statuses of event.sh that running it again does not change.
func statuses(t *testing.T) []string {
	t.Helper()
	var final []string
	for _, row := range regexp.MustCompile(`(?m)^#   (\d)  (wrong use|the event is over, and no reservation)`).FindAllStringSubmatch(readExample(t, "pipeline/event.sh"), -1) {
		final = append(final, row[1])
	}
	if len(final) != 2 {
		t.Fatalf("event.sh has %q", final)
	}
	return final
}

// service is a unit file of systemd.
type service struct {
	options []*unit.UnitOption
	expand  *strings.Replacer // its specifiers
}

// setting is the value that a unit file gives, once, to a setting.
func (s service) setting(t *testing.T, name string) string {
	t.Helper()
	var values []string
	for _, o := range s.options {
		if o.Name == name {
			values = append(values, s.expand.Replace(o.Value))
		}
	}
	if len(values) != 1 {
		t.Fatalf("%s is set to %q", name, values)
	}
	return values[0]
}

func readUnit(t *testing.T, name string, specifiers ...string) service {
	t.Helper()
	options, err := unit.DeserializeOptions(strings.NewReader(readExample(t, "pipeline/systemd/"+name)))
	if err != nil {
		t.Fatal(err)
	}
	return service{options, strings.NewReplacer(append(specifiers, "$$", "$", "%%", "%")...)}
}

func TestPipeline_systemd(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	e := newEngine(network)
	root, secrets := e.Dir, t.TempDir()
	loop := readUnit(t, "qod-event@.service", "%i", "stadium", "%S", root+"/var/lib", "%d", secrets)

	e.Dir = loop.setting(t, "WorkingDirectory")
	if state := root + "/var/lib/" + loop.setting(t, "StateDirectory"); state != e.Dir {
		t.Errorf("it works in %s, and its state is in %s", e.Dir, state)
	}
	if err := os.MkdirAll(e.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	e.writeLoop(e.Dir)

	// The environment, and the credential, as the files of /etc say.
	values := credentials(network)
	name, path, _ := strings.Cut(loop.setting(t, "LoadCredential"), ":")
	if path != "/etc/qod-event/stadium.secret" || loop.setting(t, "EnvironmentFile") != "/etc/qod-event/stadium.env" {
		t.Errorf("the secret is read from %s, and the environment from %s", path, loop.setting(t, "EnvironmentFile"))
	}
	if err := os.WriteFile(filepath.Join(secrets, name), []byte(values["QOD_CLIENT_SECRET"]+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	delete(values, "QOD_CLIENT_SECRET")
	for name, value := range values {
		e.Env = append(e.Env, name+"="+value)
	}

	// Single quotes are sh's and systemd's.
	if got := e.Shell(loop.setting(t, "ExecStartPre")); got.Code != 0 {
		t.Fatalf("exit code %d\n%s", got.Code, got.Text)
	}
	e.command = []string{"sh", "-c", "exec " + loop.setting(t, "ExecStart")}
	e.stop, e.group = map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM}[loop.setting(t, "KillSignal")], true
	e.stopsDuringPost()
}

// writeLoop copies the files of the pipeline that every engine needs, as from a page: none is
// executable.
func (e *engine) writeLoop(dir string) {
	e.Network.T.Helper()
	for _, name := range []string{"main.tf", "event.sh", "gate.jq"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readExample(e.Network.T, "pipeline/"+name)), 0o600); err != nil {
			e.Network.T.Fatal(err)
		}
	}
}

// Settings that systemd does not know are ignored, so no typing error may be among them.
func TestPipeline_systemdSettings(t *testing.T) {
	t.Parallel()
	var sections []string
	for _, file := range []string{"qod-event@.service", "qod-event@.timer"} {
		for _, o := range readUnit(t, file).options {
			setting := o.Section + "." + o.Name
			if sections = append(sections, setting); !slices.Contains(systemdSettings, setting) {
				t.Errorf("%s: systemd may not know [%s] %s: see systemd.directives(7), and add it to this test", file, o.Section, o.Name)
			}
		}
		// Where systemd is, it reads the values, too. It says what it ignores, and succeeds.
		if analyze, err := exec.LookPath("systemd-analyze"); err == nil {
			out, err := exec.CommandContext(t.Context(), analyze, "verify", filepath.Join(examplesDir, "pipeline/systemd", file)).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		}
	}
	for _, setting := range systemdSettings {
		if !slices.Contains(sections, setting) {
			t.Errorf("no unit sets %s", setting)
		}
	}
	loop := readUnit(t, "qod-event@.service")
	if got := strings.Fields(loop.setting(t, "RestartPreventExitStatus")); !slices.Equal(got, statuses(t)) {
		t.Errorf("it does not start again after %q, want %q", got, statuses(t))
	}
}

// systemdSettings are in systemd.directives(7).
var systemdSettings = []string{
	"Unit.Description", "Unit.Wants", "Unit.After", "Unit.StartLimitIntervalSec",
	"Service.Type", "Service.User", "Service.UMask", "Service.StateDirectory", "Service.StateDirectoryMode", "Service.WorkingDirectory",
	"Service.EnvironmentFile", "Service.LoadCredential", "Service.ExecStartPre", "Service.ExecStart", "Service.TimeoutStartSec",
	"Service.Restart", "Service.RestartSec", "Service.RestartPreventExitStatus", "Service.KillSignal", "Service.TimeoutStopSec",
	"Service.SuccessExitStatus", "Service.NoNewPrivileges", "Service.PrivateTmp", "Service.ProtectHome", "Service.ProtectSystem",
	"Timer.OnCalendar", "Timer.AccuracySec", "Timer.Persistent", "Install.WantedBy",
}

// kubernetesObject is what these tests read of an object.
type kubernetesObject struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Data     map[string]string // of a ConfigMap
	Rules    []policyRule      // of a Role
	RoleRef  struct{ Kind, Name string }
	Subjects []struct{ Kind, Name, Namespace string }
	Spec     struct {
		ConcurrencyPolicy string
		JobTemplate       struct{ Spec jobSpec }
	}
}

type policyRule struct{ APIGroups, Resources, Verbs []string }

type jobSpec struct {
	PodFailurePolicy struct {
		Rules []struct {
			Action      string
			OnExitCodes struct {
				Operator string
				Values   []json.Number
			}
		}
	}
	Template struct{ Spec podSpec }
}

type podSpec struct {
	RestartPolicy string
	Identity      string `json:"serviceAccountName"`
	Containers    []struct {
		Image        string
		WorkingDir   string
		Command      []string
		Env          []struct{ Name, Value string }
		EnvFrom      []struct{ SecretRef struct{ Name string } }
		VolumeMounts []struct{ Name, MountPath string }
	}
	Volumes []struct {
		Name      string
		ConfigMap *struct {
			Name        string
			DefaultMode os.FileMode
		}
	}
}

// asKubernetes decodes a directory or, from standard input, an object as Kubernetes does.
func asKubernetes(ctx context.Context, t *testing.T, source string, stdin io.Reader, into any) {
	t.Helper()
	tool, err := kubernetesTool()
	if err != nil {
		t.Error(err)
		return
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, tool, source)
	cmd.Stdin, cmd.Stderr = stdin, &stderr
	decoded, err := cmd.Output()
	if err != nil {
		t.Errorf("%v\n%s", err, &stderr)
		return
	}
	if err := json.Unmarshal(decoded, into); err != nil {
		t.Error(err)
	}
}

var kubernetesTool = sync.OnceValues(func() (string, error) {
	dir, err := toolsDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kubernetes")
	out, err := exec.Command("go", "-C", "../tools/kubernetes", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build internal/tools/kubernetes: %w\n%s", err, out)
	}
	return path, nil
})

// readKustomization builds the objects of the example from a directory like a reader's.
func readKustomization(e *engine) map[string]kubernetesObject {
	t := e.Network.T
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(examplesDir, "pipeline", "kubernetes"))); err != nil {
		t.Fatal(err)
	}
	e.writeLoop(dir)
	var objects []kubernetesObject
	if asKubernetes(t.Context(), t, dir, nil, &objects); t.Failed() {
		t.FailNow()
	}
	byKind := map[string]kubernetesObject{}
	for _, o := range objects {
		byKind[o.Kind] = o
	}
	return byKind
}

func TestPipeline_kubernetes(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	e := newEngine(network)
	objects := readKustomization(e)
	cron := objects["CronJob"]
	job := cron.Spec.JobTemplate.Spec
	pod := job.Template.Spec
	container, files := pod.Containers[0], objects["ConfigMap"]
	expectImage(t, container.Image)

	if cron.Spec.ConcurrencyPolicy != "Forbid" || pod.RestartPolicy != "Never" {
		t.Errorf("it is started again with %s, and beside another one with %s", pod.RestartPolicy, cron.Spec.ConcurrencyPolicy)
	}
	var final []string
	for _, rule := range job.PodFailurePolicy.Rules {
		for _, status := range rule.OnExitCodes.Values {
			if rule.Action == "FailJob" && rule.OnExitCodes.Operator == "In" {
				final = append(final, status.String())
			}
		}
	}
	if !slices.Equal(final, statuses(t)) {
		t.Errorf("the Job fails at once after %q, want %q", final, statuses(t))
	}

	// The pod has the files, and a place to work in.
	paths := map[string]string{}
	for _, mount := range container.VolumeMounts {
		dir := t.TempDir()
		paths[mount.MountPath] = dir
		for _, volume := range pod.Volumes {
			if volume.Name != mount.Name || volume.ConfigMap == nil {
				continue
			}
			if volume.ConfigMap.Name != files.Metadata.Name {
				t.Errorf("it mounts %s, and not %s", volume.ConfigMap.Name, files.Metadata.Name)
			}
			for name, content := range files.Data {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), volume.ConfigMap.DefaultMode); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	e.Dir = paths[container.WorkingDir]
	for _, argument := range container.Command {
		for path, dir := range paths {
			argument = strings.ReplaceAll(argument, path+"/", dir+"/")
		}
		e.command = append(e.command, argument)
	}
	if len(container.EnvFrom) != 1 || container.EnvFrom[0].SecretRef.Name != "qod" {
		t.Errorf("it has its credentials from %v", container.EnvFrom)
	}
	env := credentials(network)
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
		if dir := paths[variable.Value]; dir != "" {
			env[variable.Name] = dir
		}
	}

	// A pod finds the API server by itself; here, a file says where it is.
	if env["KUBE_IN_CLUSTER_CONFIG"] != "true" {
		t.Error("the backend does not look for the cluster that it is in")
	}
	delete(env, "KUBE_IN_CLUSTER_CONFIG")
	identity, binding, role := objects["ServiceAccount"].Metadata, objects["RoleBinding"], objects["Role"]
	if pod.Identity != identity.Name || binding.RoleRef.Name != role.Metadata.Name || binding.Subjects[0].Name != identity.Name ||
		binding.Subjects[0].Namespace != identity.Namespace {
		t.Errorf("the pod runs as %s, and %+v has the role", pod.Identity, binding.Subjects)
	}
	cluster := newCluster(t, role)
	env["KUBE_CONFIG_PATH"] = cluster.writeConfig()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		e.Env = append(e.Env, name+"="+env[name])
	}

	e.stop = syscall.SIGTERM
	e.stopsDuringPost()
	if n := len(network.SessionIDs()); n != 2 {
		t.Errorf("%d sessions, want those of the whole apply", n)
	}
	cluster.expectUnlocked("tfstate-default-stadium")
}

const clusterToken = "token-of-the-service-account"

// cluster is an API server that keeps objects, and grants what a Role does.
type cluster struct {
	t      *testing.T
	server *httptest.Server
	role   kubernetesObject

	mu      sync.Mutex
	objects map[string]map[string]any // by path
	used    map[string]bool           // of the role
}

func newCluster(t *testing.T, role kubernetesObject) *cluster {
	t.Helper()
	c := &cluster{t: t, role: role, objects: map[string]map[string]any{}, used: map[string]bool{}}
	c.server = httptest.NewTLSServer(c) // without TLS, no client shows its token
	t.Cleanup(c.server.Close)
	return c
}

// writeConfig writes a kubeconfig file for the service account.
func (c *cluster) writeConfig() string {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "kubeconfig")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	config := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
		"clusters": [{"name": "c", "cluster": {"server": %q, "certificate-authority-data": %q}}],
		"users": [{"name": "u", "user": {"token": %q}}]}`, c.server.URL, base64.StdEncoding.EncodeToString(authority), clusterToken)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return file
}

var clusterPath = regexp.MustCompile(`^/apis?(?:/([a-z.0-9]+\.k8s\.io))?/(v1)/namespaces/([^/]+)/([a-z]+)(?:/([^/]+))?$`)

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	parts := clusterPath.FindStringSubmatch(r.URL.Path)
	if parts == nil {
		c.t.Errorf("%s %s", r.Method, r.URL)
		c.refuse(w, http.StatusNotFound, "NotFound")
		return
	}
	group, namespace, resource, name := parts[1], parts[3], parts[4], parts[5]
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create", http.MethodPut: "update", http.MethodDelete: "delete", http.MethodPatch: "patch"}[r.Method]
	if verb == "get" && name == "" {
		verb = "list"
	}
	if r.Header.Get("Authorization") != "Bearer "+clusterToken || namespace != c.role.Metadata.Namespace || !c.granted(group, resource, verb) {
		c.t.Errorf("the Role does not grant %s %s in %s", verb, resource, namespace)
		c.refuse(w, http.StatusForbidden, "Forbidden")
		return
	}
	version, kind := strings.TrimPrefix(group+"/v1", "/"), map[string]string{"secrets": "Secret", "leases": "Lease"}[resource]
	object := c.objects[r.URL.Path]
	switch verb {
	case "list":
		items := []map[string]any{}
		for path, o := range c.objects {
			if filepath.Dir(path) == r.URL.Path {
				items = append(items, o)
			}
		}
		object = map[string]any{"kind": kind + "List", "apiVersion": version, "metadata": map[string]any{}, "items": items}
	case "create", "update":
		object = map[string]any{}
		if strings.Contains(r.Header.Get("Content-Type"), "protobuf") { // as newer clients send
			asKubernetes(r.Context(), c.t, "-", r.Body, &object)
		} else if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
			c.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		object["kind"], object["apiVersion"] = kind, version
		if name == "" {
			metadata, _ := object["metadata"].(map[string]any)
			name = fmt.Sprint(metadata["name"])
			r.URL.Path += "/" + name
		}
		c.objects[r.URL.Path] = object
	}
	if object == nil {
		c.refuse(w, http.StatusNotFound, "NotFound")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

func (c *cluster) refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status})
}

func (c *cluster) granted(group, resource, verb string) bool {
	for _, rule := range c.role.Rules {
		if slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, resource) && slices.Contains(rule.Verbs, verb) {
			c.used[resource+" "+verb] = true
			return true
		}
	}
	return false
}

// expectUnlocked checks that a state is there and nobody holds its lock, and that the role has
// nothing to spare.
func (c *cluster) expectUnlocked(name string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	namespaces := "/namespaces/" + c.role.Metadata.Namespace
	if c.objects["/api/v1"+namespaces+"/secrets/"+name] == nil {
		c.t.Errorf("there is no state: %v", slices.Collect(maps.Keys(c.objects)))
	}
	spec, _ := c.objects["/apis/coordination.k8s.io/v1"+namespaces+"/leases/lock-"+name]["spec"].(map[string]any)
	if spec == nil || spec["holderIdentity"] != nil {
		c.t.Errorf("the lock is %v", spec)
	}
	for _, rule := range c.role.Rules {
		for _, verb := range rule.Verbs {
			if grant := rule.Resources[0] + " " + verb; !c.used[grant] {
				c.t.Errorf("the Role grants %s, which nobody needs", grant)
			}
		}
	}
}

// gitlabPipeline has the keywords of GitLab that the example uses: others are refused.
type gitlabPipeline struct {
	Default struct {
		Image         string
		Interruptible bool
		BeforeScript  []string `yaml:"before_script"`
	}
	Variables map[string]string
	Jobs      map[string]gitlabJob `yaml:",inline"`
}

type gitlabJob struct {
	Rules         []struct{ If string }
	Timeout       string
	ResourceGroup string `yaml:"resource_group"`
	Variables     map[string]string
	Script        []string
	Artifacts     struct {
		When, Access string
		Paths        []string
	}
}

// githubWorkflow is what these tests read of a workflow; actionlint reads the rest.
type githubWorkflow struct {
	Env  map[string]string
	Jobs map[string]githubJob
}

type githubJob struct {
	Timeout int `yaml:"timeout-minutes"`
	Env     map[string]string
	Steps   []struct{ Run string }
}

func (j githubJob) scripts() (scripts []string) {
	for _, step := range j.Steps {
		if step.Run != "" {
			scripts = append(scripts, step.Run)
		}
	}
	return scripts
}

func readYAML(t *testing.T, name string, strict bool, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(readExample(t, "pipeline/"+name)))
	decoder.KnownFields(strict)
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// runJob runs the scripts of a job in a clone of the repository, with the variables of the engine,
// which may name its secrets. The state is that of the job before, as a backend would have it.
func (e *engine) runJob(scripts []string, variables ...map[string]string) {
	t := e.Network.T
	t.Helper()
	state, err := os.ReadFile(filepath.Join(e.Dir, "terraform.tfstate"))
	e.Dir = t.TempDir()
	e.writeLoop(e.Dir)
	if err == nil {
		e.Write("terraform.tfstate", string(state))
	}
	secrets := credentials(e.Network)
	secrets["QOD_READER_CLIENT_ID"], secrets["QOD_READER_CLIENT_SECRET"] = secrets["QOD_CLIENT_ID"], secrets["QOD_CLIENT_SECRET"]
	env := append(slices.Clone(e.Env), "QOD_ENDPOINT="+e.Network.Endpoint())
	for _, some := range variables {
		for name, value := range some {
			value = strings.NewReplacer("${{ secrets.", "${", " }}", "}").Replace(value)
			env = append(env, name+"="+os.Expand(value, func(name string) string { return secrets[name] }))
		}
	}
	for _, script := range scripts {
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
		cmd.Dir, cmd.Env = e.Dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v\n%s", script, err, out)
		}
	}
}

// expectFiles checks that the last job has left these.
func (e *engine) expectFiles(names ...string) {
	e.Network.T.Helper()
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(e.Dir, name)); err != nil {
			e.Network.T.Error(err)
		}
	}
}

// onePass has the loop end after its first pass.
var onePass = map[string]string{"MINUTES": "0"}

// endsInTime checks that the loop stops before its job is killed.
func endsInTime(t *testing.T, minutes string, timeout int) {
	t.Helper()
	if n, err := strconv.Atoi(minutes); err != nil || n >= timeout || n < timeout-30 {
		t.Errorf("the loop stops after %s minutes, and its job is killed after %d", minutes, timeout)
	}
}

func TestPipeline_gitlab(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	e := newEngine(network)
	var pipeline gitlabPipeline
	readYAML(t, "gitlab-ci.yml", true, &pipeline)
	plan, event := pipeline.Jobs["plan"], pipeline.Jobs["event"]
	if event.ResourceGroup == "" || pipeline.Default.Interruptible || event.Timeout != "8 hours" || len(pipeline.Jobs) != 2 {
		t.Errorf("%+v", pipeline)
	}
	endsInTime(t, pipeline.Variables["MINUTES"], 8*60)
	expectImage(t, pipeline.Default.Image)

	secrets := map[string]string{"QOD_CLIENT_ID": "$QOD_CLIENT_ID", "QOD_CLIENT_SECRET": "$QOD_CLIENT_SECRET"}
	e.runJob(slices.Concat(pipeline.Default.BeforeScript, event.Script), pipeline.Variables, event.Variables, secrets, onePass)
	e.expectFiles("apply.jsonl")
	if n := len(network.SessionIDs()); n != 2 || !slices.Contains(event.Artifacts.Paths, "apply.jsonl") {
		t.Errorf("%d sessions, and it keeps %q", n, event.Artifacts.Paths)
	}
	e.ExpectInSync()

	sent := len(network.Requests())
	e.runJob(slices.Concat(pipeline.Default.BeforeScript, plan.Script), pipeline.Variables, plan.Variables)
	e.expectFiles(plan.Artifacts.Paths...)
	if n := len(network.Requests()) - sent; n > 0 {
		t.Errorf("the job of a merge request sent %d requests", n)
	}
}

func TestPipeline_github(t *testing.T) {
	acctest.AnyCLI(t)
	network := acc.NewNetworkAtMatch(t, 0, sandbox.Config{})
	e := newEngine(network)
	var workflow githubWorkflow
	readYAML(t, "github-actions.yml", false, &workflow)
	plan, event := workflow.Jobs["plan"], workflow.Jobs["event"]
	endsInTime(t, workflow.Env["MINUTES"], event.Timeout)
	summary := filepath.Join(t.TempDir(), "summary")

	e.runJob(event.scripts(), workflow.Env, event.Env, onePass)
	e.expectFiles("apply.jsonl")
	if n := len(network.SessionIDs()); n != 2 {
		t.Errorf("%d sessions", n)
	}
	e.ExpectInSync()

	sent := len(network.Requests())
	e.runJob(plan.scripts(), workflow.Env, plan.Env, map[string]string{"GITHUB_STEP_SUMMARY": summary})
	if got, err := os.ReadFile(summary); err != nil || string(got) != "### Objections of the gate\n" {
		t.Errorf("the summary is %q: %v", got, err)
	}
	if n := len(network.Requests()) - sent; n > 0 {
		t.Errorf("the job of a pull request sent %d requests", n)
	}
}

// expectImage checks that an engine runs the image that the Dockerfile is for.
func expectImage(t *testing.T, image string) {
	t.Helper()
	if !strings.Contains(readExample(t, "pipeline/Dockerfile"), "docker build --tag "+image+" ") {
		t.Errorf("the image is %s", image)
	}
}

// The provider in the image is the one that the example asks for.
func TestPipeline_image(t *testing.T) {
	t.Parallel()
	config := regexp.MustCompile(`echo '(.*)' >main.tf.json`).FindStringSubmatch(readExample(t, "pipeline/Dockerfile"))
	if config == nil {
		t.Fatal("the image has no provider")
	}
	var got struct {
		Terraform struct {
			RequiredProviders struct {
				QoD struct{ Source, Version string }
			} `json:"required_providers"`
		}
	}
	if err := json.Unmarshal([]byte(config[1]), &got); err != nil {
		t.Fatal(err)
	}
	qod := got.Terraform.RequiredProviders.QoD
	if want := fmt.Sprintf("source  = %q\n      version = %q\n", qod.Source, qod.Version); !strings.Contains(readExample(t, "pipeline/main.tf"), want) {
		t.Errorf("the image has %+v", qod)
	}
}
