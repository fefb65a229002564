package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// printer writes whole lines for several goroutines.
type printer struct {
	mu         sync.Mutex
	out        io.Writer
	bold, done string
}

// newPrinter prints steps in bold on a terminal.
func newPrinter(file *os.File) *printer {
	p := &printer{out: file}
	info, err := file.Stat()
	if err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		p.bold, p.done = "\x1b[1m", "\x1b[0m"
	}
	return p
}

// step prints the heading of the next step.
func (p *printer) step(format string, args ...any) {
	p.line(p.bold + "==> " + fmt.Sprintf(format, args...) + p.done)
}

// say prints a result, indented under its step.
func (p *printer) say(format string, args ...any) {
	p.line("    " + strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n    "))
}

func (p *printer) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.out, text)
}
