package main

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// report prints what n of each subject took, and holds the counts against their promises.
func (b *bench) report(n int, all costs) {
	b.judge(n, all[reserved])
	fmt.Fprintf(b.out, "\n%s sessions\n", thousands(n))
	w := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  \t\tCALLS\tCONNECTIONS\tWALL\tCPU\tOF %s\tOF %s\tOF %s\n", data, empty, floor)
	for _, p := range phases {
		for _, s := range subjects {
			m := median(all[s][p])
			calls, connections := "", ""
			if s == reserved {
				calls, connections = described(p, m), fmt.Sprint(m.connections)
			}
			of := b.ratios(n, p, s, all)
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p, s, calls, connections, spread(all[s][p]), seconds(m.cpu), of[0], of[1], of[2])
		}
	}
	_ = w.Flush()
}

// ratios are those of a subject's time to the others', with the limits that are promised.
func (b *bench) ratios(n int, p phase, s subject, all costs) (of [3]string) {
	if s != floor && s != reserved {
		return of
	}
	wall := func(s subject) time.Duration { return median(all[s][p]).wall }
	var latency time.Duration
	if s == reserved && p != refreshing {
		latency = b.unavoidable(n)
	}
	of[0] = ratio(wall(s), wall(data)+latency)
	of[1] = ratio(wall(s), wall(empty)+latency)
	if s == reserved {
		of[2] = ratio(wall(s), wall(floor))
		for i := range of {
			if n == promisedAt {
				of[i] += limits[p][i]
			}
		}
	}
	return of
}

// promisedAt is the number of sessions that limits are promised for.
const promisedAt = 1000

// limits are those of the ratios. The promise says terraform_data and not what is in it, so its limit
// stands next to both readings.
var limits = map[phase][3]string{
	refreshing: {" (≤ 2.5, goal 2)", " (≤ 2.5, goal 2)", " (≤ 1.1)"},
	applying:   {" (≤ 1.1)", " (≤ 1.1)", ""},
}

// unavoidable is the time that n answers of the API take, as many at once as Terraform allows.
func (b *bench) unavoidable(n int) time.Duration {
	return time.Duration(n) * b.latency / time.Duration(b.parallelism)
}

// judge holds every run's counts against what is promised of them.
func (b *bench) judge(n int, runs map[phase][]cost) {
	for p, of := range runs {
		for _, c := range of {
			what := fmt.Sprintf("%s of %d", p, n)
			processes := 1
			if p == destroying {
				processes = 2 // one refreshes, one destroys
			}
			b.promise(c.connections, processes*b.parallelism, "connections, %s", what)
			b.promise(c.calls[sandbox.OpToken], processes, "tokens, %s", what)
			b.promise(c.calls[sandbox.OpDiscovery], processes, "discoveries, %s", what)
			switch {
			case p == applying:
				b.promise(c.calls[sandbox.OpCreate], n, "POSTs, %s", what)
				b.promise(c.others(sandbox.OpCreate), 16, "other calls, %s", what)
			case p == destroying:
				b.promise(c.calls[sandbox.OpDelete], n, "DELETEs, %s", what)
				b.promise(c.others(sandbox.OpDelete), 16, "other calls, %s", what)
			case n == 1:
				b.promise(c.calls[sandbox.OpRead], 1, "gets, %s", what)
				b.promise(c.calls[sandbox.OpList], 0, "lists, %s", what)
			default:
				b.promise(c.others(""), 12, "calls, %s", what)
			}
		}
	}
}

// promise records a count above what is promised.
func (b *bench) promise(got, most int, what string, args ...any) {
	if got > most {
		b.broken = append(b.broken, fmt.Sprintf("%d %s, where %d are promised at most", got, fmt.Sprintf(what, args...), most))
	}
}

// described says which calls there were: those that the command is for, and the others.
func described(p phase, c cost) string {
	switch p {
	case applying:
		return fmt.Sprintf("%d POST + %d", c.calls[sandbox.OpCreate], c.others(sandbox.OpCreate))
	case destroying:
		return fmt.Sprintf("%d DELETE + %d", c.calls[sandbox.OpDelete], c.others(sandbox.OpDelete))
	case refreshing:
	}
	return fmt.Sprint(c.others(""))
}

// median is the run with the median wall time.
func median(of []cost) cost {
	sorted := slices.SortedFunc(slices.Values(of), byWall)
	return sorted[len(sorted)/2]
}

func spread(of []cost) string {
	return fmt.Sprintf("%s (%s–%s)", seconds(median(of).wall), seconds(slices.MinFunc(of, byWall).wall), seconds(slices.MaxFunc(of, byWall).wall))
}

func byWall(a, b cost) int { return int(a.wall - b.wall) }

func ratio(of, to time.Duration) string { return fmt.Sprintf("%.2f ×", of.Seconds()/to.Seconds()) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
