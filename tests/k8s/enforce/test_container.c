// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From within a container: in a cgroup namespace of its own, with the host's hierarchy mounted besides its own, and with
 * three capabilities.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "host/mounts.h"
#include "host/privilege.h"
#include "inside.h"
#include "pods.h"

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

static int run_container(const struct inside *inside)
{
	int r = enter_container(inside->node, inside->agent);

	return r ? r : enforce_inside(inside->cgroup, inside->text);
}

static void paths_are_those_of_the_host(void **state)
{
	char cgroup[320];

	(void)state;
	bed_make_cgroup("agent/" POD_A CONTAINER);
	snprintf(cgroup, sizeof(cgroup), "%s%s", in("host"), bed.scope);
	run_inside(&(struct inside){ run_container, pod_grant(POD_A, 443), NULL, "agent", cgroup });
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
	run_inside(&(struct inside){ run_container, text, "node", "node/agent", in("host") });
	bed_make_cgroup("node/kubelet.slice/" POD_A CONTAINER);
	bed_make_cgroup("kubelet.slice/" POD_A CONTAINER);
	assert_int_equal(pod_bind("node/kubelet.slice/" POD_A, 443), 0);
	assert_int_equal(pod_bind("kubelet.slice/" POD_A, 443), EACCES);
	bed_unload();
	bed_remove_cgroup("node");
	bed_remove_cgroup("kubelet.slice");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, inside_make, inside_remove)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(paths_are_those_of_the_host),
		TEST(paths_are_those_of_a_nested_node),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
