// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is said of kernels that cannot run the programs. They are made up: this program has a bpf_prog_load() of its own,
 * which knows what they lack, and a mount namespace in which their files are what they would be.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "kernel/probe.h"

#define ANYTHING (-1)

typedef int load_fn(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns,
		    size_t n, const struct bpf_prog_load_opts *opts);

/* The kernel that is made up. */
static struct {
	int code;   /* what it answers to a program that it does not take; 0: ask the real one */
	int helper; /* ... because it calls this, or ANYTHING */
	int asked;  /* how many programs it has seen */
} made_up;

static int helper_of(const struct bpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL))
			return insns[i].imm;
	return 0;
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license, const struct bpf_insn *insns,
		  size_t n, const struct bpf_prog_load_opts *opts)
{
	made_up.asked++;
	if (!made_up.code)
		return ((load_fn *)dlsym(RTLD_NEXT, "bpf_prog_load"))(type, name, license, insns, n, opts);
	if (made_up.helper == ANYTHING || made_up.helper == helper_of(insns, n)) {
		errno = made_up.code;
		return -made_up.code;
	}
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A kernel that answers `code` to programs that call `helper` is refused, and what it lacks is named. */
static void assert_refused(int code, int helper, const char *text)
{
	struct bc_error error = {};

	made_up.code = code;
	made_up.helper = helper;
	assert_int_equal(bc_probe_kernel(&error), -EOPNOTSUPP);
	assert_string_equal(error.text, text);
}

static void put_lockdown(const char *text)
{
	int fd = open("/sys/kernel/security/lockdown", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(bc_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void kernel_that_runs_this_test_is_taken(void **state)
{
	struct bc_error error = {};
	int next = dup(0);

	(void)state;
	if (bc_probe_kernel(&error))
		fail_msg("%s", error.text);
	assert_int_equal(made_up.asked, 4);
	/* The programs are gone again. */
	close(next);
	assert_int_equal(dup(0), next);
	close(next);
}

static void kernel_without_cgroup_programs_is_refused(void **state)
{
	(void)state;
	assert_refused(ENOSYS, ANYTHING, "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL)");
	assert_refused(EINVAL, ANYTHING, "this kernel has no cgroup BPF programs at bind(2) (CONFIG_CGROUP_BPF)");
	assert_refused(EPERM, ANYTHING,
		       "this kernel does not let the process load BPF programs, though it has the capabilities; a "
		       "container's seccomp filter may forbid bpf(2)");
}

static void kernel_without_a_helper_is_refused(void **state)
{
	(void)state;
	assert_refused(EINVAL, BPF_FUNC_set_retval,
		       "this kernel is too old: its bind hooks cannot choose an errno (bpf_set_retval, Linux 6.1 and "
		       "later)");
	assert_refused(EINVAL, BPF_FUNC_ktime_get_tai_ns,
		       "this kernel is too old: its programs cannot read the time of day (bpf_ktime_get_tai_ns, Linux "
		       "6.1 and later)");
}

static void kernel_without_btf_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL), 0);
	assert_refused(EINVAL, BPF_FUNC_trace_printk,
		       "this kernel has no BTF at /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
	assert_int_equal(umount("/sys/kernel/btf"), 0);
}

/* Only the mode in brackets is in force, and only one of them is to blame. */
static void lockdown_is_named_when_it_is_to_blame(void **state)
{
	static const char *const innocent[] = {
		"none [integrity] confidentiality\n",
		"[none] integrity confidentiality\n",
		"none integrity confidentiality\n",
		"none [confidentiality\n",
		"",
	};

	(void)state;
	put_lockdown("none integrity [confidentiality]\n");
	assert_refused(EPERM, BPF_FUNC_probe_read_kernel,
		       "kernel lockdown is in confidentiality mode, which forbids BPF programs to read who is binding; "
		       "integrity mode would do");
	for (size_t i = 0; i <= ARRAY_SIZE(innocent); i++) {
		if (i < ARRAY_SIZE(innocent))
			put_lockdown(innocent[i]);
		else
			assert_int_equal(unlink("/sys/kernel/security/lockdown"), 0);
		assert_refused(EPERM, BPF_FUNC_probe_read_kernel,
			       "this kernel does not let bind hooks read kernel memory (bpf_probe_read_kernel)");
	}
}

/* What is mounted here ends with this process. */
static int own_mounts(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/sys/kernel/security", "tmpfs", 0, NULL)) {
		fprintf(stderr, "cannot make a mount namespace: %m\n");
		return -1;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_that_runs_this_test_is_taken),
		cmocka_unit_test(kernel_without_cgroup_programs_is_refused),
		cmocka_unit_test(kernel_without_a_helper_is_refused),
		cmocka_unit_test(kernel_without_btf_is_refused),
		cmocka_unit_test(lockdown_is_named_when_it_is_to_blame),
	};

	return cmocka_run_group_tests_name("probe", tests, own_mounts, NULL);
}
