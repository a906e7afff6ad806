#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the read-only root filesystem of every sandbox, or what arm64's add-on has for it: sandbox-root.sh [--arm64] OUTDIR
#
# The Debian packages are extracted, never configured (no maintainer script runs), and then only the files listed
# here are taken over, with the libraries they need. A list of what is wanted is shorter and safer than a list of
# what is not: nothing setuid, no interpreter, no package database comes along by accident. DKVM's own programs
# and Java runtime are put in by assemble.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

SUITE=trixie
PACKAGES=(
    qemu-system-x86 virtiofsd seabios ovmf
    e2fsprogs xfsprogs btrfs-progs busybox-static
    libgcc-s1 libstdc++6 zlib1g
    qemu-system-common libncursesw6 ncurses-base libc6 libc-bin
)

# Programs, each checked to find all its libraries: those that DKVM starts, and no others.
PROGRAMS=(
    usr/bin/qemu-system-x86_64 usr/libexec/virtiofsd
    usr/sbin/mke2fs usr/sbin/mkfs.xfs usr/sbin/mkfs.btrfs
    # For people who look into a sandbox (DKVM_BREAK), and as the timer of a job's sandbox. Nothing of a VM runs a shell.
    usr/bin/busybox
)

# Loaded at run time, so that no program's list of libraries names them.
LIBRARIES=(
    usr/lib/x86_64-linux-gnu/libgcc_s.so.1 # glibc's pthread_exit
    usr/lib/x86_64-linux-gnu/libstdc++.so.6 usr/lib/x86_64-linux-gnu/libz.so.1 # a JDK of Debian's
    # Empty since glibc 2.34, and still asked for by a JDK made for older ones.
    usr/lib/x86_64-linux-gnu/libdl.so.2 usr/lib/x86_64-linux-gnu/libpthread.so.0 usr/lib/x86_64-linux-gnu/librt.so.1
    usr/lib/x86_64-linux-gnu/qemu/hw-display-virtio-gpu.so
    usr/lib/x86_64-linux-gnu/qemu/hw-display-virtio-gpu-pci.so
    usr/lib/x86_64-linux-gnu/qemu/hw-display-virtio-vga.so
    usr/lib/x86_64-linux-gnu/qemu/ui-curses.so
)

# Firmware: what q35 reads to start a kernel by PVH or as a bzImage, and a screen for VNC; arm64's board starts one without.
# Network boot ROMs stay away: a virtio-net-pci device must say "romfile=" (it boots faster, too).
DATA=(
    usr/share/seabios/bios-256k.bin usr/share/seabios/bios-microvm.bin
    usr/share/seabios/vgabios-stdvga.bin usr/share/seabios/vgabios-virtio.bin
    usr/share/qemu/kvmvapic.bin usr/share/qemu/linuxboot.bin usr/share/qemu/linuxboot_dma.bin
    usr/share/qemu/multiboot_dma.bin usr/share/qemu/pvh.bin usr/share/qemu/qboot.rom
    usr/share/qemu/keymaps/en-us
    # EFI, for DKVM_BIOS=EFI: 4 MiB. The one file holds code and variables; as a ROM it needs no copy to write to.
    usr/share/ovmf/OVMF.fd
    # A text screen in a terminal: what terminals can do, and the characters of a VGA font.
    usr/share/terminfo
    usr/lib/x86_64-linux-gnu/gconv/IBM437.so usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache
    usr/lib/locale/C.utf8/LC_CTYPE
    etc/mke2fs.conf
    # A screen in a browser: what dkvm-web serves.
    usr/share/novnc/app usr/share/novnc/core usr/share/novnc/vendor usr/share/novnc/vnc.html usr/share/novnc/package.json
)

# Mount points and places that programs expect; the root is read-only, so all of them must stand here.
DIRECTORIES=(
    share run/dkvm tmp proc sys dev disks root mnt home
    var/tmp var/lib var/log etc/dkvm opt/dkvm/kernel opt/dkvm/lib opt/dkvm/aot
)

# Of its dependencies none is wanted: they would bring a whole Node.js.
NOVNC_PACKAGE=novnc

# The add-on: one more program, which finds all its libraries in the root.
ARM64_PACKAGE=qemu-system-arm
ARM64_PROGRAM=usr/bin/qemu-system-aarch64

# extract RAW [--alone PACKAGE] PACKAGE…: one of them without what it depends on.
extract() {
    local raw=$1 alone='' hook=()
    shift
    if [ "$1" = --alone ]; then
        alone=$2
        # shellcheck disable=SC2016 # expanded by the hook's shell
        hook=(--extract-hook='cd "$1/var/cache/apt/archives" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download '"$alone")
        shift 2
    fi
    # The packages themselves stay for take_licences.
    mmdebstrap --variant=extract --mode=root --include="$(IFS=, && echo "$*")" "${hook[@]}" \
        --aptopt='APT::Install-Recommends "false"' --skip=cleanup/apt "$SUITE" "$raw"
    [ -z "$alone" ] || dpkg-deb -x "$raw/var/cache/apt/archives/$alone"_*.deb "$raw"
}

