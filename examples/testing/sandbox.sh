qod-sandbox exec --fail-on-leftovers -- terraform test -filter=tests/sandbox.tftest.hcl
