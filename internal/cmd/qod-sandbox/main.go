// Command qod-sandbox runs the sandbox of internal/sandbox as a program: what
// Telefónica's sandbox is to a person, this is to a pipeline without
// credentials. Its help says how to use it.
package main

import (
	"io"
	"os"
)

func main() {
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}
	os.Exit(p.run(os.Args[1:]))
}

// program is one run: what it reads and where it writes.
type program struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}
