# shellcheck shell=bash
# The node: every Kubernetes server with its own kubelet, in a network namespace of its own, so that nothing it does to
# routes, nftables or ports reaches the host, and no traffic can leave it. Sourced by lab/lab after lab/lib.sh.
# shellcheck disable=SC2154,SC2164  # cache and lab are lib.sh's; errexit is on

dir=${LAB_DIR:-/var/lib/tenant-operator-lab}   # everything the lab writes: one place, whichever clone started it
net=tenantlab                                  # names the network namespace, the link into it and the cgroup
node=10.244.255.1 host=10.244.254.1            # the two ends of that link
pods=10.244.0.0/17 services=10.96.0.0/16 api=10.96.0.1 dns=10.96.0.10
export KUBECONFIG=$dir/kubeconfig
# Written to whatever the settings say: removed again if they were not there before.
fixed_paths=(/var/lib/kubelet /var/log/containers /var/lib/cni /run/containerd)
servers=(kubelet kube-proxy kube-scheduler kube-controller-manager kube-apiserver etcd containerd)

kube() { "$(tool kube)" "$@"; }
kubectl() { kube kubectl "$@"; }
inside() { nsenter --net="/run/netns/$net" "$@"; }   # ip netns exec would hide the cgroups from the kubelet
ctr_() { ctr -a "$dir/containerd/sock" -n k8s.io "$@"; }

# spawn NAME CMD...: outlives the shell and terminal that started it, and keeps none of their files open: a caller's lock, say.
# The command is kept for start_server.
spawn() {
  local name=$1 file; shift
  printf '%s\0' "$@" >"$dir/$name.command"
  (
    for file in "/proc/$BASHPID/fd"/*; do
      file=${file##*/}; [ "$file" -le 2 ] || exec {file}>&-
    done
    exec setsid nsenter --net="/run/netns/$net" "$@" >>"$dir/$name.log" 2>&1 </dev/null
  ) &
  echo $! >"$dir/$name.pid"
}
runs() { [ -e "$dir/$1.pid" ] && tr '\0' ' ' <"/proc/$(<"$dir/$1.pid")/cmdline" | grep -q "$1"; } 2>/dev/null
alive() { local name; for name in "${servers[@]}"; do runs "$name" || return 1; done; }

network() {
  ip netns add "$net"; inside ip link set lo up
  ip link add "$net-host" type veth peer name "$net-node" netns "$net"
  ip addr add "$host/32" dev "$net-host"; ip link set "$net-host" up
  ip route add "$node/32" dev "$net-host" src "$host"
  ip route add "$pods" via $node dev "$net-host" onlink       # the host reaches pods and services,
  ip route add "$services" via $node dev "$net-host" onlink   # and answers them over this link, not by its default route
  inside ip addr add "$node/32" dev "$net-node"; inside ip link set "$net-node" up
  inside ip route add "$host/32" dev "$net-node"
  inside ip route add default via "$host" dev "$net-node" onlink   # the host forwards nothing
  inside sysctl -qw net.ipv4.ip_forward=1
}

# certificate NAME SUBJECT EXTENSION...: signed by the cluster's CA.
certificate() {
  local name=$1 subject=$2; shift 2
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "$subject"
  openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -out "$name.crt" -days 90 -extfile <(printf '%s\n' "$@")
}

authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.crt" -subj "/CN=$2" -days 90; }

pki() (
  umask 077; cd "$dir/pki"
  openssl ecparam -name prime256v1 -genkey -noout -out sa.key
  authority ca lab
  mkdir ../edge-ca; authority ../edge-ca/tls "lab edge"; cp ../edge-ca/tls.crt ../edge-ca/ca.crt   # what cert-manager signs with
  certificate apiserver /CN=kube-apiserver extendedKeyUsage=serverAuth \
    "subjectAltName=IP:$node,IP:$api,IP:127.0.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate client /O=system:masters/CN=admin extendedKeyUsage=clientAuth
) 2>/dev/null

kubeconfig() (
  umask 077
  cat >"$KUBECONFIG" <<Y
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://$node:6443", certificate-authority-data: $(base64 -w0 "$dir/pki/ca.crt")}}]
users: [{name: admin, user: {client-certificate-data: $(base64 -w0 "$dir/pki/client.crt"), client-key-data: $(base64 -w0 "$dir/pki/client.key")}}]
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
current-context: lab
Y
)

