export TF_VAR_phone_number="$REHEARSAL_PHONE_NUMBER" # a device of yours
export TF_VAR_minutes=2
terraform apply -auto-approve
terraform plan -detailed-exitcode # exit code 0: there is nothing left to do
terraform destroy -auto-approve
