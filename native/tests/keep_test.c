/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-keep and a pod's mounts, in a mount namespace whose mounts are shared, as a host's are; needs root. */
#include "check.h"
#include "keep_pod.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define POD "/run/dkvm/vms/s/pod"
#define SHARE POD "/share"

static unsigned long flags_of(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) == 0 ? st.f_flag : ~0UL;
}

static void a_pod_is_made(void)
{
	pod_begin();
	CHECK("a pod has its places", keep_shell("cd " POD " && test -d share/volumes -a -d plans -a -d numbers"));
	CHECK("and its log, as others do", keep_shell("grep -q ' /run/dkvm/vms/s/log .* tmpfs ' /proc/self/mountinfo"));
	CHECK("its socket's directory holds little",
	      keep_shell("test $(stat -f -c %%c " POD "/socket) -le 32 -a $(stat -f -c '%%b * %%S' " POD
			 "/socket | sed 's/ .*//') -le 512"));
	CHECK("the share is a group of mounts of its own",
	      keep_shell("test $(grep -c ' " SHARE " .* shared:' /proc/self/mountinfo) = 1 && "
			 "test $(grep ' " SHARE " ' /proc/self/mountinfo | sed 's/.* shared:\\([0-9]*\\) .*/\\1/') != "
			 "$(grep ' /run ' /proc/self/mountinfo | sed 's/.* shared:\\([0-9]*\\) .*/\\1/')"));
	keep_shell("mount --bind " SHARE " sandbox && mount --make-rslave sandbox");
}

static void a_member_is_mounted(void)
{
	keep_member("m", "s\t2\n2/root\t6\t1\t%h/rootfs\n2/f3\t1\t0\t%h/file\n2/4\t1039\t1\t%h/volume\n"
			 "volumes/a.1\t0\t0\t%h/volume\n");
	CHECK("a member begins", keep_run("begin", "m", "true") == 0);
	CHECK("and has no log", keep_shell("! test -e /run/dkvm/vms/m/log"));
	CHECK("directories and files are in their slots",
	      keep_shell("cd " SHARE " && test -f 2/root/in-root -a -f 2/4/in-volume -a -f volumes/a.1/in-volume && "
			 "grep -q text 2/f3"));
	CHECK("what is mounted in the source comes along where it is to",
	      keep_shell("test -f " SHARE "/2/4/below/in-below && ! test -e " SHARE "/volumes/a.1/below/in-below"));
	CHECK("flags are those that are said", flags_of(SHARE "/2/root") == (ST_NOSUID | ST_NODEV | ST_RELATIME) &&
						       (flags_of(SHARE "/2/f3") & ST_RDONLY) != 0 &&
						       (flags_of(SHARE "/volumes/a.1") & ST_RDONLY) == 0);
	CHECK("of what comes along, too",
	      flags_of(SHARE "/2/4") == (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME) &&
		      flags_of(SHARE "/2/4/below") == flags_of(SHARE "/2/4"));
	CHECK("and the source keeps its own", (flags_of("volume/below") & (ST_RDONLY | ST_NOSUID)) == 0);
	CHECK("it is in the sandbox", keep_shell("test -f sandbox/2/root/in-root -a -f sandbox/2/4/below/in-below"));
	CHECK("and nowhere else: not where the host's /run is as well",
	      keep_shell("test -d elsewhere/dkvm/vms/s/pod/share && ! test -e "
			 "elsewhere/dkvm/vms/s/pod/share/2/root/in-root && "
			 "test $(grep -c '/2/root ' /proc/self/mountinfo) = 2"));
}

static void mounts_of_the_host_stay_apart(void)
{
	keep_shell("mount -t tmpfs later volume/later && touch volume/later/in-later");
	CHECK("what is mounted in the source later does not come",
	      keep_shell("! test -e " SHARE "/2/4/later/in-later"));
	keep_member("n", "s\t3\n3/4\t524288\t1\t%h/volume\n");
	CHECK("but where it is asked for", keep_run("begin", "n", "true") == 0 &&
						   keep_shell("test -f " SHARE "/3/4/later/in-later && mount -t tmpfs "
							      "last volume/last && touch volume/last/in-last && "
							      "test -f sandbox/3/4/last/in-last"));
	CHECK("and goes again", keep_shell("umount volume/last && ! test -e sandbox/3/4/last/in-last"));
	CHECK("a member's end leaves the source as it was",
	      keep_run("end", "n", "true") == 0 &&
		      keep_shell("test -f volume/later/in-later -a -f volume/below/in-below && umount volume/later && "
				 "test -f volume/below/in-below"));
}

