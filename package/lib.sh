# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every script of package/ shares: messages, timed steps, the cache. To be sourced.

set -euo pipefail
export LC_ALL=C.UTF-8

# Everything dear to make and worth keeping between builds. One level per kind: sandbox-root/, jdk/, kernel/, …
# shellcheck disable=SC2034 # read by those who source this
DKVM_CACHE=${DKVM_CACHE:-${HOME:-/root}/.cache/dkvm}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: run it as root or with sudo"
}

# took START: the time since then, for people.
took() {
    local millis=$(((${EPOCHREALTIME//[.,]/} - ${1//[.,]/}) / 1000))
    if [ "$millis" -lt 60000 ]; then
        printf '%d.%d s' $((millis / 1000)) $((millis % 1000 / 100))
    else
        printf '%d min %02d s' $((millis / 60000)) $((millis % 60000 / 1000))
    fi
}

# Functions and "set -e": bash ignores it in whatever is run left of "||" or in an "if", however deep. So step and logged
# end the script themselves when their command fails, and must stand alone on their line.

# attempt COMMAND…: its exit code in $status; the first failure inside ends the command.
attempt() {
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
}

# step TITLE COMMAND…: one long step: says what starts, and what it took.
step() {
    local title=$1 start=$EPOCHREALTIME status
    shift
    say "==> $title"
    attempt "$@"
    [ "$status" = 0 ] || die "$title: failed after $(took "$start")"
    say "    $title: $(took "$start")"
}

# logged LOG COMMAND…: the output goes to LOG; when the command fails, the log's end is shown and the script ends.
logged() {
    local log=$1 status
    shift
    mkdir -p "$(dirname "$log")"
    attempt "$@" >"$log" 2>&1
    if [ "$status" != 0 ]; then
        tail -n 40 "$log" >&2
        die "\"$1\" ended with exit code $status; its whole output is in $log"
    fi
}

# key_of FILE…: a short name for the content of the files, for cache entries.
key_of() { cat -- "$@" | sha256sum | cut -c1-16; }

# locked NAME: from here on no other build touches this part of the cache (held until the shell ends).
locked() {
    mkdir -p "$DKVM_CACHE"
    exec {lock_fd}>"$DKVM_CACHE/.lock-$1"
    if ! flock -n "$lock_fd"; then
        say "    another build is making \"$1\": waiting for it"
        flock "$lock_fd"
    fi
}
