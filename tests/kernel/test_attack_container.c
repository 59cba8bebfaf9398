// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks by root in a container. Its cgroup, BED/container, is denied port 443 with EPERM, in every network namespace,
 * though the port is granted to a user. What he can do by design is in test_attack_root.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"
#include "jail.h"
#include "survey.h"

#define DENIED 443
#define DENIED_ON_THE_HOST 446 /* in the initial network namespace alone */
#define V1_NAME "bindctl-test-granted"

static struct hooked hooks[BC_HOOKS];
static uint32_t policy_id, gate_id, image_id;
static int bindctl_fd; /* whoever is not root may not get where it lies */

static int set_up(void **state)
{
	char rules[200];

	(void)state;
	snprintf(rules, sizeof(rules), "grant user 1234 port 443\ndeny cgroup %s/container port 446 errno EPERM\n",
		 bed.scope);
	jail_make(rules);
	/* For the root of a user namespace, as container engines do it. */
	bed_give_cgroup("container", NOBODY);
	if (!bindctl_fd)
		bindctl_fd = open(getenv("BINDCTL"), O_RDONLY | O_CLOEXEC);
	assert_true(bindctl_fd > 0);
	survey_hooks(hooks);
	policy_id = survey_map(BC_PIN_POLICY);
	gate_id = survey_map(BC_PIN_GATE);
	image_id = survey_map(BC_PIN_IMAGE);
	return 0;
}

static int he_binds(void)
{
	return jail_bind(DENIED);
}

static int he_opens_what_is_bindctls_by_its_id(void)
{
	if (bpf_map_get_fd_by_id(policy_id) >= 0 || bpf_map_get_fd_by_id(gate_id) >= 0 ||
	    bpf_link_get_fd_by_id(hooks[BC_HOOK_BIND4].link) >= 0 ||
	    bpf_prog_get_fd_by_id(hooks[BC_HOOK_BIND4].program) >= 0 || errno != EPERM)
		return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static int he_mounts_a_bpf_file_system(void)
{
	char path[160];

	if (!mount("bpf", "/tmp", "bpf", 0, NULL) || errno != EPERM)
		return JAIL_WENT_THROUGH;
	snprintf(path, sizeof(path), "%s/" BC_PIN_BIND4, bed.pins);
	return bpf_obj_get(path) >= 0 ? JAIL_WENT_THROUGH : jail_bind(DENIED);
}

/* One that is his shows what he pinned there, which is nothing. */
static int he_mounts_one_in_a_user_namespace(void)
{
	char path[160];

	/* Newer kernels do not let him mount one at all. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return JAIL_TROUBLE;
	mount("bpf", "/tmp", "bpf", 0, NULL);
	snprintf(path, sizeof(path), "/tmp/pins/%s", BC_PIN_BIND4);
	if (bpf_obj_get(path) >= 0 || bpf_link_get_fd_by_id(hooks[BC_HOOK_BIND4].link) >= 0)
		return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static int he_enters_namespaces_of_the_hosts(void)
{
	static const char *const names[] = { "cgroup", "net", "mnt" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "/proc/1/ns/%s", names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		/* Process 1 of the proc that he was given is the host's. */
		if (fd >= 0 && !setns(fd, 0))
			return JAIL_WENT_THROUGH;
	}
	if (!access("/proc/1/root/etc", F_OK))
		return JAIL_WENT_THROUGH;
	return jail_bind(DENIED);
}

static int he_sees_no_cgroup_but_his(void)
{
	char path[160];

	/* One named like the host's own part of the tree. */
	snprintf(path, sizeof(path), "%s%s", JAIL_CGROUP, bed.scope);
	if (mkdir(path, 0755))
		return JAIL_TROUBLE;
	strcat(path, "/cgroup.procs");
	if (jail_bind(DENIED) != EPERM)
		return JAIL_WENT_THROUGH;
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	return write(fd, "0", 1) == 1 ? jail_bind(DENIED) : JAIL_TROUBLE;
}

/* No grant of a user's is nearer than a rule for his cgroup. */
static int he_becomes_a_user_who_has_the_port(void)
{
	if (setgid(SOMEBODY) || setuid(SOMEBODY))
		return JAIL_TROUBLE;
	return jail_bind(DENIED);
}

/* Whatever comes of it, but it must have run. */
static bool runs_bindctl(const char *const *argv)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		const char *args[BED_ARGUMENTS];
		int null = open("/dev/null", O_WRONLY);

		bed_arguments(getenv("BINDCTL"), argv, args);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		fexecve(bindctl_fd, (char *const *)args, environ);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) < 100;
}

