#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names the C files that include what is not theirs, or are too long: check-c-rooms.sh DIRECTORY
# DIRECTORY/Makefile lists each program's rooms (PROGRAM_FOLDERS), the lower ones first. A file includes files of common/, of its own
# room, and of rooms before that one in the list of every program that has it. PROGRAM.c has the main, and may include all of the list.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

LINES_MAX=450
cd "$1"
faults=()

# What a room may include, by the room; what the file with the main may, by its name.
declare -A allowed programs
while read -r program rooms; do
    below=
    programs[$program]=1
    for room in common $rooms; do
        below+=" $room "
        # a room of several programs may include what all of them have
        if [ -n "${allowed[$room]:-}" ]; then
            both=
            for other in $below; do [[ ${allowed[$room]} != *" $other "* ]] || both+=" $other "; done
            allowed[$room]=$both
        else
            allowed[$room]=$below
        fi
    done
    allowed[$program.c]=$below
done < <(sed -n 's/^\([a-z-]*\)_FOLDERS = /\1 /p' Makefile)
[ "${#programs[@]}" -gt 0 ] || die "no program has its rooms in $1/Makefile"

# check_includes FILE ROOMS
check_includes() {
    local line include
    while IFS=: read -r line include; do
        include=${include#*\"}
        include=${include%%\"*}
        [[ $2 == *" $(dirname "$include") "* ]] || faults+=("$1:$line may not include \"$include\"")
    done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$1")
}

while read -r file; do
    rooms=${allowed[$(basename "$file")]:-${allowed[$(dirname "$file")]:-}}
    if [ -n "$rooms" ]; then
        check_includes "$file" "$rooms"
    else
        faults+=("$file is in a room that no program has")
    fi
done < <(find . -name '*.[ch]' ! -path './tests/*' -printf '%P\n' | sort)

while read -r lines file; do
    [ "$lines" -le "$LINES_MAX" ] || faults+=("$file has $lines lines, more than $LINES_MAX: it is two files")
done < <(find . -name '*.[ch]' -printf '%P\n' | sort | xargs wc -l | grep -v ' total$')

[ "${#faults[@]}" -eq 0 ] || die "$(printf '%s\n' "${faults[@]}")"
