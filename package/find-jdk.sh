#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the JAVA_HOME of a JDK 25 or later, and gets one when the machine has none. What it does goes to stderr.
#
# In this order: JAVA_HOME, /usr/lib/jvm, apt's own package, and at last (Debian 12 has no such package) the one of
# Debian trixie, extracted into the cache with the C library it was made for.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

WANTED=25
SUITE=trixie
PACKAGE=openjdk-$WANTED-jdk-headless

# The feature release of a JDK, 0 for what is none.
release_of() {
    local version
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null || true)
    [ -x "$1/bin/javac" ] && [ -x "$1/bin/jlink" ] || version=
    printf '%s' "${version:-0}"
}

runs() { "$1/bin/java" -version >/dev/null 2>&1; }

installed() {
    local home
    for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
        if [ ! -L "$home" ] && [ "$(release_of "$home")" -ge "$WANTED" ] && runs "$home"; then
            printf '%s\n' "$home"
            return 0
        fi
    done
    return 1
}

by_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    # A machine that never ran "apt-get update" knows no package at all.
    if ! apt-cache show debian-archive-keyring >/dev/null 2>&1; then
        apt-get update -q >&2 || return 1
    fi
    apt-cache show "$PACKAGE" >/dev/null 2>&1 || return 1
    say "==> installing $PACKAGE" >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$PACKAGE" >&2 && installed
}

# A JDK made for a newer C library than this machine's runs when that library's own loader starts it.
wrap() {
    local entry=$1 program
    mkdir "$entry/jdk/programs"
    for program in "$entry"/jdk/bin/*; do
        [ -f "$program" ] || continue
        mv "$program" "$entry/jdk/programs/"
        printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$entry/lib/ld.so" "$entry/lib" \
            "$entry/jdk/programs/$(basename "$program")" >"$program"
        chmod 755 "$program"
    done
    program=$entry/jdk/lib/jspawnhelper
    mv "$program" "$program.program"
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$entry/lib/ld.so" "$entry/lib" "$program.program" >"$program"
    chmod 755 "$program"
}

extract() {
    local entry=$1 raw=$1.making/raw link
    rm -rf "$entry.making" "$entry"
    mkdir -p "$entry.making"
    mmdebstrap --variant=extract --mode=root --include="$PACKAGE" \
        --aptopt='APT::Install-Recommends "false"' "$SUITE" "$raw"
    mkdir -p "$entry/lib"
    cp -a "$raw/usr/lib/jvm/java-$WANTED-openjdk-amd64" "$entry/jdk"
    cp -L "$raw/usr/lib64/ld-linux-x86-64.so.2" "$entry/lib/ld.so"
    # Its libraries, real or linked; no directories.
    find "$raw/usr/lib/x86_64-linux-gnu" -maxdepth 1 \( -type f -o -type l \) -name '*.so*' -exec cp -a -t "$entry/lib" {} +
    # Debian keeps the configuration in /etc: the links must not lead to this machine's.
    find "$entry/jdk" -type l | while read -r link; do
        case $(readlink "$link") in
            /etc/ssl/certs/java/cacerts) ;; # this machine's own certificates are the ones wanted
            /*)
                if [ -e "$raw$(readlink "$link")" ]; then
                    cp -rL --remove-destination "$raw$(readlink "$link")" "$link"
                else
                    rm "$link"
                fi
                ;;
        esac
    done
    wrap "$entry"
    rm -rf "$entry.making"
    runs "$entry/jdk"
}

from_trixie() {
    local entry
    need_root "getting a JDK $WANTED for this machine"
    command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: run package/install-deps.sh"
    entry=$DKVM_CACHE/jdk/$SUITE-$(key_of "$0")
    locked jdk
    if ! runs "$entry/jdk"; then
        # Whatever may go wrong below, the way out is the same.
        trap '[ $? = 0 ] || warn "no JDK could be had: install one and set JAVA_HOME"' EXIT
        say "==> no JDK $WANTED here: taking the one of Debian $SUITE" >&2
        mkdir -p "$DKVM_CACHE/jdk"
        logged "$DKVM_CACHE/jdk/build.log" extract "$entry"
    fi
    printf '%s\n' "$entry/jdk"
}

case ${1:-} in
    "") installed || by_apt || from_trixie ;;
    # For tests: the last resort though better is at hand.
    --extracted) from_trixie ;;
    *) die "usage: find-jdk.sh [--extracted]" ;;
esac