# The merged /usr that base-files would have made, and what ld.so --list wants to see.
link_usr() {
    local name
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$1/$name"
    done
}

# libraries RAW PROGRAM: the files that the program loads, as paths in RAW; fails when one is missing.
libraries() {
    local listing
    listing=$(chroot "$1" /usr/lib64/ld-linux-x86-64.so.2 --list "/$2") || {
        warn "$2: $listing"
        return 1
    }
    if grep -F 'not found' <<<"$listing" >&2; then
        return 1
    fi
    awk '/=>/ { print substr($3, 2) }' <<<"$listing"
}

# take RAW ROOT PATH…: copies files with the links on the way to them.
take() {
    local raw=$1 root=$2 path target
    shift 2
    for path; do
        [ ! -e "$root/$path" ] || continue
        [ -e "$raw/$path" ] || die "\"$path\" is in none of the packages of $SUITE: look for its new place and correct $0"
        mkdir -p "$root/$(dirname "$path")"
        cp -a "$raw/$path" "$root/$path"
        if [ -L "$raw/$path" ]; then
            target=$(realpath -m --relative-to="$raw" "$raw/$(dirname "$path")/$(readlink "$raw/$path")")
            take "$raw" "$root" "$target"
        fi
    done
}

# The licence texts, and the names and versions, of the packages that any file was taken from.
take_licences() {
    local raw=$1 root=$2 deb package
    (cd "$root" && find usr etc ! -type d | sort) >"$raw/taken"
    for deb in "$raw"/var/cache/apt/archives/*.deb; do
        # Packages still name files below /lib or /usr/lib: the same place.
        if dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -E 's#^\./##; s#^(bin|sbin|lib|lib64)/#usr/\1/#' \
            | sort | comm -12 - "$raw/taken" | grep -q .; then
            package=$(dpkg-deb -f "$deb" Package)
            if [ -e "$raw/usr/share/doc/$package/copyright" ]; then
                mkdir -p "$root/usr/share/doc/$package"
                cp -L "$raw/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
            fi
            # shellcheck disable=SC2016 # dpkg-deb's own fields
            dpkg-deb -W --showformat='${Package} ${Version} ${source:Package} ${source:Version}\n' "$deb"
        fi
    done >"$raw/packages.txt"
    mkdir -p "$root/usr/share/doc"
    sort "$raw/packages.txt" >"$root/usr/share/doc/packages.txt"
    [ -s "$root/usr/share/doc/packages.txt" ] || die "no package was found for the files taken: is apt's cache empty?"
}

populate() {
    local raw=$1 root=$2 program library
    mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc"
    link_usr "$root"
    take "$raw" "$root" usr/lib64/ld-linux-x86-64.so.2 "${PROGRAMS[@]}" "${LIBRARIES[@]}" "${DATA[@]}"
    for program in "${PROGRAMS[@]}" "${LIBRARIES[@]}"; do
        case $program in usr/bin/busybox) continue ;; esac # static
        libraries "$raw" "$program" >"$raw/libraries" || die "\"$program\" misses a library"
        while read -r library; do
            case $library in lib/* | lib64/*) library=usr/$library ;; esac
            take "$raw" "$root" "$library"
        done <"$raw/libraries"
    done
    rm "$raw/libraries"
    ln -s busybox "$root/usr/bin/sh"
    # The monitor trains its way of starting programs with it.
    ln -s busybox "$root/usr/bin/true"
    ln -s mke2fs "$root/usr/sbin/mkfs.ext4"
    ln -s mke2fs "$root/usr/sbin/mkfs.ext3"
    ln -s mke2fs "$root/usr/sbin/mkfs.ext2"
    settle_novnc "$root"
    take_licences "$raw" "$root"
    for program in "${DIRECTORIES[@]}"; do
        mkdir -p "$root/$program"
    done
    chmod 1777 "$root/tmp" "$root/var/tmp"
    ln -s ../run "$root/var/run"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\ntty:x:5:\nkvm:x:104:\nnogroup:x:65534:\n' >"$root/etc/group"
    printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
    # Docker and Podman mount their own over these; a read-only root can not grow the mount points.
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
    : >"$root/etc/resolv.conf"
    : >"$root/etc/hostname"
    ln -s /proc/self/mounts "$root/etc/mtab"
    # No need to search: the cache of ld.so saves every start of QEMU some hundred failed opens.
    printf '/usr/lib/x86_64-linux-gnu\n' >"$root/etc/ld.so.conf"
    ldconfig -r "$root" || die "ldconfig failed"
}

# noVNC's page connects by itself, and to nothing but the place that it came from. Its one script that is no file is told apart by its digest: no other runs.
settle_novnc() {
    local pages=$1/usr/share/novnc digest
    rm -r "$pages/app/images/icons"
    printf '{"autoconnect": true, "resize": "scale"}\n' >"$pages/defaults.json"
    printf '{"host": "", "port": 0, "path": "websockify"}\n' >"$pages/mandatory.json"
    # shellcheck disable=SC2016 # Perl's own variables
    digest=$(perl -0777 -MDigest::SHA=sha256_base64 -ne \
        'while (/<script type="module">(.*?)<\/script>/sg) { print sha256_base64($1), "=\n" }' "$pages/vnc.html")
    # One line, of 32 bytes in base64.
    [[ $digest =~ ^[A-Za-z0-9+/]{43}=$ ]] || die "noVNC's page has not the one script that it had: look at it and correct $0"
    printf '%s\n' "$digest" >"$pages/.script"
}

# The whole is checked once more as it will run: from its own root, with its own libraries.
verify() {
    local root=$1 program found
    found=$(find "$root" -xdev -perm /6000 -type f)
    [ -z "$found" ] || die "setuid or setgid files in the sandbox root: $found"
    for program in "${PROGRAMS[@]}" "${LIBRARIES[@]}"; do
        case $program in usr/bin/busybox) continue ;; esac
        libraries "$root" "$program" >/dev/null || die "\"$program\" does not find its libraries in the sandbox root"
    done
    chroot "$root" /usr/bin/qemu-system-x86_64 --version | head -n 1
    chroot "$root" /usr/libexec/virtiofsd --version
    say "sandbox root: $(du -sm "$root" | cut -f1) MiB, $(find "$root" -type f | wc -l) files, $(wc -l <"$root/usr/share/doc/packages.txt") packages"
}

make_root() {
    local entry=$1 work=$1.making
    rm -rf "$work"
    mkdir -p "$work"
    extract "$work/raw" --alone "$NOVNC_PACKAGE" "${PACKAGES[@]}"
    mkdir -p "$work/raw/proc" "$work/raw/dev"
    for name in bin sbin lib lib64; do
        [ -e "$work/raw/$name" ] || ln -s "usr/$name" "$work/raw/$name"
    done
    mkdir "$work/root"
    chmod 755 "$work/root"
    populate "$work/raw" "$work/root"
    verify "$work/root"
    mv "$work/root" "$entry"
    rm -rf "$work"
}

# make_addition ENTRY ROOT: the add-on's files, checked with the libraries of ROOT.
make_addition() {
    local entry=$1 root=$2 work=$1.making doc=usr/share/doc/$ARM64_PACKAGE loader
    rm -rf "$work"
    mkdir -p "$work/root/$doc"
    extract "$work/raw" "$ARM64_PACKAGE"
    chmod 755 "$work/root"
    take "$work/raw" "$work/root" "$ARM64_PROGRAM"
    cp -L "$work/raw/$doc/copyright" "$work/root/$doc/copyright"
    # shellcheck disable=SC2016 # dpkg-deb's own fields
    dpkg-deb -W --showformat='${Package} ${Version} ${source:Package} ${source:Version}\n' \
        "$work/raw/var/cache/apt/archives/${ARM64_PACKAGE}"_*.deb >"$work/root/$doc/packages.txt"
    loader=("$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu")
    if ! "${loader[@]}" --list "$work/root/$ARM64_PROGRAM" >"$work/libraries" || grep -F 'not found' "$work/libraries" >&2; then
        die "\"$ARM64_PROGRAM\" does not find its libraries in the sandbox root"
    fi
    "${loader[@]}" "$work/root/$ARM64_PROGRAM" --version | head -n 1
    mv "$work/root" "$entry"
    rm -rf "$work"
}

# cached ENTRY FUNCTION ARGUMENT…: what FUNCTION makes, once.
cached() {
    local entry=$1
    if [ -d "$entry" ]; then
        say "    taken from the cache: $entry"
    else
        logged "$entry.log" "$2" "$entry" "${@:3}"
        tail -n 3 "$entry.log" | sed 's/^/    /'
    fi
}

main() {
    local entry base addition=''
    [ "${1:-}" != --arm64 ] || { addition=yes && shift; }
    [ $# = 1 ] || die "usage: sandbox-root.sh [--arm64] OUTDIR"
    need_root "making the sandbox's root"
    umask 022
    base=$DKVM_CACHE/sandbox-root/$(key_of "$0")
    entry=$base${addition:+-arm64}
    locked sandbox-root
    # Older recipes' results are of no use to anybody.
    [ -d "$base" ] || rm -rf "$DKVM_CACHE/sandbox-root"
    cached "$base" make_root
    [ -z "$addition" ] || cached "$entry" make_addition "$base"
    rm -rf "$1"
    mkdir -p "$(dirname "$1")"
    cp -a --reflink=auto "$entry" "$1"
}

main "$@"
