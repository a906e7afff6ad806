#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Kubernetes of one node: cluster.sh start DIRECTORY PROGRAMS | stop DIRECTORY
#
#   start   etcd, kube-apiserver, containerd and a kubelet, with all their files in DIRECTORY; PROGRAMS is what build.sh printed.
#           Runtime classes "runc" and "dkvm". Ends when the node is ready; DIRECTORY/kubectl is a kubectl of that cluster
#   stop    ends them all, by their process numbers, and takes back what they did to the machine
#
# All of it is in a network namespace of its own. No scheduler, no controllers: pods say "nodeName: node".
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

# Not on loopback: the API server wants an address that pods can reach.
NODE=10.233.0.1
PODS=10.234.0.0/16
PODS6=fd00:234::/64
SERVICES=10.235.0.0/16
# dkvm-test/NAME, and what it is called in here. Not "latest", which a kubelet would look for in a registry.
IMAGES=(pause busybox python nginx)
declare -A NAMES=([pause]=dkvm-test/pause:1 [busybox]='dkvm-test/busybox:1 library/busybox:1.37' [python]=dkvm-test/python:1 [nginx]=library/nginx:1.26)
START_SECONDS=180
STOP_SECONDS=30
# What a kubelet sets, for the whole machine.
SYSCTLS=(kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes vm/overcommit_memory vm/panic_on_oom)

in_network() { nsenter --net="/proc/$(cat "$dir/pids/network")/ns/net" -- "$@"; }

# daemon NAME COMMAND…: in the cluster's network, with its output in NAME.log and its number in pids/NAME.
daemon() {
    local name=$1
    shift
    # No shell stays between: the number is the program's own.
    (exec nsenter --net="/proc/$(cat "$dir/pids/network")/ns/net" -- setsid "$@" </dev/null >>"$dir/$name.log" 2>&1) &
    echo $! >"$dir/pids/$name"
}

# until_true NAME COMMAND…: waits for the command to succeed as long as NAME runs.
until_true() {
    local name=$1 end=$((SECONDS + START_SECONDS))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -gt "$end" ] || ! kill -0 "$(cat "$dir/pids/$name")" 2>/dev/null; then
            tail -n 30 "$dir/$name.log" >&2
            die "$name does not come up: \"$*\" fails; its whole output is in $dir/$name.log"
        fi
        sleep 0.2
    done
}

make_network() {
    setsid unshare --net sleep infinity </dev/null >/dev/null 2>&1 &
    echo $! >"$dir/pids/network"
    until [ "$(readlink "/proc/$(cat "$dir/pids/network")/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
        sleep 0.05
    done
    in_network ip link set lo up
    in_network ip link add node0 type veth peer name node1
    in_network ip addr add "$NODE/24" dev node0
    in_network ip link set node0 up
    in_network ip link set node1 up
    # Addresses of services must have a way, or nobody's connect() gets as far as a rule for them.
    in_network ip route add default dev node0
    # CNI's portmap wants tables that this kernel has.
    if ! iptables -w -t nat -n -L >/dev/null 2>&1; then
        mkdir "$dir/bin"
        ln -s "$(command -v iptables-legacy)" "$dir/bin/iptables"
        ln -s "$(command -v ip6tables-legacy)" "$dir/bin/ip6tables"
        PATH=$dir/bin:$PATH
    fi
}

start_containerd() {
    mkdir -p "$dir/cni"
    cat >"$dir/cni/10-pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$PODS"}], [{"subnet": "$PODS6"}]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}], "dataDir": "$dir/ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
    cat >"$dir/containerd.toml" <<END
version = 2
root = "$dir/containerd"
state = "$dir/run"
[grpc]
address = "$dir/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/dkvm-test/pause:1"
restrict_oom_score_adj = true
disable_apparmor = true
stream_server_address = "$NODE"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$dir/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.dkvm]
runtime_type = "io.containerd.runc.v2"
pod_annotations = ["dkvm.*"]
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.dkvm.options]
BinaryName = "/opt/dkvm/scripts/dkvm-runtime"
END
    daemon containerd containerd --config "$dir/containerd.toml"
    until_true containerd ctr -a "$dir/containerd.sock" version
    local name other
    for name in "${IMAGES[@]}"; do
        docker save "dkvm-test/$name" | ctr -a "$dir/containerd.sock" -n k8s.io images import --snapshotter native - >/dev/null
        for other in ${NAMES[$name]}; do
            ctr -a "$dir/containerd.sock" -n k8s.io images tag "docker.io/dkvm-test/$name:latest" "docker.io/$other" >/dev/null
        done
    done
}

