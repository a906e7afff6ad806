#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts a package in the place of the installed one: dkvm-upgrade.sh PACKAGE [TARGET]
#
# PACKAGE is a directory, or a tar archive with one in it; TARGET is /opt/dkvm. There is the old package or the new one, never
# a part. VMs that run keep the old one, which is removed by a later upgrade when none is left. Kernels that were
# added by hand are taken along.
set -eu

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

[ $# = 1 ] || [ $# = 2 ] || die "usage: dkvm-upgrade.sh PACKAGE [TARGET]"
[ "$(id -u)" = 0 ] || die "installing needs root: run it as root or with sudo"
package=$1
target=${2:-/opt/dkvm}
new=$target.new-$$
umask 022

# A sandbox has DIR/sandbox as its root directory.
in_use() {
    id=$(stat -c %d:%i "$1/sandbox" 2>/dev/null) || return 1
    # Processes come and go meanwhile: stat's complaints are none.
    stat -L -c %d:%i /proc/[0-9]*/root 2>/dev/null | grep -qx "$id"
}

remove_unused() {
    for old in "$target".old-*; do
        [ -d "$old" ] || continue
        if in_use "$old"; then
            say "\"$old\" is kept: VMs still run from it"
        else
            rm -rf "$old"
        fi
    done
}

trap 'rm -rf "$new"' EXIT
mkdir -p "$(dirname "$target")"
rm -rf "$new"
if [ -d "$package" ]; then
    # With the files' times: the AOT caches know the jars by them.
    cp -a --reflink=auto "$package" "$new"
else
    mkdir "$new"
    tar -C "$new" --strip-components=1 --numeric-owner -xpf "$package"
fi
for file in VERSION scripts/dkvm-runtime sandbox/opt/dkvm/jre/bin/java sandbox/opt/dkvm/lib/dkvm.jar kernels; do
    [ -e "$new/$file" ] || die "\"$package\" is no package of DKVM: it has no \"$file\""
done

before=none
if [ -d "$target" ]; then
    before=$(cat "$target/VERSION" 2>/dev/null || echo unknown)
    for kernel in "$target"/kernels/*/*; do
        name=${kernel#"$target"/kernels/}
        dist=${name%%/*}
        # "latest" of what was added by hand is taken with it. Kernels that came with a package go with it.
        if [ ! -d "$kernel" ] || [ -L "$kernel" ] || [ -e "$kernel/.shipped" ] || [ -e "$new/kernels/$name" ]; then
            continue
        fi
        mkdir -p "$new/kernels/$dist"
        cp -a --reflink=auto "$kernel" "$new/kernels/$name"
        if [ ! -L "$new/kernels/$dist/latest" ] && [ -L "$target/kernels/$dist/latest" ]; then
            cp -P "$target/kernels/$dist/latest" "$new/kernels/$dist/latest"
        fi
    done
    old=$target.old-$(date +%s)
    # Where mv can, both change places at once; otherwise there is no package for the time between two renames.
    if mv --exchange --no-copy -T "$new" "$target" 2>/dev/null; then
        mv -T "$new" "$old"
    else
        mv -T "$target" "$old"
        mv -T "$new" "$target"
    fi
else
    mv -T "$new" "$target"
fi
trap - EXIT
remove_unused
say "$target: version $(cat "$target/VERSION") installed (before: $before)"
