// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths begin at the root of cgroup2 that the publisher of a policy sees, which in a cgroup namespace is not the kernel's. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "pure/gate.h"
#include "cycle.h"
#include "host/mounts.h"

static int bind_in(const char *in, uint16_t port)
{
	const struct try try = { .in = in, .uid = NOBODY, .family = AF_INET, .port = port };

	return bed_try(&try).error;
}

/* Becomes a process of a cgroup namespace whose root is BED/ns, and sees that one alone, mounted at `root`. */
static int enter_namespace(const char *root)
{
	char procs[320];
	int fd;

	snprintf(procs, sizeof(procs), "%s/ns/cgroup.procs", bed.cgroup);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1 || unshare(CLONE_NEWCGROUP | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	close(fd);
	*strrchr(bed.cgroup, '/') = '\0';
	return umount2(bed.cgroup, MNT_DETACH) || mount("cgroup2", root, "cgroup2", 0, NULL) ? -1 : 0;
}

/* In the namespace: a unit's path begins at its root. Returns bits for what was wrong. */
static int unit_waits(const char *root)
{
	char path[512];
	struct bc_error error;
	int bad = 0;

	bed.instance.cgroup = root;
	if (bed_apply("grant unit web.service port 443\n", &error))
		return 1;
	snprintf(path, sizeof(path), "%s/system.slice", root);
	bad |= mkdir(path, 0755) ? 2 : 0;
	snprintf(path, sizeof(path), "%s/system.slice/web.service", root);
	bad |= cycles(path, 0) != CYCLES ? 4 : 0;
	/* The unit's name elsewhere is not the unit. */
	snprintf(path, sizeof(path), "%s/web.service", root);
	bad |= cycles(path, EACCES) != CYCLES ? 8 : 0;
	snprintf(path, sizeof(path), "%s/user.slice", root);
	bad |= mkdir(path, 0755) ? 16 : 0;
	snprintf(path, sizeof(path), "%s/user.slice/system.slice", root);
	bad |= mkdir(path, 0755) ? 16 : 0;
	snprintf(path, sizeof(path), "%s/user.slice/system.slice/web.service", root);
	bad |= cycle(path) != EACCES ? 32 : 0;
	return bad;
}

static void unit_is_covered_from_its_first_bind(void **state)
{
	char root[128];
	int status;
	pid_t child;

	(void)state;
	bed_unload();
	bed_make_cgroup("ns");
	snprintf(root, sizeof(root), "%s/policy", bed.dir);
	child = fork();
	if (child == 0)
		_exit(enter_namespace(root) ? 255 : unit_waits(root));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	printf("# unit made, bound in, removed: %d times, and as often elsewhere\n", CYCLES);
	bed_unload();
	bed_remove_cgroup("ns");
}

/* A process that the policy's author could not see is in none of his cgroups, but still a user. */
static void cgroups_outside_the_namespace_are_nobodys(void **state)
{
	struct bc_imprint imprint = { .generation = 1, .epoch = 4711 };
	struct bc_gate needs;
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	_cleanup_close_ int image_fd = -1, ns_fd = -1;
	struct bc_error error;
	char path[320], text[256];

	(void)state;
	bed_make_cgroup("a");
	bed_make_cgroup("ns/a");
	snprintf(text, sizeof(text),
		 "grant cgroup /a port 443\ngrant cgroup %s/a port 445\ngrant user nobody port 444\n", bed.scope);
	bed_policy(text);
	/* The same once more, as if published from within. */
	snprintf(path, sizeof(path), "%s/ns", bed.cgroup);
	assert_int_equal(bc_open_cgroup(path, &ns_fd, &error), 0);
	assert_int_equal(bc_cgroup_id(ns_fd, &imprint.root), 0);
	assert_int_equal(bc_force_open(bed.pins, &force, &error), 0);
	bc_gate_needs(&bed_build.cells, &needs);
	assert_int_equal(bc_image_create(&bed_build.cells, &imprint, &image_fd, &error), 0);
	assert_int_equal(bc_image_publish(&force, image_fd, &needs, &error), 0);
	assert_int_equal(bind_in("ns/a", 443), 0);
	assert_int_equal(bind_in("ns", 443), EACCES);
	assert_int_equal(bind_in("a", 443), EACCES);
	/* Its path from the kernel's own root is none of the policy's either. */
	assert_int_equal(bind_in("a", 445), EACCES);
	assert_int_equal(bind_in("a", 444), 0);
	bed_remove_cgroup("ns");
	bed_remove_cgroup("a");
}

/*
 * In a cgroup namespace whose root is BED/ns and whose own mount comes first, with the whole hierarchy besides it at
 * `whole`. 0, or which step failed.
 */
static int enter_with_hierarchy(const char *root, const char *own, const char *whole)
{
	char procs[320];
	int fd;

	snprintf(procs, sizeof(procs), "%s/ns/cgroup.procs", bed.cgroup);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(root, own, NULL, MS_BIND, NULL))
		return 1;
	if (fd < 0 || write(fd, "0", 1) != 1 || unshare(CLONE_NEWCGROUP) || umount2(root, MNT_DETACH) ||
	    mount("cgroup2", root, "cgroup2", 0, NULL))
		return 2;
	close(fd);
	/* Moved behind the other one. */
	return mount(own, whole, NULL, MS_BIND, NULL) || umount2(own, MNT_DETACH) ? 3 : 0;
}

/* As agents in containers have it: paths begin where --cgroup is looked for, and not at the container's own cgroup. */
static void hierarchy_mounted_besides_counts(void **state)
{
	char root[256], own[160], whole[160], cgroup[320], text[256];
	struct bc_error error;
	int status;
	pid_t child;

	(void)state;
	bed_unload();
	bed_make_cgroup("ns/a");
	bed_make_cgroup("a");
	snprintf(root, sizeof(root), "%.*s", (int)(strlen(bed.cgroup) - strlen(bed.scope)), bed.cgroup);
	snprintf(own, sizeof(own), "%s/own", bed.dir);
	snprintf(whole, sizeof(whole), "%s/whole", bed.dir);
	snprintf(cgroup, sizeof(cgroup), "%s%s", whole, bed.scope);
	snprintf(text, sizeof(text), "grant cgroup %s/a port 443\ngrant cgroup /a port 444\n", bed.scope);
	assert_int_equal(mkdir(own, 0755) || mkdir(whole, 0755), 0);
	child = fork();
	if (child == 0) {
		int r = enter_with_hierarchy(root, own, whole);

		bed.instance.cgroup = cgroup;
		_exit(r ? r : bed_apply(text, &error) ? 4 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(rmdir(own) || rmdir(whole), 0);
	assert_int_equal(status, 0);
	assert_int_equal(bind_in("a", 443), 0);
	assert_int_equal(bind_in("ns/a", 443), EACCES);
	assert_int_equal(bind_in("ns/a", 444), EACCES);
	bed_unload();
	bed_remove_cgroup("ns");
	bed_remove_cgroup("a");
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(unit_is_covered_from_its_first_bind),
		cmocka_unit_test(cgroups_outside_the_namespace_are_nobodys),
		cmocka_unit_test(hierarchy_mounted_besides_counts),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
