// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What bindctl can do with the three capabilities that it asks for and no other; what it keeps of all of root's; and
 * what is kept from others.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"

struct step {
	const char *argv[9];
	uint64_t keeps; /* of all capabilities */
	int exit;
};

static const struct step steps[] = {
	{ { "load" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "grant", "nobody", "443" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "allow", "1", "443" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "deny", "2", "443" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "rewrite", "3", "443", "to", ":8443" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "reserve", "4", "5432" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "list" }, BC_CAPS_BPF },
	{ { "explain", "--user", "nobody", "--port", "443" }, BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_PTRACE) },
	{ { "explain", "--files", "--user", "2", "--port", "443" }, BC_CAPS_UNITS | BC_CAP(CAP_SYS_PTRACE), 3 },
	{ { "status" }, BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_ADMIN) },
	{ { "monitor", "--timeout", "1s" }, BC_CAPS_BPF | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ { "why" }, BC_CAPS_BPF | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ { "learn", "--timeout", "1s" }, BC_CAPS_BPF | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ { "metrics" }, BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_ADMIN) },
	{ { "holders", "443" }, BC_CAPS_BPF | BC_CAP(CAP_SYS_PTRACE) | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ { "revoke", "1", "443" },
	  BC_CAPS_BPF | BC_CAPS_UNITS | BC_CAP(CAP_SYS_PTRACE) | BC_CAP(CAP_DAC_READ_SEARCH) },
	{ { "apply" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "apply", "--dry-run" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	/* An upgrade of what is attached. */
	{ { "load" }, BC_CAPS_BPF | BC_CAPS_UNITS },
	{ { "check" }, BC_CAPS_UNITS },
	{ { "help" }, 0 },
	{ { "version" }, 0 },
	{ { "help", "no-such-command" }, 0, 2 },
	{ { "unload" }, BC_CAPS_BPF },
	{ { "unload" }, BC_CAPS_BPF },
};

/* In a child: bindctl, with `bound` at most of root's capabilities. */
static void exec_step(const struct step *step, uint64_t bound)
{
	const char *args[32] = { getenv("BINDCTL"), "--config", bed.policy, "--pin", bed.pins, "--cgroup", bed.cgroup };
	int null = open("/dev/null", O_WRONLY);

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(bound & BC_CAP(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			_exit(126);
	dup2(null, STDOUT_FILENO);
	if (step->exit || !strcmp(step->argv[0], "unload"))
		dup2(null, STDERR_FILENO);
	for (int i = 0; i < 9; i++)
		args[7 + i] = step->argv[i];
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execv(args[0], (char *const *)args);
	_exit(127);
}

struct held {
	unsigned long long inherited, permitted, effective, bound, ambient;
	int no_new_privs;
};

static void read_held(pid_t pid, struct held *ret)
{
	char path[64], text[8192] = "", *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	at = strstr(text, "CapInh:");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "CapInh: %llx CapPrm: %llx CapEff: %llx CapBnd: %llx CapAmb: %llx NoNewPrivs: %d",
				&ret->inherited, &ret->permitted, &ret->effective, &ret->bound, &ret->ambient,
				&ret->no_new_privs),
			 6);
}

/* Runs it, and looks at what it holds in the end. */
static void run_step(const struct step *step, uint64_t bound, struct held *ret_held)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		exec_step(step, bound);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFSTOPPED(status))
		fail_msg("%s: cannot be run: status %x", step->argv[0], status);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL), 0);
	for (int signal = 0;;) {
		ptrace(PTRACE_CONT, child, NULL, signal);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			read_held(child, ret_held);
		/* Its start is a trap too. */
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	}
	if (WEXITSTATUS(status) != step->exit)
		fail_msg("%s: exit %d", step->argv[0], WEXITSTATUS(status));
}

static void run_steps(uint64_t bound)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *step = &steps[i];
		struct held held = {};
		uint64_t wanted = step->keeps & bound;

		run_step(step, bound, &held);
		if (held.effective != wanted || held.permitted != wanted)
			fail_msg("%s keeps %llx, not %llx", step->argv[0], held.permitted, (unsigned long long)wanted);
		if (held.inherited || held.ambient || !held.no_new_privs)
			fail_msg("%s could hand something on", step->argv[0]);
		/* To give up the bound takes a capability, too. */
		assert_int_equal(held.bound, bound & BC_CAP(CAP_SETPCAP) ? 0 : bound);
	}
}

static void root_keeps_what_it_needs(void **state)
{
	(void)state;
	run_steps(~0ull);
}

static void three_capabilities_do(void **state)
{
	(void)state;
	run_steps(BC_CAPS_BPF);
}

