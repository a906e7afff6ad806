#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names the C files that clang-format would write otherwise: check-c-format.sh DIRECTORY…
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

complaints=$(find "$@" -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror 2>&1) || true
unformatted=$(sed -n 's/^\([^ :]*\.[ch]\):.*code should be clang-formatted.*/\1/p' <<<"$complaints" | sort -u | tr '\n' ' ')
[ -z "$complaints" ] || die "not formatted: \"clang-format -i ${unformatted% }\" does it"
