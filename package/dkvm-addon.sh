# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What only VMs for arm64 need: an add-on, which a package has or has not. To be sourced.

# It comes last and goes first: who sees it has the whole add-on.
addon_program=sandbox/usr/bin/qemu-system-aarch64
# Which build of the package it belongs to.
addon_build=guest/build-arm64
addon_kernels=kernels/debian-arm64
# What it consists of where nobody has added kernels of that name by hand: in a package.
# shellcheck disable=SC2034 # read by those who source this
addon_files="$addon_kernels guest/initramfs-arm64 $addon_build sandbox/usr/share/doc/qemu-system-arm $addon_program"

# has_addon PACKAGE: whole, and of the same build.
has_addon() { [ -e "$1/$addon_program" ] && cmp -s "$1/BUILD" "$1/$addon_build"; }
