#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the package of a Debian kernel, for the cases about added kernels, and prints its path:
#   kernel-package.sh SUITE FLAVOUR          bookworm | trixie     cloud-amd64 | amd64
#
# It is kept in the cache; a newer one is not looked for while one is there.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$here/../../package/lib.sh"

# What mmdebstrap runs once its apt knows the suite: the host's may know another one only.
fetch() {
    # shellcheck disable=SC2016 # expanded by the shell that mmdebstrap starts
    local hook='export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
        package=$(apt-cache depends linux-image-'$flavour' | sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p")
        cd "$1" && apt-get download "$package" && mv linux-image-*.deb '"$cache"'/'
    rm -rf "$cache/work"
    mmdebstrap --quiet --variant=custom --mode=root --customize-hook="$hook" "$suite" "$cache/work"
    rm -rf "$cache/work"
}

main() {
    local packages
    case $#,${1:-},${2:-} in
        2,bookworm,cloud-amd64 | 2,bookworm,amd64 | 2,trixie,cloud-amd64 | 2,trixie,amd64) ;;
        *) die "usage: kernel-package.sh bookworm|trixie cloud-amd64|amd64" ;;
    esac
    suite=$1 flavour=$2
    cache=$DKVM_CACHE/kernel-package/$suite-$flavour
    mkdir -p "$cache"
    # The path is all that goes to standard output.
    locked "kernel-package-$suite-$flavour" >&2
    packages=("$cache"/linux-image-*.deb)
    if [ ! -f "${packages[0]}" ]; then
        need_root "fetching a package of another suite"
        logged "$cache/fetch.log" fetch
        packages=("$cache"/linux-image-*.deb)
        [ -f "${packages[0]}" ] || die "Debian $suite's kernel was not fetched: see \"$cache/fetch.log\""
    fi
    printf '%s\n' "${packages[0]}"
}

main "$@"
