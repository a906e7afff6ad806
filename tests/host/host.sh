#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A user's host in a box: Debian with systemd, control groups version 2, AppArmor, nftables, Docker, Podman and KVM, in a QEMU that emulates AMD's SVM.
#   host.sh build BOX                 makes a box (trixie, sid or bookworm), or takes it from the cache
#   host.sh run BOX DISK COMMAND      boots it with DISK as a second disk, runs COMMAND in it as root, and ends with COMMAND's exit code
#   host.sh open BOX DISK             boots it and says how to log in; ends when its standard input does
#
# What is written to a box is gone when it ends: its disk in the cache stays as it was made. HOST_CPUS, HOST_MEMORY: what it has (2, 6G).
# shellcheck source-path=SCRIPTDIR source=../../package/lib.sh
. "$(dirname "$0")/../../package/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
SANDBOX=$top/build/package/dkvm/sandbox
CPUS=${HOST_CPUS:-2}
MEMORY=${HOST_MEMORY:-6G}
DISK_SIZE=16G
# Until sshd answers: 20 s on an idle machine.
BOOT_SECONDS=600

PACKAGES=(
    systemd-sysv dbus dbus-user-session libpam-systemd udev kmod apparmor nftables openssh-server
    linux-image-amd64 tiny-initramfs
    docker.io podman runc crun netavark aardvark-dns catatonit uidmap slirp4netns passt fuse-overlayfs
    iptables iproute2 procps e2fsprogs zstd busybox-static curl strace python3-minimal
)

# Loaded before the root filesystem can be; all else the box's own udev loads.
INITIAL_MODULES=(virtio_pci virtio_blk ext4)

# packages BOX
packages() {
    local all=("${PACKAGES[@]}")
    case $1 in
        bookworm) ;; # its docker.io has the client
        trixie) all+=(docker-cli) ;;
        sid) all+=(docker-cli passwd) ;; # which is in every older one
    esac
    (IFS=, && printf '%s' "${all[*]}")
}

# extract BOX RAW. A mirror that is not renewed daily has a Release file of sid that expires.
extract() {
    mmdebstrap --quiet --variant=apt --mode=root --include="$(packages "$1")" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' "$1" "$2"
}

# configure ROOT KEY: what an administrator would have set up: a name, an address, a login with KEY, a user for rootless engines.
configure() {
    local root=$1 unit
    echo box >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 box\n::1 localhost\n' >"$root/etc/hosts"
    : >"$root/etc/resolv.conf"
    # systemd-machine-id-setup of a newer suite does not run on every kernel.
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    # Of QEMU's own network, which leads nowhere but to the forwarded port.
    printf '[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n' \
        >"$root/etc/systemd/network/10-box.network"
    chroot "$root" systemctl enable systemd-networkd.service
    for unit in systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
        fstrim.timer dpkg-db-backup.timer systemd-firstboot.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # Emulated, all takes ten times as long.
    mkdir -p "$root/etc/systemd/system.conf.d" "$root/etc/systemd/user.conf.d"
    printf '[Manager]\nDefaultTimeoutStartSec=900\nDefaultTimeoutStopSec=300\nDefaultDeviceTimeoutSec=900\n' \
        | tee "$root/etc/systemd/system.conf.d/slow.conf" >"$root/etc/systemd/user.conf.d/slow.conf"
    install -d -m 700 "$root/root/.ssh"
    install -m 600 "$2" "$root/root/.ssh/authorized_keys"
    chroot "$root" useradd --create-home --shell /bin/bash user
    mkdir -p "$root/var/lib/systemd/linger"
    : >"$root/var/lib/systemd/linger/user"
    : >"$root/etc/fstab"
}

