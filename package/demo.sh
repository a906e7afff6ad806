#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shows images running as VMs, by plain Docker commands, and checks what it shows. The last part of "make demo".
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PORT=${PORT:-8080}
SERVER=dkvm-demo-nginx
BUILD_CPU_MINUTES=40 # the kernel and its modules

# The words as one would type them: in quotes where a shell would need them.
typed() {
    local word line=''
    for word; do
        case $word in
            *[!A-Za-z0-9_./:=@,+-]*) word="'${word//\'/\'\\\'\'}'" ;;
        esac
        line+=" $word"
    done
    printf '%s' "${line# }"
}

# shown COMMAND…: the command, then its output.
shown() {
    local start=$EPOCHREALTIME
    status=0
    printf '\n$ %s\n' "$(typed "$@")"
    "$@" || status=$?
    printf '  [exit code %d, %s]\n' "$status" "$(took "$start")"
}

expect() { [ "$status" = "$1" ] || die "expected exit code $1, not $status"; }

cleanup() {
    docker rm -f "$SERVER" >/dev/null 2>&1 || true
    rm -rf "$work"
}

hello() {
    say ''
    say '--- hello-world: an image with nothing but one static binary'
    shown docker run --rm --runtime=dkvm hello-world
    expect 0
}

kernels() {
    say ''
    say '--- the same image, two kernels: under runc the host'\''s, under dkvm its own'
    shown docker run --rm busybox uname -r
    expect 0
    shown docker run --rm --runtime=dkvm busybox uname -r
    expect 0
}

exit_code() {
    say ''
    say '--- exit codes'
    shown docker run --rm --runtime=dkvm busybox sh -c 'exit 42'
    expect 42
}

streams() {
    say ''
    say '--- standard output and standard error stay apart'
    shown docker run --rm --runtime=dkvm busybox sh -c 'echo to stdout; echo to stderr >&2' >"$work/out" 2>"$work/err"
    expect 0
    cat "$work/out"
    say "  [on stderr: $(cat "$work/err")]"
    grep -qx 'to stdout' "$work/out" || die 'stdout is not what was written'
    ! grep -qx 'to stderr' "$work/out" || die 'stderr came on stdout'
    grep -qx 'to stderr' "$work/err" || die 'stderr is not what was written'
}

# Waits until the server answers; the limit is for an emulated VM on a very busy machine.
await_page() {
    local deadline=$((SECONDS + 180))
    until curl -fsS -o /dev/null "http://127.0.0.1:$PORT/" 2>/dev/null; do
        [ "$(docker inspect -f '{{.State.Running}}' "$SERVER")" = true ] || {
            docker logs "$SERVER" >&2
            die 'the server ended'
        }
        [ "$SECONDS" -lt "$deadline" ] || die "no page on port $PORT"
        sleep 0.1
    done
}

server() {
    local start
    say ''
    say '--- a web server, published to the host, with a page from a volume'
    mkdir "$work/html"
    echo "<h1>Served from a VM</h1>" >"$work/html/index.html"
    chmod 755 "$work" "$work/html"
    docker rm -f "$SERVER" >/dev/null 2>&1 || true
    start=$EPOCHREALTIME
    shown docker run -d --name "$SERVER" --runtime=dkvm --memory 256m -p "$PORT:80" -v "$work/html:/usr/share/nginx/html:ro" nginx
    expect 0
    await_page
    say "the first page came $(took "$start") after \"docker run\""
    shown curl -sS "http://127.0.0.1:$PORT/"
    expect 0
    # shellcheck disable=SC2016 # expanded in the VM
    shown docker exec "$SERVER" sh -c 'echo "$(hostname): $(nproc) CPUs, $(grep MemTotal /proc/meminfo), PID 1 is $(cat /proc/1/comm)"'
    expect 0
    shown docker logs "$SERVER"
    expect 0
    shown docker stop "$SERVER"
    expect 0
}

# Without DKVM's own kernel, Debian's has its name, too.
own_kernel() {
    case $(readlink -f /opt/dkvm/kernels/dkvm/latest) in
        */kernels/debian/*) ;;
        *) return 0 ;;
    esac
    say "These VMs booted Debian's kernel. DKVM's own boots in less than half the time and takes less memory: \"make install\" compiles it, once,"
    say "which takes about $(((BUILD_CPU_MINUTES + $(nproc) - 1) / $(nproc))) minutes with the $(nproc) processors of this machine."
}

main() {
    docker info --format '{{range $name, $r := .Runtimes}}{{$name}} {{end}}' | grep -qw dkvm ||
        die 'the Docker engine does not know "dkvm": make install'
    if curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$PORT/"; then
        die "something answers on port $PORT already: make demo PORT=8081"
    fi
    work=$(mktemp -d)
    trap cleanup EXIT
    hello
    kernels
    exit_code
    streams
    server
    say ''
    own_kernel
    say 'DKVM works here: add --runtime=dkvm to a "docker run" of yours. "make uninstall" takes it away again.'
}

main "$@"
