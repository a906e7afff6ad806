#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs as the first process of a guest that test.sh boots: tries what the kernel promises and prints a line for each,
# "ok NAME" or "not ok NAME: why", then "probe done" and powers off.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

try() {
    name=$1
    shift
    if "$@" >/tmp/probe.out 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name: $(tail -n 2 /tmp/probe.out | tr '\n' ' ')"
    fi
}

basics() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t tmpfs tmpfs /tmp
    mount -t tmpfs tmpfs /run
    mkdir -p /dev/pts /dev/hugepages /dev/mqueue
    try devpts mount -t devpts devpts /dev/pts
    try mqueue mount -t mqueue mqueue /dev/mqueue
    try hugetlbfs mount -t hugetlbfs none /dev/hugepages
    try binfmt-misc mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    try securityfs mount -t securityfs none /sys/kernel/security
    try landlock grep -q landlock /sys/kernel/security/lsm
    for fs in fuse virtiofs autofs ext2 ext3 ext4 overlay tmpfs; do
        try "filesystem-$fs" grep -qw "$fs" /proc/filesystems
    done
    for node in fuse net/tun mapper/control loop-control kmsg hwrng ptmx ttyS0; do try "device-$node" test -e "/dev/$node"; done
    for file in config.gz pressure/cpu sys/kernel/seccomp/actions_avail sys/kernel/io_uring_disabled \
        sys/fs/inotify/max_user_watches sys/net/bridge/bridge-nf-call-iptables; do
        try "proc-$file" test -e "/proc/$file"
    done
    try device-dkvm-locks grep -qw dkvm-locks /proc/devices
    try user-namespace unshare -Ur true
    try time-namespace unshare -T true
    mkdir -p /tmp/overlay/lower /tmp/overlay/upper /tmp/overlay/work /tmp/overlay/all
    try overlay mount -t overlay overlay -o lowerdir=/tmp/overlay/lower,upperdir=/tmp/overlay/upper,workdir=/tmp/overlay/work /tmp/overlay/all
    try overlay-write sh -c 'echo hello >/tmp/overlay/all/file && grep hello /tmp/overlay/upper/file'
}

# As the agent has it: one reader, which is told of no other file system.
file_events() {
    try file-events test -c /dev/dkvm-events
    exec 3<>/dev/dkvm-events
    try file-events-for-one sh -c '! (exec 4<>/dev/dkvm-events)'
    # a message that is cut short
    try file-events-form sh -c 'printf %013d 0 >&3; test $? -ne 0'
    exec 3>&-
}

cgroups() {
    mkdir -p /tmp/cgroup
    try cgroup2 mount -t cgroup2 none /tmp/cgroup
    try cgroup2-controllers test "$(cat /tmp/cgroup/cgroup.controllers)" = "cpuset cpu io memory hugetlb pids rdma misc"
    umount /tmp/cgroup
    for controller in cpu cpuacct cpuset memory devices freezer net_cls net_prio blkio perf_event hugetlb pids rdma misc; do
        try "cgroup1-$controller" mount -t cgroup -o "$controller" none /tmp/cgroup
        umount /tmp/cgroup
    done
    try cgroup1-systemd mount -t cgroup -o none,name=systemd none /tmp/cgroup
}

network() {
    try loopback ip link set lo up
    try only-lo-and-the-card test "$(ip -o link | wc -l)" -le 2
    try dummy ip link add dummy0 type dummy
    try veth ip link add veth0 type veth peer name veth1
    try bridge ip link add bridge0 type bridge
    try tap ip tuntap add tap0 mode tap
    try netns ip netns add other
    try ipv6 ip addr add fd00::1/64 dev dummy0
    for tables in iptables-legacy ip6tables-legacy iptables-nft ip6tables-nft; do
        for table in filter nat mangle raw; do try "$tables-$table" $tables -t $table -S; done
        try $tables-masquerade $tables -t nat -A POSTROUTING -o dummy0 -j MASQUERADE
        try $tables-redirect $tables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
        try $tables-addrtype $tables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -j ACCEPT
        try $tables-conntrack $tables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment hello -j ACCEPT
        try $tables-mark $tables -t mangle -A FORWARD -m mark --mark 1 -j MARK --set-mark 2
        try $tables-multiport $tables -A INPUT -p tcp -m multiport --dports 1,2 -j REJECT
        try $tables-statistic $tables -A INPUT -m statistic --mode random --probability 0.5 -j LOG
        try $tables-recent $tables -A INPUT -m recent --name recent --set
        try $tables-hashlimit $tables -A INPUT -m hashlimit --hashlimit-upto 1/s --hashlimit-name hash
        try $tables-physdev $tables -A FORWARD -m physdev --physdev-is-bridged
        try $tables-owner $tables -A OUTPUT -m owner --uid-owner 0
        try $tables-tcpmss $tables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
        try $tables-notrack $tables -t raw -A PREROUTING -j CT --notrack
        try $tables-limit $tables -A INPUT -m limit --limit 1/s
    done
    try iptables-dnat iptables-legacy -t nat -A PREROUTING -p tcp --dport 81 -j DNAT --to 10.0.0.2:80
    try nft-table nft add table inet probe
    try nft-dnat nft 'add chain inet probe pre { type nat hook prerouting priority -100; }; add rule inet probe pre tcp dport 81 dnat ip to 10.0.0.2:80'
    try nft-masquerade nft 'add chain inet probe post { type nat hook postrouting priority 100; }; add rule inet probe post masquerade'
    try nft-filter nft 'add chain inet probe in { type filter hook input priority 0; }; add rule inet probe in fib daddr type local ct state new limit rate 1/second log accept'
    try nft-set nft 'add set inet probe nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } ; }; add rule inet probe in ip saddr @nets reject'
    try nft-route nft 'add chain inet probe out { type route hook output priority 0; }'
    try nft-bridge nft 'add table bridge probe; add chain bridge probe forwarding { type filter hook forward priority 0; }'
}

modules() {
    for module in xfs btrfs nfs nfsd cifs 9p erofs squashfs isofs udf vfat exfat cuse dm-thin-pool dm-crypt nbd zram nvme \
        sd_mod virtio_scsi virtio_pmem bfq ip_vs ip_set xt_set xt_socket xt_TPROXY nft_tproxy ebtable_filter \
        wireguard vxlan macvlan macvtap ipvlan 8021q bonding ppp_async esp4 sctp tls openvswitch sch_netem sch_htb \
        vmw_vsock_virtio_transport vhost_net kvm virtio-gpu evdev virtio_input algif_skcipher; do
        try "module-$module" modprobe "$module"
    done
    mkdir -p /tmp/disk
    for fs in xfs btrfs; do
        truncate -s 400M "/tmp/$fs"
        "mkfs.$fs" -q "/tmp/$fs"
        try "mount-$fs" mount -o loop "/tmp/$fs" /tmp/disk
        try "write-$fs" sh -c 'echo hello >/tmp/disk/file && sync'
        umount /tmp/disk
    done
    try wireguard-link ip link add wg0 type wireguard
    try macvlan-link ip link add link dummy0 name macvlan0 type macvlan
    try vlan-link ip link add link dummy0 name dummy0.5 type vlan id 5
}

basics
file_events
cgroups
network
modules
dmesg | grep -E 'BUG|WARNING|Oops|segfault' && echo "not ok dmesg: see above"
echo "probe done"
sync
mount -o remount,ro /
busybox poweroff -f