static void volumes_are_shared(void)
{
	keep_member("n", "s\t4\nvolumes/a.1\t0\t0\t%h/volume\nvolumes/a.1\t0\t0\t%h/volume\n");
	CHECK("a volume that is there is not mounted again",
	      keep_run("begin", "n", "true") == 0 &&
		      keep_shell("test $(grep -c ' " SHARE "/volumes/a.1 ' /proc/self/mountinfo) = 1"));
	keep_member("o", "s\t5\n5/root\t0\t0\t%h/rootfs\nvolumes/a.1\t0\t0\t%h/rootfs\n");
	CHECK("another directory is none",
	      keep_run("begin", "o", "true") == 1 &&
		      keep_said("not the directory that the pod's other containers have") &&
		      keep_shell("! test -e " SHARE "/5"));
	CHECK("a file is none", keep_member("o", "s\t5\nvolumes/f\t0\t0\t%h/file\n") &&
					keep_run("begin", "o", "true") == 1 && keep_said("is no directory by now"));
	keep_run("forget", "o", NULL);
	CHECK("a volume outlives who has it",
	      keep_run("end", "n", "true") == 0 && keep_shell("test -f " SHARE "/volumes/a.1/in-volume"));
}

static void a_member_ends(void)
{
	keep_shell("touch " POD "/plans/2.json " POD "/plans/22.json && mkdir " POD "/numbers/2");
	CHECK("a member that is not deleted stays",
	      keep_run("end", "m", "false") == 1 && keep_shell("test -f " SHARE "/2/root/in-root"));
	CHECK("its end takes its slots, in use or not",
	      keep_shell("exec 9< " SHARE "/2/root/in-root && %s/dkvm-keep end m true && ! test -e " SHARE
			 "/2 && ! test -e sandbox/2",
			 keep_build));
	CHECK("its plan and its directory", keep_shell("! test -e " POD "/plans/2.json && ! test -e /run/dkvm/vms/m"));
	CHECK("and nothing else",
	      keep_shell("test -f " POD "/plans/22.json -a -d " POD "/numbers/2 -a -f rootfs/in-root -a -f file"));
	keep_member("m", "s\t2\n2/root\t0\t1\t%h/rootfs\n");
	keep_run("begin", "m", "true");
	keep_shell("mount -t tmpfs stacked " SHARE "/2/root");
	CHECK("one that the engine forgot goes likewise, whatever lies over it",
	      keep_run("forget", "m", NULL) == 0 &&
		      keep_shell("! test -e " SHARE "/2 && ! test -e sandbox/2 && ! test -e /run/dkvm/vms/m"));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	unlink(path);
	return bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0 ? fd : -1;
}

/* As when a pod of Podman's has been started again, and its new VM counts anew. */
static void a_number_may_be_anothers_by_now(void)
{
	keep_member("p", "s\t9\n9/root\t0\t0\t%h/rootfs\n");
	keep_run("begin", "p", "true");
	keep_shell("touch " POD "/plans/9.json && ln -s q " POD "/plans/9.of");
	CHECK("who had a number before leaves what is another's",
	      keep_run("end", "p", "true") == 0 &&
		      keep_shell("test -f " SHARE "/9/root/in-root -a -f " POD "/plans/9.json -a ! -e "
				 "/run/dkvm/vms/p"));
	keep_member("q", "s\t9\n9/root\t0\t0\t%h/rootfs\n");
	CHECK("whose end takes it, and that it was there",
	      keep_run("begin", "q", "true") == 0 && keep_run("end", "q", "true") == 0 &&
		      keep_shell("! test -e " SHARE "/9 && ! test -e " POD "/plans/9.json && ! test -L " POD
				 "/plans/9.of"));
}

/* A monitor that is asked for a member's end, and has still to unmount it: it ends with 0. */
static int answer(int listener)
{
	static const uint8_t asked[] = {20, 0, 0, 0, 0x20, 1, 0, 0, 0, 3, 5, 0, 0, 0, 0,
					0,  0, 0, 0, 0,    0, 0, 0, 0, 0, 7, 0, 0, 0};
	uint8_t said[sizeof asked + 1];
	int client = accept(listener, NULL, NULL);
	ssize_t n = client < 0 ? -1 : recv(client, said, sizeof asked, MSG_WAITALL);

	return n == (ssize_t)sizeof asked && memcmp(said, asked, sizeof asked) == 0 &&
			       keep_shell("test -f " SHARE "/7/root/in-root")
		       ? 0
		       : 1;
}

