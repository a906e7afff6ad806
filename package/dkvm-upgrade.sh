#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a version of DKVM, beside the one that is there: dkvm-upgrade.sh [OPTION…] [SOURCE]
#
# SOURCE is a directory with the package, a tar archive of one, or an image that "make image" made; dkvm/dkvm when it is left out.
#
#   --target DIR   the installation (/opt/dkvm)
#   --downgrade    take an older version than the one that is there, too
#   --link         hard links to SOURCE's files instead of copies
#   --rollback     no SOURCE: the version before this one again, and the next time this one
#   --clean        no SOURCE: remove the version before this one, too, where no VM runs from it
#   --with arm64   of SOURCE only the add-on for arm64, for the version that SOURCE is; the current version stays the current one
#   --without arm64  no SOURCE: take the add-on for arm64 out again
#
# A SOURCE that is the version that is there, and has the add-on for arm64, brings that alone.
# VMs keep the version that they started with, to their end; new ones get the new one from the moment it is complete. Killed at any point, it leaves
# the old version or the new one, and the next call goes on or cleans up. Kernels that were added by hand are taken along.
set -eu
# shellcheck source-path=SCRIPTDIR source=dkvm-common.sh
. "$(dirname "$(readlink -f "$0")")/dkvm-common.sh"
# shellcheck source-path=SCRIPTDIR source=dkvm-addon.sh
. "$(dirname "$(readlink -f "$0")")/dkvm-addon.sh"

usage() { die "usage: dkvm-upgrade.sh [--target DIR] [--downgrade] [--link] [--with arm64] [DIRECTORY | ARCHIVE | IMAGE] | --rollback | --clean | --without arm64"; }

mode='' source='' downgrade='' link='' target=/opt/dkvm
[ "$root" = "$home" ] || target=$root
while [ $# -gt 0 ]; do
    case $1 in
        --target)
            [ $# -gt 1 ] || usage
            target=$2
            shift
            ;;
        --downgrade) downgrade=--downgrade ;;
        --link) link=yes ;;
        --rollback | --clean) mode=${1#--} ;;
        --with | --without)
            [ "${2:-}" = arm64 ] || usage
            mode=${1#--}
            shift
            ;;
        # How DKVM's image calls it: the package is the one that this script is in.
        --installer) mode=installer source=$home target=/dkvm ;;
        -*) usage ;;
        *)
            [ -z "$source" ] || usage
            source=$1
            ;;
    esac
    shift
done
case $mode in
    rollback | clean | without) [ -z "$source$link$downgrade" ] || usage ;;
    with) if [ ! -d "$source" ] || [ -n "$downgrade" ]; then usage; fi ;;
esac
need_root
umask 022

# name_of PACKAGE: what its directory in versions/ is called. Two builds of one version have two.
name_of() {
    for file in VERSION BUILD scripts/dkvm-runtime sandbox/opt/dkvm/jre/bin/java sandbox/opt/dkvm/lib/dkvm.jar kernels; do
        [ -e "$1/$file" ] || die "\"$1\" is no package of DKVM: it has no \"$file\""
    done
    build=$(sed -n 3p "$1/BUILD")
    printf '%s-%s' "$(cat "$1/VERSION")" "$(printf '%.8s' "$build")"
}

# number TEXT: the first three parts of a version as one number.
number() (
    IFS=.
    # shellcheck disable=SC2086 # parts between dots
    set -- ${1%%[!0-9.]*}
    echo "$((${1:-0} * 10000000000 + ${2:-0} * 100000 + ${3:-0}))"
)

# is_newer PACKAGE OTHER: by the versions, and of one version by when they were built.
is_newer() {
    one=$(number "$(cat "$1/VERSION")") other=$(number "$(cat "$2/VERSION")")
    [ "$one" = "$other" ] || {
        [ "$one" -gt "$other" ]
        return
    }
    [ "$(sed -n 2p "$1/BUILD" | tr -cd 0-9)" -gt "$(sed -n 2p "$2/BUILD" | tr -cd 0-9)" ]
}

