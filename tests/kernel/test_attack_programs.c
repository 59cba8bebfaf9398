// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks by root in a container who may load BPF programs, and attaches them to his own cgroup, BED/container. It is
 * denied port 443 with EPERM; no rule speaks of port 442, for which he lacks the capability. What ours denies stays so,
 * with one way around it, which bindctl(8) names.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"
#include "jail.h"
#include "survey.h"

#define DENIED 443
#define NO_RULES 442
#define OTHER 8443

/* clang-format off: a program to read from top to bottom */
#define SET(reg, value)                                                               \
	{                                                                             \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value) \
	}
#define MOVE(to, from)                                                                  \
	{                                                                               \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) \
	}
#define ADD(reg, value)                                                               \
	{                                                                             \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), .imm = (value) \
	}
#define STORE(to, offset, from)                                                                        \
	{                                                                                              \
		.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (offset) \
	}
#define PUT(to, offset, value)                                                                     \
	{                                                                                          \
		.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = (to), .off = (offset), .imm = (value) \
	}
#define CALL(function)                                        \
	{                                                     \
		.code = BPF_JMP | BPF_CALL, .imm = (function) \
	}
#define RETURN                             \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}
/* clang-format on */

static const struct bpf_insn permits[] = { SET(BPF_REG_0, 1), RETURN };
static const struct bpf_insn waives[] = { SET(BPF_REG_0, 3), RETURN };

static const struct bpf_insn erases[] = {
	SET(BPF_REG_1, 0),
	CALL(BPF_FUNC_set_retval),
	SET(BPF_REG_0, 3),
	RETURN,
};

/* To port 443, as the network has it and a little-endian machine reads it. */
static const struct bpf_insn leads[] = {
	SET(BPF_REG_2, 0xbb01),
	STORE(BPF_REG_1, offsetof(struct bpf_sock_addr, user_port), BPF_REG_2),
	SET(BPF_REG_0, 1),
	RETURN,
};

/* bpf_bind() to 0.0.0.0:443, of a socket that is about to be connected. */
static const struct bpf_insn binds[] = {
	PUT(BPF_REG_10, -16, AF_INET | 0xbb01 << 16),
	PUT(BPF_REG_10, -12, 0),
	PUT(BPF_REG_10, -8, 0),
	PUT(BPF_REG_10, -4, 0),
	MOVE(BPF_REG_2, BPF_REG_10),
	ADD(BPF_REG_2, -16),
	SET(BPF_REG_3, 16),
	CALL(BPF_FUNC_bind),
	SET(BPF_REG_0, 1),
	RETURN,
};

#define PREORDER (1u << 6) /* BPF_F_PREORDER, linux/bpf.h of 6.15 */

struct attack {
	const char *name;
	const struct bpf_insn *program;
	size_t n;
	enum bpf_prog_type type;
	enum bpf_attach_type hook;
	uint32_t flags;
	uint16_t port; /* that he asks for: DENIED unless set */
	int no_rules;  /* what comes of NO_RULES */
};

static const struct attack *attack;
static struct hooked hooks[BC_HOOKS];

static int set_up(void **state)
{
	(void)state;
	jail_make("");
	survey_hooks(hooks);
	return 0;
}

static int load(const struct attack *it)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = it->hook);

	return bpf_prog_load(it->type ?: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "his", "GPL", it->program, it->n, &options);
}

