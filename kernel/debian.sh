#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetches Debian's own kernel for virtual machines (linux-image-cloud-<architecture> and the real package it stands for).
set -euo pipefail

usage() {
    cat <<'END'
usage: debian.sh [--update] [--arch amd64|arm64] OUTDIR [trixie|bookworm]

Puts into OUTDIR: vmlinuz, config, version (the kernel's release) and modules/ (what belongs in
/lib/modules/<release>, with modules.dep).
  --update  fetch the newest even if the cache holds one
  --arch    the architecture (amd64)

Environment: DKVM_CACHE  cache folder (~/.cache/dkvm)
END
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

main() {
    parse "$@"
    if [ -n "$update" ] || ! find_kernel; then
        lock_cache "debian-$arch"
        if [ -n "$update" ] || ! find_kernel; then
            fetch_kernel
            find_kernel
        fi
    fi
    put "$outdir" "$kernel" vmlinuz config version modules
    say "$(cat "$kernel/version") in $outdir"
}

parse() {
    update='' arch=amd64 outdir='' suite=''
    while [ $# -gt 0 ]; do
        case $1 in
            --update) update=yes ;;
            --arch) arch=${2:-} && shift ;;
            --help | -h) usage; exit 0 ;;
            -*) usage >&2; exit 2 ;;
            *)
                if [ -z "$outdir" ]; then outdir=$1
                elif [ -z "$suite" ]; then suite=$1
                else usage >&2; exit 2; fi
                ;;
        esac
        shift
    done
    suite=${suite:-trixie}
    case $arch in
        # The host's has no suffix, as among the package's kernels.
        amd64) cache=$CACHE/debian-$suite ;;
        arm64) cache=$CACHE/debian-$suite-$arch ;;
        *) usage >&2; exit 2 ;;
    esac
    case $outdir/$suite in
        /*/trixie | /*/bookworm | [!/]*/trixie | [!/]*/bookworm) ;;
        *) usage >&2; exit 2 ;;
    esac
}

# The newest of this suite and architecture in the cache.
find_kernel() {
    local version
    version=$(find "$cache" -mindepth 2 -maxdepth 2 -name version 2>/dev/null | sort -V | tail -1)
    [ -n "$version" ] || return 1
    kernel=${version%/version}
}

fetch_kernel() {
    need depmod kmod
    local new=$cache/.new release images
    rm -rf "$new"
    # bookworm still has /lib/modules where trixie has /usr/lib/modules
    fetch_debian "$arch" "$suite" "linux-image-cloud-$arch" "$new/root" './boot/*' './lib/modules/*' './usr/lib/modules/*'
    images=("$new"/root/boot/vmlinuz-*)
    if [ ! -f "${images[0]}" ] || [ ${#images[@]} -ne 1 ]; then
        die "not one kernel came with Debian $suite's linux-image-cloud-$arch but: ${images[*]##*/}"
    fi
    release=${images[0]##*/vmlinuz-}
    [ ! -d "$new/root/usr/lib/modules" ] || mv "$new/root/usr/lib" "$new/root/lib"
    PATH=$PATH:/usr/sbin:/sbin depmod -b "$new/root" "$release"
    mkdir "$new/result"
    case $arch in
        amd64) mv "${images[0]}" "$new/result/vmlinuz" ;;
        # It comes as it is in memory, 30 MiB. QEMU unpacks it in a tenth of a second.
        arm64) gzip -9 -n -c "${images[0]}" >"$new/result/vmlinuz" ;;
    esac
    mv "$new/root/boot/config-$release" "$new/result/config"
    mv "$new/root/lib/modules/$release" "$new/result/modules"
    rm -f "$new/result/modules/build" "$new/result/modules/source"
    echo "$release" >"$new/result/version"
    rm -rf "${cache:?}/$release"
    mv -T "$new/result" "$cache/$release"
    rm -rf "$new"
}

main "$@"
