#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Puts the package together, or the add-on for VMs for arm64: assemble.sh [--arm64] BUILDDIR DESTDIR
#
# BUILDDIR holds what the other steps made:
#   sandbox-root/            sandbox-root.sh; sandbox-root-arm64/, too, for the add-on
#   native/                  make -C native: dkvm-init dkvm-network dkvm-exec dkvm-disk dkvm-tsc dkvm-sockets dkvm-locks dkvm-events dkvm-forward dkvm-web dkvm-exhaust dkvm-keep dkvm-rooted dkvm-files qemu-exit initramfs.cpio arm64/initramfs.cpio
#   java/                    Maven's target/: dkvm.jar lib/
#   kernel/<dist>/           kernel/*.sh: version, vmlinux or vmlinuz, config, modules/; dkvm or debian, and debian-arm64
# DESTDIR becomes what is installed as /opt/dkvm. It may be moved or copied there as long as the files keep their times: the
# AOT caches know the jars by size and time, and by their path only below the package.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")

# gson and picocli name more modules for features nobody uses here.
JAVA_MODULES=java.base,jdk.unsupported

# What reads kernel packages: only bin/dkvm has it on its class path, so it stays out of the sandbox.
PACKAGE_READERS=(commons-compress commons-codec commons-io commons-lang3 xz aircompressor)

# The Java runtime of host and sandbox. Compressed: what a start uses comes from the AOT caches, and next to nothing from here. Cached by JDK.
java_runtime() {
    local out=$1 home entry
    home=${JAVA_HOME:?}
    entry=$DKVM_CACHE/jre/$(cat "$home/release" "$0" <(printf '%s' "$home") | sha256sum | cut -c1-16)
    locked jre
    if [ ! -d "$entry" ]; then
        rm -rf "$DKVM_CACHE/jre"
        mkdir -p "$DKVM_CACHE/jre"
        "$home/bin/jlink" --add-modules "$JAVA_MODULES" --strip-java-debug-attributes --no-man-pages --no-header-files --compress zip-6 \
            --output "$entry.making"
        # No use here, and keytool would be one more program in the sandbox.
        rm -f "$entry.making/bin/keytool" "$entry.making/lib/jexec" "$entry.making/lib/jrt-fs.jar" "$entry.making/lib/classlist"
        rm -f "$entry.making"/lib/server/classes*.jsa
        # A table of names that only debuggers read: 5 MiB.
        strip --strip-all "$entry.making/lib/server/libjvm.so"
        find "$entry.making" -type d -exec chmod 755 {} +
        mv "$entry.making" "$entry"
    fi
    cp -a "$entry" "$out"
}

# in_sandbox COMMAND…: run as in a sandbox: in its root, with /proc (the loader asks it where the program is).
in_sandbox() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --propagation private sh -ec '
        root=$1
        shift
        mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
        mount --bind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/run"
        mount -t tmpfs tmpfs "$root/tmp"
        mkdir -p "$root/run/dkvm"
        exec chroot "$root" "$@"' in_sandbox "$dest/sandbox" "$@"
}

# on_host COMMAND…: run as the launcher does: the sandbox's Java by the sandbox's loader, so that any libc will do, beside what looks at images.
on_host() {
    local program=$1
    shift
    "$dest/sandbox/opt/dkvm/dkvm-rooted" beside \
        "$dest/sandbox/lib64/ld-linux-x86-64.so.2" --library-path "$dest/sandbox/usr/lib/x86_64-linux-gnu" "$program" "$@"
}

check_java_runtime() {
    local file found
    for file in bin/java lib/server/libjvm.so lib/libjava.so lib/libnet.so lib/libnio.so lib/libzip.so; do
        found=$(in_sandbox /lib64/ld-linux-x86-64.so.2 --library-path /opt/dkvm/jre/lib:/opt/dkvm/jre/lib/server --list "/opt/dkvm/jre/$file" 2>&1) || found="$file not found: $found"
        ! grep -F 'not found' <<<"$found" >&2 || die "the Java runtime's \"$file\" does not find its libraries in the sandbox's root"
    done
}

