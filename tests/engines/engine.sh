#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Newer engines than the machine's own, from Debian's packages, for the end-to-end cases:
#   engine.sh build                    makes the roots of all, or takes them from the cache; one that can not be made is a warning
#   engine.sh run ENGINE DIRECTORY     Docker with DIRECTORY/docker.sock, its data in DIRECTORY; or "podman": says "ready", and nsenter(1)
#                                      finds it with DIRECTORY as /engine, and DIRECTORY/dkvm as /etc/dkvm. Ends when its standard input does
#
# An engine runs in mount, network and process namespaces of its own, with the root of its suite: neither its bridge nor its rules
# are the machine's, and with its first process all of its processes, mounts and interfaces end.
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

# Docker 26 and 28, by the names of Debian's suites; Podman 5.4, which is of trixie, too.
ENGINES=(trixie sid podman)
STOP_SECONDS=20

# packages ENGINE: dkvm-runtime is a shell script; nothing configures the packages, so what it runs is named here.
packages() {
    case $1 in
        podman) printf 'podman,crun,runc,netavark,aardvark-dns,catatonit,nftables' ;;
        *) printf 'docker.io' ;;
    esac
    printf ',iptables,dash,sed,coreutils,mount'
}

# extract ENGINE RAW. A mirror that is not renewed daily has a Release file of sid that expires.
extract() {
    local suite=${1/podman/trixie}
    mmdebstrap --quiet --variant=extract --mode=root --include="$(packages "$1")" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$2"
}

# make_root ENGINE ENTRY
make_root() {
    local root=$2.making name
    rm -rf "$root"
    extract "$1" "$root"
    chmod 755 "$root"
    for name in bin sbin lib lib64; do
        [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
    done
    for name in sh:dash iptables:iptables-nft ip6tables:ip6tables-nft; do
        [ -e "$root/usr/bin/${name%:*}" ] || [ -e "$root/usr/sbin/${name%:*}" ] || case $name in
            sh:*) ln -s dash "$root/usr/bin/sh" ;;
            *) ln -s "${name#*:}" "$root/usr/sbin/${name%:*}" ;;
        esac
    done
    [ -e "$root/var/run" ] || ln -s ../run "$root/var/run"
    # Mount points; what is made below them while it runs is not here.
    (cd "$root" && mkdir -p proc sys dev run tmp root mnt opt/dkvm etc/docker etc/dkvm var/lib/docker var/lib/containerd var/cache/dkvm var/log var/tmp engine)
    rm -rf "$root"/usr/share/{doc,man,locale,info} "$root"/var/cache/apt "$root"/var/lib/apt
    : >"$root/etc/resolv.conf"
    unshare --pid --fork --mount-proc="$root/proc" chroot "$root" "$(program "$1")" --version
    mv "$root" "$2"
}

# program ENGINE
program() {
    [ "$1" = podman ] && echo podman || echo dockerd
}

entry() {
    local key
    key=$({ printf '%s\n' "$1" "$(packages "$1")" && declare -f extract make_root program; } | sha256sum | cut -c1-16)
    printf '%s' "$DKVM_CACHE/engine/$1-$key"
}

build() {
    local engine entry status
    mkdir -p "$DKVM_CACHE/engine"
    locked engine
    for engine in "${ENGINES[@]}"; do
        entry=$(entry "$engine")
        if [ -d "$entry" ]; then
            say "    taken from the cache: $entry"
            continue
        fi
        need_root "making an engine's root"
        find "$DKVM_CACHE/engine" -mindepth 1 -maxdepth 1 -type d -name "$engine-*" -exec rm -rf {} +
        attempt make_root "$engine" "$entry" >"$DKVM_CACHE/engine/$engine.log" 2>&1
        if [ "$status" = 0 ]; then
            say "    $engine: $(tail -n 1 "$DKVM_CACHE/engine/$engine.log"), $(du -sm "$entry" | cut -f1) MB"
        else
            # What changes daily is the archive's affair: its cases skip, and say why.
            tail -n 3 "$DKVM_CACHE/engine/$engine.log" >&2
            warn "no engine from $engine; all of it in $DKVM_CACHE/engine/$engine.log"
        fi
    done
}

# set_up ROOT DIRECTORY: in the new namespaces. The root stays as it was made, whoever runs.
set_up() {
    local root=$1 directory=$2 name proxy=true
    mount --bind "$root" "$root"
    mount -o remount,bind,ro "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t sysfs sysfs "$root/sys"
    mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
    for name in run tmp etc/docker etc/dkvm var/log var/tmp var/cache; do
        mount -t tmpfs -o mode=755 tmpfs "$root/$name"
    done
    for name in docker containerd; do
        mkdir -p "$directory/$name"
        mount --bind "$directory/$name" "$root/var/lib/$name"
    done
    mount --bind "$directory" "$root/engine"
    # A name server that a case starts at this address.
    echo 'nameserver 10.53.53.53' >"$directory/resolv.conf"
    mount --bind "$directory/resolv.conf" "$root/etc/resolv.conf"
    mount --bind /opt/dkvm "$root/opt/dkvm"
    # What was found out about this machine, once a boot of it.
    mkdir -p /run/dkvm "$root/run/dkvm"
    mount --bind /run/dkvm "$root/run/dkvm"
    # A kernel may have the tables of old only.
    if ! chroot "$root" /usr/sbin/iptables-nft -w -t nat -n -L >/dev/null 2>&1; then
        mount --bind "$root/usr/sbin/xtables-legacy-multi" "$root/usr/sbin/xtables-nft-multi"
    fi
    # One of them publishes ports by rules alone.
    [[ $root != */trixie-* ]] || proxy=false
    printf '{"runtimes": {"dkvm": {"path": "/opt/dkvm/scripts/dkvm-runtime"}}, "userland-proxy": %s}\n' "$proxy" >"$root/etc/docker/daemon.json"
    ip link set lo up
    # Not by chroot: runc's exec enters a container's mounts at their topmost root, which would be this machine's.
    cd "$root"
    pivot_root . mnt
    cd /
    umount -l /mnt
}

# The first process of the namespaces: what loses its parent becomes this one's, and ends with it.
inside() {
    local root=$1 directory=$2 pid deadline
    set_up "$root" "$directory"
    if [[ $root == */podman-* ]]; then
        # crun takes version 1 of the control groups only where there is nothing of version 2.
        umount /sys/fs/cgroup/unified 2>/dev/null || :
        mount --bind /engine/dkvm /etc/dkvm
        echo ready
        read -r _ || true
        return
    fi
    dockerd --host unix:///engine/docker.sock </dev/null >/engine/dockerd.log 2>&1 &
    pid=$!
    # Nobody writes: this waits for the end of whoever started the engine.
    read -r _ || true
    kill "$pid"
    deadline=$((SECONDS + STOP_SECONDS))
    while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
}

run() {
    local root
    need_root "running an engine"
    root=$(entry "$1")
    [ -d "$root" ] || die "no engine from $1: tests/engines/engine.sh build makes one; its log is $DKVM_CACHE/engine/$1.log"
    mkdir -p "$2"
    exec unshare --mount --net --pid --fork --kill-child --propagation private "$0" inside "$root" "$(realpath "$2")"
}

case ${1:-},$# in
    build,1) build ;;
    run,3 | inside,3) "$@" ;;
    *) die "usage: engine.sh build | run ENGINE DIRECTORY" ;;
esac
