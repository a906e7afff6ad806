#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the image that installs DKVM, from scratch: image.sh PACKAGE [NAME]
#
# One layer with the package, whose own busybox runs its own dkvm-upgrade.sh: docker run --rm -v /opt/dkvm:/dkvm NAME
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_root "packing (the files belong to root)"
package=$1
name=${2:-dkvm/dkvm}
version=$(cat "$package/VERSION")
entrypoint='"/package/sandbox/usr/bin/busybox", "sh", "/package/scripts/dkvm-upgrade.sh", "--installer"'
# Times are kept, to the second: the AOT caches know the jars by them.
tar -C "$package" --numeric-owner --owner=0 --group=0 --sort=name --xattrs --transform='flags=rh;s,^\.,package,' -cf - . |
    docker import --message "DKVM $version" \
        --change "ENTRYPOINT [$entrypoint]" \
        --change "LABEL org.opencontainers.image.title=DKVM org.opencontainers.image.version=$version org.opencontainers.image.licenses=Apache-2.0" \
        - "$name:$version" >/dev/null
docker tag "$name:$version" "$name:latest"
say "    image $name:$version, also $name:latest: docker run --rm -v /opt/dkvm:/dkvm $name"
