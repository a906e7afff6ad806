#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs an assembled package unless that very one is installed: install.sh PACKAGE [TARGET]
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dkvm-addon.sh
. "$(dirname "$0")/dkvm-addon.sh"

target=${2:-/opt/dkvm}
if [ -L "$target/current" ] && cmp -s "$1/BUILD" "$target/BUILD" && { ! has_addon "$1" || has_addon "$target"; }; then
    say "    $target has it already"
else
    # Whoever builds it wants it, whatever the number.
    "$1/scripts/dkvm-upgrade.sh" --downgrade --target "$target" "$1"
fi
