# shellcheck shell=bash
# What runs on the node before the operator comes: DNS, the edge, certificates, and two namespaces with a bench each,
# with their databases. Everything is applied on every `lab up`, so that what somebody changed or deleted is put back.
# Sourced by lab/lab after lab/node.sh.

benches=(erp:15:master.example.com erp16:16:master.gw.example.com)   # namespace, Frappe's version, the Master site

apply() { kubectl apply --server-side --force-conflicts --field-manager=lab -f "${1:--}"; }

# render FILE NAME=VALUE...: a template with its values, and with the images that the recipes make now.
render() {
  local file=$1 value edits=() recipe; shift
  for value; do edits+=(-e "s|\${${value%%=*}}|${value#*=}|g"); done
  for recipe in $(sed -n 's|.*image: docker.io/lab/\(.*\):built.*|\1|p' "$file" | sort -u); do
    edits+=(-e "s|docker.io/lab/$recipe:built|$(image_name "$recipe")|")
  done
  sed "${edits[@]}" -e '' "$file"
}

images() {
  local recipe archives=()
  for recipe in "$lab"/images/*.sh; do
    recipe=$(basename "$recipe" .sh)
    [ "$recipe" = lib ] || archives+=("$(archive_of "$recipe")")
  done
  load "${archives[@]}"
}

# secret NAMESPACE NAME FILE...: its keys are the names of the files; no value is on a command line.
secret() {
  local namespace=$1 name=$2 files=() file; shift 2
  for file; do files+=(--from-file="$file"); done
  kubectl create secret generic "$name" -n "$namespace" "${files[@]}" --dry-run=client -o yaml | apply
}

# random FOLDER KEY...: a file with a random value for each key, made once in the life of a lab.
random() (
  umask 077; mkdir -p "$1"; cd "$1"; shift
  for key; do [ -s "$key" ] || openssl rand -hex 20 | tr -d '\n' >"$key"; done
)

namespaces() {
  local name
  for name in cert-manager projectcontour erp erp16 customers tenant-operator; do
    printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {saas: "%s"}}\n---\n' "$name" "$([ "$name" != customers ] || echo true)"
  done | apply
}

edge() {
  local name; name=$(mktemp -d)
  install -m 600 "$dir/pki/edge-ca.crt" "$name/tls.crt"; install -m 600 "$dir/pki/edge-ca.key" "$name/tls.key"
  secret cert-manager lab-ca "$name/tls.crt" "$name/tls.key"
  rm -rf "$name"
  render "$lab/manifests/dns.yaml" | apply
  render "$(tool upstream.yaml)" | apply
  kubectl wait --for=condition=Established crd --all --timeout=30s
  render "$lab/manifests/cert-manager.yaml" | apply
  render "$lab/manifests/edge.yaml" | apply
}

# bench NAMESPACE VERSION MASTER-SITE
bench() {
  local namespace=$1 volumes=$dir/volumes/$1 secrets=$dir/secrets/$1
  local values=("NAMESPACE=$1" "FRAPPE_VERSION=$2" "MASTER_SITE=$3" "VOLUMES=$volumes")
  install -d -o 1000 -g 1000 "$volumes" "$volumes"/{sites,mariadb}
  random "$secrets/erpnext" mariadb-root-password
  random "$secrets/master-token" api-key api-secret
  secret "$namespace" erpnext "$secrets"/erpnext/*
  secret "$namespace" master-token "$secrets"/master-token/*
  kubectl create secret generic lab-ca -n "$namespace" --from-file=ca.crt="$dir/pki/edge-ca.crt" --dry-run=client -o yaml | apply
  render "$lab/manifests/databases.yaml" "${values[@]}" | apply
  if [ -e "$project/examples/saas-tenant-doctype.json" ]; then
    kubectl create configmap saas-tenant-doctype -n "$namespace" --from-file="$project/examples/saas-tenant-doctype.json" --dry-run=client -o yaml | apply
  fi
  if [ -e "$lab/manifests/bench.yaml" ]; then render "$lab/manifests/bench.yaml" "${values[@]}" | apply; fi
}

available() {
  local namespace
  for namespace in kube-system projectcontour cert-manager "${benches[@]%%:*}"; do
    kubectl wait --for=condition=Available deployment --all -n "$namespace" --timeout=180s
  done
  kubectl rollout status daemonset/envoy -n projectcontour --timeout=60s
  kubectl wait --for=condition=Ready certificate/edge-wildcard -n infra --timeout=60s
  kubectl wait --for=condition=Programmed gateway/edge -n infra --timeout=60s
  for namespace in "${benches[@]%%:*}"; do
    [ ! -e "$lab/manifests/bench.yaml" ] || kubectl wait --for=condition=Complete job/master -n "$namespace" --timeout=180s
  done
}

benches_up() {
  local entry namespace version master
  for entry in "${benches[@]}"; do
    IFS=: read -r namespace version master <<<"$entry"
    bench "$namespace" "$version" "$master"
  done
}

apps_up() {
  timed "loaded images" images
  timed "applied namespaces, DNS, the edge and certificates" edge_up
  timed "applied databases and benches" benches_up
  timed "all available" available
}
edge_up() { namespaces; edge; }
