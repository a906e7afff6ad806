#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds DKVM's guest kernel from Debian's linux-source, dkvm.config and the patches beside it.
# README.md says what is in it and how the cache works.
set -euo pipefail

usage() {
    cat <<'END'
usage: build.sh [--no-modules | --modules-only] [--update] OUTDIR
       build.sh --cached [--no-modules]

Puts into OUTDIR: vmlinux, config, version (the kernel's release) and modules/ (what belongs in
/lib/modules/<release>).
  --no-modules    only the kernel; a later call without it goes on from there
  --modules-only  only the modules
  --update        first fetch Debian's newest source
--cached makes nothing: it succeeds if all is there, so that OUTDIR would have it at once.

Environment: DKVM_CACHE  cache folder (~/.cache/dkvm)    DKVM_JOBS  compiler processes (CPUs + 1)
END
}

readonly SUITE=trixie PACKAGE=linux-source-6.12
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

main() {
    parse "$@"
    [ -z "$cached" ] || is_cached
    choose_source
    choose_key
    if ! complete; then
        lock_cache dkvm
        if ! complete; then
            check_tools
            prepare_tree
            build_vmlinux
            [ "$want" = vmlinux ] || build_modules
        fi
    fi
    deliver
}

parse() {
    want=all update='' outdir='' cached=''
    while [ $# -gt 0 ]; do
        case $1 in
            --no-modules) want=vmlinux ;;
            --modules-only) want=modules ;;
            --update) update=yes ;;
            --cached) cached=yes ;;
            --help | -h) usage; exit 0 ;;
            -*) usage >&2; exit 2 ;;
            *) [ -z "$outdir" ] || { usage >&2; exit 2; }; outdir=$1 ;;
        esac
        shift
    done
    [ -n "$outdir$cached" ] || { usage >&2; exit 2; }
}

# Ends the script. What the key is made of may be missing as well.
is_cached() {
    find_source && command -v gcc >/dev/null && command -v ld >/dev/null || exit 1
    choose_key
    complete || exit 1
    exit 0
}

# The newest source in the cache; fetched only if there is none or --update asks, so that Debian's next security
# update does not start a build of ten minutes nobody asked for.
choose_source() {
    [ -z "$update" ] && find_source && return
    lock_cache dkvm
    if [ -n "$update" ] || ! find_source; then fetch_source && find_source; fi
}

