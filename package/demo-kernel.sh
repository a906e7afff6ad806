#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With which kernel "make demo" shows VMs, as variables for make: demo-kernel.sh [TARGET]
#
# Without compiling anything. An installation (/opt/dkvm) is not replaced by less: where the cache has not what it has, it stays as it is.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

build=$(cd "$(dirname "$0")/../kernel" && pwd)/build.sh
target=${1:-/opt/dkvm}

# has FILE: the installation's own kernel has it. Without that kernel, Debian's has its name, too.
has() {
    case $(readlink -f "$target/kernels/dkvm/latest") in
        */kernels/debian/*) return 1 ;;
        *) [ -e "$target/kernels/dkvm/latest/$1" ] ;;
    esac
}

keep() {
    say "    \"$target\" has DKVM's own kernel, the cache has not: what is installed is shown, and stays" >&2
    say INSTALL=no
}

if "$build" --cached; then
    say KERNEL=dkvm MODULES=yes
elif has modules; then
    keep
elif "$build" --cached --no-modules; then
    say KERNEL=dkvm MODULES=no
elif has vmlinux; then
    keep
else
    say KERNEL=debian MODULES=no
fi
