// Bench measures what the provider costs through a real CLI, against a sandbox whose every answer
// takes a while, next to two floors: as many terraform_data, and the same resource served without
// an API. The counts that it prints are promises, as is the memory for the data source, and it fails
// when one is broken; times it only prints, next to what is promised.
// Everything it makes is in a temporary directory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	// Terraform starts this program, too: as the provider without an API, or as its stopwatch.
	if startedAsProvider() {
		os.Exit(asProvider())
	}
	b := bench{out: os.Stdout}
	sizes := flag.String("sessions", "1,10,100,1000", "how many sessions, several numbers by commas")
	flag.StringVar(&b.cli, "cli", "terraform", "the Terraform or OpenTofu to run")
	flag.StringVar(&b.provider, "provider", "", "the provider, built")
	flag.IntVar(&b.runs, "runs", 5, "how often each is measured")
	flag.DurationVar(&b.latency, "latency", 50*time.Millisecond, "what each answer of the API takes")
	flag.IntVar(&b.parallelism, "parallelism", 10, "of the CLI")
	flag.IntVar(&b.listed, "listed", 10_000, "sessions for the data source to list")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if b.sizes, err = numbers(*sizes); err == nil {
		err = b.run(ctx)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "bench: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func numbers(list string) ([]int, error) {
	var ns []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-sessions %s: %q is no number of sessions", list, text)
		}
		ns = append(ns, n)
	}
	return ns, nil
}
