//go:build linux || darwin || freebsd

package main

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// place decides where the child gets its signals from, so that it gets each
// once: to Terraform a second interrupt means to drop everything.
//
// With a terminal the child stays in this process group, because it must be in
// the foreground to read from it. Ctrl-C and a hang-up then reach both, and
// are not passed on; SIGTERM does not come from a terminal, so it was sent to
// this process and is. Without one, as in a pipeline, the child has a group of
// its own: what is sent to this process or to its whole group reaches the
// child through here alone.
func place(child *exec.Cmd) (passes func(os.Signal) bool, done func()) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return func(os.Signal) bool { return true }, func() {}
	}
	passes = func(s os.Signal) bool { return s == syscall.SIGTERM || !foreground(terminal) }
	return passes, func() { _ = terminal.Close() }
}

// foreground reports whether what is typed at the terminal is for this process
// group.
func foreground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == syscall.Getpgrp()
}