# What the operator asks the API server, one line each, without what is said: tests compare it with the chart's roles.
audit() {
  cat >"$dir/audit.yaml" <<Y
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["system:serviceaccount:tenant-operator:tenant-operator"]}
- {level: None}
Y
}

control_plane() {
  local kube pki=$dir/pki; kube=$(tool kube)
  audit
  spawn etcd "$kube" etcd --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  spawn kube-apiserver "$kube" kube-apiserver --etcd-servers http://127.0.0.1:2379 --cert-dir "$pki" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
    --bind-address 0.0.0.0 --advertise-address $node --secure-port 6443 \
    --kubelet-client-certificate "$pki/client.crt" --kubelet-client-key "$pki/client.key" --kubelet-preferred-address-types InternalIP \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$pki/sa.key" --service-account-signing-key-file "$pki/sa.key" \
    --service-cluster-ip-range $services --authorization-mode Node,RBAC --allow-privileged \
    --audit-policy-file "$dir/audit.yaml" --audit-log-path "$dir/audit.log" --audit-log-maxsize 1000
  await 60 "API server (see $dir/kube-apiserver.log)" kubectl get --raw /readyz
  spawn kube-controller-manager "$kube" kube-controller-manager --kubeconfig "$KUBECONFIG" --leader-elect=false \
    --flex-volume-plugin-dir "$dir/kubelet/volume-plugins" \
    --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" --use-service-account-credentials
  spawn kube-scheduler "$kube" kube-scheduler --kubeconfig "$KUBECONFIG" --leader-elect=false
}

