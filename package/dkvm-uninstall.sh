#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes DKVM off this machine: dkvm-uninstall.sh [--force] [--purge] [--daemon-json FILE]
#
#   --force              although VMs run: they may end badly
#   --purge              /etc/dkvm, too
#   --daemon-json FILE   Docker's configuration (/etc/docker/daemon.json)
#
# The runtime is taken out of Docker's configuration, all versions and all kernels are removed, and what was kept about this host. Containers stay with their
# data, as do the logs in /var/log/dkvm, and run again once DKVM is installed again. Killed at any point, it goes on when it is called again.
set -eu
# shellcheck source-path=SCRIPTDIR source=dkvm-common.sh
. "$(dirname "$(readlink -f "$0")")/dkvm-common.sh"

usage() { die "usage: dkvm-uninstall.sh [--force] [--purge] [--daemon-json FILE]"; }

file=/etc/docker/daemon.json force='' purge=''
while [ $# -gt 0 ]; do
    case $1 in
        --force) force=yes ;;
        --purge) purge=yes ;;
        --daemon-json)
            [ $# -gt 1 ] || usage
            file=$2
            shift
            ;;
        *) usage ;;
    esac
    shift
done
need_root
# What is removed below must be an installation, wherever this script was copied to.
if [ "$root" = "$home" ] || [ ! -L "$root/current" ]; then
    die "\"$root\" is no installation of DKVM"
fi
# Debian's tools know nothing of what is removed behind their back.
if [ -d "$root/package" ] && [ -z "${DPKG_MAINTSCRIPT_PACKAGE:-}" ]; then
    die "\"$root\" comes from a Debian package: apt remove dkvm"
fi

refuse_while_vms_run() {
    for version in "$root"/versions/* "$root".old-*; do
        count=$(vms "$version")
        # A template that is being made, or a kernel that is tried, ends by itself within minutes.
        waited=0
        while [ "$count" -gt 0 ] && [ "$waited" -lt 200 ] && ls /run/dkvm/jobs/*/config.json >/dev/null 2>&1; do
            [ "$waited" -gt 0 ] || say "waiting for a VM that DKVM tries in the background"
            sleep 1
            waited=$((waited + 1))
            count=$(vms "$version")
        done
        [ "$count" -eq 0 ] || [ -n "$force" ] || die "$count VMs run from \"$version\": stop their containers first, or use --force"
    done
}

unregister() {
    [ -e "$file" ] || return 0
    change=$(java org.dkvm.install.DaemonJson unregister "$file") || die "${change:-nothing was changed}"
    say "$file: runtime \"dkvm\" is taken out ($change)"
    [ "$change" = unchanged ] || reload_engine || true
}

# Containers that were made with DKVM and do not run: the engine keeps them, as they are.
list_containers() {
    command -v docker >/dev/null || return 0
    local_docker ps -aq --no-trunc 2>/dev/null | while read -r id; do
        local_docker inspect -f '{{if eq .HostConfig.Runtime "dkvm"}}{{.Name}}{{end}}' "$id" 2>/dev/null | sed -n 's|^/||p'
    done
}

# The scripts and what they need last: as long as anything else is there, this can be called again.
remove() {
    rm -f "$root/previous"
    for version in "$root"/versions/* "$root".old-*; do
        if [ "$version" = "$home" ]; then
            find "$version" -mindepth 1 -maxdepth 1 ! -name scripts -exec rm -rf {} +
        else
            rm -rf "$version"
        fi
    done
    rm -rf "$root"/versions/.[!.]*
    for link in "$root"/*; do
        case $(readlink "$link") in current/scripts) ;; current/*) rm "$link" ;; esac
    done
    rm -rf /run/dkvm /var/cache/dkvm
    [ -z "$purge" ] || rm -rf /etc/dkvm
    rm -rf "$root/versions" "$root/current" "$root/scripts" "$root/.lock" "$root/.removing" "$root/.new-link"
}

[ ! -x "$home/lib/dkvm-files" ] || lock "$root"
refuse_while_vms_run
if [ ! -e "$root/.removing" ]; then
    unregister
    : >"$root/.removing"
fi
containers=$(list_containers)
shared_links 2>/dev/null | while read -r place target; do
    [ "$(readlink "$place" 2>/dev/null)" != "$target" ] || rm "$place"
done
remove
if rmdir "$root" 2>/dev/null; then
    say "$root is removed"
elif [ -z "${DPKG_MAINTSCRIPT_PACKAGE:-}" ]; then
    say "DKVM is removed from $root; what is left there is not DKVM's"
fi
if [ -n "$containers" ]; then
    say "these containers were made for DKVM; they and their data stay, and they start again once DKVM is installed:"
    printf '%s\n' "$containers" | sed 's/^/    /'
fi
