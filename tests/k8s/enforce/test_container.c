// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From within a container: in a cgroup namespace of its own, with the host's hierarchy mounted besides its own, with three
 * capabilities, policy directories that are read-only or missing, and a user database of its own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/mounts.h"
#include "host/privilege.h"
#include "pods.h"

static char dir[64]; /* of what a test needs besides the bed */

static const char *in(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

static int make_dir(void **state)
{
	static const char *const names[] = { "host", "node", "own", "run", "etc", "root", "root/etc" };

	(void)state;
	strcpy(dir, "/tmp/bindctl-agent.XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdir(in(names[i]), 0755))
			return -1;
	pods_forget();
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int join(const char *cgroup)
{
	char procs[512];
	int fd, r;

	snprintf(procs, sizeof(procs), "%s/%s/cgroup.procs", bed.cgroup, cgroup);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	r = fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return r;
}

/* What is wrong in a container, in the words of the test's output; its exit code. */
static int wrong(const char *what)
{
	printf("# in the container: %s: %s\n", what, strerror(errno));
	return 1;
}

/*
 * The host's hierarchy, or that of a node that is a container itself, is at dir/host, the container's own, which comes
 * first, at dir/own.
 */
static int enter_container(const char *node, const char *agent)
{
	_cleanup_free_ char *root = NULL, *first = NULL;
	struct bc_error error;

	if (bc_find_cgroup2(&root, &error) || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return wrong("unshare");
	if (node && (join(node) || unshare(CLONE_NEWCGROUP) || mount("cgroup2", in("node"), "cgroup2", 0, NULL)))
		return wrong("node");
	if (!node && mount(root, in("node"), NULL, MS_BIND, NULL))
		return wrong("bind mount of the hierarchy");
	if (join(agent) || unshare(CLONE_NEWCGROUP) || umount2(root, MNT_DETACH) ||
	    mount("cgroup2", in("own"), "cgroup2", MS_RDONLY, NULL) ||
	    mount(in("node"), in("host"), NULL, MS_BIND, NULL) || umount2(in("node"), MNT_DETACH))
		return wrong("container");
	if (bc_find_cgroup2(&first, &error) || strcmp(first, in("own")))
		return wrong("the container's own hierarchy does not come first");
	return bc_privilege_keep(BC_CAPS_BPF, &error) ? wrong(error.text) : 0;
}

/* In the container: enforces, finds nothing to do, has the links detached, and mends that. */
static int enforce_inside(const char *cgroup, const char *text)
{
	struct enforcer_config config = { .instance = { .pins = bed.pins, .cgroup = cgroup },
					  .store = bc_store_at(bed.policy) };
	_cleanup_(bc_report_done) struct bc_report report = {}, second = {}, third = {};
	enum enforce_result result;
	struct enforcer enforcer;
	struct bc_error error;
	int fd;

	if (enforcer_init(&enforcer, &config, &error) ||
	    enforce(&enforcer, text, strlen(text), &result, &report, &error))
		return wrong(error.text);
	if (result != ENFORCE_CHANGED || report.n)
		return wrong(report.n ? report.items[0].text : "not changed");
	if (enforce_check(&enforcer, &result, &second, &error))
		return wrong(error.text);
	if (result != ENFORCE_NOTHING || second.n)
		return wrong(second.n ? second.items[0].text : "something was to do");
	fd = bed_open_pin("bind4");
	if (bpf_link_detach(fd) || close(fd))
		return wrong("detach");
	if (enforce_check(&enforcer, &result, &third, &error))
		return wrong(error.text);
	if (result != ENFORCE_MENDED || third.n != 1 || !strstr(third.items[0].text, "somebody detached"))
		return wrong("not mended");
	enforcer_done(&enforcer);
	return 0;
}

static void run_inside(const char *node, const char *agent, const char *cgroup, const char *text)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		int r = enter_container(node, agent);

		r = r ? r : enforce_inside(cgroup, text);
		fflush(stdout);
		_exit(r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void paths_are_those_of_the_host(void **state)
{
	char cgroup[320];

	(void)state;
	bed_make_cgroup("agent/" POD_A CONTAINER);
	snprintf(cgroup, sizeof(cgroup), "%s%s", in("host"), bed.scope);
	run_inside(NULL, "agent", cgroup, pod_grant(POD_A, 443));
	bed_make_cgroup(POD_A CONTAINER);
	bed_make_cgroup(POD_B CONTAINER);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind(POD_B, 443), EACCES);
	assert_int_equal(pod_bind("agent/" POD_A, 443), EACCES);
	/* The host sees the same, and what it applies means the same. */
	pods_agree();
	assert_int_equal(BINDCTL(NULL, "grant", "nobody", "444"), 0);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind("agent/" POD_A, 443), EACCES);
	bed_remove_cgroup("agent");
	bed_remove_cgroup("kubepods.slice");
}

/* As in kind: kubelet is in a container whose cgroup is the root that it knows, and so is its agent's. */
static void paths_are_those_of_a_nested_node(void **state)
{
	char text[512];

	(void)state;
	bed_make_cgroup("node/agent/" POD_A CONTAINER);
	snprintf(text, sizeof(text), "grant cgroup /kubelet.slice/" POD_A " port 443 netns host\n");
	run_inside("node", "node/agent", in("host"), text);
	bed_make_cgroup("node/kubelet.slice/" POD_A CONTAINER);
	bed_make_cgroup("kubelet.slice/" POD_A CONTAINER);
	assert_int_equal(pod_bind("node/kubelet.slice/" POD_A, 443), 0);
	assert_int_equal(pod_bind("kubelet.slice/" POD_A, 443), EACCES);
	bed_unload();
	bed_remove_cgroup("node");
	bed_remove_cgroup("kubelet.slice");
}

/* In a child of its own, which the directories are read-only for. */
static int enforce_beside(const struct bc_store *store, const char *text)
{
	const struct enforcer_config config = { .instance = bed.instance, .store = *store };
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct enforcer enforcer;
	struct bc_error error;

	umask(022);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(in("etc"), in("etc"), NULL, MS_BIND, NULL) ||
	    mount(NULL, in("etc"), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) || !access(in("etc"), W_OK))
		return wrong("read-only directory");
	if (bc_privilege_keep(BC_CAPS_BPF, &error) || enforcer_init(&enforcer, &config, &error) ||
	    enforce(&enforcer, text, strlen(text), &result, &report, &error))
		return wrong(error.text);
	enforcer_done(&enforcer);
	return result == ENFORCE_CHANGED && !report.n ? 0 : wrong("not changed");
}

static void directories_may_be_missing_or_read_only(void **state)
{
	const struct bc_store store = {
		.dirs = { in("usr"), in("run/bindctl/policy.d"), in("etc") },
		.ndirs = 3,
		.runtime = in("run/bindctl/policy.d"),
		.persistent = in("etc"),
	};
	const struct try somebody = { .uid = SOMEBODY, .family = AF_INET, .port = 445 };
	const char *text = pod_grant(POD_A, 443);
	struct enforcer enforcer;
	struct stat st;
	int status;
	pid_t child;

	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	write_path(in("etc/10-host.conf"), "grant user 1234 port 445\n");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int r = enforce_beside(&store, text);

		fflush(stdout);
		_exit(r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(bed_try(&somebody).error, 0);
	assert_string_equal(read_path(in("run/bindctl/policy.d/" ENFORCE_FILE)), text);
	assert_int_equal(stat(in("run/bindctl/policy.d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	/* None of these may hide what the agent writes. */
	write_path(in("etc/" ENFORCE_FILE), "\n");
	pods_open_store(&enforcer, &store);
	pods_refuse(&enforcer, "", -EEXIST, "hides", NULL);
	assert_string_equal(read_path(in("run/bindctl/policy.d/" ENFORCE_FILE)), text);
	enforcer_done(&enforcer);
	bed_remove_cgroup("kubepods.slice");
}

/* The administrator's files name the host's users, whom the container's own database does not know, or takes for others. */
static void names_are_those_of_the_host(void **state)
{
	const struct try user = { .uid = SOMEBODY, .family = AF_INET, .port = 445 },
			 group = { .uid = 1, .gid = 4321, .family = AF_INET, .port = 446 };
	struct enforcer_config config = { .instance = bed.instance,
					  .store = bc_store_at(bed.policy),
					  .root = in("root") };
	struct enforcer enforcer;
	struct bc_error error;

	(void)state;
	bed_write("10-host.conf", "grant user webuser port 445\ngrant group webgroup port 446\n", 58);
	pods_open(&enforcer);
	pods_refuse(&enforcer, "", -ENOENT, "in the policy", "webuser");
	enforcer_done(&enforcer);
	assert_int_equal(enforcer_init(&enforcer, &config, &error), 0);
	/* That they cannot be looked up is not that there is none. */
	pods_refuse(&enforcer, "", -ENODATA, "in the policy", "cannot look up");
	write_path(in("root/etc/passwd"), "root:x:0:0::/:/bin/sh\nwebuser:x:1234:1234::/:/bin/false\n");
	write_path(in("root/etc/group"), "root:x:0:\nwebgroup:x:4321:webuser\n");
	pods_enforce(&enforcer, "", ENFORCE_CHANGED, 0);
	assert_int_equal(bed_try(&user).error, 0);
	assert_int_equal(bed_try(&group).error, 0);
	/* A user who comes later is found. */
	write_path(in("root/etc/passwd"), "root:x:0:0::/:/bin/sh\nwebuser:x:1235:1235::/:/bin/false\n");
	pods_check(&enforcer, ENFORCE_MENDED, "was not that of the files");
	assert_int_equal(bed_try(&user).error, EACCES);
	bed_write("10-host.conf", "grant user daemon port 445\n", 27);
	pods_refuse(&enforcer, "", -ENOENT, "in the policy", "daemon");
	enforcer_done(&enforcer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(paths_are_those_of_the_host),
		TEST(paths_are_those_of_a_nested_node),
		TEST(directories_may_be_missing_or_read_only),
		TEST(names_are_those_of_the_host),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
