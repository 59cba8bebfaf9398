// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is root in a pod's container, or runs what he likes there, and wants what other pods have, or what his is denied. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/cluster.h"
#include "pods.h"

/* Pod A is granted 443, in any network namespace, and denied 8443; pod B has no rule. */
#define DENIED 8443

static struct enforcer enforcer;

static int open_pods(void **state)
{
	static char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 "grant cgroup %s/" POD_A " port 443 netns any\ndeny cgroup %s/" POD_A " port 8443 netns any\n",
		 bed.scope, bed.scope);
	pods_forget();
	pods_open(&enforcer);
	bed_make_cgroup(POD_A CONTAINER);
	bed_make_cgroup(POD_B CONTAINER);
	pods_enforce(&enforcer, text, ENFORCE_CHANGED, 0);
	return 0;
}

static int close_pods(void **state)
{
	(void)state;
	enforcer_done(&enforcer);
	bed_remove_cgroup("kubepods.slice");
	return 0;
}

/* In a child of a test; an errno that no bind has says that the test is at fault. */
#define AT_FAULT 200

static int join(const char *cgroup)
{
	char procs[512];
	int fd, r;

	snprintf(procs, sizeof(procs), "%s/%s/cgroup.procs", bed.cgroup, cgroup);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	r = fd >= 0 && write(fd, "0", 1) == 1 ? 0 : AT_FAULT;
	close(fd);
	return r;
}

static int make_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		bed_reuse(fd);
	return fd;
}

static int bind_at(int fd, uint16_t port)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	return bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
}

static int become_nobody(void)
{
	return setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ? AT_FAULT : 0;
}

/* What the child's body comes to, as root unless it becomes somebody. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), AT_FAULT);
	return WEXITSTATUS(status);
}

static void cgroup_named_like_another_pods_is_ones_own(void **state)
{
	static const char *const below[] = {
		POD_B CONTAINER "/" POD_A CONTAINER,
		POD_B "/kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice" CONTAINER,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		struct try try = { .in = below[i], .uid = NOBODY, .family = AF_INET, .port = 443 };

		bed_make_cgroup(below[i]);
		assert_int_equal(bed_try(&try).error, EACCES);
	}
	assert_int_equal(pod_bind(POD_A, 443), 0);
}

/* Cgroups that a container makes for itself, be it eight deep, are part of the pod. */
static void cgroup_below_ones_own_is_no_way_out(void **state)
{
	const struct try try = {
		.in = POD_A CONTAINER "/a/b/c/d/e/f/g/h", .uid = NOBODY, .family = AF_INET, .port = DENIED
	};

	(void)state;
	bed_make_cgroup(POD_A CONTAINER "/a/b/c/d/e/f/g/h");
	assert_int_equal(bed_try(&try).error, EACCES);
	assert_int_equal(pod_bind(POD_A, DENIED), EACCES);
	assert_int_equal(pod_bind(POD_B, DENIED), 0);
}

static void *bind_denied(void *ret)
{
	char threads[512];
	int fd;

	snprintf(threads, sizeof(threads), "%s/%s/cgroup.threads", bed.cgroup, POD_A CONTAINER "/threads");
	fd = open(threads, O_WRONLY | O_CLOEXEC);
	*(int *)ret = fd >= 0 && write(fd, "0", 1) == 1 ? bind_at(make_socket(), DENIED) : AT_FAULT;
	close(fd);
	return NULL;
}

static int bind_in_a_thread(void)
{
	pthread_t thread;
	int error = AT_FAULT;

	if (join(POD_A CONTAINER) || pthread_create(&thread, NULL, bind_denied, &error))
		return AT_FAULT;
	pthread_join(thread, NULL);
	return error;
}

static void thread_in_a_cgroup_of_its_own_is_no_way_out(void **state)
{
	char type[512];

	(void)state;
	bed_make_cgroup(POD_A CONTAINER "/threads");
	snprintf(type, sizeof(type), "%s/%s/cgroup.type", bed.cgroup, POD_A CONTAINER "/threads");
	write_path(type, "threaded");
	assert_int_equal(in_child(bind_in_a_thread), EACCES);
}

static int moved_out(void)
{
	int fd;

	if (join(POD_A CONTAINER))
		return AT_FAULT;
	fd = make_socket();
	return join(POD_B CONTAINER) ?: become_nobody() ?: bind_at(fd, 443);
}

static int moved_in(void)
{
	int fd;

	if (join(POD_B CONTAINER))
		return AT_FAULT;
	fd = make_socket();
	return join(POD_A CONTAINER) ?: become_nobody() ?: bind_at(fd, 443);
}

/* Where the process is counts, not where the socket was made. Root of the node can move in; nobody else (below). */
static void process_that_is_moved_has_what_it_is_moved_to(void **state)
{
	(void)state;
	assert_int_equal(in_child(moved_out), EACCES);
	assert_int_equal(in_child(moved_in), 0);
}

/* A container that runs as nobody, and has seen where the others are. */
static int clone_into(void)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	char path[512];
	int status;
	pid_t child;

	snprintf(path, sizeof(path), "%s/%s", bed.cgroup, POD_A CONTAINER);
	args.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (join(POD_B CONTAINER) || become_nobody() || (int)args.cgroup < 0)
		return AT_FAULT;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child < 0)
		return errno;
	if (!child)
		_exit(bind_at(make_socket(), 443));
	return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : AT_FAULT;
}