static int he_runs_bindctl(void)
{
	static const char *const commands[][5] = {
		{ "unload" }, { "load" }, { "revoke", "any", "443" }, { "grant", "root", "443" }, { "apply" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!runs_bindctl(commands[i]))
			return JAIL_TROUBLE;
	return jail_bind(DENIED);
}

/* The host's pins are there, and not root's of a user namespace. */
static int he_reaches_for_pins_that_are_not_his(void)
{
	static const char *const names[] = { BC_PIN_BIND4, BC_PIN_GATE, BC_PIN_POLICY, BC_PIN_IMAGE };
	char path[160];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", bed.pins, names[i]);
		if (bpf_obj_get(path) >= 0 || !unlink(path))
			return JAIL_WENT_THROUGH;
	}
	if (!rename(bed.pins, "away") || open(bed.pins, O_RDONLY | O_DIRECTORY) >= 0)
		return JAIL_WENT_THROUGH;
	return he_runs_bindctl();
}

/* His own namespace is another; the socket's counts, for which there is a rule. */
static int he_binds_a_socket_of_the_hosts_network(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(DENIED_ON_THE_HOST) };

	if (jail_bind(DENIED_ON_THE_HOST) == EPERM)
		return JAIL_TROUBLE;
	return bind(jail_socket, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

/* Older hierarchies, which the kernel may have besides, mean nothing: nor does what net_cls and net_prio say of sockets. */
static int he_has_cgroups_of_version_1(void)
{
	static const char *const controllers[] = { "net_cls", "net_prio", "freezer", "none,name=his" };

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		_cleanup_close_ int procs = -1;
		int error;

		if (mount("cgroup", "/tmp", "cgroup", 0, controllers[i]))
			continue;
		error = mkdir("/tmp/" V1_NAME, 0755);
		procs = open("/tmp/" V1_NAME "/cgroup.procs", O_WRONLY | O_CLOEXEC);
		error |= write(procs, "0", 1) != 1 ? JAIL_TROUBLE : jail_bind(DENIED);
		bc_closep(&procs);
		procs = open("/tmp/cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (write(procs, "0", 1) != 1 || rmdir("/tmp/" V1_NAME) || umount2("/tmp", MNT_DETACH) ||
		    error != EPERM)
			return error;
	}
	return jail_bind(DENIED);
}

struct attack {
	const char *name;
	int (*run)(void);
	struct jail jail;
};

static void he_tries(void **state)
{
	const struct attack *attack = *state;
	int error = jail_run(&attack->jail, attack->run);

	if (error != EPERM)
		fail_msg("%s: %d", attack->name, error);
	/* And nothing is in force that was not. */
	assert_int_equal(BINDCTL(NULL, "status"), 0);
}

/* clang-format off */
#define TRY(it, as, ...) { #it " as " #as, he_tries, set_up, jail_remove, &(struct attack){ #it, it, { __VA_ARGS__ } } }
/* clang-format on */

#define DOCKERS(it) TRY(it, docker_has_it, .caps = jail_docker_caps)
#define WITH_BPF(it) TRY(it, one_who_loads_programs, .caps = jail_docker_caps | BC_CAPS_BPF)
#define ROOTLESS(it) TRY(it, root_of_a_user_namespace, .own_users = true)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		DOCKERS(he_binds),
		TRY(he_binds, one_with_a_network, .caps = jail_docker_caps, .own_net = true),
		TRY(he_binds, all_of_root, .caps = ~0ull, .own_net = true),
		TRY(he_binds, root_of_a_user_namespace, .own_users = true, .own_net = true),
		DOCKERS(he_opens_what_is_bindctls_by_its_id),
		WITH_BPF(he_opens_what_is_bindctls_by_its_id),
		ROOTLESS(he_opens_what_is_bindctls_by_its_id),
		DOCKERS(he_mounts_a_bpf_file_system),
		WITH_BPF(he_mounts_a_bpf_file_system),
		DOCKERS(he_mounts_one_in_a_user_namespace),
		DOCKERS(he_enters_namespaces_of_the_hosts),
		WITH_BPF(he_enters_namespaces_of_the_hosts),
		ROOTLESS(he_enters_namespaces_of_the_hosts),
		DOCKERS(he_sees_no_cgroup_but_his),
		ROOTLESS(he_sees_no_cgroup_but_his),
		DOCKERS(he_becomes_a_user_who_has_the_port),
		DOCKERS(he_runs_bindctl),
		ROOTLESS(he_runs_bindctl),
		TRY(he_binds_a_socket_of_the_hosts_network, one_with_a_network, .caps = jail_docker_caps,
		    .own_net = true, .is_handed = true),
		TRY(he_has_cgroups_of_version_1, all_of_root, .caps = ~0ull),
		TRY(he_reaches_for_pins_that_are_not_his, root_of_a_user_namespace, .own_users = true,
		    .sees_pins = true),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
