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
    for file in $addon_files; do cp -al "$2/$file" "$package/$file"; done
fi
