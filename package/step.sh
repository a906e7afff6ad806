#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One step of the Makefile, with its title and the time it took:
#   step.sh TITLE COMMAND…            step.sh --total FILE TITLE: the time since the epoch second in FILE
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$1" = --total ]; then
    seconds=$(($(date +%s) - $(cat "$2")))
    printf '%s took %d min %02d s\n' "$3" $((seconds / 60)) $((seconds % 60))
else
    step "$@"
fi