static void a_member_begins(void)
{
	keep_member("w", "s\t7\n7/root\t0\t0\t%h/rootfs\n");
	CHECK("it begins", keep_run("begin", "w", "true") == 0);
}

static void the_guest_unmounts_first(void)
{
	int status = -1, listener = listen_at(POD "/socket/monitor.sock");

	a_member_begins();
	pid_t monitor = fork();
	if (monitor == 0)
		_exit(answer(listener));
	CHECK("its end is asked for, and awaited", keep_run("end", "w", "true") == 0 &&
							   waitpid(monitor, &status, 0) == monitor && status == 0 &&
							   keep_shell("! test -e " SHARE "/7"));
	a_member_begins();
	CHECK("but not for long: one that does not answer",
	      keep_run("end", "w", "true") == 0 && keep_shell("! test -e " SHARE "/7"));
	close(listener);
	listener = listen_at("other.sock");
	keep_shell("ln -sf %s/other.sock " POD "/socket/monitor.sock", keep_here);
	a_member_begins();
	CHECK("and at no link's end", keep_run("end", "w", "true") == 0 && fcntl(listener, F_SETFL, O_NONBLOCK) == 0 &&
					      accept(listener, NULL, NULL) < 0 && errno == EAGAIN);
	close(listener);
	keep_shell("rm " POD "/socket/monitor.sock other.sock");
}

static void what_is_damaged_is_refused(void)
{
	static const char *const damaged[] = {
		"",
		"\n",
		"s\n",
		"s\t1\n",
		"s\t02\n",
		"s\t+2\n",
		"s\t4294967296\n",
		"s\t2\t\n",
		"../s\t2\n",
		"s/pod\t2\n",
		"nobody\t2\n2/root\t0\t0\t%h/rootfs\n",
		"s\t2\n\n2/root\t0\t0\t%h/rootfs\n",
		"s\t2\n2/root\t0\t0\n",
		"s\t2\n2/root\t0\t0\t%h/rootfs\t\n",
		"s\t2\n2/root\t0\t2\t%h/rootfs\n",
		"s\t2\n2/root\t32\t0\t%h/rootfs\n",
		"s\t2\n2/root\t-1\t0\t%h/rootfs\n",
		"s\t2\n2/root\t0\t0\trootfs\n",
		"s\t2\n3/root\t0\t0\t%h/rootfs\n",
		"s\t2\n2\t0\t0\t%h/rootfs\n",
		"s\t2\n2/\t0\t0\t%h/rootfs\n",
		"s\t2\n2/..\t0\t0\t%h/rootfs\n",
		"s\t2\n2/.\t0\t0\t%h/rootfs\n",
		"s\t2\n2/a/b\t0\t0\t%h/rootfs\n",
		"s\t2\n2/A\t0\t0\t%h/rootfs\n",
		"s\t2\nplans/a\t0\t0\t%h/rootfs\n",
		"s\t2\n../2\t0\t0\t%h/rootfs\n",
		"s\t2\nvolumes/../2\t0\t0\t%h/rootfs\n",
		"s\t2\n2/root\t0\t0\t%h/rootfs\n2/root\t0\t0\t%h/rootfs\n",
		"s\t2\n2/root\t0\t0\t%h/rootfs\n2/4\t0\t0\t%h/missing\n",
		"s\t2\n2/root\t0\t0\t%h/file\n",
		"s\t2\n2/f3\t0\t0\t%h/rootfs\n",
	};
	int refused = 0, clean = 0, count = (int)(sizeof damaged / sizeof damaged[0]);

	for (int i = 0; i < count; i++) {
		keep_member("m", damaged[i]);
		bool said =
			keep_run("begin", "m", "true") == 1 && keep_said("dkvm-keep: \"m\" can not be part of a pod: ");
		refused += said;
		clean += keep_shell("! test -e " SHARE "/2 && ! grep -q ' " SHARE "/2' /proc/self/mountinfo") &&
			 keep_run("forget", "m", NULL) == 0 && keep_shell("! test -e /run/dkvm/vms/m");
		if (!said)
			printf("# %d was taken: %s\n", i, damaged[i]);
	}
	CHECK("a file that is damaged is refused, and says so", refused == count);
	CHECK("nothing is left of it, and it can be forgotten", clean == count);
	keep_shell("mkdir -p /run/dkvm/vms/m && printf 's\\t2\\n2/root\\t0\\t0\\t/\\0\\n' > /run/dkvm/vms/m/member");
	CHECK("so is one with a NUL", keep_run("begin", "m", "true") == 1 && keep_said("NUL"));
	keep_shell("truncate -s 1048577 /run/dkvm/vms/m/member");
	CHECK("one that is too large", keep_run("begin", "m", "true") == 1 && keep_said("too large"));
	keep_shell("rm /run/dkvm/vms/m/member && mkfifo /run/dkvm/vms/m/member");
	CHECK("one that is none, without waiting", keep_run("begin", "m", "true") == 1 && keep_said("too large"));
	keep_shell("rm /run/dkvm/vms/m/member && { printf 's\\t2\\n'; "
		   "for i in $(seq 1025); do printf '2/%%s\\t0\\t0\\t%%s/rootfs\\n' \"$i\" \"$PWD\"; done; } > "
		   "/run/dkvm/vms/m/member");
	CHECK("one with too many slots", keep_run("begin", "m", "true") == 1 && keep_said("more than 1024 slots") &&
						 keep_shell("! test -e " SHARE "/2"));
	keep_run("forget", "m", NULL);
}

