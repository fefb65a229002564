// Kubernetes does with a directory what "kubectl apply -k" and the API server do before anything
// runs: it builds the kustomization, and refuses fields that an object does not have, and schedules
// and time zones that nobody can follow. It prints the objects as a JSON array. With "-" in place of
// a directory, it prints the object on standard input, which may be in the API server's binary form.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: kubernetes DIRECTORY | -")
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{batchv1.AddToScheme, coordinationv1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	if args[0] == "-" {
		encoded, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		object, _, err := decoder.Decode(encoded, nil, nil)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(object)
	}
	objects, err := build(args[0], decoder)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(objects)
}

func build(dir string, decoder runtime.Decoder) ([]runtime.Object, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, err
	}
	var objects []runtime.Object
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource.CurId(), err)
		}
		if job, ok := object.(*batchv1.CronJob); ok {
			if err := checkSchedule(job.Spec); err != nil {
				return nil, fmt.Errorf("%s: %w", resource.CurId(), err)
			}
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// checkSchedule reads a schedule as the API server does.
func checkSchedule(spec batchv1.CronJobSpec) error {
	if spec.TimeZone != nil {
		if _, err := time.LoadLocation(*spec.TimeZone); err != nil {
			return err
		}
	}
	_, err := cron.ParseStandard(spec.Schedule)
	return err
}
