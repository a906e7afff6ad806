#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the installed package known to Docker and says how to use it with Podman: dkvm-install-runtime.sh
#
#   --daemon-json FILE   Docker's configuration (/etc/docker/daemon.json)
#   --no-reload          only write the file
#   --no-check           do not look whether this host has what VMs need
#
# Everything else in the file stays. Docker takes new runtimes on a reload: no container is touched.
set -eu

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

home=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
file=/etc/docker/daemon.json
reload=yes
check=yes
while [ $# -gt 0 ]; do
    case $1 in
        --daemon-json)
            [ $# -gt 1 ] || die "--daemon-json needs a file"
            file=$2
            shift
            ;;
        --no-reload) reload='' ;;
        --no-check) check='' ;;
        *) die "usage: dkvm-install-runtime.sh [--daemon-json FILE] [--no-reload] [--no-check]" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || die "this needs root: run it as root or with sudo"

# The sandbox's Java, started by its own loader, so that any host's C library will do.
java() {
    "$home/sandbox/lib64/ld-linux-x86-64.so.2" --library-path "$home/sandbox/usr/lib/x86_64-linux-gnu" \
        "$home/sandbox/opt/dkvm/jre/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -cp "$home/sandbox/opt/dkvm/lib/dkvm.jar:$home/sandbox/opt/dkvm/lib/gson.jar" "$@"
}

engine_knows_dkvm() {
    DOCKER_HOST=unix:///var/run/docker.sock docker info --format '{{range $name, $r := .Runtimes}}{{$name}} {{end}}' 2>/dev/null |
        grep -qw dkvm
}

# An engine under systemd, or one whose pid is in the usual file.
reload_engine() {
    if [ -d /run/systemd/system ] && systemctl is-active --quiet docker 2>/dev/null; then
        systemctl reload docker
        return
    fi
    pid=$(cat /var/run/docker.pid 2>/dev/null) || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 1
    kill -HUP "$pid"
}

if command -v dockerd >/dev/null || command -v docker >/dev/null || [ -e "$file" ]; then
    change=$(java org.dkvm.install.DaemonJson register "$file" "$home/scripts/dkvm-runtime")
    say "$file: runtime \"dkvm\" is $home/scripts/dkvm-runtime ($change)"
    if [ -n "$reload" ] && ! engine_knows_dkvm; then
        if reload_engine; then
            tries=0
            until engine_knows_dkvm; do
                tries=$((tries + 1))
                [ "$tries" -lt 50 ] || die "the Docker engine was told to reload $file but does not know \"dkvm\": see its log"
                sleep 0.1
            done
            say "the Docker engine reloaded its configuration: docker run --runtime=dkvm IMAGE"
        else
            say "no Docker engine runs here: the next one will know \"dkvm\""
        fi
    fi
fi
# The administrator's command, unless somebody has another one of that name.
if [ -x "$home/bin/dkvm" ] && [ ! -e /usr/local/bin/dkvm ]; then
    mkdir -p /usr/local/bin
    ln -sf "$home/bin/dkvm" /usr/local/bin/dkvm
fi
if command -v podman >/dev/null; then
    say "Podman: podman --runtime $home/scripts/dkvm-runtime run IMAGE"
    say "  or, for \"--runtime dkvm\", in /etc/containers/containers.conf:"
    say "    [engine.runtimes]"
    say "    dkvm = [\"$home/scripts/dkvm-runtime\"]"
fi
# The administrator hears now, and not the first container's reader, that KVM does not work here: the verdict is kept.
if [ -n "$check" ]; then
    say "this host:"
    "$home/bin/dkvm" check | sed 's/^/    /'
fi
