#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the test and demo images from Debian's packages, because no registry is needed for that:
#   build.sh [--short-names | --roots] [hello | pause | busybox | busybox-arm64 | debian | nginx | mariadb | python | tools | kernel | systemd | workloads]…      (all, when none is named)
#
# They are called dkvm-test/NAME. --short-names: also hello-world, busybox and so on, where no other image has that name.
# --roots: only their root filesystems, for an engine on another machine: prints their paths in the cache.
# An image already in the engine, made by this very recipe, is left alone; root filesystems are cached.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$here/../../package/lib.sh"

SUITE=trixie
ALL=(hello pause busybox busybox-arm64 debian nginx mariadb python tools kernel systemd workloads)
PATH_ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# root_NAME DIR makes the root filesystem; changes_NAME prints the image's configuration, a Dockerfile instruction a line.

root_hello() {
    gcc -std=c17 -Os -Wall -Wextra -Werror -static -s -o "$1/hello" "$here/hello.c"
}
changes_hello() { printf '%s\n' 'CMD ["/hello"]'; }

root_pause() {
    gcc -std=c17 -Os -Wall -Wextra -Werror -static -s -o "$1/pause" "$here/pause.c"
}
changes_pause() { printf '%s\n' 'ENTRYPOINT ["/pause"]'; }

# fetch_busybox ARCHITECTURE RAW FILE
fetch_busybox() {
    mmdebstrap --quiet --variant=extract --mode=root --architectures="$1" --include=busybox-static "$SUITE" "$2"
    find "$2" -path '*bin/busybox' -type f -exec cp {} "$3" \;
    rm -rf "$2"
}

root_busybox() { busybox "$1" amd64; }
changes_busybox() { printf '%s\n' 'CMD ["sh"]'; }
root_busybox-arm64() { busybox "$1" arm64; }
changes_busybox-arm64() { changes_busybox; }

# busybox DIR ARCHITECTURE: laid out as the official image.
busybox() {
    local raw=$1.raw applet
    (cd "$1" && mkdir -p bin dev etc/network home lib root tmp usr/bin usr/sbin var/spool/mail var/www)
    chmod 1777 "$1/tmp"
    chmod 700 "$1/root"
    # What it can be called, only the host's own tells.
    fetch_busybox amd64 "$raw" "$1.native"
    fetch_busybox "$2" "$raw" "$1/bin/busybox"
    # Hard links, as in the official image.
    for applet in $("$1.native" --list); do
        [ "$applet" = busybox ] || ln "$1/bin/busybox" "$1/bin/$applet"
    done
    ln -s ../../bin/env "$1/usr/bin/env"
    cat >"$1/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
    cat >"$1/etc/group" <<'END'
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
audio:x:29:
www-data:x:33:
users:x:100:
nogroup:x:65534:
END
    printf 'root:*:::::::\n' >"$1/etc/shadow"
    chmod 600 "$1/etc/shadow"
    rm -f "$1.native"
}

# debian DIR PACKAGE…: a minimal Debian with packages, without what only people read.
debian() {
    local root=$1
    shift
    mmdebstrap --quiet --variant=minbase --mode=root ${1:+--include="$(IFS=, && echo "$*")"} \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        "$SUITE" "$root"
    # This machine's names are not the image's.
    : >"$root/etc/resolv.conf"
    rm -f "$root/etc/hostname"
}

root_debian() { debian "$1"; }
changes_debian() { printf '%s\n' "ENV $PATH_ENV" 'CMD ["bash"]'; }

root_nginx() {
    debian "$1" nginx-light
    # The official image's place for pages.
    sed -i 's#/var/www/html#/usr/share/nginx/html#g' "$1/etc/nginx/sites-available/default"
    [ -f "$1/usr/share/nginx/html/index.html" ] || die "the package nginx-common has no page"
    ln -sf /dev/stdout "$1/var/log/nginx/access.log"
    ln -sf /dev/stderr "$1/var/log/nginx/error.log"
}
changes_nginx() {
    printf '%s\n' "ENV $PATH_ENV" 'EXPOSE 80' 'STOPSIGNAL SIGQUIT' 'CMD ["nginx","-g","daemon off;"]'
}

root_mariadb() {
    debian "$1" mariadb-server mariadb-client
    find "$1/var/lib/mysql" -mindepth 1 -delete
    # It would bind the server to 127.0.0.1.
    rm -f "$1/etc/mysql/mariadb.conf.d/50-server.cnf"
    printf '[mariadbd]\nskip-name-resolve\nhost-cache-size=0\n' >"$1/etc/mysql/mariadb.conf.d/50-image.cnf"
    install -m 755 "$here/mariadb-entrypoint.sh" "$1/usr/local/bin/docker-entrypoint.sh"
}
changes_mariadb() {
    printf '%s\n' "ENV $PATH_ENV" 'VOLUME /var/lib/mysql' 'EXPOSE 3306' 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["mariadbd"]'
}