find_source() {
    local found
    found=$(find "$CACHE/source" -name "$PACKAGE"_'*.tar.xz' 2>/dev/null | sort -V | tail -1)
    [ -n "$found" ] || return 1
    source=$found
    source_version=${found##*_}
    source_version=${source_version%.tar.xz}
}

fetch_source() {
    local new=$CACHE/source/new version
    rm -rf "$new"
    fetch_debian amd64 "$SUITE" "$PACKAGE" "$new" "./usr/src/$PACKAGE.tar.xz" "./usr/share/doc/$PACKAGE/*"
    [ -s "$new/usr/src/$PACKAGE.tar.xz" ] || die "\"$PACKAGE.tar.xz\" is not in Debian's package $PACKAGE"
    version=$(zcat "$new/usr/share/doc/$PACKAGE"/changelog*.gz | sed -n '1s/.*(\(.*\)).*/\1/p')
    [ -n "$version" ] || die "no version in the changelog of Debian's package $PACKAGE"
    # the day of the release is the day of the build, whenever that is: the same source gives the same bytes
    zcat "$new/usr/share/doc/$PACKAGE"/changelog*.gz | sed -n 's/^ -- .*>  *//p' | sed -n 1p >"$CACHE/source/${PACKAGE}_$version.date"
    mv "$new/usr/src/$PACKAGE.tar.xz" "$CACHE/source/${PACKAGE}_$version.tar.xz"
    rm -rf "$new"
}

# Everything that can change the result names it.
choose_key() {
    need gcc gcc ld binutils
    key=$({
        echo "recipe 1, source $source_version"
        cat "$here/dkvm.config" "$here"/*.patch
        gcc --version | head -1
        ld --version | head -1
    } | sha256sum | cut -c1-16)
    done_dir=$CACHE/$key
    tree=$CACHE/build-$key/linux
    log=$CACHE/build-$key/log
}

complete() {
    [ "$want" = modules ] || [ -f "$done_dir/vmlinux" ] || return 1
    [ "$want" = vmlinux ] || [ -d "$done_dir/modules" ]
}

check_tools() {
    need make make gcc gcc ld binutils flex flex bison bison bc bc perl perl patch patch tar tar xz xz-utils \
        gzip gzip depmod kmod
    echo '#include <gelf.h>' | gcc -E - >/dev/null 2>&1 ||
        die "missing packages; install them with: apt-get install libelf-dev"
}

# Unpacked, patched and configured; what an interrupted build left is taken up again.
prepare_tree() {
    local stale file new=$CACHE/build-$key/new
    for stale in "$CACHE"/build-*; do
        [ "$stale" = "$CACHE/build-$key" ] || rm -rf "$stale"
    done
    if [ -d "$tree" ]; then
        say "going on with the build in $tree"
        return
    fi
    say "unpacking Linux $source_version"
    rm -rf "$new"
    mkdir -p "$new"
    # other architectures and the largest graphics driver are 40% of the source; their Kconfig files must stay
    tar -xf "$source" -C "$new" --strip-components=1 --wildcards \
        --exclude='*/drivers/gpu/drm/amd/*.[ch]' --exclude='*/Documentation/*.rst' --exclude='*/tools/testing/*' \
        --exclude='*/arch/[!x]*/*.[chS]' --exclude='*/arch/*/boot/dts/*'
    for file in "$here"/*.patch; do patch -s -d "$new" -p1 <"$file"; done
    set_kmake "$new"
    {
        "${kmake[@]}" -s tinyconfig
        (cd "$new" && scripts/kconfig/merge_config.sh -m .config "$here/dkvm.config")
        "${kmake[@]}" -s olddefconfig
    } >"$CACHE/build-$key/config.log" 2>&1 || { cat "$CACHE/build-$key/config.log" >&2; die "cannot configure"; }
    if ! "$here/check-config.sh" "$here/dkvm.config" "$new/.config"; then
        rm -rf "$CACHE/build-$key"
        die "these lines of dkvm.config have no effect; remove them or add what they depend on"
    fi
    mv "$new" "$tree"
}

# Sets kmake, the make command for a tree: as seen from nowhere but here, so that the result does not depend on the
# caller. A command and not a function: in the background its process is then make itself, which signals reach.
set_kmake() {
    kmake=(env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u KCFLAGS -u CFLAGS -u LDFLAGS LC_ALL=C
        "KBUILD_BUILD_TIMESTAMP=$(cat "${source%.tar.xz}.date")"
        KBUILD_BUILD_USER=dkvm KBUILD_BUILD_HOST=dkvm KBUILD_BUILD_VERSION=1
        make -C "$1" ARCH=x86_64)
}

build_vmlinux() {
    if [ ! -f "$done_dir/vmlinux" ] || [ ! -f "$tree/vmlinux" ]; then
        compile vmlinux
    fi
    [ ! -f "$done_dir/vmlinux" ] || return 0
    local new=$CACHE/build-$key/result
    rm -rf "$new"
    mkdir -p "$new"
    strip --strip-all -o "$new/vmlinux" "$tree/vmlinux"
    cp "$tree/.config" "$new/config"
    cp "$tree/include/config/kernel.release" "$new/version"
    mv -T "$new" "$done_dir"
}

build_modules() {
    local new=$CACHE/build-$key/modules release
    compile modules
    release=$(cat "$done_dir/version")
    rm -rf "$new"
    "${kmake[@]}" -s INSTALL_MOD_PATH="$new" INSTALL_MOD_STRIP=1 DEPMOD=true modules_install >>"$log" 2>&1
    rm -f "$new/lib/modules/$release/build" "$new/lib/modules/$release/source"
    PATH=$PATH:/usr/sbin:/sbin depmod -b "$new" "$release"
    mv -T "$new/lib/modules/$release" "$done_dir/modules"
    # the object tree has served: over a gigabyte
    rm -rf "$CACHE/build-$key"
}

# compile TARGET: make with a line of progress every ten seconds; the full output stays in the log.
compile() {
    local target=$1 begin=$SECONDS expected first count shown=0 jobs=${DKVM_JOBS:-$(($(nproc) + 1))} status=0
    expected=$(sed -n "s/^$target //p" "$here/expected-objects")
    log=$CACHE/build-$key/$target.log
    # lines of an interrupted run stay in the log and count as done
    touch "$log"
    first=$(objects)
    say "compiling $target: $jobs processes, log in $log"
    set_kmake "$tree"
    "${kmake[@]}" -j"$jobs" "$target" >>"$log" 2>&1 &
    compiler=$!
    # a job in the background ignores SIGINT: pass it on as SIGTERM, make then removes half-written files
    trap 'kill -TERM "$compiler" 2>/dev/null; wait "$compiler" || true; die "interrupted; the next call goes on from here"' INT TERM HUP
    while kill -0 "$compiler" 2>/dev/null; do
        sleep 1
        if [ $((SECONDS - begin - shown)) -ge 10 ]; then
            shown=$((SECONDS - begin))
            progress "$target" "$(objects)" "$expected" "$first" "$shown"
        fi
    done
    wait "$compiler" || status=$?
    trap - INT TERM HUP
    count=$(objects)
    [ ! -t 1 ] || printf '\r\033[K'
    if [ "$status" -ne 0 ]; then
        grep -E -B2 -A8 'error:|\*\*\*' "$log" | tail -40 >&2 || true
        die "make $target failed; all of it in $log"
    fi
    say "$target done: $count objects (expected $expected) in $(minutes $((SECONDS - begin)))"
}

objects() { grep -c -E '^  (CC|AS)( \[M\])?  ' "$log" || true; }

# progress TARGET COUNT EXPECTED FIRST ELAPSED: FIRST objects were there when this run began.
progress() {
    local target=$1 count=$2 expected=$3 first=$4 elapsed=$5 percent left='time left unknown' text
    [ "$expected" -gt "$count" ] || expected=$((count + 1))
    percent=$((100 * count / expected))
    if [ "$count" -gt "$first" ]; then
        left="about $(minutes $(((expected - count) * elapsed / (count - first)))) left"
    fi
    text="kernel: $target $count of $expected objects, $percent%, $(minutes "$elapsed") elapsed, $left"
    if [ -t 1 ]; then printf '\r\033[K%s' "$text"; else printf '%s\n' "$text"; fi
}

deliver() {
    case $want in
        vmlinux) put "$outdir" "$done_dir" vmlinux config version ;;
        modules) put "$outdir" "$done_dir" modules config version ;;
        all) put "$outdir" "$done_dir" vmlinux config version modules ;;
    esac
    say "$(cat "$done_dir/version") in $outdir"
}

main "$@"
