// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"
#include "jail.h"

const uint64_t jail_docker_caps =
	BC_CAP(CAP_CHOWN) | BC_CAP(CAP_DAC_OVERRIDE) | BC_CAP(CAP_FSETID) | BC_CAP(CAP_FOWNER) | BC_CAP(CAP_MKNOD) |
	BC_CAP(CAP_NET_RAW) | BC_CAP(CAP_SETGID) | BC_CAP(CAP_SETUID) | BC_CAP(CAP_SETFCAP) | BC_CAP(CAP_SETPCAP) |
	BC_CAP(CAP_NET_BIND_SERVICE) | BC_CAP(CAP_SYS_CHROOT) | BC_CAP(CAP_KILL) | BC_CAP(CAP_AUDIT_WRITE);

int jail_socket = -1;

int jail_bind(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	bed_reuse(fd);
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

static void put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(JAIL_TROUBLE);
}

static void drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = {};

	if (syscall(SYS_capget, &header, sets))
		_exit(JAIL_TROUBLE);
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep & BC_CAP(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			_exit(JAIL_TROUBLE);
	for (int i = 0; i < 2; i++)
		sets[i].permitted = sets[i].effective = sets[i].permitted & keep >> 32 * i;
	if (syscall(SYS_capset, &header, sets))
		_exit(JAIL_TROUBLE);
}

/* What the container's own root sees of file systems. */
static void mount_all(const struct jail *jail)
{
	char bpf[128];

	snprintf(bpf, sizeof(bpf), "%s/bpf", bed.dir);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("cgroup2", JAIL_CGROUP, "cgroup2", 0, NULL) ||
	    (!jail->sees_pins && mount("tmpfs", bpf, "tmpfs", 0, NULL)))
		_exit(JAIL_TROUBLE);
}

static void enter(const struct jail *jail)
{
	char procs[320];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(procs, sizeof(procs), "%s/container/cgroup.procs", bed.cgroup);
	put(procs, "0");
	if (jail->is_handed) {
		jail_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bed_reuse(jail_socket);
	}
	if (jail->own_users) {
		if (setgid(NOBODY) || setuid(NOBODY) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || unshare(CLONE_NEWUSER))
			_exit(JAIL_TROUBLE);
		put("/proc/self/setgroups", "deny");
		put("/proc/self/uid_map", "0 65534 1");
		put("/proc/self/gid_map", "0 65534 1");
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
		    (jail->own_net ? CLONE_NEWNET : 0)))
		_exit(JAIL_TROUBLE);
	mount_all(jail);
}

static int wait_for(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) :
										       JAIL_TROUBLE;
}

int jail_make(const char *rules)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bed_unload();
	bed_make_cgroup("container");
	bc_text_addf(&text, "deny cgroup %s/container port 443 errno EPERM netns any\n%s", bed.scope, rules);
	bed_write("50-bindctl.conf", text.data, text.len);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	return 0;
}

int jail_remove(void **state)
{
	(void)state;
	bed_remove_cgroup("container");
	return 0;
}

int jail_run(const struct jail *jail, int (*attack)(void))
{
	pid_t inner, outer = fork();

	if (outer)
		return wait_for(outer);
	enter(jail);
	/* The first process of the namespace, which is gone with it. */
	inner = fork();
	if (inner)
		_exit(wait_for(inner));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!jail->own_users)
		drop_capabilities(jail->caps);
	_exit(attack());
}