# As users make theirs: Python and a client of the database.
root_python() { debian "$1" python3 python3-pymysql; }
changes_python() { printf '%s\n' "ENV $PATH_ENV" 'CMD ["python3"]'; }

root_tools() {
    debian "$1" python3 iproute2 iputils-ping procps util-linux acl attr libcap2-bin bind9-dnsutils netcat-openbsd curl socat strace
}
changes_tools() { printf '%s\n' "ENV $PATH_ENV" 'CMD ["bash"]'; }

# One that brings its own kernel, at Debian's place, with its modules and the programs to load them.
# The initial root filesystem has to be there, no more: the quickest way to one.
root_kernel() { debian "$1" linux-image-cloud-amd64 tiny-initramfs kmod; }
changes_kernel() { printf '%s\n' "ENV $PATH_ENV" 'CMD ["bash"]'; }

# A whole machine, as Debian has it: an init with all its services, a Docker engine among them. What that could run lies ready.
root_systemd() {
    debian "$1" systemd-sysv dbus libpam-systemd udev kmod docker.io docker-cli iptables busybox-static
    gcc -std=c17 -Os -Wall -Wextra -Werror -static -s -o "$1/usr/local/bin/hello" "$here/hello.c"
}
changes_systemd() { printf '%s\n' "ENV $PATH_ENV" 'STOPSIGNAL SIGRTMIN+3' 'CMD ["/sbin/init"]'; }

# What people run: databases, languages, a compiler, sshd, tools for what only a machine may do. Each is started by the case that wants it.
# Left out as well: PostgreSQL's compiler of queries (LLVM, 160 MB), gcc's for whole programs, its sanitizers, the sources of locales.
root_workloads() {
    local path options=() packages=(postgresql redis-server redis-tools default-jre-headless nodejs python3 gcc libc6-dev make git
        openssh-server openssh-client e2fsprogs fuse2fs iptables tcpdump kmod procps iproute2 iputils-ping)
    for path in 'doc/*' 'man/*/*' 'locale/*' 'info/*' 'i18n/*' 'nodejs/corepack/*'; do
        options+=("--dpkgopt=path-exclude=/usr/share/$path")
    done
    for path in '*/libLLVM*' '*/libz3*' '*/lib*san.so.*' '*/perl/*/CORE/*' 'postgresql/*/lib/bitcode/*' 'gcc/*/lib*san*.a'; do
        options+=("--dpkgopt=path-exclude=/usr/lib/$path")
    done
    # update-alternatives of PostgreSQL wants the directories of manual pages.
    mmdebstrap --quiet --variant=minbase --mode=root --include="$(IFS=, && echo "${packages[*]}")" \
        --setup-hook="mkdir -p \"\$1/usr/share/man/man1\" \"\$1/usr/share/man/man7\"" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io "${options[@]}" \
        --dpkgopt='path-exclude=/usr/libexec/gcc/*/lto1' --dpkgopt='path-exclude=/usr/bin/*-lto-dump-*' "$SUITE" "$1"
    : >"$1/etc/resolv.conf"
    # As the name, they would be every container's.
    rm -f "$1/etc/hostname" "$1"/etc/ssh/ssh_host_*
}
changes_workloads() { printf '%s\n' "ENV $PATH_ENV" 'CMD ["bash"]'; }

# What the content of an image depends on: its own functions and files, not those of the others.
key() {
    {
        printf '%s\n' "$SUITE" "$PATH_ENV"
        declare -f debian make_root "root_$1" "changes_$1"
        case $1 in
            hello | systemd) cat "$here/hello.c" ;;
            pause) cat "$here/pause.c" ;;
            mariadb) cat "$here/mariadb-entrypoint.sh" ;;
            busybox*) declare -f busybox fetch_busybox load ;;
        esac
    } | sha256sum | cut -c1-16
}

label() { docker image inspect --format '{{index .Config.Labels "org.dkvm.recipe"}}' "$1" 2>/dev/null || true; }

# make_root NAME ARCHIVE
make_root() {
    local work=$2.making
    rm -rf "$work" "$work.raw"
    mkdir -p "$work"
    chmod 755 "$work"
    "root_$1" "$work"
    find "$work/dev" -mindepth 1 -delete 2>/dev/null || true
    tar -C "$work" --xattrs --xattrs-include='*' --numeric-owner --one-file-system -c . | zstd -q -3 -T0 -f -o "$2.new"
    rm -rf "$work"
    mv "$2.new" "$2"
}

