#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A containerd with its own files and socket, in a network namespace of its own, with the runtimes runc and dkvm: containerd.sh DIRECTORY
#
# DIRECTORY/sock is its socket, for ctr(1) and cri.py. Its images are for the caller to bring. It becomes containerd: a SIGTERM ends it.
set -euo pipefail
dir=$1
mkdir -p "$dir/cni"
cat >"$dir/cni/10-pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.232.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$dir/ipam"}}]}
END
cat >"$dir/config.toml" <<END
version = 2
root = "$dir/root"
state = "$dir/state"
[grpc]
address = "$dir/sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/dkvm-test/pause:latest"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$dir/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.dkvm]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.dkvm.options]
BinaryName = "/opt/dkvm/scripts/dkvm-runtime"
END
# shellcheck disable=SC2016 # the other shell's own
exec unshare --net sh -ec 'ip link set lo up; exec containerd --config "$1"' sh "$dir/config.toml"
