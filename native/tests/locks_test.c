/* SPDX-License-Identifier: Apache-2.0 */
/* dkvm-locks with real files, and this test in the place of monitor, agent and others on the host. */
#include "check.h"

#include "held_calls.h"
#include "locks_fake.h"

#include "sandbox/locks/lanes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOLDERS = FILES_MAX - 16 - 3 * LANES_THREADS, OWNER = 7, OTHER = 8, THREADS = 64 };

static void whole_files(void)
{
	const struct wish write = flock_of(OWNER, LOCK_TYPE_WRITE, 0), read = flock_of(OWNER, LOCK_TYPE_READ, 0);

	CHECK("a lock is taken", take(write) == 0);
	CHECK("it holds against others on the host", !is_free("file"));
	CHECK("and against others of the guest", take(flock_of(OTHER, LOCK_TYPE_READ, 0)) == EAGAIN);
	CHECK("taken again it is the same", take(write) == 0);
	CHECK("a downgrade lets readers in", take(read) == 0 && take(flock_of(OTHER, LOCK_TYPE_READ, 0)) == 0);
	CHECK("an upgrade is refused while one reads", take(write) == EAGAIN);
	CHECK("and has lost the old lock, as flock(2) says", take(flock_of(OTHER, LOCK_TYPE_WRITE, 0)) == 0);
	CHECK("a lock is given up", give(flock_of(OTHER, LOCK_TYPE_WRITE, 0), LOCK_LAST) == 0 && is_free("file"));
	CHECK("one that is not there, too", give(write, LOCK_LAST) == 0);
	int fd = open_file("file");
	flock(fd, LOCK_SH);
	CHECK("a lock of the host's refuses one", take(write) == EAGAIN);
	CHECK("and a reader none", take(read) == 0);
	close(fd);
	CHECK("a directory has locks", mkdir(in("dir"), 0755) == 0);
	const struct wish whole = {LOCK_TAKE,       LOCK_FLOCK, LOCK_TYPE_WRITE, 0,       OWNER,
				   inode_of("dir"), 0,          WHOLE,           "/1/dir"};
	fd = open(in("dir"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK("which hold", take(whole) == 0 && flock(fd, LOCK_SH | LOCK_NB) < 0);
	close(fd);
	give(whole, LOCK_LAST);
	give(read, LOCK_LAST);
}

static void ranges(void)
{
	struct wish test = range_of(OTHER, LOCK_TYPE_WRITE, 0, WHOLE);
	int fd = open_file("file");
	struct flock mine = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1};

	test.operation = LOCK_TEST;
	CHECK("a range is taken", take(range_of(OWNER, LOCK_TYPE_WRITE, 10, 19)) == 0);
	CHECK("it holds on the host", fcntl(fd, F_SETLK, &mine) < 0 && (errno == EAGAIN || errno == EACCES));
	CHECK("beside it is none", take(range_of(OTHER, LOCK_TYPE_WRITE, 20, WHOLE)) == 0);
	CHECK("who asks is told what is in the way", take(test) == 0 && frame.payload[28] == LOCK_TYPE_WRITE &&
							     get_u64(frame.payload + 8) == 10 &&
							     get_u64(frame.payload + 16) == 19);
	CHECK("a part of it becomes one to read", take(range_of(OWNER, LOCK_TYPE_READ, 10, 14)) == 0);
	CHECK("so does the rest", take(range_of(OWNER, LOCK_TYPE_READ, 15, 19)) == 0);
	mine.l_type = F_RDLCK;
	CHECK("which others read, too", fcntl(fd, F_SETLK, &mine) == 0);
	CHECK("an upgrade is refused", take(range_of(OWNER, LOCK_TYPE_WRITE, 10, 19)) == EAGAIN);
	close(fd);
	CHECK("and leaves the lock as it was", take(range_of(OTHER, LOCK_TYPE_WRITE, 19, 19)) == EAGAIN);
	CHECK("a part is given up", give(range_of(OWNER, LOCK_TYPE_NONE, 19, 19), 0) == 0 &&
					    take(range_of(OTHER, LOCK_TYPE_WRITE, 19, 19)) == 0);
	CHECK("the other part is still there", take(range_of(OTHER, LOCK_TYPE_WRITE, 18, 18)) == EAGAIN);
	CHECK("the last of one owner frees all of it", give(range_of(OWNER, LOCK_TYPE_NONE, 10, 10), LOCK_LAST) == 0 &&
							       take(range_of(OTHER, LOCK_TYPE_WRITE, 0, 18)) == 0);
	give(range_of(OTHER, LOCK_TYPE_NONE, 0, WHOLE), LOCK_LAST);
	CHECK("where nothing is in the way, that is told", take(test) == 0 && frame.payload[28] == LOCK_TYPE_NONE);
}

static void blocked(void)
{
	const struct wish waits = flock_of(OWNER, LOCK_TYPE_WRITE, LOCK_WAIT);
	int fd = open_file("file");

	flock(fd, LOCK_EX);
	uint64_t id = ask(&waits);
	CHECK("a lock that another has is waited for", is_silent());
	CHECK("others are served meanwhile", take(flock_of(OTHER, LOCK_TYPE_READ, 0)) == EAGAIN);
	flock(fd, LOCK_UN);
	CHECK("it comes when that one gives it up", answer_to(id) == 0 && !is_free("file"));
	give(waits, LOCK_LAST);
	flock(fd, LOCK_EX);
	id = ask(&waits);
	is_silent();
	cancel(id);
	CHECK("one that is withdrawn ends", answer_to(id) == EINTR);
	flock(fd, LOCK_UN);
	CHECK("and leaves no lock", is_free("file"));
	cancel(id);
	cancel(UINT64_MAX);
	CHECK("what is not there is withdrawn in peace", take(waits) == 0 && give(waits, LOCK_LAST) == 0);
	flock(fd, LOCK_EX);
	struct wish range = range_of(OWNER, LOCK_TYPE_WRITE, 5, 5);
	CHECK("ranges and whole files do not meet", take(range) == 0);
	struct wish other = range_of(OTHER, LOCK_TYPE_READ, 0, WHOLE);
	other.flags = LOCK_WAIT;
	id = ask(&other);
	CHECK("a range is waited for", is_silent());
	CHECK("its owner's other locks are given up meanwhile",
	      give(range_of(OTHER, LOCK_TYPE_NONE, 0, WHOLE), LOCK_LAST) == 0);
	struct wish free_it = range;
	free_it.operation = LOCK_GIVE;
	free_it.type = LOCK_TYPE_NONE;
	free_it.flags = LOCK_LAST;
	free_it.path = "";
	uint64_t freed = ask(&free_it);
	bool first = next_frame() && get_u32(frame.payload + 24) == 0, ok = first;
	bool saw_both = get_u64(frame.payload) == freed || get_u64(frame.payload) == id;
	ok = ok && next_frame() && get_u32(frame.payload + 24) == 0;
	CHECK("and comes", ok && saw_both);
	give(other, LOCK_LAST);
	close(fd);
}

/* More than there are threads for. */
static void many_blocked(void)
{
	enum { MANY = THREADS + 40 };
	uint64_t first = last_id + 1;
	int fd = open_file("file");
	int withdrawn = 0, refused = 0;

	flock(fd, LOCK_EX);
	/* one holder, as the program may have few files */
	for (int i = 0; i < MANY; i++) {
		struct wish wish = flock_of(OWNER, LOCK_TYPE_WRITE, LOCK_WAIT);
		ask(&wish);
	}
	CHECK("a hundred wait", is_silent());
	for (uint64_t id = first; id < first + MANY / 2; id++)
		cancel(id);
	for (int i = 0; i < MANY / 2 && next_frame(); i++)
		withdrawn += get_u32(frame.payload + 24) == EINTR;
	CHECK("half of them are withdrawn", withdrawn == MANY / 2 && is_silent());
	flock(fd, LOCK_UN);
	for (int i = 0; i < MANY / 2 && next_frame(); i++)
		refused += get_u32(frame.payload + 24) != 0;
	CHECK("the others all come", refused == 0);
	give(flock_of(OWNER, LOCK_TYPE_NONE, 0), LOCK_LAST);
	CHECK("and are given up", is_free("file"));
	close(fd);
}

static void bounds(void)
{
	int failed = 0, held = 0;

	for (uint64_t owner = 1000; owner < 11000; owner++) {
		failed += take(flock_of(owner, LOCK_TYPE_WRITE, 0)) != 0;
		failed += give(flock_of(owner, LOCK_TYPE_NONE, 0), LOCK_LAST) != 0;
	}
	CHECK("ten thousand locks leave nothing open", failed == 0);
	for (uint64_t owner = 1000; owner < 1000 + HOLDERS + 2; owner++)
		held += take(flock_of(owner, LOCK_TYPE_READ, 0)) == 0;
	CHECK("more than the process may have are refused", held == HOLDERS);
	CHECK("one that is held goes on", take(flock_of(1000, LOCK_TYPE_READ, 0)) == 0);
	for (uint64_t owner = 1000; owner < 1000 + HOLDERS + 2; owner++)
		give(flock_of(owner, LOCK_TYPE_NONE, 0), LOCK_LAST);
	CHECK("and are there again", take(flock_of(3, LOCK_TYPE_WRITE, 0)) == 0);
	give(flock_of(3, LOCK_TYPE_NONE, 0), LOCK_LAST);
}

static int take_path(const char *path, uint64_t inode)
{
	const struct wish wish = {LOCK_TAKE, LOCK_FLOCK, LOCK_TYPE_WRITE, 0, OWNER, inode, 0, WHOLE, path};
	int error = take(wish);

	give(wish, LOCK_LAST);
	return error;
}

static void exact_files(void)
{
	char outside[160], lost[300];

	snprintf(outside, sizeof outside, "%s", in("../outside"));
	close(open(outside, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	mkfifo(in("pipe"), 0600);
	CHECK("a FIFO is not opened", take_path("/1/pipe", inode_of("pipe")) == EOPNOTSUPP);
	CHECK("another file is not taken for it", take_path("/1/file", inode_of("file") + 1) == ESTALE);
	CHECK("nor one that is missing", take_path("/1/none", 5) == ESTALE);
	CHECK("a link is not followed",
	      symlink(outside, in("link")) == 0 && take_path("/1/link", inode_of("../outside")) == ESTALE);
	CHECK("nor a parent", take_path("/1/../outside", inode_of("../outside")) == ESTALE);
	uint64_t inode = inode_of("file");
	snprintf(lost, sizeof lost, "%s", in("file"));
	rename(lost, in("renamed"));
	CHECK("one that has another name is found", take_path("/1/file", inode) == 0);
	rename(in("renamed"), outside);
	CHECK("one that has gone elsewhere is not", take_path("/1/file", inode) == ESTALE);
	rename(outside, lost);
	const struct wish dir = {LOCK_TAKE, LOCK_POSIX, LOCK_TYPE_READ, 0, OWNER, inode_of("dir"), 0, 1, "/1/dir"};
	CHECK("a directory has no ranges", take(dir) == EOPNOTSUPP);
	unlink(in("pipe"));
	unlink(in("link"));
	CHECK("the image's root is no volume", take_path("/root", inode_of("../root")) == ENOLCK);
	CHECK("nor is what else is in the share", take_path("/outside", inode) == ENOLCK);
	CHECK("nor the share itself", take_path("/", inode_of("..")) == ENOLCK);
	char longest[LOCK_PATH_MAX + 1];
	memset(longest, 'x', LOCK_PATH_MAX);
	longest[0] = '/';
	longest[LOCK_PATH_MAX] = '\0';
	CHECK("no slot has so long a name", take_path(longest, 5) == ENOLCK);
	longest[1] = '1';
	longest[2] = '/';
	CHECK("no file has so long a path", take_path(longest, 5) == ENOLCK);
}

/* More files of a volume that hangs than it may hold threads. */
static void a_volume_that_hangs(void)
{
	enum { FILES = LANES_OF_VOLUME + 3 };
	const struct wish slow = flock_of(OWNER, LOCK_TYPE_WRITE, 0);
	struct wish elsewhere = {LOCK_TAKE, LOCK_FLOCK, LOCK_TYPE_WRITE, 0, OTHER, 0, 0, WHOLE, "/2/file"};
	struct wish more = slow;
	uint64_t ids[FILES], held = inode_of("dir"), next;

	close(open_file("../2/file"));
	elsewhere.inode = inode_of("../2/file");
	const struct wish mine = {LOCK_TAKE, LOCK_FLOCK, LOCK_TYPE_WRITE, 0, OTHER, held, 0, WHOLE, "/1/dir"};
	CHECK("a file is locked before its volume hangs", take(mine) == 0);
	held_calls_hold();
	ids[0] = ask(&slow);
	CHECK("a file is not opened in time", held_calls_wait(1));
	held_calls_no_more();
	CHECK("another volume's is", take(elsewhere) == 0 && give(elsewhere, LOCK_LAST) == 0);
	CHECK("and what is open is given up", give(mine, LOCK_LAST) == 0);
	CHECK("another file of the volume as well", take(mine) == 0 && give(mine, LOCK_LAST) == 0);
	held_calls_hold();
	for (int i = 1; i < FILES; i++) {
		/* files that are not there have to be looked up as well */
		more.inode = 1000000 + (uint64_t)i;
		ids[i] = ask(&more);
	}
	CHECK("further ones do not come either", held_calls_wait(LANES_OF_VOLUME) && is_silent());
	held_calls_no_more();
	CHECK("and take no thread from another volume's", take(elsewhere) == 0 && give(elsewhere, LOCK_LAST) == 0);
	uint64_t behind = ask(&slow);
	CHECK("who wants the same file waits", is_silent());
	cancel(behind);
	CHECK("and need not", answer_to(behind) == EINTR);
	cancel(ids[0]);
	CHECK("who waits for the open need not either", answer_to(ids[0]) == EINTR);
	struct wish other = slow;
	other.owner = OTHER;
	next = ask(&other);
	CHECK("who comes after it waits", is_silent());
	held_calls_pass();
	int lost = 0;
	uint32_t result = EIO;
	for (int i = 0; i < FILES && next_frame(); i++) {
		if (get_u64(frame.payload) == next)
			result = get_u32(frame.payload + 24);
		else
			lost += get_u32(frame.payload + 24) == ESTALE;
	}
	CHECK("and finds no lock of who was withdrawn", result == 0 && give(other, LOCK_LAST) == 0);
	CHECK("the others are answered when it goes on", lost == FILES - 1);
	CHECK("and a lock that was withdrawn is not there", take(slow) == 0 && give(slow, LOCK_LAST) == 0);
}

static void the_end_of_what_hangs(void)
{
	const struct wish slow = flock_of(OWNER, LOCK_TYPE_WRITE, 0);

	held_calls_hold();
	ask(&slow);
	CHECK("while an open hangs", held_calls_wait(1));
	CHECK("the program ends with the monitor", end_program() == 0);
	held_calls_pass();
}

static void end_frees_all(void)
{
	struct wish waits = flock_of(OTHER, LOCK_TYPE_WRITE, LOCK_WAIT);

	take(flock_of(OWNER, LOCK_TYPE_WRITE, 0));
	ask(&waits);
	is_silent();
	CHECK("without the monitor it ends, though one waits", end_program() == 0);
	CHECK("and no lock is left", is_free("file"));
	start_program();
	take(flock_of(OWNER, LOCK_TYPE_WRITE, 0));
	kill(locks_pid, SIGKILL);
	CHECK("killed, it leaves none either", end_program() == -1 && is_free("file"));
}

/* What a hostile guest could send: a request to take a lock, with one byte changed. */
static const struct {
	const char *what;
	int at;
	uint8_t value;
} breaches[] = {
	{"no operation", LOCK_AT_OPERATION, 0},
	{"an unknown operation", LOCK_AT_OPERATION, 5},
	{"an unknown kind", LOCK_AT_KIND, 2},
	{"an unknown type", LOCK_AT_TYPE, 3},
	{"a lock of no type", LOCK_AT_TYPE, 0},
	{"unknown flags", LOCK_AT_FLAGS, 4},
	{"a range that ends before", LOCK_AT_START + 7, 0x7F},
	{"a range beyond all files", LOCK_AT_END + 7, 0x80},
	{"a path from elsewhere", LOCK_FIXED, 'x'},
	{"a path with an end in it", LOCK_FIXED + 2, 0},
	{"a test of a whole file", LOCK_AT_OPERATION, LOCK_TEST},
	{"a path of what is given up", LOCK_AT_OPERATION, LOCK_GIVE},
};

static bool ends_by(uint8_t type, uint32_t stream, const uint8_t *payload, uint32_t size)
{
	start_program();
	say(type, stream, payload, size);
	while (next_frame())
		;
	return end_program() == 1;
}

static void ends_at_a_breach(void)
{
	static uint8_t payload[LOCK_FIXED + LOCK_PATH_MAX + 1];
	struct wish wish = flock_of(OWNER, LOCK_TYPE_WRITE, 0);

	wish.to = 1;
	for (size_t i = 0; i < sizeof breaches / sizeof breaches[0]; i++) {
		uint32_t size = write_wish(payload, 1, &wish);
		payload[breaches[i].at] = breaches[i].value;
		CHECK(breaches[i].what, ends_by(FRAME_LOCK, 0, payload, size));
	}
	uint32_t size = write_wish(payload, 1, &wish);
	CHECK("a request cut short", ends_by(FRAME_LOCK, 0, payload, LOCK_FIXED - 1));
	CHECK("a lock without a path", ends_by(FRAME_LOCK, 0, payload, LOCK_FIXED));
	CHECK("a request on a stream", ends_by(FRAME_LOCK, 1, payload, size));
	CHECK("what it says itself", ends_by(FRAME_LOCK_ANSWER, 0, payload, size));
	memset(payload + LOCK_FIXED, '/', LOCK_PATH_MAX + 1);
	CHECK("a path without measure", ends_by(FRAME_LOCK, 0, payload, sizeof payload));
	write_wish(payload, 0, &wish);
	CHECK("a request without a number", ends_by(FRAME_LOCK, 0, payload, size));
}

int main(void)
{
	if (!locks_set_up())
		return 2;
	alarm(300);
	if (!held_calls_open())
		return 2;
	start_program_with(held_calls_install);
	if (!held_calls_serve())
		return 2;
	whole_files();
	ranges();
	blocked();
	many_blocked();
	bounds();
	exact_files();
	a_volume_that_hangs();
	the_end_of_what_hangs();
	start_program();
	end_frees_all();
	ends_at_a_breach();
	locks_clear();
	return check_end();
}
