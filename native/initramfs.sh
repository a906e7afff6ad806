#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh AGENT QEMU-EXIT: write the agent's initramfs (cpio, newc) to standard output. The same programs give
# the same bytes: times, owners and inode numbers are fixed. Formats: Documentation/driver-api/early-userspace/.
set -eu

inode=0

# header MODE SIZE MAJOR MINOR NAME
header() {
	inode=$((inode + 1))
	printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
		"$inode" "$1" 0 0 1 0 "$2" 0 0 "$3" "$4" "$((${#5} + 1))" 0 "$5"
	pad $((110 + ${#5} + 1))
}

# pad SIZE: fill up to a multiple of four
pad() {
	case $(($1 % 4)) in
	1) printf '\0\0\0' ;;
	2) printf '\0\0' ;;
	3) printf '\0' ;;
	esac
}

# file NAME PATH
file() {
	size=$(wc -c <"$2")
	header "$((0100755))" "$size" 0 0 "$1"
	cat "$2"
	pad "$size"
}

directory() {
	header "$((0040755))" 0 0 0 "$1"
}

directory dev
header "$((0020600))" 0 5 1 dev/console
file init "$1"
file qemu-exit "$2"
header 0 0 0 0 'TRAILER!!!'
