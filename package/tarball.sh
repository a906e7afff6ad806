#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs the package as people unpack it, "tar -C /opt -xf …": tarball.sh PACKAGE FILE
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_root "packing (the files belong to root)"
# Times are kept, to the second: the AOT caches know the jars by them.
tar -C "$(dirname "$1")" --numeric-owner --owner=0 --group=0 --sort=name -cf - "$(basename "$1")" | zstd -q -T0 -10 -f -o "$2.new"
mv "$2.new" "$2"
say "    $2: $(du -m "$2" | cut -f1) MiB"
