// Package acctest is what acceptance tests of the provider share. It runs the provider against a
// sandbox of the API, through Terraform's own protocol or through a real Terraform or OpenTofu, and
// compares what Terraform keeps in its state with what the network holds. The example in this
// package is a whole test: copy it to write the first one for a new attribute.
//
// Glossary. A [Network] is one test's sandbox; its ledger, the list of live sessions, is the truth,
// and a test ends well only if state and ledger agree. A [ProtocolClient] takes Terraform's place
// within the test's own process and speaks the plugin protocol with the provider: milliseconds an
// operation, and every diagnostic by itself. A [CLI] is a real Terraform or OpenTofu with the
// provider's built binary, for what only processes show: signals, crashes, logs, plan files, exit
// codes. A [State] is what Terraform keeps of one resource: attributes, identity and private state.
// A [Run] is refresh, plan and apply, as one run of Terraform. Kick-off is when the match starts
// that reservations of these tests are for ([KickOff]), and the clock of a network is set by it
// ([Network.AtMatch]). A bubble is a test without sockets in which waiting takes no time
// ([Provider.InBubble], testing/synctest).
package acctest
