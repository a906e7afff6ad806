// SPDX-License-Identifier: Apache-2.0
//
// The first process of a guest that test.sh boots: a FUSE server with one file,
// and a client that counts what the kernel asks of it. Prints "ok NAME" or "not
// ok NAME: why" for each promise of fuse-keep-pages.patch and
// fuse-fewer-requests.patch, then "fuse probe done", and powers off.
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOUNT "/mnt"
#define FILE_PATH MOUNT "/f"
#define FILE_NODE 2
#define LONG_AGO 1000000000
#define OPCODES 64

// What server and client share.
static struct state {
  volatile char content;
  volatile uint64_t size;
  volatile int64_t mtime;
  volatile uint32_t mtime_ns;
  volatile int64_t ctime;
  volatile uint64_t valid; // seconds
  volatile uint32_t flags; // of FUSE_INIT
  volatile int count[OPCODES];
} * state;

static void fill(struct fuse_attr *attr, uint64_t node) {
  attr->ino = node;
  attr->mode = node == FILE_NODE ? S_IFREG | 0755 : S_IFDIR | 0755;
  attr->nlink = 1;
  attr->size = node == FILE_NODE ? state->size : 0;
  attr->mtime = (uint64_t)state->mtime;
  attr->mtimensec = state->mtime_ns;
  attr->ctime = (uint64_t)state->ctime;
  attr->blksize = 4096;
}

static void fill_entry(struct fuse_entry_out *entry) {
  entry->nodeid = FILE_NODE;
  entry->entry_valid = entry->attr_valid = state->valid;
  fill(&entry->attr, FILE_NODE);
}

// Answers one request: the length of the answer's body, or a negative error.
static int answer(const struct fuse_in_header *in, const char *body,
                  char *out) {
  switch (in->opcode) {
  case FUSE_INIT: {
    struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
                                 .minor = FUSE_KERNEL_MINOR_VERSION,
                                 .max_readahead = 4096,
                                 .flags = state->flags,
                                 .max_write = 4096};
    memcpy(out, &init, sizeof init);
    return sizeof init;
  }
  case FUSE_LOOKUP: {
    struct fuse_entry_out entry = {0};
    if (strcmp(body, "f") != 0)
      return -ENOENT;
    fill_entry(&entry);
    memcpy(out, &entry, sizeof entry);
    return sizeof entry;
  }
  case FUSE_GETATTR: {
    struct fuse_attr_out attr = {.attr_valid = state->valid};
    fill(&attr.attr, in->nodeid);
    memcpy(out, &attr, sizeof attr);
    return sizeof attr;
  }
  case FUSE_OPEN: {
    struct fuse_open_out open = {0};
    memcpy(out, &open, sizeof open);
    return sizeof open;
  }
  case FUSE_READ: {
    const struct fuse_read_in *read = (const void *)body;
    uint64_t left = read->offset < state->size ? state->size - read->offset : 0;
    int length = left < read->size ? (int)left : (int)read->size;
    memset(out, state->content, (size_t)length);
    return length;
  }
  case FUSE_WRITE: {
    const struct fuse_write_in *write = (const void *)body;
    struct fuse_write_out written = {.size = write->size};
    state->mtime_ns++;
    memcpy(out, &written, sizeof written);
    return sizeof written;
  }
  case FUSE_GETXATTR:
    return -ENODATA;
  case FUSE_FLUSH:
  case FUSE_RELEASE:
    return 0;
  default:
    return -ENOSYS;
  }
}

static void serve(int device) {
  static char in[FUSE_MIN_READ_BUFFER + 65536],
      out[sizeof(struct fuse_out_header) + 65536];
  for (;;) {
    ssize_t length = read(device, in, sizeof in);
    if (length < 0 && errno == EINTR)
      continue;
    if (length < (ssize_t)sizeof(struct fuse_in_header))
      _exit(0);
    const struct fuse_in_header *header = (const void *)in;
    if (header->opcode < OPCODES)
      state->count[header->opcode]++;
    if (header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET)
      continue;
    int result = answer(header, in + sizeof *header,
                        out + sizeof(struct fuse_out_header));
    struct fuse_out_header reply = {.unique = header->unique,
                                    .error = result < 0 ? result : 0,
                                    .len = (uint32_t)sizeof reply +
                                           (uint32_t)(result < 0 ? 0 : result)};
    memcpy(out, &reply, sizeof reply);
    if (write(device, out, reply.len) < 0)
      _exit(1);
  }
}

static void begin(uint32_t flags) {
  memset(state, 0, sizeof *state);
  *state = (struct state){.content = 'a',
                          .size = 8192,
                          .mtime = LONG_AGO,
                          .ctime = LONG_AGO,
                          .valid = 0,
                          .flags = flags};
  int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  char options[100];
  snprintf(options, sizeof options,
           "fd=%d,rootmode=40755,user_id=0,group_id=0,default_permissions,"
           "allow_other",
           device);
  if (device < 0 || mount("fuse", MOUNT, "fuse", 0, options) < 0) {
    printf("not ok fuse-mount: %s\n", strerror(errno));
    return;
  }
  if (fork() == 0)
    serve(device);
  close(device);
}

