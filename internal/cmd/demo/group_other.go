//go:build !unix

package main

import "os/exec"

// Elsewhere than on Unix there are no process groups to lean on, and the demo does without.
func ownGroup(*exec.Cmd)  {}
func killGroup(*exec.Cmd) {}
