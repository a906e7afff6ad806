# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the scripts that install, register and remove DKVM share. To be sourced; any POSIX shell, coreutils or busybox.
#
# An installation, "root", is /opt/dkvm: versions/NAME/ are whole packages side by side, "current" is a link to one of them, and
# scripts, bin, kernels … are links through it. docs/adr/0018-versions-side-by-side.md says why.

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

need_root() { [ "$(id -u)" = 0 ] || die "this needs root: run it as root or with sudo"; }

# The package that the script is part of, and the installation that it is a version of.
home=$(cd -P "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck disable=SC2034 # read by those who source this
root=${home%/versions/*}

# The sandbox's Java, started by its own loader, so that any host's C library will do. It starts programs without its helper, which is for the host's.
java() {
    "$home/sandbox/lib64/ld-linux-x86-64.so.2" --library-path "$home/sandbox/usr/lib/x86_64-linux-gnu" \
        "$home/sandbox/opt/dkvm/jre/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djdk.lang.Process.launchMechanism=FORK \
        -cp "$home/sandbox/opt/dkvm/lib/dkvm.jar:$home/sandbox/opt/dkvm/lib/gson.jar" "$@"
}

# lock ROOT: nobody else changes the installation until this script ends, however it ends.
lock() {
    exec 9>"$1/.lock"
    "$home/lib/dkvm-files" lock 9 || die "somebody else installs, upgrades or removes \"$1\": wait for it"
}

# point ROOT LINK TARGET: a link made or changed by one rename.
point() {
    [ "$(readlink "$1/$2" 2>/dev/null)" != "$3" ] || return 0
    rm -f "$1/.new-link"
    ln -s "$3" "$1/.new-link"
    mv -T "$1/.new-link" "$1/$2"
}

# Places outside of the installation, each with what the link there leads to.
shared_links() {
    echo "/usr/local/bin/dkvm $root/bin/dkvm"
    (cd "$home" && find share -type f) | sed "s|.*|/usr/local/& $root/&|"
}

# An engine under systemd, or one whose pid is in the usual file. It takes new runtimes on a reload: no container is touched.
reload_engine() {
    if [ -d /run/systemd/system ] && systemctl is-active --quiet docker 2>/dev/null; then
        systemctl reload docker
        return
    fi
    pid=$(cat /var/run/docker.pid 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 1
    kill -HUP "$pid"
}

# The engine of this machine, whatever the caller's client is set to.
local_docker() {
    DOCKER_CONTEXT='' DOCKER_HOST=unix:///var/run/docker.sock docker "$@"
}

# vms DIRECTORY: how many VMs run from the package in DIRECTORY: processes have its sandbox/ as their root, each VM's in a PID namespace.
vms() {
    if [ ! -d "$1/sandbox" ]; then
        echo 0
        return
    fi
    for process in /proc/[0-9]*; do
        # Processes come and go meanwhile.
        # shellcheck disable=SC3013 # dash and busybox have it
        [ ! "$process/root" -ef "$1/sandbox" ] || readlink "$process/ns/pid" || true
    done 2>/dev/null | sort -u | wc -l | tr -d ' '
}
