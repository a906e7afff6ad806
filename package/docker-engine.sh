#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Starts a Docker engine where none runs, and stops the one it started: docker-engine.sh start | stop | status
#
# For machines without an init system that would do it (containers, CI). An engine that answers, whoever runs it, is left alone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

STATE=/run/dkvm-docker-engine
PIDFILE=$STATE/dockerd.pid
LOG=/var/log/dkvm-dockerd.log
SOCKET=/var/run/docker.sock
case ${DOCKER_HOST:-} in
    unix:///*) SOCKET=${DOCKER_HOST#unix://} ;;
    ?*) die "DOCKER_HOST is \"$DOCKER_HOST\": only an engine of this machine, unix:///…, can run VMs with this machine's package" ;;
esac
START_SECONDS=60
STOP_SECONDS=30

# The socket is named: a context or DOCKER_HOST of the caller's may lead to another machine.
answers() { DOCKER_HOST=unix://$SOCKET docker info --format '{{.ServerVersion}}' >/dev/null 2>&1; }

# The pid of the engine we started, if it is still that.
ours() {
    local pid
    pid=$(cat "$PIDFILE" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && printf '%s' "$pid"
}

# Docker's port publishing needs iptables' nat table. Debian's iptables speaks nftables; a kernel without nftables may
# still know the tables of old.
choose_iptables() {
    if iptables -w -t nat -n -L >/dev/null 2>&1; then
        return 0
    fi
    if iptables-legacy -w -t nat -n -L >/dev/null 2>&1; then
        say "    this kernel has no nftables: giving Docker iptables-legacy"
        mkdir -p "$STATE/bin"
        ln -sf "$(command -v iptables-legacy)" "$STATE/bin/iptables"
        ln -sf "$(command -v ip6tables-legacy)" "$STATE/bin/ip6tables"
        PATH=$STATE/bin:$PATH
        return 0
    fi
    warn "neither iptables nor iptables-legacy works here: $(iptables -w -t nat -n -L 2>&1 | tail -n 1)"
}

# Where nobody mounted any control groups, runc can start nothing.
mount_cgroups() {
    local controller
    ! mountpoint -q /sys/fs/cgroup || return 0
    say "    mounting the control groups"
    if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null && grep -q memory /sys/fs/cgroup/cgroup.controllers; then
        return 0
    fi
    umount /sys/fs/cgroup 2>/dev/null || true
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    while read -r controller; do
        mkdir -p "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
    done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
}

show_log_and_die() {
    tail -n 15 "$LOG" >&2
    die "$1; the engine's log is $LOG"
}

start() {
    local pid deadline
    if answers; then
        say "    the Docker engine runs: $(DOCKER_HOST=unix://$SOCKET docker info --format '{{.ServerVersion}}, storage {{.Driver}}, cgroups v{{.CgroupVersion}}')"
        return 0
    fi
    need_root "starting a Docker engine"
    command -v dockerd >/dev/null || die "dockerd is missing: run package/install-deps.sh"
    mkdir -p "$STATE"
    mount_cgroups
    choose_iptables
    rm -f "$PIDFILE"
    # Files of an engine that died with the machine.
    if [ -f /var/run/docker.pid ] && [ "$(cat "/proc/$(cat /var/run/docker.pid)/comm" 2>/dev/null)" != dockerd ]; then
        rm -f /var/run/docker.pid
    fi
    # A session of its own: neither Ctrl-C nor the end of this terminal or CI job reaches it.
    # shellcheck disable=SC2016 # expanded by the inner shell
    setsid --fork bash -c 'echo $$ >"$1"; shift; exec "$@"' start "$PIDFILE" \
        dockerd --host "unix://$SOCKET" </dev/null >>"$LOG" 2>&1
    deadline=$((SECONDS + START_SECONDS))
    until answers; do
        sleep 0.1
        if [ -s "$PIDFILE" ]; then
            pid=$(cat "$PIDFILE")
            [ -d "/proc/$pid" ] || show_log_and_die "dockerd ended at once"
        fi
        [ "$SECONDS" -lt "$deadline" ] || show_log_and_die "dockerd did not answer within $START_SECONDS s"
    done
    say "    started a Docker engine, process $(cat "$PIDFILE"): $(DOCKER_HOST=unix://$SOCKET docker info --format '{{.ServerVersion}}, storage {{.Driver}}, cgroups v{{.CgroupVersion}}')"
    say "    stop it with: package/docker-engine.sh stop"
}

stop() {
    local pid deadline
    pid=$(ours) || {
        say "no Docker engine of ours runs"
        return 0
    }
    kill "$pid"
    deadline=$((SECONDS + STOP_SECONDS))
    while [ -d "/proc/$pid" ]; do
        sleep 0.1
        [ "$SECONDS" -lt "$deadline" ] || show_log_and_die "dockerd (process $pid) does not end"
    done
    rm -rf "$STATE"
    say "the Docker engine, process $pid, is stopped"
}

status() {
    local pid
    if pid=$(ours); then
        say "our Docker engine runs, process $pid"
    elif answers; then
        say "a Docker engine runs; it is not ours"
    else
        say "no Docker engine answers"
        return 1
    fi
}

case ${1:-} in
    start | stop | status) "$1" ;;
    *) die "usage: docker-engine.sh start | stop | status" ;;
esac
