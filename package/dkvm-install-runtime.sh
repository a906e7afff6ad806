#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the installed DKVM known to Docker and says how to use it with Podman: dkvm-install-runtime.sh
#
#   --daemon-json FILE   Docker's configuration (/etc/docker/daemon.json)
#   --no-reload          only write the file
#   --no-check           do not look whether this host has what VMs need
#
# All else in the file stays as it is. Docker takes new runtimes on a reload: no container is touched.
set -eu
# shellcheck source-path=SCRIPTDIR source=dkvm-common.sh
. "$(dirname "$(readlink -f "$0")")/dkvm-common.sh"

usage() { die "usage: dkvm-install-runtime.sh [--daemon-json FILE] [--no-reload] [--no-check]"; }

file=/etc/docker/daemon.json reload=yes check=yes
while [ $# -gt 0 ]; do
    case $1 in
        --daemon-json)
            [ $# -gt 1 ] || usage
            file=$2
            shift
            ;;
        --no-reload) reload='' ;;
        --no-check) check='' ;;
        *) usage ;;
    esac
    shift
done
need_root

engine_knows_dkvm() {
    # shellcheck disable=SC2016 # the engine's own template
    local_docker info --format '{{range $name, $r := .Runtimes}}{{$name}} {{end}}' 2>/dev/null | grep -qw dkvm
}

await_reload() {
    tries=0
    until engine_knows_dkvm; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || die "the Docker engine was told to reload $file but does not know \"dkvm\": see its log"
        sleep 0.1
    done
    say "the Docker engine reloaded its configuration: docker run --runtime=dkvm IMAGE"
}

register() {
    change=$(java org.dkvm.install.DaemonJson register "$file" "$root/scripts/dkvm-runtime") || die "${change:-nothing was changed}"
    say "$file: runtime \"dkvm\" is $root/scripts/dkvm-runtime ($change)"
    [ "$change" = unchanged ] || [ ! -e "$file.dkvm-backup" ] || say "$file.dkvm-backup is the file as it was"
    if [ -z "$reload" ] || { [ "$change" = unchanged ] && engine_knows_dkvm; }; then
        return
    elif reload_engine; then
        await_reload
    elif engine_knows_dkvm; then
        say "the Docker engine knows \"dkvm\"; if that is another one, restart the engine"
    else
        say "no Docker engine runs here that could be told: the next one will know \"dkvm\""
    fi
}

# Without a configuration's file there may still be an engine.
if command -v dockerd >/dev/null || command -v docker >/dev/null || [ -e "$file" ]; then
    register
fi
# The administrator's command, its manual pages and completions, unless a package has brought them or somebody has others.
if [ ! -e /usr/bin/dkvm ]; then
    shared_links | while read -r place target; do
        if [ ! -e "$place" ]; then
            mkdir -p "$(dirname "$place")"
            ln -sf "$target" "$place"
        fi
    done
fi
if command -v podman >/dev/null; then
    say "Podman: podman --runtime $root/scripts/dkvm-runtime run IMAGE"
    say "  or, for \"--runtime dkvm\", in /etc/containers/containers.conf:"
    say "    [engine.runtimes]"
    say "    dkvm = [\"$root/scripts/dkvm-runtime\"]"
fi
# The administrator hears now, and not the first container's reader, that KVM does not work here: the verdict is kept.
if [ -n "$check" ]; then
    say "this host:"
    "$root/bin/dkvm" check | sed 's/^/    /'
fi
# What VMs of the default size are restored from. Without it they boot.
if "$root/bin/dkvm" config | grep -q '"template".*"auto"'; then
    say "template of VMs of the default size:"
    made=$("$root/bin/dkvm" template make 2>&1) || made="none: ${made#dkvm template make failed: }"
    say "    $made"
fi