# A JDK of Debian's needs C++'s library; others have it within, and nothing else here asks for it: 2 MiB. The add-on's QEMU may.
drop_unused_library() {
    local root=$dest/sandbox users=() user
    for user in "$root"/usr/{bin,sbin,libexec,lib} "$root/opt/dkvm/jre" "$build/sandbox-root-arm64/usr"; do
        [ ! -d "$user" ] || users+=("$user")
    done
    if ! grep -rlF libstdc++.so.6 "${users[@]}" | grep -qv '/libstdc++\.so'; then
        rm -r "$root"/usr/lib/x86_64-linux-gnu/libstdc++.so.6* "$root/usr/share/doc/libstdc++6"
        sed -i '/^libstdc++6 /d' "$root/usr/share/doc/packages.txt"
        PATH=$PATH:/usr/sbin:/sbin ldconfig -r "$root"
    fi
}

# Whoever executes a file that it may not read has memory that nobody of its rights reads (ptrace(2), PTRACE_MODE). The monitor and dkvm-exec
# are root without capabilities, QEMU a user of its own; the host's Java is read by its loader, so the monitor's is a copy.
unreadable() {
    install -m 111 "$dest/sandbox/opt/dkvm/jre/bin/java" "$dest/sandbox/opt/dkvm/jre/bin/dkvm-monitor"
    chmod 111 "$dest/sandbox/opt/dkvm/dkvm-exec"
    chmod 711 "$dest"/sandbox/usr/bin/qemu-system-*
    # The slots are not QEMU's to look into. An older runc gives a tmpfs the mode of the directory below it, whatever its options say.
    chmod 700 "$dest/sandbox/share" "$dest/sandbox/disks"
}

sandbox() {
    local file
    mkdir "$dest/sandbox"
    cp -a --reflink=auto "$build/sandbox-root/." "$dest/sandbox"
    java_runtime "$dest/sandbox/opt/dkvm/jre"
    drop_unused_library
    check_java_runtime
    for file in dkvm-init dkvm-network dkvm-exec dkvm-disk dkvm-tsc dkvm-sockets dkvm-locks dkvm-events dkvm-forward dkvm-web dkvm-exhaust dkvm-keep dkvm-rooted; do
        install -m 755 "$build/native/$file" "$dest/sandbox/opt/dkvm/$file"
    done
    unreadable
    install -m 644 -p "$build/java/dkvm.jar" "$build/java/lib/gson.jar" "$build/java/lib/picocli.jar" "$dest/sandbox/opt/dkvm/lib/"
}

# agent DIST: the agent's archive for a distribution's kernels, whose architecture its name ends in.
agent() {
    case $1 in
        *-arm64) echo "$build/native/arm64/initramfs.cpio" ;;
        *) echo "$build/native/initramfs.cpio" ;;
    esac
}

# kernel_initramfs [--more] MODULES AGENT OUT: made by what "dkvm kernel add" makes them with.
kernel_initramfs() {
    local count option=()
    [ "$1" != --more ] || { option=(--more) && shift; }
    count=$("$JAVA_HOME/bin/java" --sun-misc-unsafe-memory-access=allow -cp "$build/java/dkvm.jar:$build/java/lib/*" org.dkvm.cli.Main \
        kernel initramfs "${option[@]}" "$1" "$2" "$3")
    say "    $(basename "$3"): $count modules, $(du -k "$3" | cut -f1) KiB"
}

kernel() {
    local dist=$1 from=$build/kernel/$1 to version file
    [ -f "$from/version" ] || return 0
    version=$(cat "$from/version")
    to=$dest/kernels/$dist/$version
    mkdir -p "$to"
    for file in vmlinux vmlinuz config; do
        [ ! -f "$from/$file" ] || install -m 644 -p "$from/$file" "$to/$file"
    done
    [ ! -d "$from/modules" ] || cp -a --reflink=auto "$from/modules" "$to/modules"
    if [ "$dist" = dkvm ]; then
        # All that it takes to reach the root filesystem is built in: the agent alone, as a link.
        ln "$dest/guest/initramfs" "$to/initramfs"
    else
        kernel_initramfs "$from/modules" "$(agent "$dist")" "$to/initramfs"
    fi
    # For containers with disks or a screen: the modules of those would cost every other VM memory and time.
    [ ! -d "$from/modules" ] ||
        kernel_initramfs --more "$from/modules" "$(agent "$dist")" "$to/initramfs-more"
    # An upgrade keeps the kernels without this mark: those were added by hand.
    : >"$to/.shipped"
    ln -s "$version" "$dest/kernels/$dist/latest"
    say "    kernel: $dist/$version"
}

