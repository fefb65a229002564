// Command qod-sandbox runs the sandbox of internal/sandbox as a program, for pipelines and people
// without credentials. Its help says how to use it.
package main

import (
	"io"
	"os"
)

func main() {
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}
	os.Exit(p.run(os.Args[1:]))
}

// program is one run of the program: its input, outputs and environment.
type program struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}
