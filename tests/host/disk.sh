#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the disk that the end-to-end cases come into a box on: disk.sh BUILDDIR DEB OUT
#
# It has the Debian package, the sources (the cases read some), the compiled cases with their libraries (BUILDDIR/lib), a Java runtime,
# and the images' root filesystems.
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
IMAGES=(hello busybox debian tools kernel systemd)

java_runtime() {
    local home entry
    home=$("$top/package/find-jdk.sh")
    entry=$DKVM_CACHE/host/jre-$(cat "$home/release" "$0" | sha256sum | cut -c1-16)
    locked host-jre
    if [ ! -d "$entry" ]; then
        rm -rf "$DKVM_CACHE"/host/jre-*
        "$home/bin/jlink" --add-modules java.se,jdk.unsupported,jdk.zipfs --strip-java-debug-attributes --no-man-pages --no-header-files --output "$entry.making"
        mv "$entry.making" "$entry"
    fi
    cp -a --reflink=auto "$entry" "$1"
}

main() {
    local build=$1 deb=$2 out=$3
    tree=$3.tree
    umask 022
    rm -rf "$tree"
    mkdir -p "$tree/suite" "$tree/images"
    trap 'rm -rf "$tree"' EXIT
    (cd "$top" && git ls-files -z | xargs -0 cp --parents -t "$tree/suite")
    cp -a --reflink=auto "$top/target/classes" "$top/target/test-classes" "$build/lib" "$tree/"
    cp --reflink=auto "$deb" "$tree/dkvm.deb"
    java_runtime "$tree/jre"
    "$top/tests/images/build.sh" --roots "${IMAGES[@]}" >"$tree.images"
    xargs -d '\n' cp --reflink=auto -t "$tree/images" <"$tree.images"
    rm "$tree.images"
    rm -f "$out"
    mke2fs -q -t ext4 -O ^has_journal -m 0 -L suite -d "$tree" "$out.new" "$(($(du -sm "$tree" | cut -f1) * 11 / 10 + 64))M"
    mv "$out.new" "$out"
    say "    $out: $(du -m "$out" | cut -f1) MB"
}

[ $# = 3 ] || die "usage: disk.sh BUILDDIR DEB OUT"
main "$@"
