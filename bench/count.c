/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin for QEMU that counts the guest's instructions: -plugin count.so,out=FILE. What QEMU translates in one piece counts as a
 * whole when it is entered. See QEMU's docs/devel/tcg-plugins.rst. What of qemu-plugin.h it needs stands here: Debian has no package with that.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct scoreboard;
struct translated;

struct counter {
	struct scoreboard *score;
	size_t offset;
};

enum operation { ADD_U64 };

extern struct scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
extern uint64_t qemu_plugin_u64_sum(struct counter counter);
extern size_t qemu_plugin_tb_n_insns(const struct translated *block);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct translated *));
extern void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct translated *block, enum operation operation,
							      struct counter counter, uint64_t amount);
extern void qemu_plugin_register_atexit_cb(plugin_id id, void (*callback)(plugin_id, void *), void *argument);

/* The version with scoreboards. */
__attribute__((visibility("default"))) int qemu_plugin_version = 3;

static struct counter instructions;
static char out[4096];

static void translated(plugin_id id, struct translated *block)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, ADD_U64, instructions, qemu_plugin_tb_n_insns(block));
}

static void ended(plugin_id id, void *argument)
{
	(void)id;
	(void)argument;
	FILE *file = fopen(out, "w");

	if (!file)
		return;
	fprintf(file, "%llu\n", (unsigned long long)qemu_plugin_u64_sum(instructions));
	fclose(file);
}

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0 || strlen(argv[0] + 4) >= sizeof out)
		return -1;
	strcpy(out, argv[0] + 4);
	instructions.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
