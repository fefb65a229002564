package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// At a terminal, Ctrl-C reaches the command directly and once, and the program outlives it.
func TestCtrlCReachesTheCommandOnce(t *testing.T) {
	t.Parallel()
	master, slave := terminal(t)
	p, _ := started(t, "exec", "--", os.Args[0], "child", "signals")
	p.Stdin, p.Stdout, p.Stderr = slave, slave, slave
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(master)
	expect := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Fatalf("the terminal shows %q, want %q", lines.Text(), want)
		}
	}
	expect("ready")
	if _, err := master.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	expect("interrupted")
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("1 interrupts")
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit %d, want the command's 5", code)
	}
}

// terminal opens a new pseudo terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("this machine has no pseudo terminals: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	var locked, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &locked, syscall.TIOCGPTN: &number} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 { //nolint:gosec // there is no other way
			t.Fatal(errno)
		}
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}