static void no_link_is_followed(void)
{
	keep_shell("ln -s %s/outside " SHARE "/2 && ln -s %s/outside " SHARE "/volumes/link", keep_here, keep_here);
	keep_member("m", "s\t2\n2/root\t0\t0\t%h/rootfs\n");
	CHECK("a link in a member's place goes",
	      keep_run("begin", "m", "true") == 0 && keep_shell("test -d " SHARE "/2 -a ! -L " SHARE "/2 && "
								"test -z \"$(ls outside)\""));
	keep_run("forget", "m", NULL);
	keep_member("m", "s\t2\nvolumes/link\t0\t0\t%h/rootfs\n");
	CHECK("one in a volume's place is refused",
	      keep_run("begin", "m", "true") == 1 && keep_shell("! grep -q /outside /proc/self/mountinfo"));
	keep_run("forget", "m", NULL);
	keep_shell("rm " SHARE "/volumes/link && ln -s rootfs link");
	keep_member("m", "s\t2\n2/root\t0\t0\t%h/link\n");
	CHECK("a source may be one",
	      keep_run("begin", "m", "true") == 0 && keep_shell("test -f " SHARE "/2/root/in-root"));
	keep_shell("mkdir -p " SHARE "/2/deep/er && ln -s %s/outside " SHARE "/2/deep/link && touch outside/kept",
		   keep_here);
	CHECK("what somebody else put beside the slots goes, and nothing behind a link",
	      keep_run("end", "m", "true") == 0 && keep_shell("! test -e " SHARE "/2 && test -f outside/kept"));
}

static void a_pod_ends(void)
{
	keep_member("m", "s\t2\n2/root\t0\t1\t%h/rootfs\nvolumes/b\t0\t1\t%h/volume\n");
	keep_run("begin", "m", "true");
	CHECK("a pod's end takes all of it",
	      keep_run("end", "s", "true") == 0 &&
		      keep_shell("! test -e /run/dkvm/vms/s && ! grep -q /vms/s /proc/self/mountinfo && "
				 "! grep -q \"$PWD/sandbox/\" /proc/self/mountinfo"));
	CHECK("and nothing that was mounted",
	      keep_shell("test -f rootfs/in-root -a -f volume/in-volume -a -f volume/below/in-below"));
	CHECK("a member can not begin without it",
	      keep_run("begin", "m", "true") == 1 && keep_said("its pod \"s\" is not there"));
	CHECK("but end", keep_run("end", "m", "true") == 0 && keep_shell("! test -e /run/dkvm/vms/m"));
	keep_shell(
		"mkdir -p /run/dkvm/vms/v && printf '0 0\\nsize=2m,nr_inodes=32,mode=700\\n' > /run/dkvm/vms/v/keep");
	CHECK("a VM without a pod has none",
	      keep_run("begin", "v", "true") == 0 && keep_shell("! test -e /run/dkvm/vms/v/pod") &&
		      keep_run("end", "v", "true") == 0 && keep_shell("! test -e /run/dkvm/vms/v"));
}

