#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetches Debian's own kernel for virtual machines (linux-image-cloud-amd64 and the real package it stands for).
set -euo pipefail

usage() {
    cat <<'END'
usage: debian.sh [--update] OUTDIR [trixie|bookworm]

Puts into OUTDIR: vmlinuz, config, version (the kernel's release) and modules/ (what belongs in
/lib/modules/<release>, with modules.dep).
  --update  fetch the newest even if the cache holds one

Environment: DKVM_CACHE  cache folder (~/.cache/dkvm)
END
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

main() {
    parse "$@"
    if [ -n "$update" ] || ! find_kernel; then
        lock_cache debian
        if [ -n "$update" ] || ! find_kernel; then
            fetch_kernel
            find_kernel
        fi
    fi
    put "$outdir" "$kernel" vmlinuz config version modules
    say "$(cat "$kernel/version") in $outdir"
}

parse() {
    update='' outdir='' suite=''
    while [ $# -gt 0 ]; do
        case $1 in
            --update) update=yes ;;
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
    case $outdir/$suite in
        /*/trixie | /*/bookworm | [!/]*/trixie | [!/]*/bookworm) ;;
        *) usage >&2; exit 2 ;;
    esac
}

# The newest of this suite in the cache.
find_kernel() {
    local version
    version=$(find "$CACHE/debian-$suite" -mindepth 2 -maxdepth 2 -name version 2>/dev/null | sort -V | tail -1)
    [ -n "$version" ] || return 1
    kernel=${version%/version}
}

fetch_kernel() {
    need depmod kmod
    local new=$CACHE/debian-$suite/.new release images
    rm -rf "$new"
    # bookworm still has /lib/modules where trixie has /usr/lib/modules
    fetch_debian "$suite" linux-image-cloud-amd64 "$new/root" './boot/*' './lib/modules/*' './usr/lib/modules/*'
    images=("$new"/root/boot/vmlinuz-*)
    if [ ! -f "${images[0]}" ] || [ ${#images[@]} -ne 1 ]; then
        die "not one kernel came with Debian $suite's linux-image-cloud-amd64 but: ${images[*]##*/}"
    fi
    release=${images[0]##*/vmlinuz-}
    [ ! -d "$new/root/usr/lib/modules" ] || mv "$new/root/usr/lib" "$new/root/lib"
    PATH=$PATH:/usr/sbin:/sbin depmod -b "$new/root" "$release"
    mkdir "$new/result"
    mv "${images[0]}" "$new/result/vmlinuz"
    mv "$new/root/boot/config-$release" "$new/result/config"
    mv "$new/root/lib/modules/$release" "$new/result/modules"
    rm -f "$new/result/modules/build" "$new/result/modules/source"
    echo "$release" >"$new/result/version"
    rm -rf "${CACHE:?}/debian-$suite/$release"
    mv -T "$new/result" "$CACHE/debian-$suite/$release"
    rm -rf "$new"
}

main "$@"
