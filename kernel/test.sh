#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots a kernel that build.sh made under TCG: with a first process that only says how long the boot took, with
# fuse-probe.c, which counts what our patches keep FUSE from asking, and on an ext4 disk with probe.sh, which tries what
# the kernel promises. Needs root for mmdebstrap's device nodes.
set -euo pipefail

usage() {
    cat <<'END'
usage: test.sh OUTDIR      the folder that build.sh filled

Environment: DKVM_QEMU  QEMU's command and first arguments (qemu-system-x86_64)
             DKVM_CACHE  cache folder (~/.cache/dkvm)
END
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

# iptables and nft to talk to netfilter, the mkfs programs to try file systems
readonly PACKAGES=iptables,nftables,kmod,iproute2,busybox-static,xfsprogs,btrfs-progs

main() {
    if [ $# -ne 1 ] || [ ! -f "$1/vmlinux" ]; then
        usage >&2
        exit 2
    fi
    kernel=$(cd "$1" && pwd)
    read -r -a qemu <<<"${DKVM_QEMU:-qemu-system-x86_64}"
    need "${qemu[0]}" qemu-system-x86 mmdebstrap mmdebstrap mke2fs e2fsprogs gcc gcc cpio cpio
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    boot_time
    fuse
    probe
}

# machine APPEND ARGUMENT ...
machine() {
    local append=$1
    shift
    timeout 300 "${qemu[@]}" -M q35 -accel tcg,tb-size=128 -cpu max -m 1024 -nodefaults -no-user-config -display none \
        -no-reboot -serial stdio -kernel "$kernel/vmlinux" -append "console=ttyS0 init_on_alloc=1 quiet panic=-1 $append" \
        "$@" </dev/null
}

boot_time() {
    mkdir "$work/initramfs"
    gcc -static -O2 -o "$work/initramfs/init" -x c - <<'END'
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>
int main(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    printf("boot took %ld ms\n", now.tv_sec * 1000 + now.tv_nsec / 1000000);
    fflush(stdout);
    return reboot(RB_POWER_OFF);
}
END
    archive
    for _ in 1 2 3; do
        machine '' -initrd "$work/initramfs.cpio" | grep -a 'boot took' || die "the kernel did not reach its first process"
    done
}

# The initramfs around the program that is to be the first process.
archive() {
    # the archive must hold the node: without /dev/console the first process has no output
    mkdir -p "$work/initramfs/dev"
    [ -e "$work/initramfs/dev/console" ] || mknod "$work/initramfs/dev/console" c 5 1
    (cd "$work/initramfs" && find . | cpio --quiet -o -H newc) >"$work/initramfs.cpio"
}

fuse() {
    gcc -static -O2 -Wall -Wextra -o "$work/initramfs/init" "$here/fuse-probe.c"
    archive
    machine '' -initrd "$work/initramfs.cpio" | tr -d '\r' >"$work/output" || true
    judge 'fuse probe done'
}

probe() {
    local root=$work/root release
    release=$(cat "$kernel/version")
    base_system
    mkdir "$root"
    tar -xf "$CACHE/probe.tar" -C "$root"
    cp "$here/probe.sh" "$root/probe.sh"
    mkdir -p "$root/usr/lib/modules"
    cp -a "$kernel/modules" "$root/usr/lib/modules/$release"
    truncate -s 1500M "$work/disk"
    mke2fs -q -t ext4 -d "$root" "$work/disk"
    machine 'root=/dev/vda rw init=/probe.sh' -drive "if=none,id=root,file=$work/disk,format=raw,cache=unsafe" \
        -device virtio-blk-pci,drive=root -device virtio-rng-pci -device virtio-balloon-pci -netdev user,id=net \
        -device virtio-net-pci,netdev=net | tr -d '\r' >"$work/output" || true
    judge 'probe done'
}

# judge LAST: prints what a probe did not find in order; LAST is the last line of one that came to its end.
judge() {
    grep -av '^ok ' "$work/output" || true
    say "$(grep -ac '^ok ' "$work/output" || true) promises kept, $(grep -ac '^not ok ' "$work/output" || true) broken"
    grep -aq "^$1" "$work/output" || die "the probe did not come to its end"
    ! grep -aq '^not ok ' "$work/output" || die "a promise is broken"
}

base_system() {
    mkdir -p "$CACHE"
    [ ! -f "$CACHE/probe.tar" ] || return 0
    say "fetching the probe's programs from Debian trixie"
    mmdebstrap --quiet --variant=minbase --include="$PACKAGES" trixie "$work/probe.tar"
    mv "$work/probe.tar" "$CACHE/probe.tar"
}

main "$@"