/* runc is told of descriptors where there are some; where there are none, the log tells why. */
static void localhost_leads_to_the_pod(void)
{
	const char *const made = "mkdir -p /run/dkvm/vms/w && printf "
				 "'0 0\\nsize=2m,nr_inodes=32,mode=700\\n\\npod\\n0 %%s\\n' %s > /run/dkvm/vms/w/keep";
	const char *const network =
		"unshare --net sleep 100 & pid=$!; until [ $(readlink /proc/$pid/ns/net) != $(readlink "
		"/proc/self/ns/net) ]; do sleep 0.01; done; ";
	char make[256];

	snprintf(make, sizeof make, made, "/proc/$pid/ns/net");
	CHECK("what leads localhost to a pod's VM is handed down",
	      keep_shell("%s %s; %s/dkvm-keep begin w sh -c 'test \"$0 $1 $2\" = \"--preserve-fds 3 w\" && "
			 "test -S /proc/self/fd/3 -a -S /proc/self/fd/4 -a -e /proc/self/fd/5' w; r=$?; kill $pid; "
			 "exit $r",
			 network, make, keep_build) &&
		      keep_shell("! test -e /run/dkvm/vms/w/log/monitor.log"));
	keep_run("end", "w", "true");
	snprintf(make, sizeof make, made, "/proc/self/ns/net");
	CHECK("never in the host's network, which is told",
	      keep_shell("%s; %s/dkvm-keep begin w sh -c 'test \"$0\" = w' w", make, keep_build) &&
		      keep_shell("test 1 = $(grep -c '^0 localhost of the pod can not be reached from the host .*: it "
				 "is the "
				 "host.s own network$' /run/dkvm/vms/w/log/monitor.log)"));
	CHECK("and ends with it", keep_run("end", "w", "true") == 0 && keep_shell("! test -e /run/dkvm/vms/w"));
}

/* Killed before its first, second… call that changes something, until it gets through: how many there are; 0 where something is left. */
static int killed_at_each(const char *id, bool (*prepare)(void), const char *nothing_left)
{
	int call = 0;

	while (prepare() && keep_killed_at(call, id)) {
		/* begun anew, as well */
		bool again = call % 2 == 0 || keep_run("begin", id, "true") == 0;

		if (!again || keep_run("forget", id, NULL) != 0 || !keep_shell("%s", nothing_left)) {
			printf("# killed before call %d\n", call);
			return 0;
		}
		call++;
	}
	return call;
}

static bool prepare_pod(void)
{
	return keep_pod("t");
}

static bool prepare_member(void)
{
	return keep_member("m", "s\t2\n2/root\t6\t1\t%h/rootfs\n2/f3\t1\t0\t%h/file\nvolumes/c\t0\t1\t%h/volume\n");
}

static void one_that_is_killed_leaves_nothing(void)
{
	int pod =
		killed_at_each("t", prepare_pod, "! test -e /run/dkvm/vms/t && ! grep -q /vms/t /proc/self/mountinfo");

	CHECK("a pod's begin may be killed at any point", pod > 10);
	keep_run("forget", "t", NULL);
	pod_begin();
	int member = killed_at_each("m", prepare_member,
				    "! test -e /run/dkvm/vms/m && ! test -e " SHARE "/2 && "
				    "! grep -q ' " SHARE "/2' /proc/self/mountinfo && "
				    "test $(grep -c ' " SHARE "/volumes/c ' /proc/self/mountinfo) -le 1");
	CHECK("a member's, too", member > 15);
	printf("# %d and %d calls\n", pod, member);
	CHECK("and its pod ends as ever", keep_run("forget", "m", NULL) == 0 && keep_run("end", "s", "true") == 0 &&
						  keep_shell("! test -e /run/dkvm/vms/s && "
							     "! grep -q ' /run/dkvm/' /proc/self/mountinfo"));
}

int main(void)
{
	if (!keep_setup()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	a_pod_is_made();
	a_member_is_mounted();
	mounts_of_the_host_stay_apart();
	volumes_are_shared();
	a_member_ends();
	a_number_may_be_anothers_by_now();
	the_guest_unmounts_first();
	what_is_damaged_is_refused();
	no_link_is_followed();
	a_pod_ends();
	localhost_leads_to_the_pod();
	one_that_is_killed_leaves_nothing();
	keep_cleanup();
	return check_end();
}