/* Before CAP_BPF and CAP_PERFMON there was one for everything. */
static void the_old_capability_does(void **state)
{
	const uint64_t old = BC_CAP(CAP_SYS_ADMIN) | BC_CAP(CAP_NET_ADMIN);
	struct held held = {};

	(void)state;
	run_step(&(struct step){ { "grant", "nobody", "443" } }, old, &held);
	assert_int_equal(held.permitted, old);
	run_step(&(struct step){ { "check" } }, old, &held);
	assert_int_equal(held.permitted, 0);
}

static void without_one_of_them_nothing_happens(void **state)
{
	static const int caps[] = { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON };
	struct held held;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		run_step(&(struct step){ { "grant", "nobody", "443" }, 0, 1 }, BC_CAPS_BPF & ~BC_CAP(caps[i]), &held);
		assert_int_equal(access(bed.pins, F_OK), -1);
	}
}

/* Of a policy that has no pin, as older builds leave it. */
static void image_without_pin_is_read_by_root(void **state)
{
	char path[128];
	struct held held;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "grant", "nobody", "443"), 0);
	snprintf(path, sizeof(path), "%s/" BC_PIN_IMAGE, bed.pins);
	assert_int_equal(unlink(path), 0);
	run_step(&(struct step){ { "list" } }, ~0ull, &held);
	assert_true(held.permitted & BC_CAP(CAP_SYS_ADMIN));
	/* It cannot be read: a sentence, and nothing changes. */
	run_step(&(struct step){ { "list" }, 0, 1 }, BC_CAPS_BPF, &held);
	run_step(&(struct step){ { "grant", "nobody", "444" }, 0, 1 }, BC_CAPS_BPF, &held);
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 443 }).error, 0);
	/* Once root has replaced it, it can. */
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	run_step(&(struct step){ { "list" } }, BC_CAPS_BPF, &held);
}

/* bpf(BPF_OBJ_GET) of a pin by nobody, with CAP_BPF if `may_bpf`; 0 or errno. */
static int get_as_nobody(const char *path, uint32_t flags, bool may_bpf)
{
	union bpf_attr attr = { .pathname = (uintptr_t)path, .file_flags = flags };
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
		struct __user_cap_data_struct sets[2] = {};

		sets[CAP_BPF / 32].permitted = sets[CAP_BPF / 32].effective = may_bpf ? 1u << CAP_BPF % 32 : 0;
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY) || syscall(SYS_capset, &header, sets))
			_exit(255);
		_exit(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)) < 0 ? errno : 0);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Every pin, a map's or a link's: root's alone, and nobody can open it to read or to write. */
static void check_pins(bool directory_open)
{
	static const uint32_t modes[] = { 0, BPF_F_RDONLY, BPF_F_WRONLY };
	DIR *dir = opendir(bed.pins);
	struct dirent *entry;
	unsigned n = 0;
	struct stat st;

	assert_non_null(dir);
	assert_int_equal(fstat(dirfd(dir), &st), 0);
	assert_int_equal(st.st_mode & 07777, directory_open ? 0755 : 0700);
	while ((entry = readdir(dir))) {
		char path[512];

		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", bed.pins, entry->d_name);
		assert_int_equal(stat(path, &st), 0);
		if (st.st_uid || st.st_gid || (st.st_mode & 07777) != 0600)
			fail_msg("%s has mode %o", entry->d_name, st.st_mode & 07777);
		for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
			assert_int_equal(get_as_nobody(path, modes[i], true), EACCES);
			assert_int_not_equal(get_as_nobody(path, modes[i], false), 0);
		}
		n++;
	}
	closedir(dir);
	/* Eleven maps, and six links: the policy needs every hook. */
	assert_int_equal(n, 17);
}

static void nobody_reaches_maps_or_links(void **state)
{
	static const mode_t masks[] = { 0, 077, 0777 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		mode_t mask;

		assert_int_equal(BINDCTL(NULL, "unload"), 0);
		mask = umask(masks[i]);
		assert_int_equal(BINDCTL(NULL, "deny", "nobody", "80"), 0);
		assert_int_equal(BINDCTL(NULL, "rewrite", "nobody", "81", "to", ":82"), 0);
		umask(mask);
		check_pins(false);
		/* Each is guarded by itself, not by its directory alone. */
		assert_int_equal(chmod(bed.pins, 0755), 0);
		check_pins(true);
	}
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(root_keeps_what_it_needs),
		cmocka_unit_test(three_capabilities_do),
		cmocka_unit_test(the_old_capability_does),
		cmocka_unit_test(without_one_of_them_nothing_happens),
		cmocka_unit_test(image_without_pin_is_read_by_root),
		cmocka_unit_test(nobody_reaches_maps_or_links),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
