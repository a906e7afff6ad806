#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compiles the C programs and the agent's initramfs, or runs their unit tests: native-programs.sh [--test] OUTDIR
#
# ARCHES=arm64: the agent for that architecture, too.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

native=$(cd "$(dirname "$0")/../native" && pwd)
# A make of its own: its jobs are not the caller's.
unset MAKEFLAGS MFLAGS MAKELEVEL
if [ "$1" = --test ]; then
    logged "$2/test.log" make -s -C "$native" BUILD="$2" test
    say "    $(tail -n 1 "$2/test.log")"
else
    make -s -j"$(nproc)" -C "$native" BUILD="$1" all initramfs ${ARCHES:+arm64}
fi
