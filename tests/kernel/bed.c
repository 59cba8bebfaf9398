// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tidy.h"
#include "bed.h"
#include "host/mounts.h"
#include "host/names.h"
#include "pure/unit.h"

struct bed bed;
struct bc_build bed_build;

static void die(const char *what)
{
	/* TAP: one line that tests/run counts. */
	printf("not ok - test bed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_bed(void)
{
	_cleanup_free_ char *root = NULL;
	struct bc_error error;
	char bpf[sizeof(bed.dir) + 4];

	if (bc_find_cgroup2(&root, &error)) {
		printf("not ok - test bed: %s\n", error.text);
		exit(1);
	}
	strcpy(bed.dir, "/tmp/bindctl-test.XXXXXX");
	if (!mkdtemp(bed.dir))
		die("mkdtemp");
	snprintf(bpf, sizeof(bpf), "%s/bpf", bed.dir);
	snprintf(bed.pins, sizeof(bed.pins), "%s/pins", bpf);
	snprintf(bed.policy, sizeof(bed.policy), "%s/policy", bed.dir);
	snprintf(bed.cgroup, sizeof(bed.cgroup), "%s/%s", root, strrchr(bed.dir, '/') + 1);
	snprintf(bed.scope, sizeof(bed.scope), "/%s", strrchr(bed.dir, '/') + 1);
	bed.instance = (struct bc_instance){ .pins = bed.pins, .cgroup = bed.cgroup };
	if (chmod(bed.dir, 0711) || mkdir(bed.policy, 0755) || mkdir(bpf, 0700))
		die(bed.dir);
	if (mkdir(bed.cgroup, 0755))
		die(bed.cgroup);
	if (mount("bpf", bpf, "bpf", 0, NULL))
		die("mount bpffs");
}

/* Ends what is still in the cgroup and removes everything; 0, or what is left. */
static int unmake_bed(void)
{
	char path[320];
	int fd, left;

	snprintf(path, sizeof(path), "%s/cgroup.kill", bed.cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		left = write(fd, "1", 1) != 1;
		close(fd);
	}
	bed_unload();
	snprintf(path, sizeof(path), "%s/bpf", bed.dir);
	/* Who was killed may take a moment to let go. */
	for (int i = 0; (left = umount(path)) && errno == EBUSY && i < PATIENCE; i++)
		nap();
	left |= rmdir(path);
	left |= !remove_cgroups(bed.cgroup);
	remove_files(bed.policy);
	left |= rmdir(bed.dir);
	return left;
}

int bed_main(int (*tests)(void))
{
	int status;
	pid_t child;

	/* Without privilege there is nothing to test: that is a failure of whoever called, not a pass. */
	if (geteuid()) {
		printf("not ok - kernel tests must be run as root\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_bed();
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(tests());
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = 1;
	if (unmake_bed()) {
		printf("not ok - the bed was left behind: %s\n", bed.dir);
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int bed_open_pin(const char *name)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", bed.pins, name);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	return fd;
}

void bed_write(const char *name, const char *text, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", bed.policy, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || bc_write_all(fd, text, len))
		fail_msg("cannot write %s", path);
	close(fd);
}

/* Units by systemd's rules alone: the tests must not depend on what runs here. */
static int unit_path(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	char path[BC_UNIT_PATH_MAX];
	int r = bc_unit_path(name, NULL, false, uid, path, sizeof(path));

	(void)ctx;
	if (r)
		return r;
	*ret_path = strdup(path);
	*ret_known = true;
	return *ret_path ? 0 : -ENOMEM;
}

const struct bc_names bed_names = { .user = bc_user_by_name, .group = bc_group_by_name, .unit = unit_path };

int bed_apply(const char *text, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_staged_done) struct bc_staged staged = BC_STAGED_NONE;
	_cleanup_close_ int lock = -1;
	struct bc_error note;
	int r;

	bc_build_done(&bed_build);
	r = bc_files_set(&files, "test.conf", text, strlen(text), 0);
	if (!r)
		r = bc_build_policy(&files, &bed_names, BC_WARNING, BC_ERROR, &bed_build, &report, reterr);
	if (r && report.n)
		*reterr = report.items[0];
	if (!r)
		r = bc_instance_lock(&bed.instance, &lock, &note, reterr);
	if (!r)
		r = bc_instance_stage(&bed.instance, &bed_build.cells, false, &staged, reterr);
	return r ?: bc_instance_commit(&bed.instance, &staged, reterr);
}

void bed_policy(const char *text)
{
	struct bc_error error = {};

	if (bed_apply(text, &error))
		fail_msg("policy not applied: %s:%u:%u: %s", error.source, error.line, error.column, error.text);
}

void bed_unload(void)
{
	_cleanup_close_ int lock = -1;
	struct bc_error error, note;
	bool was_loaded;

	if (bc_instance_lock(&bed.instance, &lock, &note, &error) ||
	    bc_instance_unload(&bed.instance, &was_loaded, &error))
		printf("# unload: %s\n", error.text);
}

void bed_make_cgroup(const char *name)
{
	char path[24576];

	for (const char *slash = name; *slash;) {
		slash = strchrnul(slash + 1, '/');
		snprintf(path, sizeof(path), "%s/%.*s", bed.cgroup, (int)(slash - name), name);
		if (mkdir(path, 0755) && errno != EEXIST)
			fail_msg("cannot make %s: %s", path, strerror(errno));
	}
}

void bed_remove_cgroup(const char *name)
{
	char path[24576];

	/* After a test that failed something may live there. */
	bed_write_cgroup(name, "cgroup.kill", "1");
	snprintf(path, sizeof(path), "%s/%s", bed.cgroup, name);
	assert_true(remove_cgroups(path));
}

int bed_write_cgroup(const char *name, const char *file, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[24576];

	snprintf(path, sizeof(path), "%s/%s/%s", bed.cgroup, name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -errno : 0;
}

void bed_give_cgroup(const char *name, uint32_t uid)
{
	static const char *const files[] = { "", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[24576];

		snprintf(path, sizeof(path), "%s/%s/%s", bed.cgroup, name, files[i]);
		assert_int_equal(chown(path, uid, uid), 0);
	}
}

int bed_raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) ? errno : 0;
}

static void join_cgroup(const char *below)
{
	char path[24576];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/cgroup.procs", bed.cgroup, below ?: "");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(101);
	close(fd);
}

static void write_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		_exit(110);
	close(fd);
}

void bed_become(const struct try *try)
{
	uint32_t ruid = try->ruid || try->real_only ? try->ruid : try->uid;
	uint32_t gid = try->gid ?: try->uid;

	if (!try->outside)
		join_cgroup(try->in);
	if ((try->foreign_netns || try->local_ports) && unshare(CLONE_NEWNET))
		_exit(102);
	if (try->local_ports)
		write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", try->local_ports);
	if (try->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(103);
	if (setgroups(try->ngroups, try->groups) || setresgid(gid, gid, gid) || setresuid(ruid, try->uid, try->uid))
		_exit(104);
}

static socklen_t make_address(const struct try *try, struct sockaddr_storage *ret)
{
	int sa_family = try->sa_family == -1 ? AF_UNSPEC : try->sa_family ? try->sa_family : try->family;

	memset(ret, 0, sizeof(*ret));
	if (try->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		in->sin_family = sa_family;
		in->sin_port = htons(try->port);
		if (try->addr && inet_pton(AF_INET, try->addr, &in->sin_addr) != 1)
			_exit(105);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	in6->sin6_family = sa_family;
	in6->sin6_port = htons(try->port);
	if (try->addr && inet_pton(AF_INET6, try->addr, &in6->sin6_addr) != 1)
		_exit(106);
	return sizeof(*in6);
}

static int plain_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	/* A positive return value would be a leak of the program's into bind(2): catch it. */
	int r = bind(fd, addr, len);

	return r < 0 ? errno : r > 0 ? -r : 0;
}

int bed_share(int times)
{
	const char *share = getenv("BINDCTL_KERNEL_SHARE");

	return share ? times * strtod(share, NULL) : times;
}

bool bed_has_udp_lite(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);

	if (fd >= 0 || errno != EPROTONOSUPPORT)
		return true;
	print_message("# SKIP this kernel has no UDP-Lite\n");
	return false;
}

void bed_reuse(int fd)
{
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		_exit(109);
}

static struct outcome do_try(const struct try *try)
{
	struct sockaddr_storage addr, name = {};
	socklen_t len = make_address(try, &addr), name_len = sizeof(name);
	struct outcome outcome = {};
	int one = 1, fd;

	bed_become(try);
	fd = socket(try->family, (try->type ? try->type : SOCK_STREAM) | SOCK_CLOEXEC, try->protocol);
	if (fd < 0) {
		outcome.socket = errno;
		return outcome;
	}
	bed_reuse(fd);
	if (try->v6only && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		_exit(107);
	outcome.error = (try->call ? try->call : plain_bind)(fd, (struct sockaddr *)&addr,
							     try->addrlen ? (socklen_t)try->addrlen : len);
	if (!getsockname(fd, (struct sockaddr *)&name, &name_len)) {
		const void *in = name.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&name)->sin_addr :
							     (void *)&((struct sockaddr_in6 *)&name)->sin6_addr;

		outcome.port = ntohs(((struct sockaddr_in *)&name)->sin_port);
		inet_ntop(name.ss_family, in, outcome.addr, sizeof(outcome.addr));
	}
	return outcome;
}

struct outcome bed_try(const struct try *try)
{
	struct outcome outcome = {};
	int pipes[2], status;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		outcome = do_try(try);
		if (write(pipes[1], &outcome, sizeof(outcome)) != sizeof(outcome))
			_exit(108);
		_exit(0);
	}
	close(pipes[1]);
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	if (status || read(pipes[0], &outcome, sizeof(outcome)) != sizeof(outcome))
		fail_msg("the child could not get as far as bind: status %x", status);
	close(pipes[0]);
	return outcome;
}

void bed_arguments(const char *program, const char *const *argv, const char **ret_args)
{
	const char *args[] = { program, "--config", bed.policy, "--pin", bed.pins, "--cgroup", bed.cgroup };
	int n = ARRAY_SIZE(args);

	assert_non_null(program);
	memcpy(ret_args, args, sizeof(args));
	while (*argv && n < BED_ARGUMENTS - 1)
		ret_args[n++] = *argv++;
	ret_args[n] = NULL;
}

int bed_run(const char *program, struct bc_text *out, const char *const *argv)
{
	const char *args[BED_ARGUMENTS];
	int pipes[2], status;
	char buffer[65536];
	ssize_t len;
	pid_t child;

	bed_arguments(program, argv, args);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	close(pipes[1]);
	while ((len = read(pipes[0], buffer, sizeof(buffer))) > 0)
		if (out)
			bc_text_add(out, buffer, len);
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int bed_bindctl(struct bc_text *out, const char *const *argv)
{
	return bed_run(getenv("BINDCTL"), out, argv);
}
