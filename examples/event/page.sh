export QOD_SCOPES=qod:sessions:read # read access is enough
terraform -chdir=status apply -auto-approve
terraform -chdir=status output -raw table
terraform -chdir=status output -raw page >page.html
