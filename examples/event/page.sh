QOD_SCOPES=qod:sessions:read terraform -chdir=status apply -auto-approve # read access is enough
terraform -chdir=status output -raw table
terraform -chdir=status output -raw page >page.new && mv page.new page.html # never half a page
