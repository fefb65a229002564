package sandbox

import "sync"

// SwapAnswers commits two requests and gives each the answer of the other, like a gateway that
// mixes up its connections. Use it in one Fault with Times: 2 (or -1, for pair after pair). The
// first request waits until the second arrives, its client gives up or the sandbox closes.
func SwapAnswers() Effect {
	var mu sync.Mutex
	var first *swap // waits for the second request
	return Effect{func(x *exchange) {
		own := x.commit()
		mu.Lock()
		if second := first; second != nil {
			first = nil
			mu.Unlock()
			second.others <- own
			x.send(second.own)
			return
		}
		waiting := &swap{own: own, others: make(chan answer, 1)}
		first = waiting
		mu.Unlock()
		select {
		case others := <-waiting.others:
			x.send(others)
			return
		case <-x.request.Context().Done():
		case <-x.closing.Done():
		}
		mu.Lock()
		if first == waiting { // its client has given up
			first = nil
		}
		mu.Unlock()
		x.drop()
	}}
}

// swap is a request that waits for the answer of another.
type swap struct {
	own    answer
	others chan answer
}
