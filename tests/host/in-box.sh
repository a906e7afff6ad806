#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs in a box, from the disk that disk.sh made: installs DKVM by its Debian package, makes the images, and runs the chosen cases:
#   in-box.sh smoke | all | CLASS#CASE…
#
# Ends with the exit code of JUnit's launcher: 0, 1 when a case failed.
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

suite=$(cd "$(dirname "$0")/../.." && pwd)
top=$(dirname "$suite")

# Emulated hardware with emulated hardware in it: ten times as slow as the machines that the limits were made for.
SLOWNESS=${SLOWNESS:-10}
IMAGES=(hello busybox debian tools kernel systemd)

# The engine was started by systemd, and may not be ready yet.
await_engine() {
    local deadline=$((SECONDS + 60 * SLOWNESS))
    until docker info >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || die "the box's engine does not answer: $(systemctl status docker)"
        sleep 0.5
    done
}

# DKVM's own limits, too: a probe of KVM takes ten seconds there, a start that waits for others more than a minute.
install_package() {
    mkdir -p /etc/dkvm
    printf '{"kvm-probe-seconds": %d, "start-seconds": %d}\n' $((6 * SLOWNESS)) $((60 * SLOWNESS)) >/etc/dkvm/dkvm.json
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o Dpkg::Options::=--force-confold "$top/dkvm.deb"
}

tell_host() {
    say "    $(uname -sr), $(systemctl --version | sed -n '1s/ (.*//p'), $(docker info --format 'Docker {{.ServerVersion}}, cgroup {{.CgroupVersion}} by {{.CgroupDriver}}, {{.SecurityOptions}}'), $(podman --version)"
    dkvm check | sed 's/^/    /'
}

# Their root filesystems came along; only the engine's part is done here.
make_images() {
    export DKVM_CACHE=/var/tmp/dkvm-cache
    mkdir -p "$DKVM_CACHE/images"
    ln -sf "$top"/images/* "$DKVM_CACHE/images/"
    tests/images/build.sh --short-names "${IMAGES[@]}"
}

# selection LIST…: a file's cases as the launcher's options; names are without their package.
selection() {
    cat "$@" | sed -E '/^(#|$)/d; s/^[^#]*$/--select-class=org.dkvm.e2e.&/; s/^[^-].*#.*/--select-method=org.dkvm.e2e.&/'
}

run_cases() {
    local options=() names
    case $1 in
        smoke) mapfile -t options < <(selection tests/host/smoke.txt) ;;
        all) mapfile -t options < <(selection tests/host/smoke.txt tests/host/cases.txt) ;;
        *) mapfile -t options < <(printf '%s\n' "$@" | selection -) ;;
    esac
    names=$(printf 'dkvm-test/%s,' "${IMAGES[@]}")
    "$top/jre/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
        -Ddkvm.e2e.deadlineSeconds=$((120 * SLOWNESS)) -Ddkvm.e2e.images="${names%,}" -Ddkvm.e2e.ownHost=true \
        -Ddkvm.e2e.together=false \
        -cp "$top/test-classes:$top/classes:$top/lib/*" org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors \
        --config=junit.jupiter.execution.parallel.enabled=false --details=testfeed \
        --fail-if-no-tests "${options[@]}"
}

# What may say more of a case that failed.
tell_log() {
    say "what the box's log has of warnings:"
    journalctl --boot --priority warning --no-pager --output short-monotonic | grep -v 'Unhandled WRMSR' | tail -n 60
}

main() {
    local status
    cd "$suite"
    [ $# -gt 0 ] || die "usage: in-box.sh smoke | all | CLASS#CASE…"
    step 'engine' await_engine
    step 'Debian package' install_package
    step 'this host' tell_host
    step 'images' make_images
    attempt run_cases "$@"
    [ "$status" = 0 ] || tell_log
    return "$status"
}

main "$@"
