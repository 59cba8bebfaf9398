// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "rogue.h"

#define OP(op, dst, src, offset, value) \
	((struct bpf_insn){ .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (value) })
#define MOV(to, value) OP(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define COPY(to, from) OP(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define ADD(to, value) OP(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value)
#define CALL(helper) OP(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define SKIP_IF_ZERO(reg, n) OP(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, n, 0)
#define STORE(size, to, offset, from) OP(BPF_STX | BPF_MEM | (size), to, from, offset, 0)
#define LEAVE OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct code {
	struct bpf_insn insns[64];
	size_t n;
};

static void put(struct code *code, struct bpf_insn insn)
{
	assert_true(code->n < ARRAY_SIZE(code->insns));
	code->insns[code->n++] = insn;
}

/* A map takes two instructions. */
static void put_map(struct code *code, int reg, int fd)
{
	put(code, OP(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, fd));
	put(code, OP(0, 0, 0, 0, 0));
}

static bool is_sock_addr(enum bpf_attach_type type)
{
	return type == BPF_CGROUP_INET4_BIND || type == BPF_CGROUP_INET6_BIND || type == BPF_CGROUP_INET4_GETSOCKNAME ||
	       type == BPF_CGROUP_INET6_GETSOCKNAME;
}

/* The context is in r6. */
static void put_field(struct code *code, int offset, uint32_t value)
{
	put(code, OP(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, (int)value));
	put(code, STORE(BPF_W, BPF_REG_6, offset, BPF_REG_1));
}

static void put_write(struct code *code, const struct rogue *rogue)
{
	put(code, MOV(BPF_REG_1, 0));
	put(code, STORE(BPF_W, BPF_REG_10, -4, BPF_REG_1));
	put(code, COPY(BPF_REG_2, BPF_REG_10));
	put(code, ADD(BPF_REG_2, -4));
	put_map(code, BPF_REG_1, rogue->maps[0]);
	put(code, CALL(BPF_FUNC_map_lookup_elem));
	put(code, SKIP_IF_ZERO(BPF_REG_0, 2));
	put(code, MOV(BPF_REG_1, rogue->value));
	put(code, STORE(BPF_B, BPF_REG_0, (int)rogue->offset, BPF_REG_1));
}

int rogue_load(const struct rogue *rogue)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = rogue->type);
	enum bpf_prog_type type =
		is_sock_addr(rogue->type) ? BPF_PROG_TYPE_CGROUP_SOCK_ADDR : BPF_PROG_TYPE_CGROUP_SOCK;
	struct code code = {};
	char log[4096] = "";
	int fd;

	opts.log_buf = log;
	opts.log_size = sizeof(log);
	put(&code, COPY(BPF_REG_6, BPF_REG_1));
	for (int i = 0; i < rogue->nmaps; i++)
		put_map(&code, BPF_REG_1, rogue->maps[i]);
	if (rogue->port)
		put_field(&code, offsetof(struct bpf_sock_addr, user_port), htons(rogue->port));
	if (rogue->addr)
		put_field(&code, offsetof(struct bpf_sock_addr, user_ip4), htonl(rogue->addr));
	if (rogue->addr6)
		put_field(&code, offsetof(struct bpf_sock_addr, user_ip6[3]), htonl(rogue->addr6));
	if (rogue->device)
		put_field(&code, offsetof(struct bpf_sock, bound_dev_if), rogue->device);
	if (rogue->sets_retval) {
		put(&code, MOV(BPF_REG_1, rogue->retval));
		put(&code, CALL(BPF_FUNC_set_retval));
	}
	if (rogue->writes)
		put_write(&code, rogue);
	put(&code, MOV(BPF_REG_0, rogue->answer));
	put(&code, LEAVE);
	fd = bpf_prog_load(type, rogue->name ?: "rogue", "GPL", code.insns, code.n, &opts);
	if (fd < 0)
		fail_msg("the neighbour's program is not taken: %s: %s", strerror(errno), log);
	return fd;
}

static int open_cgroup(const char *cgroup)
{
	int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

int rogue_link(int prog_fd, const char *cgroup, enum bpf_attach_type type)
{
	_cleanup_close_ int fd = open_cgroup(cgroup);

	return bpf_link_create(prog_fd, fd, type, NULL);
}

int rogue_attach(int prog_fd, const char *cgroup, enum bpf_attach_type type, uint32_t flags)
{
	_cleanup_close_ int fd = open_cgroup(cgroup);

	return bpf_prog_attach(prog_fd, fd, type, flags) ? -errno : 0;
}

void rogue_detach(int prog_fd, const char *cgroup, enum bpf_attach_type type)
{
	_cleanup_close_ int fd = open_cgroup(cgroup);

	bpf_prog_detach2(prog_fd, fd, type);
}

void rogue_expect(int code, const char *what)
{
	_cleanup_(bc_text_done) struct bc_text said = {};
	int exited = BINDCTL(&said, "status");

	if (exited != code || (what && !strstr(said.data, what)))
		fail_msg("status exits with %d, not %d with \"%s\":\n%s", exited, code, what, said.data);
}
