#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets, one after the other, and ends at the first input that breaks one. See tests/fuzz/README.md.
#   fuzz.sh OUTDIR SECONDS [TARGET…]      SECONDS for all of them together
#   fuzz.sh OUTDIR --replay TARGET FILE…  plays inputs
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(realpath -m "$1")
native=$out/native
java=$out/java
found=$out/found
grown=$out/grown
log=$out/log

# What an input may take: more is a finding, too. The Java targets have bounds of their own, tests/fuzz/java/org/dkvm/fuzz/Bounded.java.
LIMITS=(-timeout=20 -rss_limit_mb=3072)
JAZZER=0.30.0
PACKAGES=(clang libclang-rt-14-dev)
# The libraries that read for us are led by their branches, too. Files and sockets are what the targets work with.
INSTRUMENTED='org.dkvm.**:com.google.gson.**:org.apache.commons.compress.**:org.tukaani.xz.**:io.airlift.compress.**'
UNHOOKED=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery

java_targets() { find "$here/java" -name '*Fuzz.java' -printf '%f\n' | sed 's/\.java$//' | sort; }
c_targets() { find "$here/c" -name '*_fuzz.c' -printf '%f\n' | sed 's/\.c$//' | sort; }

install_clang() {
    # Debian 13 has a newer one, and names the library after it.
    apt-cache show "${PACKAGES[1]}" >/dev/null 2>&1 || PACKAGES[1]=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p')
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${PACKAGES[@]}"
}

build_c() {
    if ! command -v clang >/dev/null; then
        need_root "installing clang"
        install_clang
    fi
    make -s -j"$(nproc)" -C "$root/native" CC=clang WARNINGS=-w SANITIZERS=address,undefined,fuzzer-no-link BUILD="$native" fuzz
}

# The classes as the tests have them, where Maven keeps what they need, and the fuzzer beside: it is no dependency of ours.
build_java() {
    local part
    mkdir -p "$java"
    cd "$root"
    mvn -q -Dstyle.color=never test-compile dependency:build-classpath -DincludeScope=test -Dmdep.outputFile="$java/classpath"
    for part in jazzer jazzer-api; do
        [ -e "$java/$part-$JAZZER.jar" ] || mvn -q -Dstyle.color=never dependency:copy \
            -Dartifact="com.code-intelligence:$part:$JAZZER" -DoutputDirectory="$java"
    done
}

# build TARGET…: what these take to run.
build() {
    unset MAKEFLAGS MFLAGS MAKELEVEL
    JAVA_HOME=$("$root/package/find-jdk.sh")
    export JAVA_HOME
    export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
    if [[ " $* " == *"_fuzz "* ]]; then
        logged "$log/build-c.log" build_c
    fi
    if [[ " $* " == *"Fuzz "* ]]; then
        logged "$log/build-java.log" build_java
    fi
}

class_of() {
    local file
    file=$(find "$here/java" -name "$1.java" -printf '%P\n')
    file=${file%.java}
    printf '%s' "${file//\//.}"
}

# run TARGET ARGUMENT…: the fuzzer of a target, in a directory of its own; files that a target makes are in memory where the machine can.
run() {
    local target=$1 place
    shift
    place=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" dkvm-fuzz.XXXXXX)
    cd "$place"
    status=0
    if [[ $target == *_fuzz ]]; then
        TMPDIR=$place "$native/fuzz/$target" "$@" || status=$?
    else
        "$JAVA_HOME/bin/java" -Xmx1g -Djava.io.tmpdir="$place" -XX:+EnableDynamicAgentLoading \
            --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
            -cp "$java/*:$root/target/test-classes:$root/target/classes:$(cat "$java/classpath")" \
            com.code_intelligence.jazzer.Jazzer --target_class="$(class_of "$target")" --reproducer_path="$place" \
            --instrumentation_includes="$INSTRUMENTED" --instrumentation_excludes='org.dkvm.fuzz.**' \
            --disabled_hooks="$UNHOOKED" "$@" || status=$?
    fi
    cd "$root"
    rm -rf "$place"
    return "$status"
}

stat_of() { sed -n "s/^stat::$2: *//p" "$log/$1.log" | tail -n 1; }

# What a broken target said, without the stacks of libFuzzer itself.
report() {
    local target=$1 input=$2
    grep -aE -m 1 -A 12 'Java Exception|does not hold|ERROR: AddressSanitizer|runtime error|ERROR: libFuzzer' "$log/$target.log" || tail -n 20 "$log/$target.log"
    say "$target broke; its whole output is in $log/$target.log"
    if [ -n "$input" ]; then
        say "the input: $input"
        say "once more: make fuzz REPLAY='$target $input'"
        say "when it is mended: cp $input tests/fuzz/corpus/$target/found-WHAT"
    fi
}

fuzz_one() {
    local target=$1 seconds=$2 before
    mkdir -p "$found" "$grown/$target" "$log"
    before=$(find "$found" -name "$target-*" | sort)
    attempt run "$target" "${LIMITS[@]}" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found/$target-" \
        "$grown/$target" "$here/corpus/$target" >"$log/$target.log" 2>&1
    if [ "$status" != 0 ]; then
        report "$target" "$(find "$found" -name "$target-*" | sort | comm -13 <(printf '%s\n' "$before") - | head -n 1)"
        die "a fuzz target broke"
    fi
    summary+=("$(printf '%-22s %9d executions  %7d a second' "$target" "$(stat_of "$target" number_of_executed_units)" \
        "$(stat_of "$target" average_exec_per_sec)")")
    say "    ${summary[-1]}"
}

main() {
    local seconds=$2 target targets inputs
    summary=()
    shift 2
    mapfile -t targets < <(c_targets && java_targets)
    [ $# = 0 ] || targets=("$@")
    [ "$seconds" != --replay ] || targets=("${1:-}")
    for target in "${targets[@]}"; do
        [ -d "$here/corpus/${target:-none}" ] || die "there is no fuzz target \"$target\"; tests/fuzz/README.md lists them"
    done
    build "${targets[@]}"
    if [ "$seconds" = --replay ]; then
        shift
        mapfile -t inputs < <(realpath -e -- "$@")
        attempt run "$target" "${inputs[@]}"
        exit "$status"
    fi
    seconds=$((seconds / ${#targets[@]}))
    [ "$seconds" -ge 5 ] || seconds=5
    say "    ${#targets[@]} targets, $seconds s each"
    for target in "${targets[@]}"; do
        fuzz_one "$target" "$seconds"
    done
    say "nothing was found:"
    printf '  %s\n' "${summary[@]}"
}

main "$@"
