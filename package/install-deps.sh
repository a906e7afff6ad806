#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs by apt what building, running and testing DKVM needs, where it is missing: install-deps.sh [--list | --without-tests]
#
# ARCHES=arm64: what it takes to build the add-on, too. All tests together need it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PACKAGES=(
    # guest programs and kernel
    gcc libc6-dev make binutils flex bison bc perl patch libelf-dev libmnl-dev libcap2-bin kmod cpio
    tar xz-utils gzip lz4 zstd rsync
    # Java; the JDK itself is find-jdk.sh's
    maven ca-certificates
    # sandbox root, images
    mmdebstrap debian-archive-keyring busybox-static util-linux mount
    # running
    runc iptables iproute2 procps curl
)

# For the agent in VMs for arm64.
ARM64=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross)

# For make test and make check.
TESTS=(
    "${ARM64[@]}"
    strace docker-compose openssh-client
    podman crun netavark aardvark-dns catatonit uidmap slirp4netns
    containernetworking-plugins python3-grpcio
    # gates
    shellcheck clang-format man-db fish zsh
)

# A Docker engine that is there stays, wherever it is from.
engine_packages() {
    if ! command -v dockerd >/dev/null && ! docker info >/dev/null 2>&1; then
        PACKAGES+=(docker.io)
        # dockerd asks this program whenever the kernel has AppArmor on.
        if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
            PACKAGES+=(apparmor)
        fi
    fi
    if ! command -v docker >/dev/null; then
        # Debian 13 has the client in a package of its own.
        if apt-cache show docker-cli >/dev/null 2>&1; then
            PACKAGES+=(docker-cli)
        else
            PACKAGES+=(docker.io)
        fi
    fi
}

has_browser() { command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null; }

# For a screen in a browser: 100 MB. Where there is no such package, that case looks at the screen without one and is told as skipped.
browser_package() {
    if has_browser; then
        return
    elif apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        PACKAGES+=(chromium-headless-shell)
    else
        warn "no package chromium-headless-shell here: DisplaysTest does without a browser; install Chromium for all of it"
    fi
}

# All of PACKAGES that dpkg does not call installed, by one question.
missing_packages() {
    local installed
    # shellcheck disable=SC2016 # dpkg-query's own fields
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null | sed -n 's/^installed //p')
    printf '%s\n' "${PACKAGES[@]}" | sort -u | comm -23 - <(sort -u <<<"$installed")
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends "$@"
}

main() {
    local missing start=$EPOCHREALTIME tests=yes
    [ "${1:-}" != --without-tests ] || tests=no
    [ "$tests" = no ] || PACKAGES+=("${TESTS[@]}")
    [ -z "${ARCHES:-}" ] || PACKAGES+=("${ARM64[@]}")
    [ "${1:-}" != --list ] || {
        printf '%s\n' "${PACKAGES[@]}"
        exit
    }
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        die "this is not a Debian-like machine: install the equivalents of ${PACKAGES[*]} and a Docker engine, and JDK 25"
    fi
    # A fresh machine knows no packages yet: then apt-cache can not say which one has the client, or a browser.
    if ! apt-cache show docker.io >/dev/null 2>&1 && { ! command -v docker >/dev/null || { [ "$tests" = yes ] && ! has_browser; }; }; then
        need_root "installing packages"
        logged "$DKVM_CACHE/apt.log" apt-get update -q
    fi
    engine_packages
    [ "$tests" = no ] || browser_package
    # The keys of trixie came to older releases by an update.
    local keyring=/usr/share/keyrings/debian-archive-trixie-stable.gpg
    missing=$(missing_packages)
    if [ -z "$missing" ] && [ -e "$keyring" ]; then
        say "    nothing is missing"
        return 0
    fi
    [ -e "$keyring" ] || missing+=" debian-archive-keyring"
    need_root "installing packages"
    # shellcheck disable=SC2086 # a list of names
    say "==> installing by apt:" $missing
    # shellcheck disable=SC2086 # a list of names
    logged "$DKVM_CACHE/apt.log" install_packages $missing
    [ -e "$keyring" ] || warn "debian-archive-keyring has no key for Debian trixie: the sandbox's root may fail to build"
    say "    packages installed: $(took "$start")"
}

main "$@"
