# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What build.sh and debian.sh share: the cache, its lock, packages fetched from Debian, and putting a result in place.
# Sourced, not run; the caller has set -euo pipefail.

# One folder for sources, object trees and results, outside the work tree so that it survives a fresh clone.
CACHE=${DKVM_CACHE:-$HOME/.cache/dkvm}/kernel

say() { printf 'kernel: %s\n' "$*"; }
die() { printf 'kernel: %s\n' "$*" >&2; exit 1; }

# need COMMAND PACKAGE ...: pairs; names all missing packages at once.
need() {
    local missing=()
    while [ $# -gt 1 ]; do
        # depmod lives in /sbin, which an ordinary user's PATH lacks
        PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -eq 0 ] || die "missing packages; install them with: apt-get install ${missing[*]}"
}

# lock_cache NAME: waits for whoever else makes the same in this cache. The lock is held until this script and what it started are gone.
lock_cache() {
    mkdir -p "$CACHE"
    exec 9>"$CACHE/lock-$1"
    flock -n 9 || { say "waiting for another build that uses $CACHE"; flock 9; }
}

# fetch_debian ARCHITECTURE SUITE PACKAGE FOLDER PATTERN ...: the files of PACKAGE and all it depends on that match a tar PATTERN.
fetch_debian() {
    local architecture=$1 suite=$2 package=$3 folder=$4
    shift 4
    need mmdebstrap mmdebstrap tar tar xz xz-utils
    say "fetching $package from Debian $suite"
    mkdir -p "$folder"
    # Nothing of it is run: any architecture's packages can be extracted. Through a pipe, so that an ordinary user, too, owns what comes out of it. tar ends with 2 when one of the
    # patterns matches nothing; the caller looks whether what it needs is there.
    mmdebstrap --quiet --variant=extract --architectures="$architecture" --format=tar --include="$package" "$suite" - 2>"$folder/mmdebstrap.log" |
        { tar -x --no-same-owner -C "$folder" --wildcards "$@" 2>/dev/null || true; cat >/dev/null; } ||
        { cat "$folder/mmdebstrap.log" >&2; die "cannot fetch \"$package\" from Debian $suite"; }
}

# put OUTDIR FOLDER NAME ...: copies results out of the cache with their times, each complete or not at all. What a
# former call put there from the same folder stays as it is.
put() {
    local outdir=$1 folder=$2 name new stamp=$1/.from-cache
    shift 2
    mkdir -p "$outdir"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$folder" ]; then
        (cd "$outdir" && rm -rf vmlinux vmlinuz config version modules)
        echo "$folder" >"$stamp"
    fi
    for name in "$@"; do
        [ ! -e "$outdir/$name" ] || continue
        new=$outdir/.new-$$
        rm -rf "$new"
        cp -a --reflink=auto "$folder/$name" "$new"
        mv "$new" "$outdir/$name"
    done
}

minutes() { printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); }
