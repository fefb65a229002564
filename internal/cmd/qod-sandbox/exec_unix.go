//go:build linux || darwin || freebsd

package main

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// place makes sure that the child receives each signal exactly once: Terraform takes a second
// interrupt as an order to abort at once.
//
// With a terminal, the child stays in this process group, because it must be in the foreground to
// read from the terminal. Ctrl-C and a hang-up then reach both processes and are not passed on.
// SIGTERM does not come from a terminal: somebody sent it to this process, which passes it on.
// Without a terminal, as in a pipeline, the child gets its own process group: a signal to this
// process, or to its whole group, reaches the child only through this process.
func place(child *exec.Cmd) (passes func(os.Signal) bool, done func()) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		return func(os.Signal) bool { return true }, func() {}
	}
	passes = func(s os.Signal) bool { return s == syscall.SIGTERM || !foreground(terminal) }
	return passes, func() { _ = terminal.Close() }
}

// foreground reports whether this process group is in the terminal's foreground.
func foreground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == syscall.Getpgrp()
}