start_api() {
    daemon etcd "$programs/etcd" --data-dir "$dir/etcd" --unsafe-no-fsync \
        --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380
    until_true etcd in_network curl -sf http://127.0.0.1:2379/health
    mkdir -p "$dir/pki"
    openssl genrsa -out "$dir/pki/accounts.key" 2048 2>/dev/null
    echo 'secret,admin,admin,system:masters' >"$dir/pki/tokens.csv"
    chmod 600 "$dir"/pki/*
    daemon kube-apiserver "$programs/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --cert-dir="$dir/pki" \
        --bind-address="$NODE" --advertise-address="$NODE" --secure-port=6443 --service-cluster-ip-range="$SERVICES" \
        --feature-gates=EphemeralContainers=true --authorization-mode=AlwaysAllow --disable-admission-plugins=ServiceAccount --token-auth-file="$dir/pki/tokens.csv" --allow-privileged \
        --kubelet-preferred-address-types=InternalIP \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$dir/pki/accounts.key" \
        --service-account-signing-key-file="$dir/pki/accounts.key"
    cat >"$dir/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$NODE:6443", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
END
    cat >"$dir/kubectl" <<END
#!/bin/sh
exec nsenter --net=/proc/$(cat "$dir/pids/network")/ns/net -- $programs/kubectl --kubeconfig=$dir/kubeconfig --cache-dir=$dir/kubectl.cache "\$@"
END
    chmod 755 "$dir/kubectl"
    until_true kube-apiserver "$dir/kubectl" get --raw /readyz
    until_true kube-apiserver "$dir/kubectl" get namespace default
    "$dir/kubectl" create serviceaccount default >/dev/null
    "$dir/kubectl" apply -f - >/dev/null <<'END'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: runc}
handler: runc
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: dkvm}
handler: dkvm
overhead: {podFixed: {memory: 320Mi}}
END
}

# The kubelet's groups are below one of the cluster's own, in each hierarchy.
groups() { find /sys/fs/cgroup -maxdepth 2 -type d -name "${dir##*/}-kubelet"; }

make_groups() {
    local hierarchy
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir "/sys/fs/cgroup/${dir##*/}-kubelet"
        sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
        return
    fi
    for hierarchy in /sys/fs/cgroup/*/; do
        # Names for several, such as "cpu", may be links.
        [ -L "${hierarchy%/}" ] || mkdir -p "$hierarchy${dir##*/}-kubelet"
    done
    # A new group of cpusets has no processor until it is told.
    for hierarchy in cpus mems; do
        cat "/sys/fs/cgroup/cpuset/cpuset.$hierarchy" >"/sys/fs/cgroup/cpuset/${dir##*/}-kubelet/cpuset.$hierarchy" || true
    done
}

start_kubelet() {
    local name
    for name in "${SYSCTLS[@]}"; do
        echo "$name $(cat "/proc/sys/$name")"
    done >"$dir/sysctls"
    echo 'nameserver 10.233.0.53' >"$dir/resolv.conf"
    make_groups
    cat >"$dir/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
featureGates: {EphemeralContainers: true}
cgroupRoot: /${dir##*/}-kubelet
clusterDNS: [10.235.0.10]
clusterDomain: cluster.local
resolvConf: $dir/resolv.conf
failSwapOn: false
makeIPTablesUtilChains: false
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
imageGCHighThresholdPercent: 100
oomScoreAdj: 0
syncFrequency: 2s
volumePluginDir: $dir/plugins
END
    daemon kubelet "$programs/kubelet" --config="$dir/kubelet.yaml" --kubeconfig="$dir/kubeconfig" --root-dir="$dir/kubelet" \
        --cert-dir="$dir/pki" --container-runtime=remote --container-runtime-endpoint="unix://$dir/containerd.sock" \
        --hostname-override=node --node-ip="$NODE"
    until_true kubelet "$dir/kubectl" wait --for=condition=Ready node/node --timeout=2s
}

start() {
    need_root 'a cluster'
    local wanted
    for wanted in containerd ctr docker openssl curl runc nsenter iptables; do
        command -v "$wanted" >/dev/null || die "\"$wanted\" is missing, which the cluster needs"
    done
    [ -x /usr/lib/cni/bridge ] || die 'the plugins of CNI are missing: apt-get install containernetworking-plugins'
    [ ! -e "$dir/pids" ] || die "\"$dir\" has a cluster already: cluster.sh stop \"$dir\""
    mkdir -p "$dir"
    # What the kubelet mounts is seen by its containers, where they ask for that.
    mount --bind "$dir" "$dir"
    mount --make-shared "$dir"
    mkdir -p "$dir/pids"
    make_network
    start_containerd
    start_api
    start_kubelet
}

# end NAME: asks it to end, and does not ask for long.
end() {
    local pid end=$((SECONDS + STOP_SECONDS))
    pid=$(cat "$dir/pids/$1" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || kill -9 "$pid" 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$dir/pids/$1"
}

stop() {
    [ -d "$dir/pids" ] || return 0
    local id name value group
    end kubelet
    if [ -S "$dir/containerd.sock" ]; then
        # Pods that a broken case left: what is dead already is as well.
        for id in $(ctr -a "$dir/containerd.sock" -n k8s.io task ls -q 2>/dev/null); do
            ctr -a "$dir/containerd.sock" -n k8s.io task rm -f "$id" >/dev/null 2>&1 || true
        done
    fi
    end kube-apiserver
    end etcd
    end containerd
    end network
    while read -r name value; do
        echo "$value" >"/proc/sys/$name"
    done < <(cat "$dir/sysctls" 2>/dev/null)
    for group in $(groups); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    umount -R "$dir" || umount -R -l "$dir"
    rm -rf --one-file-system "$dir"
}

[ $# -ge 2 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$2
case $1/$dir in
    start//*)
        programs=${3:-}
        [ -x "$programs/kubelet" ] || die "\"$programs\" has no kubelet: tests/kubernetes/build.sh prints the directory that has one"
        start
        ;;
    stop//*) stop ;;
    *) die "\"$1 $dir\": start or stop, and a directory by its whole path" ;;
esac