# load NAME ARCHIVE KEY: as an image for arm64. It is loaded and not imported: "docker import --platform" of an older engine takes the platform's system
# and not its architecture.
load() {
    local work=$2.loading configuration
    rm -rf "$work"
    mkdir "$work"
    zstd -qdc <"$2" >"$work/layer.tar"
    configuration=$("changes_$1" | sed -n 's/^CMD /"Cmd":/p')
    printf '{"architecture":"arm64","os":"linux","config":{%s,"Labels":{"org.dkvm.recipe":"%s"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$configuration" "$3" "$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)" >"$work/config.json"
    printf '[{"Config":"config.json","RepoTags":["dkvm-test/%s:latest"],"Layers":["layer.tar"]}]' "$1" >"$work/manifest.json"
    tar -C "$work" -c manifest.json config.json layer.tar | docker load -q >/dev/null
    rm -rf "$work"
}

# import NAME ARCHIVE KEY
import() {
    zstd -qdc <"$2" | docker import - "dkvm-test/$1:rootfs" >/dev/null
    # The old builder, which every engine has: an older "docker import" takes no STOPSIGNAL.
    { printf 'FROM dkvm-test/%s:rootfs\nLABEL org.dkvm.recipe=%s\n' "$1" "$3" && "changes_$1"; } \
        | DOCKER_BUILDKIT=0 docker build -q -t "dkvm-test/$1:latest" - >/dev/null
    docker rmi "dkvm-test/$1:rootfs" >/dev/null
}

# archive NAME: the root filesystem, made where it is not in the cache. Sets key and archive.
archive() {
    key=$(key "$1")
    archive=$DKVM_CACHE/images/$1-$key.tar.zst
    if [ ! -f "$archive" ]; then
        need_root "making an image's root filesystem"
        find "$DKVM_CACHE/images" -maxdepth 1 -name "$1-????????????????.tar.zst" -delete
        make_root "$1" "$archive"
    fi
}

build() {
    local name=$1 key archive start=$EPOCHREALTIME
    archive "$name"
    case $name in
        *-arm64) load "$name" "$archive" "$key" ;;
        *) import "$name" "$archive" "$key" ;;
    esac
    say "    image dkvm-test/$name: $(docker image inspect --format '{{.Size}}' "dkvm-test/$name" | awk '{ printf "%d MB", $1 / 1000000 }'), $(took "$start")"
}

short_name() {
    local short=$1
    [ "$short" != hello ] || short=hello-world
    # None, or ours of an earlier recipe; somebody's own stays.
    if ! docker image inspect "$short:latest" >/dev/null 2>&1 || [ -n "$(label "$short:latest")" ]; then
        docker tag "dkvm-test/$1:latest" "$short:latest"
    fi
}

# roots NAME…: one after the other; their paths are all that goes to standard output.
roots() {
    local name key archive
    for name; do
        logged "$DKVM_CACHE/images/$name.log" archive "$name"
        archive=$DKVM_CACHE/images/$name-$(key "$name").tar.zst
        say "$archive"
    done
}

main() {
    local names=() name short='' roots='' pids=() pid failed='' log
    while [ $# -gt 0 ]; do
        case $1 in
            --short-names) short=yes ;;
            --roots) roots=yes ;;
            hello | pause | busybox | busybox-arm64 | debian | nginx | mariadb | python | tools | kernel | systemd | workloads) names+=("$1") ;;
            *) die "usage: build.sh [--short-names | --roots] [${ALL[*]}]" ;;
        esac
        shift
    done
    [ ${#names[@]} -gt 0 ] || names=("${ALL[@]}")
    [ -n "$roots" ] || docker info --format '{{.ServerVersion}}' >/dev/null 2>&1 || die "no Docker engine answers: package/docker-engine.sh start"
    umask 022
    mkdir -p "$DKVM_CACHE/images"
    locked images >&2
    if [ -n "$roots" ]; then
        roots "${names[@]}"
        return
    fi
    for name in "${names[@]}"; do
        [ "$(label "dkvm-test/$name")" = "$(key "$name")" ] || {
            # Two at a time: one waits for the network while the other unpacks.
            while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
            log=$DKVM_CACHE/images/$name.log
            build "$name" 2>"$log" &
            pids+=("$!:$name")
        }
    done
    for pid in "${pids[@]}"; do
        wait "${pid%%:*}" || {
            failed=yes
            tail -n 20 "$DKVM_CACHE/images/${pid#*:}.log" >&2
            warn "image \"${pid#*:}\" could not be made; all of it in $DKVM_CACHE/images/${pid#*:}.log"
        }
    done
    [ -z "$failed" ] || exit 1
    [ ${#pids[@]} -gt 0 ] || say "    all images are there: ${names[*]}"
    [ -z "$short" ] || for name in "${names[@]}"; do
        short_name "$name"
    done
}

main "$@"
