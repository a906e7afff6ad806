#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the image that installs DKVM, from scratch: image.sh PACKAGE [NAME]
#
# Where PACKAGE has the add-on for arm64, two images: NAME without it, NAME:arm64 with it.
#
# One layer with the package, whose own busybox runs its own dkvm-upgrade.sh: docker run --rm -v /opt/dkvm:/dkvm NAME
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=dkvm-addon.sh
. "$(dirname "$0")/dkvm-addon.sh"

need_root "packing (the files belong to root)"
package=$1
name=${2:-dkvm/dkvm}
version=$(cat "$package/VERSION")
entrypoint='"/package/sandbox/usr/bin/busybox", "sh", "/package/scripts/dkvm-upgrade.sh", "--installer"'

# import TAG… -- TAR-OPTION…: one image, under these tags.
import() {
    local tags=() tag
    while [ "$1" != -- ]; do
        tags+=("$1")
        shift
    done
    shift
    # Times are kept, to the second: the AOT caches know the jars by them.
    tar -C "$package" --numeric-owner --owner=0 --group=0 --sort=name --xattrs --transform='flags=rh;s,^\.,package,' "$@" -cf - . |
        docker import --message "DKVM $version" \
            --change "ENTRYPOINT [$entrypoint]" \
            --change "LABEL org.opencontainers.image.title=DKVM org.opencontainers.image.version=$version org.opencontainers.image.licenses=Apache-2.0" \
            - "$name:${tags[0]}" >/dev/null
    for tag in "${tags[@]:1}"; do docker tag "$name:${tags[0]}" "$name:$tag"; done
}

without=()
for file in $addon_files; do without+=("--exclude=./$file"); done
import "$version" latest -- "${without[@]}"
say "    image $name:$version, also $name:latest: docker run --rm -v /opt/dkvm:/dkvm $name"
if has_addon "$package"; then
    import "$version-arm64" arm64 --
    say "    image $name:$version-arm64, also $name:arm64: the same with the add-on for arm64"
fi
