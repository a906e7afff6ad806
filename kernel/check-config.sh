#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Checks that a kernel .config holds every line a fragment asked for. `make olddefconfig` drops without a word
# what has an unmet dependency or a name that no longer exists.
#
# usage: check-config.sh FRAGMENT CONFIG
# Prints the lost lines and ends with 1 if there are any; 2 when called wrongly.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: check-config.sh FRAGMENT CONFIG" >&2
    exit 2
fi
for file in "$1" "$2"; do
    [ -r "$file" ] || { echo "check-config.sh: cannot read \"$file\"" >&2; exit 2; }
done

# "# CONFIG_X is not set", "CONFIG_X=n" and no line at all mean the same.
awk '
    function symbol(line) { sub(/^# /, "", line); sub(/[= ].*$/, "", line); return line }
    function value(line) { if (line ~ /^#/) return "n"; sub(/^[^=]*=/, "", line); return line }
    !/^(# )?CONFIG_[A-Za-z0-9_]+(=| is not set$)/ { next }
    NR == FNR { got[symbol($0)] = value($0); next }
    {
        asked++
        name = symbol($0)
        found = (name in got) ? got[name] : "n"
        if (found != value($0)) { print name ": asked " value($0) ", got " found; lost++ }
    }
    END {
        if (lost) { print lost " of " asked " lines lost"; exit 1 }
        print asked " lines asked for, all there"
    }
' "$2" "$1"
