#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes the manual pages: man-pages.sh VERSION OUTDIR
#
# package/man/ has their text. The options and keys in them are the tables of docs/options.md, which a test keeps in step with the code.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)

# rows PATTERN: the rows of options.md whose first cell matches, each as a paragraph of man(7): name, values, default, meaning.
# Tables with "since" and "example" have six cells, others four.
rows() {
    awk -v pattern="$1" '
        function roff(text) {
            gsub(/\\/, "\\e", text)
            gsub(/-/, "\\-", text)
            # links become their text, code becomes bold
            while (match(text, /\[[^]]*\]\([^)]*\)/)) {
                link = substr(text, RSTART, RLENGTH)
                sub(/^\[/, "", link)
                sub(/\].*/, "", link)
                text = substr(text, 1, RSTART - 1) link substr(text, RSTART + RLENGTH)
            }
            while (match(text, /`[^`]*`/))
                text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR" substr(text, RSTART + RLENGTH)
            gsub(/…/, "...", text)
            return text
        }
        # Bars inside of code are no ends of cells.
        function cells(line, cell,    i, count, inside, c) {
            count = 0
            for (i = 2; i <= length(line); i++) {
                c = substr(line, i, 1)
                if (c == "`") inside = !inside
                if (c == "|" && !inside && substr(line, i - 1, 1) != "\\") count++
                else cell[count] = cell[count] c
            }
            return count
        }
        $0 ~ "^\\| `" pattern "`" {
            delete cell
            count = cells($0, cell)
            for (i = 0; i < count; i++) gsub(/^ +| +$/, "", cell[i])
            meaning = count > 4 ? cell[4] : cell[3]
            printf ".TP\n%s\n", roff(cell[0])
            printf "%s.\n.br\n", roff(toupper(substr(meaning, 1, 1)) substr(meaning, 2))
            printf "Values: %s. Default: %s.\n", roff(cell[1]), roff(cell[2])
            if (count > 5) printf ".br\nExample: %s\n", roff(cell[5])
        }' "$here/../docs/options.md"
}

[ $# = 2 ] || die "usage: man-pages.sh VERSION OUTDIR"
for page in "$here"/man/*.[1-9]; do
    section=${page##*.}
    mkdir -p "$2/man$section"
    # Of the page's last change, so that the same source gives the same page.
    sed -e "s/@VERSION@/$1/; s/@DATE@/$(date -u -r "$page" +%Y-%m-%d)/" "$page" | while IFS= read -r line; do
        case $line in
            @OPTIONS@) rows 'DKVM_[A-Z_]+' ;;
            @KEYS@) rows '[a-z][a-z-]*' ;;
            *) printf '%s\n' "$line" ;;
        esac
    done >"$2/man$section/$(basename "$page")"
done
