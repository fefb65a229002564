// Package qodtest is what tests of the client share: an in-memory network, a client of it, and the
// ways to make either fail.
//
// A test runs InBubble: time there passes only while everybody waits, so that minutes of retries
// take no real time. It arranges faults (Network.InjectFault, or an Interceptor for answers that no
// network gives), calls the client, and compares what the client returned with the network's
// ledger, which is the truth.
//
// The words of these tests: a fault is what happens to a request instead of its answer, before or
// after the network has committed it. A lost answer is one that did not arrive, so that nobody
// knows whether a session was created. To adopt a session is to take one that a list shows for the
// one whose answer was lost. A network is slow, a list lags, an answer is cached; a session is live
// until it ends, and gone when that is proven. A fleet is many sessions of one client.
package qodtest
