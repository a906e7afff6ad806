#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Draws each *.dot here as an SVG by Graphviz, for light and for dark screens: draw.sh
# An SVG names the digest of what it was drawn from; PicturesTest compares it.
set -euo pipefail
cd "$(dirname "$0")"

for source in *.dot; do
    digest=$(cat "$source" dark.css | sha256sum | cut -d ' ' -f 1)
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        echo '<!-- SPDX-License-Identifier: Apache-2.0 -->'
        echo "<!-- Drawn by \"make pictures\" from $source and dark.css, digest $digest -->"
        # Graphviz's own head names its version: left out. The style goes before the first group.
        dot -Tsvg "$source" | awk '
            /^<svg/ { picture = 1 }
            /^<g / && !styled { styled = 1; print "<style>"; while ((getline line <"dark.css") > 0) print line; print "</style>" }
            picture'
    } >"${source%.dot}.svg"
done
