#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes DKVM off this machine: dkvm-uninstall.sh [--force] [--daemon-json FILE]
#
# The runtime is taken out of Docker's configuration and the package is removed. Containers stay, and so do /etc/dkvm and the
# logs in /var/log/dkvm. With VMs running nothing is done, unless --force says that they may end badly.
set -eu

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
file=/etc/docker/daemon.json
force=''
while [ $# -gt 0 ]; do
    case $1 in
        --force) force=yes ;;
        --daemon-json)
            [ $# -gt 1 ] || die "--daemon-json needs a file"
            file=$2
            shift
            ;;
        *) die "usage: dkvm-uninstall.sh [--force] [--daemon-json FILE]" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || die "this needs root: run it as root or with sudo"
# The last line of this script must not remove anything else, wherever it was copied to.
if [ ! -e "$home/scripts/dkvm-runtime" ] || [ ! -d "$home/sandbox/opt/dkvm" ]; then
    die "\"$home\" is no package of DKVM"
fi

running=''
for directory in "$home" "$home".old-*; do
    id=$(stat -c %d:%i "$directory/sandbox" 2>/dev/null) || continue
    ! stat -L -c %d:%i /proc/[0-9]*/root 2>/dev/null | grep -qx "$id" || running=yes
done
if [ -n "$running" ] && [ -z "$force" ]; then
    die "VMs are running: stop their containers first, or use --force"
fi

if [ -e "$file" ]; then
    change=$("$home/sandbox/lib64/ld-linux-x86-64.so.2" --library-path "$home/sandbox/usr/lib/x86_64-linux-gnu" \
        "$home/sandbox/opt/dkvm/jre/bin/java" -cp "$home/sandbox/opt/dkvm/lib/dkvm.jar:$home/sandbox/opt/dkvm/lib/gson.jar" \
        org.dkvm.install.DaemonJson unregister "$file")
    say "$file: runtime \"dkvm\" is taken out ($change)"
    if [ "$change" = changed ]; then
        if [ -d /run/systemd/system ] && systemctl is-active --quiet docker 2>/dev/null; then
            systemctl reload docker
        elif pid=$(cat /var/run/docker.pid 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
            kill -HUP "$pid"
        fi
    fi
fi
[ "$(readlink /usr/local/bin/dkvm 2>/dev/null)" != "$home/bin/dkvm" ] || rm /usr/local/bin/dkvm
rm -rf "$home" "$home".old-*
say "$home is removed"
