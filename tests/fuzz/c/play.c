/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the inputs of a target's corpus, or the files that are named: what libFuzzer does where it is there. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECONDS = 120, INPUT_MAX = 1 << 20 };

/* In memory of just its size. */
static void play(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	HOLDS(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= INPUT_MAX);
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size ? size : 1);

	HOLDS(data && read(fd, data, size) == (ssize_t)size);
	close(fd);
	/* named before, so that it is known which one ended the program */
	printf("# %s\n", path);
	fflush(stdout);
	HOLDS(LLVMFuzzerTestOneInput(data, size) == 0);
	free(data);
}

static int play_corpus(const char *name)
{
	char path[4096];
	struct dirent *entry;
	int played = 0;

	snprintf(path, sizeof path, "%s/%s", CORPORA, name);
	DIR *corpus = opendir(path);

	HOLDS(corpus);
	while ((entry = readdir(corpus))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s/%s", CORPORA, name, entry->d_name);
		play(path);
		played++;
	}
	closedir(corpus);
	return played;
}

int main(int argc, char **argv)
{
	const struct rlimit time = {SECONDS, SECONDS};
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];

	setrlimit(RLIMIT_CPU, &time);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		play(argv[i]);
	int played = argc > 1 ? argc - 1 : play_corpus(name);
	printf("%s 1 - %d inputs of %s hold\n1..1\n", played > 0 ? "ok" : "not ok", played, name);
	return played > 0 ? 0 : 1;
}
