export TF_VAR_phone_number="$REHEARSAL_PHONE_NUMBER" # one of your devices
TF_VAR_ends_at=$(echo 'timeadd(timestamp(), "2m")' | terraform console -var ends_at= | tr -d '"')
export TF_VAR_ends_at
terraform apply -auto-approve
terraform plan -detailed-exitcode # exit code 0: nothing to do
terraform destroy -auto-approve
