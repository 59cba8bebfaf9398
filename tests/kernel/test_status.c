// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * That `status` tells the truth: each way in which the kernel may come not to do what the policy says is brought about,
 * and has a sentence of its own and exit 3. What can be mended, `load` mends.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "kernel/attach.h"
#include "kernel/events.h"

#define MOV(to, value) ((struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value) })
#define CALL(helper) ((struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = (helper) })
#define LEAVE ((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })

/* A bind4 program that answers so, having set bind(2)'s result if `retval` is not 0. */
static int neighbour(const char *name, int answer, int retval)
{
	const struct bpf_insn insns[] = { MOV(BPF_REG_1, retval), CALL(BPF_FUNC_set_retval), MOV(BPF_REG_0, answer),
					  LEAVE };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_INET4_BIND);
	int skip = retval ? 0 : 2;
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, name, "GPL", insns + skip, 4 - skip, &opts);

	assert_true(fd >= 0);
	return fd;
}

static int attach(int prog_fd, const char *cgroup)
{
	_cleanup_close_ int fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int link = bpf_link_create(prog_fd, fd, BPF_CGROUP_INET4_BIND, NULL);

	assert_true(link >= 0);
	return link;
}

static int bind_443(int family)
{
	const struct try try = { .uid = NOBODY, .family = family, .port = 443 };

	return bed_try(&try).error;
}

/* status exits with `code` and says `what`. */
static void expect(int code, const char *what)
{
	_cleanup_(bc_text_done) struct bc_text said = {};
	int exited = BINDCTL(&said, "status");

	if (exited != code || (what && !strstr(said.data, what)))
		fail_msg("status exits with %d, not %d with \"%s\":\n%s", exited, code, what, said.data);
}

/* What is wrong is found; `load` mends it; the policy is in force. */
static void expect_mended(const char *what)
{
	expect(3, what);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	expect(0, "enforced      yes");
	assert_int_equal(bind_443(AF_INET), 0);
	assert_int_equal(bind_443(AF_INET6), 0);
}

static int set_up(void **state)
{
	static const char text[] = "grant user 65534 port 443\ndeny port 8443 errno EADDRINUSE\n";

	(void)state;
	bed_write("10-test.conf", text, strlen(text));
	if (BINDCTL(NULL, "load"))
		return -1;
	expect(0, "enforced      yes");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return BINDCTL(NULL, "unload");
}

static void denies_behind_us(void **state)
{
	_cleanup_close_ int prog = neighbour("hostile", 0, 0), link = attach(prog, bed.cgroup);

	(void)state;
	assert_int_equal(bind_443(AF_INET), EPERM);
	expect(3, "(hostile) runs after ours: it may refuse what is granted");
	assert_int_equal(BINDCTL(NULL, "status", "--ignore-neighbours"), 0);
}

/* The errno of a refusal is the last one that any program sets. */
static void erases_errno(void **state)
{
	_cleanup_close_ int prog = neighbour("eraser", 1, -EPERM), link = attach(prog, bed.cgroup);
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443 };

	(void)state;
	assert_int_equal(bed_try(&try).error, EPERM);
	expect(3, "(eraser) runs after ours: it may refuse what is granted, grant what is not, and change the errno");
}

static void runs_before_us(void **state)
{
	_cleanup_close_ int prog = neighbour("first", 3, 0), link = -1;
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 81 };

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	link = attach(prog, bed.cgroup);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	/* A grant that no rule of ours gave. */
	assert_int_equal(bed_try(&try).error, 0);
	expect(3, "(first) runs before ours: it may refuse or grant by itself");
	assert_int_equal(BINDCTL(NULL, "status", "--ignore-neighbours"), 0);
}

/* One of a cgroup above, which others may override, runs no more where we do. */
static void silences_parent(void **state)
{
	_cleanup_close_ int prog = neighbour("parent", 0, 0), fd = -1;
	char inner[300];
	_cleanup_(bc_text_done) struct bc_text said = {};
	int code;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	bed_make_cgroup("inner");
	snprintf(inner, sizeof(inner), "%s/inner", bed.cgroup);
	fd = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bpf_prog_attach(prog, fd, BPF_CGROUP_INET4_BIND, BPF_F_ALLOW_OVERRIDE), 0);
	code = BINDCTL(NULL, "--cgroup", inner, "load");
	if (!code)
		code = BINDCTL(&said, "status");
	BINDCTL(NULL, "unload");
	bpf_prog_detach2(prog, fd, BPF_CGROUP_INET4_BIND);
	bed_remove_cgroup("inner");
	assert_int_equal(code, 3);
	assert_non_null(strstr(said.data, "does not run where ours does: it was attached with leave to be overridden"));
}

/* One that wants to be alone does not let us in. */
static void is_kept_out(void **state)
{
	_cleanup_close_ int prog = neighbour("alone", 1, 0), fd = -1;
	_cleanup_close_ int talk = memfd_create("talk", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	char said[1024] = "";
	int code;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	fd = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bpf_prog_attach(prog, fd, BPF_CGROUP_INET4_BIND, 0), 0);
	dup2(talk, STDERR_FILENO);
	code = BINDCTL(NULL, "load");
	dup2(saved, STDERR_FILENO);
	bpf_prog_detach2(prog, fd, BPF_CGROUP_INET4_BIND);
	assert_int_equal(code, 1);
	assert_true(pread(talk, said, sizeof(said) - 1, 0) > 0);
	assert_non_null(strstr(said, "cannot attach to bind4 of "));
	assert_non_null(strstr(said, ": another program is attached there, or to a parent, without leave for others "
				     "(see: bpftool cgroup tree)\nbindctl: nothing was changed\n"));
	/* Nothing is left of the attempt. */
	assert_int_equal(access(bed.pins, F_OK), -1);
}

