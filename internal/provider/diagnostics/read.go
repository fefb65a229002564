package diagnostics

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

const withoutRefresh = "To plan or destroy without asking the network, run Terraform with -refresh=false."

// ReadFailed reports a session of which nothing is known now. An origin where it was created, if
// that is not the one that was asked, may be all that is wrong.
func (o Operation) ReadFailed(id, elsewhere string, err error) diag.Diagnostic {
	m := explainAt(elsewhere, err)
	m.cause += " The session may have changed or ended unnoticed; its state is kept as it was."
	if elsewhere != "" {
		m.cause += fmt.Sprintf(" It was created at %s, which is not what the provider is configured for now.", originText(elsewhere))
	}
	if !o.updates {
		m.remedy = joined(m.remedy, withoutRefresh)
	}
	return o.failed(withSession(m, id))
}

func (o Operation) DeleteFailed(id, elsewhere string, err error) diag.Diagnostic {
	m := explainAt(elsewhere, err)
	m.cause += " The session may still be live and billed; it stays in the state."
	m.remedy = joined(m.remedy, "Run Terraform again: this is safe, even if the session is gone by then.")
	return o.failed(withSession(m, id))
}

// explainAt explains an error about a session that was made elsewhere, perhaps in a sandbox: where
// there are no credentials any more, the shell that had them is gone, and with it the sandbox.
func explainAt(elsewhere string, err error) message {
	m := explain(err)
	if _, missing := errors.AsType[*MissingCredentialsError](err); missing {
		m.remedy = ifSandbox(elsewhere) + m.remedy
	}
	return m
}