# Where /usr/local/share has such files: manual pages, and what shells complete dkvm's words by.
shared() {
    local share=$dest/share dkvm=("$JAVA_HOME/bin/java" -cp "$build/java/dkvm.jar:$build/java/lib/*" org.dkvm.cli.Main)
    "$here/man-pages.sh" "$(cat "$dest/VERSION")" "$share/man"
    mkdir -p "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
    "${dkvm[@]}" completion bash >"$share/bash-completion/completions/dkvm"
    "${dkvm[@]}" completion zsh >"$share/zsh/site-functions/_dkvm"
    "${dkvm[@]}" completion fish >"$share/fish/vendor_completions.d/dkvm.fish"
}

files() {
    local script library
    mkdir -p "$dest/scripts" "$dest/bin" "$dest/lib" "$dest/kernels" "$dest/guest/sbin"
    install -m 755 "$here/dkvm-runtime" "$here/dkvm-stop-workload" "$here/dkvm-pause" "$here/dkvm-install-runtime.sh" "$here/dkvm-upgrade.sh" "$here/dkvm-uninstall.sh" "$dest/scripts/"
    install -m 644 "$here/dkvm-common.sh" "$here/dkvm-addon.sh" "$dest/scripts/"
    install -m 755 "$here/dkvm" "$dest/bin/dkvm"
    for library in "${PACKAGE_READERS[@]}"; do
        install -m 644 -p "$build/java/lib/$library.jar" "$dest/lib/"
    done
    install -m 755 "$build/native/dkvm-files" "$dest/lib/dkvm-files"
    install -m 755 "$build/native/qemu-exit" "$dest/guest/sbin/qemu-exit"
    install -m 644 "$(agent debian)" "$dest/guest/initramfs"
    install -m 644 "$top/LICENSE" "$top/NOTICE" "$dest/"
    sed -n '/<artifactId>dkvm</ { n; s/.*<version>\(.*\)<.*/\1/p }' "$top/pom.xml" >"$dest/VERSION"
    [ -s "$dest/VERSION" ] || die "no version found in pom.xml"
    shared
    # Which one this is: an installation is skipped when it is there already.
    { cat "$dest/VERSION" && date -u +%FT%TZ && cat /proc/sys/kernel/random/uuid; } >"$dest/BUILD"
    kernel debian
    if [ "${KERNEL:-dkvm}" = debian ]; then
        # The default kernel is "dkvm": without our own it is Debian's.
        mkdir -p "$dest/kernels/dkvm"
        ln -s "../debian/$(cat "$build/kernel/debian/version")" "$dest/kernels/dkvm/latest"
    else
        kernel dkvm
    fi
    for script in "$dest"/kernels/*/latest; do
        [ -L "$script" ] || die "no kernel in \"$build/kernel\": run kernel/build.sh or kernel/debian.sh"
    done
}

# without_cache ARGUMENT…: the arguments but those that choose an AOT cache, in the array "plain".
without_cache() {
    local argument
    plain=()
    for argument; do
        case $argument in
            -XX:AOTCache=* | -Xshare:*) ;;
            *) plain+=("$argument") ;;
        esac
    done
}

# make_cache RUNNER CACHE-DIR CACHE JAVA FLAGS… -- ARGUMENTS…: makes one AOT cache, in two steps: record what the command line
# uses, and write the cache from that. Then the cache has to serve in earnest (AOTMode=on refuses to start without).
# CACHE-DIR is the place of the cache as the runner's programs see it.
make_cache() {
    local runner=$1 directory=$2 cache=$3 java=$4 flags=() plain=()
    shift 4
    while [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    shift
    without_cache "${flags[@]}"
    "$runner" "$java" -XX:AOTMode=record "-XX:AOTConfiguration=$directory/$cache.conf" "${plain[@]}" "$@"
    "$runner" "$java" -XX:AOTMode=create "-XX:AOTConfiguration=$directory/$cache.conf" "-XX:AOTCache=$directory/$cache" "${plain[@]}"
    "$runner" "$java" -XX:AOTMode=on "-XX:AOTCache=$directory/$cache" "${plain[@]}" -version
    rm -f "$dest/sandbox/opt/dkvm/aot/$cache.conf"
}

# The command line of the host's Java, from the launcher itself: it is run in a package whose loader only writes down what
# it was called with.
launcher_command() {
    local fake=$work/fake
    mkdir -p "$fake/scripts" "$fake/sandbox/lib64" "$fake/sandbox/opt/dkvm" "$fake/bin"
    cp "$here/dkvm-runtime" "$fake/scripts/"
    cp "$build/native/dkvm-rooted" "$fake/sandbox/opt/dkvm/"
    # shellcheck disable=SC2016 # expanded by the script that is written
    printf '#!/bin/sh\nfor argument; do printf "%%s\\n" "$argument"; done >"%s"\nexit 1\n' "$work/launcher" >"$fake/sandbox/lib64/ld-linux-x86-64.so.2"
    printf '#!/bin/sh\n' >"$fake/bin/runc"
    chmod 755 "$fake/sandbox/lib64/ld-linux-x86-64.so.2" "$fake/bin/runc"
    PATH=$fake/bin:$PATH "$fake/scripts/dkvm-runtime" create end-of-flags || true
    sed -i "s|$fake|$dest|g" "$work/launcher"
}

# A bundle as Docker writes it (training/ has what 20.10 wrote, without its ids), and a container's state as runc keeps it.
samples() {
    local bundle=$work/bundle file
    mkdir -p "$bundle/rootfs/bin" "$bundle/data" "$bundle/named" "$work/root/sample"
    cp "$dest/sandbox/usr/bin/busybox" "$bundle/rootfs/bin/sh"
    for file in resolv.conf hostname hosts; do
        echo sample >"$bundle/$file"
    done
    sed "s|@BUNDLE@|$bundle|g" "$here/training/config.json" >"$bundle/config.json"
    printf '{"config":{"labels":["bundle=%s"]}}\n' "$bundle" >"$work/root/sample/state.json"
    cp "$here/training/process.json" "$work/process.json"
}

# What create and exec do to sample bundles, in one JVM.
train_runtime() {
    local command=() flags=() argument
    launcher_command
    # --library-path X, java, flags, main class
    mapfile -t command <"$work/launcher"
    for argument in "${command[@]:3}"; do
        [ "$argument" != org.dkvm.cli.Main ] || break
        flags+=("$argument")
    done
    samples
    make_cache on_host "$dest/sandbox/opt/dkvm/aot" runtime.aot "$dest/sandbox/opt/dkvm/jre/bin/java" "${flags[@]}" -- \
        org.dkvm.training.RuntimeTraining runtime "$work"
}

# What the monitor does from its start to the VM's end, against an agent of its own making.
train_monitor() {
    local command=() flags=() argument
    mapfile -t command < <(on_host "$dest/sandbox/opt/dkvm/jre/bin/java" -cp "$dest/sandbox/opt/dkvm/lib/dkvm.jar:$dest/sandbox/opt/dkvm/lib/gson.jar" org.dkvm.training.RuntimeTraining monitor-command)
    for argument in "${command[@]:1}"; do
        [ "$argument" != org.dkvm.cli.Main ] || break
        flags+=("$argument")
    done
    make_cache in_sandbox /opt/dkvm/aot monitor.aot "${command[0]}" "${flags[@]}" -- org.dkvm.training.MonitorTraining
}

train() {
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf '$work'" EXIT
    logged "$build/train-runtime.log" train_runtime
    logged "$build/train-monitor.log" train_monitor
    say "    AOT caches: $(cd "$dest/sandbox/opt/dkvm/aot" && du -k -- *.aot | awk '{ printf "%s %d MiB  ", $2, $1 / 1024 }')"
}

# The add-on's files, each where the package has the like.
add_on() {
    cp -a --reflink=auto "$build/sandbox-root-arm64" "$dest/sandbox"
    chmod 711 "$dest"/sandbox/usr/bin/qemu-system-*
    mkdir "$dest/guest" "$dest/kernels"
    install -m 644 "$(agent debian-arm64)" "$dest/guest/initramfs-arm64"
    kernel debian-arm64
}

main() {
    local what=package
    [ "${1:-}" != --arm64 ] || { what=add-on && shift; }
    [ $# = 2 ] || die "usage: assemble.sh [--arm64] BUILDDIR DESTDIR"
    need_root "putting the package together"
    [ -n "${JAVA_HOME:-}" ] || die "JAVA_HOME is not set: run it as JAVA_HOME=… $0; \"$here/find-jdk.sh\" prints one"
    umask 022
    build=$(cd "$1" && pwd)
    mkdir -p "$(dirname "$2")"
    local final
    final=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
    dest=$final.making
    rm -rf "$dest"
    mkdir "$dest"
    if [ "$what" = add-on ]; then
        add_on
    else
        files
        sandbox
        train
    fi
    rm -rf "$final"
    mv "$dest" "$final"
    say "    $what: $(du -sm "$final" | cut -f1) MiB, of it sandbox $(du -sm "$final/sandbox" | cut -f1) MiB, kernels $(du -sm "$final/kernels" | cut -f1) MiB"
}

# Sourced by the test of its functions.
[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