static void is_detached(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("bind4");

	(void)state;
	assert_int_equal(bpf_link_detach(fd), 0);
	assert_int_equal(bind_443(AF_INET), EACCES);
	expect_mended("bind4: somebody detached our program from");
}

static void is_unpinned(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/bind6", bed.pins);
	unlink(path);
	expect_mended("bind6: not attached; run: bindctl --");
}

static void loses_its_cgroup(void **state)
{
	char inner[300];

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	bed_make_cgroup("gone");
	snprintf(inner, sizeof(inner), "%s/gone", bed.cgroup);
	assert_int_equal(BINDCTL(NULL, "--cgroup", inner, "load"), 0);
	bed_remove_cgroup("gone");
	/* The kernel lets go of the links a moment later. */
	for (int i = 0; i < PATIENCE && !BINDCTL(NULL, "status"); i++)
		nap();
	expect_mended("bind4: the cgroup that it was attached to was removed");
}

static void is_replaced(void **state)
{
	_cleanup_close_ int prog = neighbour("usurper", 1, 0), fd = bed_open_pin("bind4");

	(void)state;
	assert_int_equal(bpf_link_update(fd, prog, NULL), 0);
	assert_int_equal(bind_443(AF_INET), EACCES);
	expect_mended("bind4: the link runs a program that is not bindctl's");
}

/* The kernel lets a bind6 program stand in for the bind4 one. */
static void is_swapped(void **state)
{
	_cleanup_close_ int fd4 = bed_open_pin("bind4"), fd6 = bed_open_pin("bind6"), prog = -1;
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);

	(void)state;
	assert_int_equal(bpf_obj_get_info_by_fd(fd6, &info, &size), 0);
	prog = bpf_prog_get_fd_by_id(info.prog_id);
	if (bpf_link_update(fd4, prog, NULL)) {
		/* Later kernels do not. */
		assert_int_equal(errno, EINVAL);
		return;
	}
	expect_mended("bind4: the link runs a program that is not bindctl's");
}

/* A map of the same kind under the name of one that the programs use. */
static void replace_pin(const char *name, int type, int value_size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	_cleanup_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "x", 4, sizeof(union bc_page), 1, &opts),
			    fd = -1;
	LIBBPF_OPTS(bpf_map_create_opts, outer, .inner_map_fd = inner);
	char path[160];

	fd = bpf_map_create(type, "bc_policy", 4, value_size, 1, type == BPF_MAP_TYPE_ARRAY_OF_MAPS ? &outer : NULL);
	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/%s", bed.pins, name);
	unlink(path);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
}

static void has_another_policy(void **state)
{
	(void)state;
	replace_pin("policy", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4);
	expect_mended("bind4: the program does not use the map that is pinned as policy; run: bindctl --");
}

static void has_another_gate(void **state)
{
	(void)state;
	replace_pin("gate", BPF_MAP_TYPE_ARRAY, sizeof(struct bc_gate));
	expect_mended("bind4: the program does not use the map that is pinned as gate; run: bindctl --");
}

static void has_a_closed_gate(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("gate");
	static const struct bc_gate closed;
	const uint32_t only = 0;

	(void)state;
	assert_int_equal(bpf_map_update_elem(fd, &only, &closed, BPF_ANY), 0);
	assert_int_equal(bind_443(AF_INET), EACCES);
	expect_mended("the programs take no notice of ports that the policy speaks of (the pin gate");
}

static void has_no_policy(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("policy");
	const uint32_t slot = 0;

	(void)state;
	assert_int_equal(bpf_map_delete_elem(fd, &slot), 0);
	assert_int_equal(bind_443(AF_INET), EACCES);
	expect_mended("no policy is in force; run: bindctl --");
}

static void has_a_stranger(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/stranger", bed.pins);
	assert_int_equal(mkdir(path, 0700), 0);
	expect(3, "holds 1 thing that bindctl did not put there; move it elsewhere");
	assert_int_equal(rmdir(path), 0);
}

static void has_drifted(void **state)
{
	static const char text[] = "grant user 65534 port 443\n";

	(void)state;
	bed_write("10-test.conf", text, strlen(text));
	expect(3, "files         differ from the policy in force: digest ");
	expect_mended("policy        generation ");
}

static void has_lost_events(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("counters");
	_cleanup_free_ uint64_t *values = calloc(libbpf_num_possible_cpus(), sizeof(*values));
	const uint32_t key = BC_COUNT_LOST;

	(void)state;
	values[0] = 7;
	assert_int_equal(bpf_map_update_elem(fd, &key, values, BPF_ANY), 0);
	expect_mended("7 events were lost: bindctl monitor or learn did not read them fast enough");
}

/* In a mount namespace without the file. */
static void has_no_btf(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		_cleanup_(bc_text_done) struct bc_text said = {};

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL))
			_exit(9);
		status = BINDCTL(&said, "status");
		_exit(status == 3 && strstr(said.data, "the kernel's BTF is not there") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect(0, NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(denies_behind_us),	 TEST(erases_errno),  TEST(runs_before_us),	TEST(silences_parent),
		TEST(is_kept_out),	 TEST(is_detached),   TEST(is_unpinned),	TEST(loses_its_cgroup),
		TEST(is_replaced),	 TEST(is_swapped),    TEST(has_another_policy), TEST(has_another_gate),
		TEST(has_a_closed_gate), TEST(has_no_policy), TEST(has_a_stranger),	TEST(has_drifted),
		TEST(has_lost_events),	 TEST(has_no_btf),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
