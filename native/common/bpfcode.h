/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions of BPF, for programs that are written out: there is no compiler for it where DKVM is built. See bpf(2). */
#ifndef DKVM_BPFCODE_H
#define DKVM_BPFCODE_H

#include <linux/bpf.h>
#include <stdint.h>

#define OP(c, d, s, o, i)                                                                                              \
	(struct bpf_insn)                                                                                              \
	{                                                                                                              \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (int16_t)(o), .imm = (int32_t)(i)                  \
	}
#define MOVE(d, s) OP(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i) OP(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, i) OP(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define AND(d, i) OP(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o) OP(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE(d, s, o) OP(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE_SHORT(d, s, o) OP(BPF_STX | BPF_MEM | BPF_H, d, s, o, 0)
#define PUT(d, o, i) OP(BPF_ST | BPF_MEM | BPF_W, d, 0, o, i)
#define JUMP(o) OP(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define JUMP_IF(d, i, o) OP(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define JUMP_UNLESS(d, i, o) OP(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define CALL(f) OP(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define LEAVE() OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