# Every pod on a link of its own, not all on one bridge: there, a Service's answers would be routed only with br_netfilter loaded.
runtime() {
  cat >"$dir/cni/10-lab.conflist" <<Y
{"cniVersion": "0.4.0", "name": "$net", "plugins": [{"type": "ptp",
 "ipam": {"type": "host-local", "dataDir": "$dir/ipam", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
Y
  cat >"$dir/containerd/config.toml" <<Y
version = 2
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/containerd/sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(image_name pause)"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  cni = { bin_dir = "/usr/lib/cni", conf_dir = "$dir/cni" }
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  options = { Root = "$dir/runc" }
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "$dir/containerd/registries"
[plugins."io.containerd.internal.v1.opt"]
  path = "$dir/containerd/opt"
Y
  mkdir -p "$dir/containerd/registries/_default"
  echo 'server = "http://127.0.0.1:1"' >"$dir/containerd/registries/_default/hosts.toml"   # there is no registry: a pull fails at once
  spawn containerd containerd -c "$dir/containerd/config.toml"
  await 20 "containerd (see $dir/containerd.log)" ctr_ version
}

# The kubelet puts every pod below a cgroup of the lab's own, beside whatever else this host runs.
cgroup() {
  local root=/sys/fs/cgroup hierarchy controller
  if [ -e $root/cgroup.controllers ]; then
    for controller in cpu cpuset memory hugetlb pids; do
      ! grep -qw "$controller" $root/cgroup.controllers || echo "+$controller" >$root/cgroup.subtree_control
    done
    mkdir -p "$root/$net"
    return
  fi
  for hierarchy in "$root"/*/; do
    [ ! -e "$hierarchy/cgroup.procs" ] || mkdir -p "$hierarchy/$net"
  done
  cat $root/cpuset/cpuset.cpus >"$root/cpuset/$net/cpuset.cpus"; cat $root/cpuset/cpuset.mems >"$root/cpuset/$net/cpuset.mems"
}

kubelet() {
  local kube; kube=$(tool kube)
  echo "nameserver $dns" >"$dir/resolv.conf"
  cat >"$dir/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$dir/containerd/sock
crashLoopBackOff: {maxContainerRestartPeriod: 1s}   # what is killed on purpose need not wait for minutes
cgroupDriver: cgroupfs
cgroupRoot: /$net
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
evictionHard: {memory.available: 100Mi}
imageGCHighThresholdPercent: 100
imagePullCredentialsVerificationPolicy: NeverVerify   # or an image that is loaded after a pod asked for it would be pulled all the same
podLogsDir: $dir/logs
volumePluginDir: $dir/kubelet/volume-plugins
clusterDNS: [$dns]
clusterDomain: cluster.local
resolvConf: $dir/resolv.conf
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $dir/pki/ca.crt}}
authorization: {mode: Webhook}
Y
  spawn kubelet "$kube" kubelet --config "$dir/kubelet.yaml" --kubeconfig "$KUBECONFIG" --root-dir "$dir/kubelet" \
    --cert-dir "$dir/pki/kubelet" --node-ip $node --hostname-override lab
  spawn kube-proxy "$kube" kube-proxy --kubeconfig "$KUBECONFIG" --hostname-override lab --cluster-cidr $pods --proxy-mode nftables \
    --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s   # not a namespace's to set
  await 60 "ready node (see $dir/kubelet.log)" kubectl wait --for=condition=Ready node/lab --timeout=1s
}

node_up() {
  mkdir -p "$dir"/{cni,pki,containerd,logs}; touch "$dir/.lab"
  local fixed; for fixed in "${fixed_paths[@]}"; do [ -e "$fixed" ] || echo "$fixed" >>"$dir/.lab"; done
  network; pki; kubeconfig; cgroup; runtime; control_plane; kubelet
}

# load ARCHIVE|IMAGE...: an image that the cache holds may be given by its name. Known by the digest of the archive's own table of contents: a changed image under a known name is another image.
load() {
  local archive digest
  for archive; do
    [ -e "$archive" ] || archive=$cache/images/$(basename "${archive/:/-}").tar
    digest=$(tar -xOf "$archive" --occurrence=1 manifest.json | sha256sum | cut -c1-32)
    [ ! -e "$dir/loaded/$digest" ] || continue
    ctr_ images import "$archive" >/dev/null
    mkdir -p "$dir/loaded"; touch "$dir/loaded/$digest"
  done
}

# shims: the processes that hold this lab's containers, also those that a killed containerd has left behind.
shims() {
  local pid
  grep -slF "$dir/containerd/" /proc/[0-9]*/cmdline | while IFS=/ read -r _ _ pid _; do
    ! grep -qs ^containerd-shim "/proc/$pid/comm" || echo "$pid"
  done
}
kill_all() { [ $# -eq 0 ] || kill -9 "$@" 2>/dev/null || true; }   # nothing in a lab is worth a graceful end

node_down() {
  if [ -e "$dir/.lab" ]; then
    stop
    local sockets=("$dir"/containerd/state/io.containerd.runtime.v2.task/k8s.io/*/address)
    # There are none in a lab that ended before its first pod.
    { sed -s 's|^unix://||; s|$|\n|' "${sockets[@]}" 2>/dev/null || true; } | xargs -r rm -f
    rm -f /var/lib/cni/results/"$net"-*
    find /var/log/containers -lname "$dir/*" -delete 2>/dev/null || true
    awk -v d="$dir/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
    xargs -r rm -rf <"$dir/.lab"
    rm -rf "$dir"
  fi
  ip netns del "$net" 2>/dev/null || true
  ip link del "$net-host" 2>/dev/null || true
  find /sys/fs/cgroup -depth -type d -path "*/$net*" -exec rmdir {} + 2>/dev/null || true
}

stop() {
  local name shim
  for name in "${servers[@]}"; do ! runs "$name" || kill_all "$(<"$dir/$name.pid")"; done
  for shim in $(shims); do
    # shellcheck disable=SC2046  # one word each
    kill_all $(ps -o pid= --ppid "$shim")
  done
  # shellcheck disable=SC2046
  kill_all $(shims)
  await 10 "end of the lab's processes" ended
}
# One of the servers alone, as if it had crashed, and back again.
stop_server() { [ -e "$dir/$1.pid" ] || die "no server $1"; ! runs "$1" || kill_all "$(<"$dir/$1.pid")"; await 10 "end of $1" gone "$1"; }
start_server() {
  local command
  [ -e "$dir/$1.command" ] || die "no server $1"
  gone "$1" || return 0
  mapfile -d '' -t command <"$dir/$1.command"
  spawn "$1" "${command[@]}"
}
gone() { ! runs "$1"; }
ended() { ! alive_any && [ -z "$(shims)" ]; }
alive_any() { local name; for name in "${servers[@]}"; do ! runs "$name" || return 0; done; return 1; }