# current_name [LINK]: the version that a link leads to; empty without one.
current_name() {
    name=$(readlink "$target/${1:-current}" 2>/dev/null) || name=''
    name=${name#versions/}
    [ -z "$name" ] || [ ! -e "$target/versions/$name/BUILD" ] || printf '%s' "$name"
}

# Up to 0.1.0's development /opt/dkvm was the package itself: it becomes a version like the others.
adopt_flat() {
    if [ ! -d "$target/versions/.flat" ] && { [ ! -d "$target/sandbox" ] || [ -L "$target/sandbox" ]; }; then
        return 0
    fi
    mkdir -p "$target/versions/.flat"
    for file in sandbox kernels guest lib bin scripts share NOTICE LICENSE VERSION BUILD; do
        [ ! -e "$target/$file" ] || [ -L "$target/$file" ] || mv "$target/$file" "$target/versions/.flat/"
    done
    mv "$target/versions/.flat" "$target/versions/flat"
    use flat
}

# Complete under its name, or not there.
stage() {
    rm -rf "$target"/versions/.new-*
    if [ -e "$target/versions/$1/BUILD" ]; then
        add_addon "$2" "$target/versions/$1"
        return
    fi
    work=$target/versions/.new-$1
    if [ -n "$link" ]; then
        cp -al "$2" "$work" || die "\"$2\" can not be linked into \"$target/versions\": try without --link"
    else
        "$home/lib/dkvm-files" copy "$2" "$work" || {
            rm -rf "$work"
            exit 1
        }
    fi
    if [ -e "$work/$addon_program" ] && ! has_addon "$work"; then
        drop_addon "$work"
        warn "\"$2\" has arm64's add-on of another build: it is left out"
    fi
    mv -T "$work" "$target/versions/$1"
}

# add_addon SOURCE VERSION: what a package of the same build has beside what is there.
add_addon() {
    if ! has_addon "$1" || has_addon "$2"; then
        return 0
    fi
    drop_addon "$2"
    for part in $(addon_parts "$1"); do
        [ "$part" = "$addon_program" ] || bring "$part" "$1" "$2"
    done
    point_latest "$2" "${addon_kernels#kernels/}"
    # Those that were taken along without it.
    for kernel in "$2"/kernels/*-arm64/*; do
        if [ -L "$kernel" ] || [ ! -d "$kernel" ] || [ -e "$kernel/.shipped" ]; then
            continue
        fi
        dist=${kernel#"$2"/kernels/}
        renew_initramfs "$2" "${dist%/*}" "$kernel" || die "kernel \"$dist\" has no fresh initramfs; \"dkvm kernel rm $dist\" gives it up"
    done
    bring "$addon_program" "$1" "$2"
    say "$target: the add-on for arm64 is installed"
}

# join_addon: SOURCE's add-on, for its own version; whoever rolled back keeps what is current.
join_addon() {
    wanted=$(name_of "$source")
    has_addon "$source" || die "\"$source\" has no add-on for arm64 of its own build"
    [ -e "$target/versions/$wanted/BUILD" ] || die "\"$target\" has no version $wanted, which this add-on for arm64 is of: install that version first, or again"
    add_addon "$source" "$target/versions/$wanted"
    [ "$(current_name)" = "$wanted" ] ||
        warn "the add-on for arm64 is of version $wanted, and $(current_name) is the current one: VMs for arm64 start once $wanted is current again ($target/scripts/dkvm-upgrade.sh --rollback)"
}

# addon_parts PACKAGE: what is there of the add-on, its program last. Kernels that were added by hand are not its.
addon_parts() {
    for part in "$1/$addon_kernels"/*; do
        [ -L "$part" ] || [ ! -e "$part/.shipped" ] || echo "${part#"$1"/}"
    done
    for part in $addon_files; do
        [ "$part" = "$addon_kernels" ] || [ ! -e "$1/$part" ] || echo "$part"
    done
}

# bring PART FROM TO: there as a whole or not at all.
bring() {
    discard "$1" "$3"
    work=$3/.work-addon
    rm -rf "$work"
    mkdir -p "$3/${1%/*}"
    if [ -n "$link" ]; then
        cp -al "$2/$1" "$work"
    else
        cp -a "$2/$1" "$work"
    fi
    mv -T "$work" "$3/$1"
}

# discard PART FROM: never seen half removed.
discard() {
    rm -rf "$2/.work-discarded"
    [ ! -e "$2/$1" ] || mv -T "$2/$1" "$2/.work-discarded"
    rm -rf "$2/.work-discarded"
}

# drop_addon VERSION: the program goes first: what is left without it is no add-on.
drop_addon() {
    rm -rf "$1/.work-addon"
    discard "$addon_program" "$1"
    for part in $(addon_parts "$1"); do discard "$part" "$1"; done
    [ ! -d "$1/$addon_kernels" ] || point_latest "$1" "${addon_kernels#kernels/}"
}

remove_addon() {
    if [ -e "$target/package/$addon_program" ] && [ -z "${DPKG_MAINTSCRIPT_PACKAGE:-}" ]; then
        die "\"$target\" has the add-on from a Debian package: apt remove dkvm-arm64"
    fi
    for version in "$target"/versions/*; do
        [ ! -d "$version" ] || drop_addon "$version"
    done
    say "$target: the add-on for arm64 is removed"
}

# tell_addon NAME: whoever had it misses it in another version.
tell_addon() {
    if [ -n "$1" ] && has_addon "$target/versions/$1" && ! has_addon "$target/current"; then
        say "$target: VMs for arm64 need the add-on of this version, too: install dkvm-arm64_<version>_amd64.deb, or call \"docker run --rm -v /opt/dkvm:/dkvm dkvm/dkvm:arm64\", or \"make install ARCHES=arm64\""
    fi
}

# carry_kernels FROM TO: what was added by hand, as links to the same files, with the agent that goes with the version.
carry_kernels() {
    for kernel in "$1"/kernels/*/*; do
        added=${kernel#"$1"/kernels/}
        dist=${added%%/*}
        # Kernels that came with a package go with it.
        if [ ! -d "$kernel" ] || [ -L "$kernel" ] || [ -e "$kernel/.shipped" ] || [ -e "$2/kernels/$added" ]; then
            continue
        fi
        work=$2/kernels/.work-carried
        rm -rf "$work"
        mkdir -p "$2/kernels/$dist"
        cp -al "$kernel" "$work"
        renew_initramfs "$2" "$dist" "$work" || die "kernel \"$added\" can not be taken along; \"dkvm kernel rm $added\" gives it up"
        mv -T "$work" "$2/kernels/$added"
        point_latest "$2" "$dist"
        say "kernel \"$added\" is taken along"
    done
}

# point_latest PACKAGE DISTRIBUTION: as "dkvm kernel add" does it; a distribution without kernels is none.
point_latest() {
    newest=$(find "$1/kernels/$2" -mindepth 1 -maxdepth 1 -type d | sed 's|.*/||' | sort -V | tail -n 1)
    if [ -n "$newest" ]; then
        point "$1/kernels/$2" latest "$newest"
    else
        rm -rf "${1:?}/kernels/$2"
    fi
}

# An initramfs begins with the agent, which speaks its own version's protocol.
renew_initramfs() {
    [ -d "$3/modules" ] || return 0
    agent=$1/guest/initramfs
    case $2 in
        *-arm64)
            agent=$agent-arm64
            # Nothing boots it until the add-on comes.
            [ -e "$agent" ] || return 0
            ;;
    esac
    for file in initramfs initramfs-more; do
        [ -e "$3/$file" ] || continue
        more=''
        [ "$file" = initramfs ] || more=--more
        # shellcheck disable=SC2086 # no option is no word
        sh "$1/bin/dkvm" kernel initramfs $more "$3/modules" "$agent" "$3/.fresh" >/dev/null || return
        mv "$3/.fresh" "$3/$file"
    done
}

# use NAME: the one moment at which a version becomes the current one, with what leads to it.
use() {
    was=$(current_name)
    for file in "$target/versions/$1"/*; do
        file=${file##*/}
        point "$target" "$file" "current/$file"
    done
    # What "flat" has for scripts knows of no versions.
    case $was in '' | flat | "$1") ;; *) point "$target" previous "versions/$was" ;; esac
    point "$target" current "versions/$1"
    # What the version before had and this one has not.
    for file in "$target"/*; do
        case $(readlink "$file") in current/*) [ -e "$file" ] || rm "$file" ;; esac
    done
}

# Versions that nobody needs: neither this one, nor the one before it, nor one that VMs run from.
remove_unused() {
    rm -rf "$target"/versions/.old-* "$target"/versions/.new-*
    for version in "$target"/versions/* "$target".old-*; do
        name=${version##*/}
        if [ ! -d "$version" ] || [ "$name" = "$(current_name)" ] || [ "$name" = "$(current_name previous)" ]; then
            continue
        elif [ "$(vms "$version")" -gt 0 ]; then
            say "version \"$name\" is kept: $(vms "$version") VMs run from it"
        else
            # Never seen half removed.
            mv -T "$version" "$target/versions/.old-$name"
            rm -rf "$target/versions/.old-$name"
        fi
    done
}

