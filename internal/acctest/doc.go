// Package acctest is what acceptance tests of the provider share. It runs the provider against a
// sandbox of the API, through Terraform's own protocol or through a real Terraform or OpenTofu, and
// compares what Terraform keeps in its state with what the network holds. The example in this
// package is a whole test: copy it to write the first one for a new attribute.
//
// # Glossary
//
//   - [Network]: one test's sandbox. Its ledger, the list of live sessions, is the truth: a test
//     passes only if state and ledger agree at the end.
//   - [ProtocolClient]: takes Terraform's place within the test's own process and speaks the plugin
//     protocol with the provider. An operation takes milliseconds, and each diagnostic can be
//     checked by itself.
//   - [CLI]: a real Terraform or OpenTofu with the provider's built binary, for what needs a
//     process: signals, crashes, logs, plan files, exit codes.
//   - [State]: what Terraform keeps of one resource: attributes, identity and private state.
//   - [Run]: refresh, plan and apply, as in one run of Terraform.
//   - [KickOff]: the start of the event in the tests of reservations. [Network.AtMatch] sets the
//     sandbox's clock relative to it.
//   - Bubble: a test in virtual time (testing/synctest), without sockets. See [Provider.InBubble].
package acctest
