qod-sandbox exec --fail-on-leftovers -- sh -euc '
  export TF_VAR_phone_number=+34600000010 TF_VAR_ends_at=2099-12-31T00:15:00Z
  qod-sandbox fail create lose               # lose the answer: is a second session bought?
  terraform apply -auto-approve
  qod-sandbox ledger                         # only one session

  qod-sandbox revoke +34600000010            # the network ends the session
  terraform plan -detailed-exitcode && exit 1 || [ $? -eq 2 ]

  qod-sandbox advance 10m                    # until it no longer blocks its device
  terraform apply -auto-approve
  terraform destroy -auto-approve
'