roll_back() {
    had=$(current_name)
    previous=$(current_name previous)
    if [ -z "$previous" ] || [ "$previous" = "$had" ]; then
        die "there is no version before this one in \"$target\""
    fi
    carry_kernels "$target/current" "$target/versions/$previous"
    use "$previous"
    say "$target: version $previous is current again"
    tell_addon "$had"
}

install_package() {
    wanted=$(name_of "$source")
    had=$(current_name)
    if [ -n "$had" ] && [ -z "$downgrade" ] && is_newer "$target/current" "$source"; then
        die "\"$target\" has $had, which is newer than $wanted: --downgrade takes the older one, --rollback the one before"
    fi
    stage "$wanted" "$source"
    [ -z "$had" ] || [ "$had" = "$wanted" ] || carry_kernels "$target/current" "$target/versions/$wanted"
    use "$wanted"
    case $had in
        "$wanted") say "$target: version $wanted is there already" ;;
        *) say "$target: version $wanted is installed${had:+ (before: $had)}" ;;
    esac
    tell_addon "$had"
}

# The image writes below its mount only, and sees no processes: cleaning up is left to the host.
from_image() {
    command -v docker >/dev/null || die "\"$source\" is neither a directory nor an archive here, and there is no Docker for an image of that name"
    local_docker image inspect "$source" >/dev/null 2>&1 || say "pulling $source"
    # shellcheck disable=SC2086 # no option is no word
    local_docker run --rm --network none --security-opt label=disable -v "$target:/dkvm" "$source" $downgrade || die "the image \"$source\" did not install: see above"
}