static void child_cannot_be_born_into_another_pod(void **state)
{
	(void)state;
	assert_int_equal(in_child(clone_into), EACCES);
}

/* The cgroup namespace of a container, with the node's hierarchy at hand, as by a hostPath: its owner is root there. */
static int leave_namespace(void)
{
	char procs[512];
	int fd;

	snprintf(procs, sizeof(procs), "%s/%s/cgroup.procs", bed.cgroup, POD_A CONTAINER);
	if (join(POD_B CONTAINER) || unshare(CLONE_NEWCGROUP))
		return AT_FAULT;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return AT_FAULT;
	if (write(fd, "0", 1) != 1)
		return errno == ENOENT ? EACCES : AT_FAULT;
	return become_nobody() ?: bind_at(make_socket(), 443);
}

static bool delegates(void)
{
	_cleanup_free_ char *mounts = read_path("/proc/self/mounts");

	return strstr(mounts, "nsdelegate");
}

/* Where cgroup2 is mounted with nsdelegate, as systemd does; else root of a container is root of the node's cgroups. */
static void root_of_a_cgroup_namespace_is_held_by_nsdelegate(void **state)
{
	(void)state;
	assert_int_equal(in_child(leave_namespace), delegates() ? EACCES : 0);
}

static int open_ports(void)
{
	/* What a pod's securityContext.sysctls may say. */
	if (join(POD_A CONTAINER) || unshare(CLONE_NEWNET))
		return AT_FAULT;
	write_path("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	if (become_nobody() || bind_at(make_socket(), 444))
		return AT_FAULT;
	return bind_at(make_socket(), DENIED);
}

static void sysctl_of_a_pod_opens_nothing_that_is_denied(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_ports), EACCES);
}

static int become_root_inside(const char *pod, uint16_t port)
{
	if (join(pod) || become_nobody() || prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return AT_FAULT;
	write_path("/proc/self/setgroups", "deny");
	write_path("/proc/self/uid_map", "0 65534 1");
	write_path("/proc/self/gid_map", "0 65534 1");
	return geteuid() ? AT_FAULT : bind_at(make_socket(), port);
}

static int root_inside_of_b(void)
{
	return become_root_inside(POD_B CONTAINER, 443);
}

static int root_inside_of_a(void)
{
	return become_root_inside(POD_A CONTAINER, DENIED);
}

static void root_of_a_user_namespace_is_nobody_to_a_pods_rules(void **state)
{
	(void)state;
	assert_int_equal(in_child(root_inside_of_b), EACCES);
	assert_int_equal(in_child(root_inside_of_a), EACCES);
}

/* Where the agent's own rules lead nobody's dual-stack socket that asks for [::]:80 in pod web/edge; 0: it is refused. */
static unsigned led_to(const char *cluster, const char *rules)
{
	const struct intent_config config = { .node = NODE,
					      .path = { .root = bed.scope, .drivers = PODPATH_CGROUPFS } };
	const struct try try = { .in = &P1[1], .uid = NOBODY, .family = AF_INET6, .port = 80, .foreign_netns = true };
	_cleanup_(made_done) struct made made = {};
	struct state *state = small_cluster();
	struct outcome outcome;

	setf(state, STATE_CLUSTER_POLICY, CLUSTER("c", "%s"), cluster);
	setf(state, STATE_BIND_POLICY, POLICY("web", "b", "", "%s"), rules);
	make(state, &config, &made);
	pods_enforce(&enforcer, made.text.data, ENFORCE_CHANGED, PODS_ANY);
	outcome = bed_try(&try);
	state_free(state);
	assert_true(outcome.error == 0 || outcome.error == EACCES);
	return outcome.error ? 0 : outcome.port;
}

/* The socket would have the port of 0.0.0.0 as well. */
static void dual_stack_socket_is_led_to_nothing_denied(void **state)
{
	static const char rules[] = "{'action': 'Rewrite', 'ports': [80], 'addresses': ['::'], 'to': {'port': 8080}}, "
				    "{'action': 'Grant', 'ports': [80], 'addresses': ['0.0.0.0']}";
	static const char denied[] = "'rules': [{'action': 'Deny', 'ports': [%u], 'addresses': ['0.0.0.0/0']}]";
	char cluster[128];

	(void)state;
	bed_make_cgroup(&P1[1]);
	snprintf(cluster, sizeof(cluster), denied, 8081);
	assert_int_equal(led_to(cluster, rules), 8080);
	snprintf(cluster, sizeof(cluster), denied, 8080);
	assert_int_equal(led_to(cluster, rules), 0);
	bed_remove_cgroup("kubepods");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pods, close_pods)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(cgroup_named_like_another_pods_is_ones_own),
		TEST(cgroup_below_ones_own_is_no_way_out),
		TEST(thread_in_a_cgroup_of_its_own_is_no_way_out),
		TEST(process_that_is_moved_has_what_it_is_moved_to),
		TEST(child_cannot_be_born_into_another_pod),
		TEST(root_of_a_cgroup_namespace_is_held_by_nsdelegate),
		TEST(sysctl_of_a_pod_opens_nothing_that_is_denied),
		TEST(root_of_a_user_namespace_is_nobody_to_a_pods_rules),
		TEST(dual_stack_socket_is_led_to_nothing_denied),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