# initial_root ROOT RELEASE OUT: an initramfs of a shell and three drivers.
initial_root() {
    local work=$3.making module number=10
    mkdir -p "$work/bin" "$work/modules" "$work/dev" "$work/proc" "$work/root"
    cp "$1/bin/busybox" "$work/bin/busybox"
    ln -s busybox "$work/bin/sh"
    while read -r module _; do
        number=$((number + 1))
        case $module in
            *.xz) xz -dc "$module" >"$work/modules/$number-$(basename "${module%.xz}")" ;;
            *) cp "$module" "$work/modules/$number-$(basename "$module")" ;;
        esac
    done < <(modprobe --dirname "$1" --set-version "$2" --show-depends --all "${INITIAL_MODULES[@]}" | sed -n 's/^insmod //p' | awk '!seen[$1]++')
    cat >"$work/init" <<'END'
#!/bin/sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod "$module"; done
until [ -b /dev/vda ]; do $b sleep 0.1; done
$b mount -t ext4 /dev/vda /root
$b mount -o move /dev /root/dev
exec $b switch_root /root /sbin/init
END
    chmod 755 "$work/init"
    (cd "$work" && find . | cpio --quiet -o -H newc) | gzip -1 >"$3"
    rm -rf "$work"
}

# make_box BOX ENTRY
make_box() {
    local work=$2.making release
    rm -rf "$work"
    install -d -m 755 "$work"
    extract "$1" "$work/root"
    ssh-keygen -q -t ed25519 -N '' -C 'DKVM box' -f "$work/key"
    configure "$work/root" "$work/key.pub"
    sed 's/^/box /' "$work/root/etc/ssh/ssh_host_ed25519_key.pub" >"$work/known_hosts"
    release=$(basename "$work/root"/lib/modules/*)
    cp "$work/root/boot/vmlinuz-$release" "$work/vmlinuz"
    initial_root "$work/root" "$release" "$work/initramfs"
    rm -rf "$work/root"/var/cache/apt/*.bin "$work/root"/boot/initrd*
    mke2fs -q -t ext4 -O ^has_journal -L box -d "$work/root" "$work/disk" "$DISK_SIZE"
    # shellcheck disable=SC2016 # dpkg-query's own fields
    dpkg-query --admindir="$work/root/var/lib/dpkg" -W -f '${Package} ${Version}\n' docker.io podman runc crun systemd "linux-image-$release" >"$work/versions"
    rm -rf "$work/root"
    mv "$work" "$2"
}

entry() {
    local key
    key=$({ printf '%s\n' "$1" "$(packages "$1")" "${INITIAL_MODULES[*]}" "$DISK_SIZE" && declare -f extract configure initial_root make_box; } | sha256sum | cut -c1-16)
    printf '%s' "$DKVM_CACHE/host/$1-$key"
}

build() {
    local entry
    need_root "making a box"
    entry=$(entry "$1")
    mkdir -p "$DKVM_CACHE/host"
    locked "host-$1"
    if [ -d "$entry" ]; then
        say "    taken from the cache: $entry"
    else
        find "$DKVM_CACHE/host" -mindepth 1 -maxdepth 1 -type d -name "$1-*" -exec rm -rf {} +
        logged "$DKVM_CACHE/host/$1.log" make_box "$1" "$entry"
    fi
    say "    $1: $(tr '\n' ';' <"$entry/versions" | sed 's/;$//; s/;/, /g'); $(du -m "$entry/disk" | cut -f1) MB"
}

# What the box needs of this machine; all that is missing is said at once.
check_machine() {
    local missing=() program free
    for program in ssh setpriv; do
        command -v "$program" >/dev/null || missing+=("the program \"$program\" (package/install-deps.sh installs it)")
    done
    [ -x "$SANDBOX/usr/bin/qemu-system-x86_64" ] || missing+=("QEMU in $SANDBOX (make assembled)")
    [ -d "$(entry "$1")" ] || missing+=("the box itself ($0 build $1)")
    free=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
    case $MEMORY in
        *G) [ "$free" -ge "${MEMORY%G}" ] || missing+=("$MEMORY of free memory, there are ${free} GiB (HOST_MEMORY=4G gives the box less)") ;;
    esac
    [ ${#missing[@]} = 0 ] || die "a box can not run here; missing: $(printf '%s; ' "${missing[@]}" | sed 's/; $//')"
}

# A port that nobody listens at just now.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        # shellcheck disable=SC2188 # only opened
        if ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s' "$port"
            return
        fi
    done
    die "no free port was found for the box's login"
}

# launch BOX DISK CONSOLE: QEMU in the background, which ends with this script however that ends. Sets qemu and port.
launch() {
    local entry khz command
    entry=$(entry "$1")
    port=$(free_port)
    # Emulated time stamps are this machine's: measuring them again would take the box seconds, and be wrong on a busy one.
    khz=$("$SANDBOX/opt/dkvm/dkvm-tsc")
    # shellcheck disable=SC2054 # QEMU's own commas
    command=(
        "$SANDBOX/lib64/ld-linux-x86-64.so.2" --library-path "$SANDBOX/usr/lib/x86_64-linux-gnu" "$SANDBOX/usr/bin/qemu-system-x86_64"
        -L "$SANDBOX/usr/share/qemu" -L "$SANDBOX/usr/share/seabios"
        -nodefaults -no-user-config -no-reboot -display none -machine q35 -accel tcg,thread=multi,tb-size=1024 -cpu max -smp "$CPUS" -m "$MEMORY"
        -kernel "$entry/vmlinuz" -initrd "$entry/initramfs"
        -append "root=/dev/vda console=ttyS0 quiet panic=-1 net.ifnames=0 no_timer_check mitigations=off tsc=reliable clocksource=tsc tsc_early_khz=$khz"
        -drive "file=$entry/disk,format=raw,if=virtio,cache=unsafe,snapshot=on"
        -drive "file=$2,format=raw,if=virtio,readonly=on"
        -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net,romfile=
        -device virtio-rng-pci -serial "file:$3"
    )
    TMPDIR=$(dirname "$2") setpriv --pdeathsig KILL "${command[@]}" </dev/null &
    qemu=$!
}

# login COMMAND…: ssh into the box; without a command a shell.
login() {
    local entry
    entry=$(entry "$box")
    ssh -q -p "$port" -i "$entry/key" -o UserKnownHostsFile="$entry/known_hosts" -o HostKeyAlias=box -o IdentitiesOnly=yes -o BatchMode=yes \
        -o ConnectTimeout=60 -o ServerAliveInterval=60 -o ServerAliveCountMax=10 -F none root@127.0.0.1 "$@"
}

await_box() {
    local deadline=$((SECONDS + BOOT_SECONDS))
    until login true </dev/null 2>/dev/null; do
        kill -0 "$qemu" 2>/dev/null || die "the box's QEMU ended; what its console said is in $1"
        [ "$SECONDS" -lt "$deadline" ] || die "the box did not answer within $BOOT_SECONDS s; what its console said is in $1"
        sleep 0.5
    done
}

end_box() {
    [ -n "${qemu:-}" ] || return 0
    kill -KILL "$qemu" 2>/dev/null || true
    wait "$qemu" 2>/dev/null || true
    qemu=
}

# boot BOX DISK
boot() {
    local console start=$EPOCHREALTIME
    box=$1
    check_machine "$box"
    [ -r "$2" ] || die "there is no disk \"$2\" for the box"
    console=$(dirname "$2")/$box.console
    trap end_box EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    launch "$box" "$2" "$console"
    await_box "$console"
    say "    the box is up: $(took "$start"); its console is in $console"
}

run() {
    local status=0
    boot "$1" "$2"
    shift 2
    login "$@" </dev/null || status=$?
    exit "$status"
}

open() {
    boot "$1" "$2"
    say "    ssh -p $port -i $(entry "$box")/key -o UserKnownHostsFile=$(entry "$box")/known_hosts -o HostKeyAlias=box root@127.0.0.1"
    read -r _ || true
}

usage() { die "usage: host.sh build BOX | run BOX DISK COMMAND | open BOX DISK     (BOX: trixie, sid or bookworm)"; }

case ${2:-} in
    trixie | sid | bookworm) ;;
    *) usage ;;
esac
case $1,$# in
    build,2 | run,4 | open,3) "$@" ;;
    *) usage ;;
esac