# Unpacked on the same filesystem, so that it needs no second copy.
unpack_archive() {
    mkdir "$target/versions/.archive"
    tar -C "$target/versions/.archive" --strip-components=1 --numeric-owner -xpf "$source" || die "\"$source\" can not be unpacked"
    source=$target/versions/.archive link=yes
}

# The image's own filesystem ends with the container: without a mount nothing would stay.
check_mount() {
    grep -q ' /dkvm ' /proc/self/mountinfo || die "nothing of the host is mounted at /dkvm: docker run --rm -v /opt/dkvm:/dkvm IMAGE"
}

[ "$mode" != installer ] || check_mount
if [ -z "$mode" ] && [ ! -e "${source:=dkvm/dkvm}" ]; then
    mkdir -p "$target"
    from_image
    mode=clean-up
fi
mkdir -p "$target/versions"
lock "$target"
rm -rf "$target/.removing" "$target/versions/.archive"
adopt_flat
case $mode in
    rollback) roll_back ;;
    clean) rm -f "$target/previous" ;;
    with) join_addon ;;
    without) remove_addon ;;
    clean-up) ;;
    *)
        [ -d "$source" ] || unpack_archive
        install_package
        rm -rf "$target/versions/.archive"
        ;;
esac
if [ "$mode" = installer ]; then
    say 'next, on the host: sudo /opt/dkvm/scripts/dkvm-install-runtime.sh'
else
    remove_unused
fi
