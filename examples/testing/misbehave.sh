qod-sandbox exec --fail-on-leftovers -- sh -euc '
  export TF_VAR_phone_number=+34600000010
  qod-sandbox fail create lose               # the answer is lost: is a second session bought?
  terraform apply -auto-approve
  qod-sandbox ledger                         # one session

  qod-sandbox revoke +34600000010            # the network ends it
  terraform plan -detailed-exitcode && exit 1 || [ $? -eq 2 ]

  qod-sandbox advance 10m                    # it has stopped blocking its device
  terraform apply -auto-approve
  terraform destroy -auto-approve
'
