# shellcheck shell=bash
# What runs on the node before the operator comes: DNS, the edge, certificates, and two namespaces with a bench each,
# with their databases. Everything is applied on every `lab up`, so that what somebody changed or deleted is put back.
# Sourced by lab/lab after lab/node.sh.
# shellcheck disable=SC2154,SC2164  # cache, lab, project and dir are lib.sh's and node.sh's; errexit is on

namespaces=(kube-system projectcontour cert-manager infra erp erp16 tenant-operator)   # and customers
benches=(erp:15:master.example.com erp16:16:master.gw.example.com)   # namespace, Frappe's version, the Master site

# apply: what comes by standard input. A Job cannot be changed, so a changed one is deleted and made anew.
apply() {
  local objects changed output job; objects=$(cat)
  output=$(serverside <<<"$objects" 2>&1) && return
  changed=$(sed -nE 's/.*(The Job|Job\.batch) "([^"]*)" is invalid:.*field is immutable.*/\2/p' <<<"$output" | sort -u)
  [ -n "$changed" ] || { echo "$output"; return 1; }
  for job in $changed; do kubectl delete job --all-namespaces --field-selector "metadata.name=$job"; done
  serverside <<<"$objects"
}
serverside() { kubectl apply --server-side --force-conflicts --field-manager=lab -f -; }

# What an image is called now: asked once, so that what is loaded is what manifests name.
declare -A named
name_images() {
  local recipe archive
  for recipe in $(recipes); do
    archive=$(archive_of "$recipe")
    [ -e "$archive" ] || die "no image $recipe made from what is here now: run lab/build"
    archive=$(basename "$archive" .tar)
    named[$recipe]=$recipe:${archive##*-}
  done
}
load_images() { local image; for image in "${named[@]}"; do load "$cache/images/${image/:/-}.tar"; done; }

# render FILE NAME=VALUE...: a template with its values, and with the images as they are called now.
render() {
  local file=$1 value edits=() image; shift
  for value; do edits+=(-e "s|\${${value%%=*}}|${value#*=}|g"); done
  for image in "${named[@]}"; do edits+=(-e "s|docker.io/lab/${image%:*}:built|docker.io/lab/$image|"); done
  echo ---
  sed "${edits[@]}" "$file"
}

# secret NAMESPACE NAME FILE...: its keys are the names of the files; no value is on a command line.
secret() {
  local file
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\ndata:\n' "$2" "$1"
  for file in "${@:3}"; do printf '  %s: %s\n' "$(basename "$file")" "$(base64 -w0 "$file")"; done
}

# random FOLDER KEY...: a file with a random value for each key, made once in the life of a lab.
random() (
  umask 077; mkdir -p "$1"; cd "$1"; shift
  for key; do [ -s "$key" ] || openssl rand -hex 20 | tr -d '\n' >"$key"; done
)

# The operator, benches and their Jobs are where the restricted Pod Security Standard is enforced, as careful platform teams have it.
namespaces() {
  local name labels
  for name in "${namespaces[@]}" customers; do
    case $name in
      erp | erp16 | tenant-operator) labels="pod-security.kubernetes.io/enforce: restricted" ;;
      customers) labels='pod-security.kubernetes.io/enforce: restricted, saas: "true"' ;;
      *) labels= ;;
    esac
    printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {%s}}\n' "$name" "$labels"
  done
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
  secret "$namespace" lab-ca "$dir/edge-ca/ca.crt"
  printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: saas-tenant-doctype, namespace: %s}\ndata:\n  saas-tenant-doctype.json: |\n' "$namespace"
  sed 's/^/    /' "$project/examples/saas-tenant-doctype.json"
  render "$lab/manifests/databases.yaml" "${values[@]}"
  render "$lab/manifests/bench.yaml" "${values[@]}"
}

objects() {
  local entry namespace version master
  namespaces
  secret cert-manager lab-ca "$dir"/edge-ca/tls.*
  render "$lab/manifests/dns.yaml"
  render "$(tool contour.yaml)"
  render "$lab/manifests/edge.yaml"
  render "$lab/manifests/cert-manager.yaml"
  for entry in "${benches[@]}"; do
    IFS=: read -r namespace version master <<<"$entry"
    bench "$namespace" "$version" "$master"
  done
}
apply_objects() { objects | apply; }

# Other people's definitions are large and change only with their version: applied once.
definitions() {
  local file; file=$(tool definitions.yaml)
  [ ! -e "$dir/applied-$(basename "$file")" ] || return 0
  apply <"$file"
  kubectl wait --for=condition=Established crd --all --timeout=180s
  touch "$dir/applied-$(basename "$file")"
}

# available: what `lab up` applied, not what the operator runs beside it.
available() {
  local namespace
  for namespace in "${namespaces[@]}"; do
    [ "$namespace" = infra ] || [ "$namespace" = tenant-operator ] ||
      kubectl wait --for=condition=Available deployment -l 'app.kubernetes.io/managed-by!=tenant-operator' -n "$namespace" --timeout=180s
  done
  kubectl rollout status daemonset/envoy -n projectcontour --timeout=60s
  kubectl wait --for=condition=Ready certificate/edge-wildcard -n infra --timeout=60s
  kubectl wait --for=condition=Programmed gateway/edge -n infra --timeout=60s
  for namespace in "${benches[@]%%:*}"; do kubectl wait --for=condition=Complete job/master -n "$namespace" --timeout=180s; done
}

apps_up() {
  name_images
  timed "loaded images" load_images &
  local loading=$!
  timed "applied definitions of others" definitions
  wait $loading
  timed "applied DNS, the edge, certificates, databases and benches" apply_objects
  timed "all available" available
}