static void end(void) {
  umount(MOUNT);
  while (wait(NULL) > 0)
    ;
}

static char content(void) {
  char first = '?';
  int file = open(FILE_PATH, O_RDONLY);
  if (file < 0 || read(file, &first, 1) != 1)
    first = '!';
  close(file);
  return first;
}

// The first byte by a mapping after a new open.
static char mapped(void) {
  int file = open(FILE_PATH, O_RDONLY);
  volatile char *bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (bytes == MAP_FAILED)
    return '!';
  char first = bytes[0];
  munmap((void *)bytes, 4096);
  return first;
}

static void check(const char *name, bool holds, const char *why) {
  if (holds)
    printf("ok %s\n", name);
  else
    printf("not ok %s: %s; reads %d, getattr %d, flush %d, getxattr %d\n", name,
           why, state->count[FUSE_READ], state->count[FUSE_GETATTR],
           state->count[FUSE_FLUSH], state->count[FUSE_GETXATTR]);
}

static void pages_stay_while_the_times_do(void) {
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES);
  char first = content();
  int reads = state->count[FUSE_READ];
  content();
  mapped();
  check("fuse-an-open-keeps-pages",
        first == 'a' && reads > 0 && state->count[FUSE_READ] == reads,
        "read again");
  state->content = 'b', state->mtime_ns++;
  check("fuse-another-mtime-drops-pages", content() == 'b', "old content");
  state->content = 'c', state->mtime_ns++;
  check("fuse-another-mtime-drops-pages-of-a-mapping", mapped() == 'c',
        "old content");
  state->content = 'd', state->ctime++;
  check("fuse-another-ctime-drops-pages", mapped() == 'd', "old content");
  state->content = 'e', state->size = 8193;
  check("fuse-another-size-drops-pages", mapped() == 'e', "old content");
  end();
}

// The file is opened by a path without a name to look up, as a file is that
// something else is mounted over.
static void an_open_asks_when_nothing_else_has(void) {
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES);
  int fd = open("/file", O_CREAT | O_WRONLY, 0644);
  close(fd);
  mount(FILE_PATH, "/file", NULL, MS_BIND, NULL);
  for (int i = 0; i < 2; i++) {
    int file = open("/file", O_RDONLY);
    volatile char *bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    char first = bytes[0];
    munmap((void *)bytes, 4096);
    close(file);
    check(i == 0 ? "fuse-a-bound-file-is-read"
                 : "fuse-a-bound-file-is-asked-for",
          first == 'a' + i, "old content");
    state->content = 'b', state->mtime_ns++;
  }
  umount("/file");
  end();
}

static void attributes_that_hold_are_not_asked_for(void) {
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES);
  state->valid = 3600;
  content();
  int asked = state->count[FUSE_GETATTR] + state->count[FUSE_LOOKUP];
  content();
  check("fuse-an-open-asks-for-nothing-it-knows",
        state->count[FUSE_GETATTR] + state->count[FUSE_LOOKUP] == asked,
        "asked");
  end();
}

// A write in the tick of the clock in which the file was read leaves its times
// as they are.
static void a_tick_of_the_clock_hides_nothing(void) {
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES);
  struct timespec begin_time, now;
  state->mtime = state->ctime = time(NULL);
  clock_gettime(CLOCK_MONOTONIC, &begin_time);
  content();
  state->content = 'b';
  check("fuse-a-young-file-is-read-again", mapped() == 'b', "old content");
  do {
    usleep(50 * 1000);
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec < begin_time.tv_sec + 3);
  content();
  int reads = state->count[FUSE_READ];
  content();
  check("fuse-a-file-that-has-settled-stays", state->count[FUSE_READ] == reads,
        "read again");
  end();
}

static void other_servers_have_what_they_had(void) {
  begin(FUSE_BIG_WRITES);
  content();
  state->content = 'b';
  check("fuse-without-auto-inval-an-open-drops-pages", content() == 'b',
        "old content");
  end();
}

static void requests_that_change_nothing_are_not_made(void) {
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES);
  content();
  check("fuse-no-flush-of-a-file-that-was-read", state->count[FUSE_FLUSH] == 0,
        "flushed");
  int file = open(FILE_PATH, O_WRONLY);
  bool written = write(file, "x", 1) == 1;
  close(file);
  check("fuse-a-flush-of-a-file-that-was-written",
        written && state->count[FUSE_FLUSH] == 1, "not flushed");
  check("fuse-no-question-for-capabilities-at-a-write",
        state->count[FUSE_GETXATTR] == 0, "asked");
  end();
  begin(FUSE_AUTO_INVAL_DATA | FUSE_BIG_WRITES | FUSE_POSIX_LOCKS);
  content();
  check("fuse-a-flush-where-the-server-has-the-locks",
        state->count[FUSE_FLUSH] == 1, "not flushed");
  end();
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  mkdir(MOUNT, 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pages_stay_while_the_times_do();
  an_open_asks_when_nothing_else_has();
  attributes_that_hold_are_not_asked_for();
  a_tick_of_the_clock_hides_nothing();
  other_servers_have_what_they_had();
  requests_that_change_nothing_are_not_made();
  printf("fuse probe done\n");
  return reboot(RB_POWER_OFF);
}
