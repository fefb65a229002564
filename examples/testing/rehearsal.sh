export TF_VAR_phone_number="$REHEARSAL_PHONE_NUMBER" # one of your devices
export TF_VAR_minutes=2
terraform apply -auto-approve
terraform plan -detailed-exitcode # exit code 0: nothing to do
terraform destroy -auto-approve
