#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Puts arm64's add-on into a package, or takes it out: join-addon.sh PACKAGE [ADDON]
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dkvm-addon.sh
. "$(dirname "$0")/dkvm-addon.sh"

package=$1
for file in $addon_files; do rm -rf "${package:?}/$file"; done
if [ -n "${2:-}" ]; then
    # Which package it is for it learns here.
    rm -f "$2/$addon_build"
    cp "$package/BUILD" "$2/$addon_build"
    # A package that was put together without a look at the add-on may have left out what only that needs.
    loader=("$package/sandbox/lib64/ld-linux-x86-64.so.2" --library-path "$package/sandbox/usr/lib/x86_64-linux-gnu")
    if ! found=$("${loader[@]}" --list "$2/$addon_program" 2>&1) || grep -qF 'not found' <<<"$found"; then
        die "arm64's QEMU does not find its libraries in \"$package\": remove that directory and build again: $found"
    fi
    for file in $addon_files; do cp -al "$2/$file" "$package/$file"; done
fi