static int open_own(void)
{
	return open(JAIL_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The kernel does not know the flag. */
#define UNKNOWN 249

static int attach_and_bind(void)
{
	int program = load(attack), own = open_own();

	if (program < 0 || own < 0)
		return JAIL_TROUBLE;
	if (bpf_prog_attach(program, own, attack->hook, attack->flags))
		return errno == EINVAL && attack->flags & PREORDER ? UNKNOWN : JAIL_TROUBLE;
	if (jail_bind(NO_RULES) != attack->no_rules)
		return JAIL_WENT_THROUGH;
	return jail_bind(attack->port ?: DENIED);
}

static const struct jail jail = { .caps = BC_CAPS_BPF };

static void his_program_is_attached(void **state)
{
	_cleanup_(bc_text_done) struct bc_text status = {};
	int error;

	attack = *state;
	error = jail_run(&jail, attach_and_bind);
	if (error == UNKNOWN) {
		print_message("# SKIP this kernel knows no such flag\n");
		skip();
	}
	if (error != EPERM)
		fail_msg("%s: %d", attack->name, error);
	assert_int_equal(BINDCTL(&status, "status"), 3);
	assert_non_null(strstr(status.data, ", which is below: "));
}

/* Ours is not among those of his cgroup, and what he has no descriptor of he cannot name. */
static int detach_and_bind(void)
{
	static const struct attack own = { .program = permits,
					   .n = ARRAY_SIZE(permits),
					   .hook = BPF_CGROUP_INET4_BIND };
	int program = load(&own), cgroup = open_own();
	LIBBPF_OPTS(bpf_prog_attach_opts, replace, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE,
		    .replace_prog_fd = program);

	if (program < 0 || cgroup < 0)
		return JAIL_TROUBLE;
	if (!bpf_prog_detach(cgroup, BPF_CGROUP_INET4_BIND) || !bpf_prog_detach2(program, cgroup, own.hook) ||
	    !bpf_prog_attach_opts(program, cgroup, own.hook, &replace))
		return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static void he_detaches_what_runs_for_his_cgroup(void **state)
{
	(void)state;
	assert_int_equal(jail_run(&jail, detach_and_bind), EPERM);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
}

/* With a descriptor of the cgroup that ours is attached to, which somebody must have left open. */
static int bed_fd;

static int replace_and_bind(void)
{
	static const uint32_t flags[] = { 0, BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI | BPF_F_REPLACE };
	static const struct attack own = { .program = waives, .n = ARRAY_SIZE(waives), .hook = BPF_CGROUP_INET4_BIND };
	int program = load(&own);

	if (program < 0 || !bpf_prog_detach(bed_fd, own.hook) || !bpf_prog_detach2(program, bed_fd, own.hook))
		return JAIL_WENT_THROUGH;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!bpf_prog_attach(program, bed_fd, own.hook, flags[i]))
			return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static void he_has_a_descriptor_of_the_cgroup_that_ours_is_at(void **state)
{
	(void)state;
	bed_fd = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(jail_run(&jail, replace_and_bind), EPERM);
	close(bed_fd);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
}

/* A UDP socket that is connected, and not any more: the port stays its own. */
static int connect_and_take(void)
{
	static const struct attack own = { .program = binds, .n = ARRAY_SIZE(binds), .hook = BPF_CGROUP_INET4_CONNECT };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(9) }, name = {};
	int program = load(&own), cgroup = open_own(), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof(name);

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (program < 0 || bpf_prog_attach(program, cgroup, own.hook, 0) || jail_bind(DENIED) != EPERM)
		return JAIL_TROUBLE;
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) || connect(fd, &none, sizeof(none)) ||
	    getsockname(fd, (struct sockaddr *)&name, &len))
		return JAIL_TROUBLE;
	return ntohs(name.sin_port) == DENIED ? 0 : JAIL_WENT_THROUGH;
}

/* By design, as the manual says: the kernel asks no hook of bind(2) then. The capability it does ask for. */
static void his_program_binds_where_his_socket_connects(void **state)
{
	const struct jail capable = { .caps = BC_CAPS_BPF | BC_CAP(CAP_NET_BIND_SERVICE) };

	(void)state;
	assert_int_equal(jail_run(&jail, connect_and_take), JAIL_WENT_THROUGH);
	assert_int_equal(jail_run(&capable, connect_and_take), 0);
}

/* A tunnel's socket is the kernel's, and bound in his name. */
static int make_tunnel(void)
{
	int status = system("ip link set lo up && ip link add his type vxlan id 1 dstport 443 local 127.0.0.1 dev lo "
			    ">/dev/null 2>&1 || exit 99; ip link set his up 2>/dev/null");

	if (!WIFEXITED(status) || WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 127)
		return UNKNOWN;
	return status ? jail_bind(DENIED) : JAIL_WENT_THROUGH;
}

static void he_has_a_tunnel_take_the_port(void **state)
{
	const struct jail network = { .caps = BC_CAP(CAP_NET_ADMIN) | BC_CAP(CAP_NET_BIND_SERVICE), .own_net = true };
	int error;

	(void)state;
	error = jail_run(&network, make_tunnel);
	if (error == UNKNOWN) {
		print_message("# SKIP there is no vxlan here, or no ip\n");
		skip();
	}
	assert_int_equal(error, EPERM);
	/* That it was the rule that kept him from it. */
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(jail_run(&network, make_tunnel), JAIL_WENT_THROUGH);
}

/* clang-format off */
#define TRY(it, as, ...) { #it "_" #as, his_program_is_attached, set_up, jail_remove, \
	&(struct attack){ #it " " #as, it, ARRAY_SIZE(it), __VA_ARGS__ } }
/* clang-format on */
#define AT_BIND .hook = BPF_CGROUP_INET4_BIND
#define PLAIN .no_rules = EACCES
#define TEST(it) cmocka_unit_test_setup_teardown(it, set_up, jail_remove)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TRY(permits, alone, AT_BIND, PLAIN),
		TRY(waives, alone, AT_BIND),
		TRY(waives, and_may_be_overridden, AT_BIND, .flags = BPF_F_ALLOW_OVERRIDE),
		TRY(waives, beside_others, AT_BIND, .flags = BPF_F_ALLOW_MULTI),
		TRY(waives, before_all, AT_BIND, .flags = BPF_F_ALLOW_MULTI | PREORDER),
		TRY(erases, the_errno, AT_BIND, .flags = BPF_F_ALLOW_MULTI),
		TRY(leads, from_a_port_of_which_nobody_speaks, AT_BIND, .port = OTHER, .no_rules = EPERM),
		TRY(permits, when_the_port_is_taken, .type = BPF_PROG_TYPE_CGROUP_SOCK,
		    .hook = BPF_CGROUP_INET4_POST_BIND, PLAIN),
		TEST(he_detaches_what_runs_for_his_cgroup),
		TEST(he_has_a_descriptor_of_the_cgroup_that_ours_is_at),
		TEST(his_program_binds_where_his_socket_connects),
		TEST(he_has_a_tunnel_take_the_port),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
