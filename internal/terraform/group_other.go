//go:build !unix

package terraform

import "os/exec"

// Elsewhere than on Unix there are no process groups to lean on, and a command does without.
func ownGroup(*exec.Cmd)  {}
func killGroup(*exec.Cmd) {}
