/* SPDX-License-Identifier: Apache-2.0 */
/* The process that goes ahead of the agent in a restored machine. */
#include "common/files.h"
#include "guest/early.h"
#include "guest/setup/scout.h"
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESCAN "bus/pci/rescan"

static char text[16];

static void make_sys(void)
{
	CHECK(mkdir("bus", 0755) == 0 && mkdir("bus/pci", 0755) == 0);
	auto_close int file = open(RESCAN, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(file >= 0);
	early.sys = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool has_looked(void)
{
	return read_text(early.sys, RESCAN, text, sizeof text) == 1 && strcmp(text, "1") == 0;
}

static void without_one_nobody_waits(void)
{
	scout_send();
	scout_wait();
	CHECK(!has_looked());
}

static void one_that_is_sent_finds_the_cards(void)
{
	CHECK(scout_open(2) == 0);
	CHECK(!has_looked());
	scout_send();
	scout_wait();
	CHECK(has_looked());
	int status = -1;
	CHECK(wait(&status) > 0 && status == 0);
	scout_send();
	scout_wait();
}

static void one_that_finds_nothing_is_not_waited_for(void)
{
	CHECK(unlink(RESCAN) == 0 && mkdir(RESCAN, 0755) == 0);
	CHECK(scout_open(CPU_SETSIZE + 1) == 0);
	scout_send();
	scout_wait();
	int status = -1;
	CHECK(wait(&status) > 0 && status == 0);
}

static void on_one_processor_the_agent_looks_itself(void)
{
	CHECK(truncate(RESCAN, 0) == 0);
	CHECK(scout_open(1) == 0);
	scout_send();
	CHECK(wait(NULL) < 0 && !has_looked());
	scout_wait();
	CHECK(has_looked());
}

int main(void)
{
	char directory[] = "/tmp/dkvm-scout-XXXXXX", remove[64];

	/* the mount of its child stays here, where it may do that at all */
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	if (!mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	make_sys();
	test("without one nobody waits", without_one_nobody_waits);
	test("one that is sent finds the cards", one_that_is_sent_finds_the_cards);
	test("on one processor the agent looks itself", on_one_processor_the_agent_looks_itself);
	test("one that finds nothing is not waited for", one_that_finds_nothing_is_not_waited_for);
	snprintf(remove, sizeof remove, "rm -rf %s", directory);
	if (system(remove) != 0)
		printf("# %s is left\n", directory);
	return tests_end();
}
