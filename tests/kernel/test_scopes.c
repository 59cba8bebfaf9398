// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of cgroups and units: resolved by the kernel at the bind, whenever the cgroup was made. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"

#define CYCLES 2000

static int bind_in(const char *in, uint16_t port)
{
	const struct try try = { .in = in, .uid = NOBODY, .family = AF_INET, .port = port };

	return bed_try(&try).error;
}

/* A policy in which %s stands for the bed's own cgroup. */
static void policy(const char *format)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (const char *at = format, *mark; *at; at = mark) {
		mark = strstr(at, "%s") ?: at + strlen(at);
		bc_text_add(&text, at, mark - at);
		if (*mark) {
			bc_text_addf(&text, "%s", bed.scope);
			mark += 2;
		}
	}
	assert_false(text.failed);
	bed_policy(text.data);
}

static int bind_443(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bed_reuse(fd);
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

/* A new cgroup, a process that begins its life in it and binds at once as nobody, and the end of both. */
static int cycle(const char *path)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_close_ int fd = -1;
	int status;
	pid_t child;

	if (mkdir(path, 0755))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	args.cgroup = fd;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0) {
		/* No library between: this child was not made by fork(3). */
		if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
			_exit(200);
		_exit(bind_443());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -2;
	while (rmdir(path))
		if (errno != EBUSY)
			return -3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -4;
}

/* How many of CYCLES ended so. */
static int cycles(const char *path, int wanted)
{
	int count = 0;

	for (int i = 0; i < CYCLES; i++)
		count += cycle(path) == wanted;
	return count;
}

static void cgroup_is_covered_from_its_first_bind(void **state)
{
	char inside[320], outside[320];
	int granted, refused;

	(void)state;
	policy("grant cgroup %s/waiting port 443\n");
	snprintf(inside, sizeof(inside), "%s/waiting", bed.cgroup);
	snprintf(outside, sizeof(outside), "%s/waitinh", bed.cgroup);
	granted = cycles(inside, 0);
	refused = cycles(outside, EACCES);
	printf("# cgroup made, bound in, removed: %d of %d granted, outside %d of %d refused\n", granted, CYCLES,
	       refused, CYCLES);
	assert_int_equal(granted, CYCLES);
	assert_int_equal(refused, CYCLES);
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
	_cleanup_close_ int policy_fd = -1, image_fd = -1, ns_fd = -1;
	struct bc_error error;
	char path[320];

	(void)state;
	bed_make_cgroup("a");
	bed_make_cgroup("ns/a");
	bed_policy("grant cgroup /a port 443\ngrant user nobody port 444\n");
	/* The same once more, as if published from within. */
	snprintf(path, sizeof(path), "%s/ns", bed.cgroup);
	assert_int_equal(bc_open_cgroup(path, &ns_fd, &error), 0);
	assert_int_equal(bc_cgroup_id(ns_fd, &imprint.root), 0);
	assert_int_equal(bc_open_policy(bed.pins, &policy_fd, &error), 0);
	assert_int_equal(bc_image_create(&bed_build.cells, &imprint, &image_fd, &error), 0);
	assert_int_equal(bc_image_publish(policy_fd, image_fd, &error), 0);
	assert_int_equal(bind_in("ns/a", 443), 0);
	assert_int_equal(bind_in("ns", 443), EACCES);
	assert_int_equal(bind_in("a", 443), EACCES);
	assert_int_equal(bind_in("a", 444), 0);
	bed_remove_cgroup("ns");
	bed_remove_cgroup("a");
}

static void deepest_scope_decides(void **state)
{
	(void)state;
	bed_make_cgroup("a/b/c/d");
	policy("deny port 443\ngrant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443 errno EPERM\n"
	       "grant cgroup %s/a/b/c/d user nobody port 443\n");
	assert_int_equal(bind_in(NULL, 443), EACCES);
	assert_int_equal(bind_in("a", 443), 0);
	assert_int_equal(bind_in("a/b", 443), EPERM);
	assert_int_equal(bind_in("a/b/c", 443), EPERM);
	assert_int_equal(bind_in("a/b/c/d", 443), 0);
	/* A wider rule of a deeper scope goes before a narrower one further out. */
	policy("deny user nobody port 443 proto tcp addr 0.0.0.0\ngrant cgroup %s/a port 1-1000\n");
	assert_int_equal(bind_in("a/b", 443), 0);
	assert_int_equal(bind_in(NULL, 443), EACCES);
	/* A rule further in that does not hold leaves the decision to the next one out. */
	policy("grant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443 proto udp\ndeny cgroup %s/a/b user root port "
	       "443\n");
	assert_int_equal(bind_in("a/b", 443), 0);
	bed_remove_cgroup("a");
}

static void change_of_scopes_counts_at_once(void **state)
{
	(void)state;
	bed_make_cgroup("a/b");
	for (int i = 0; i < 5; i++) {
		policy("grant cgroup %s/a port 443\n");
		assert_int_equal(bind_in("a/b", 443), 0);
		policy("grant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443\n");
		assert_int_equal(bind_in("a/b", 443), EACCES);
		policy("grant cgroup %s/a/b port 443\n");
		assert_int_equal(bind_in("a/b", 443), 0);
		assert_int_equal(bind_in("a", 443), EACCES);
		policy("grant cgroup %s/other port 443\n");
		assert_int_equal(bind_in("a/b", 443), EACCES);
	}
	bed_remove_cgroup("a");
}

static void cgroup_made_anew_is_the_same_to_the_policy(void **state)
{
	(void)state;
	policy("grant cgroup %s/a port 443\n");
	for (int i = 0; i < 20; i++) {
		bed_make_cgroup("a/b");
		assert_int_equal(bind_in("a/b", 443), 0);
		bed_remove_cgroup("a");
		bed_make_cgroup("b/a");
		assert_int_equal(bind_in("b/a", 443), EACCES);
		bed_remove_cgroup("b");
	}
}

static const char *const names[] = {
	"with blank", "a\\x2db", "caf\xc3\xa9", "-", "...", "%s", "\"quoted\"", "back\\slash", "#",
};

static void names_of_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		char other[64];

		bc_text_addf(&text, "grant cgroup \"%s/", bed.scope);
		for (const char *at = names[i]; *at; at++)
			bc_text_addf(&text, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
		bc_text_addf(&text, "\" port 443\n");
		bed_policy(text.data);
		snprintf(other, sizeof(other), "%s.", names[i]);
		bed_make_cgroup(names[i]);
		bed_make_cgroup(other);
		assert_int_equal(bind_in(names[i], 443), 0);
		assert_int_equal(bind_in(other, 443), EACCES);
		bed_remove_cgroup(names[i]);
		bed_remove_cgroup(other);
	}
}

/* At each length where the name's last part ends, and one byte to either side. */
static void names_of_every_length(void **state)
{
	static const int lengths[] = { 1,  2,	31,  32,  33,  63,  64,	 65,  95,  96,
				       97, 127, 128, 129, 192, 223, 224, 225, 254, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		char name[256] = "", other[256], shorter[256];
		int len = lengths[i];

		memset(name, 'n', len);
		strcpy(other, name);
		strcpy(shorter, name);
		other[len - 1] = 'm';
		shorter[len - 1] = '\0';
		bc_text_addf(&text, "grant cgroup %s/%s port 443\n", bed.scope, name);
		bed_policy(text.data);
		bed_make_cgroup(name);
		bed_make_cgroup(other);
		assert_int_equal(bind_in(name, 443), 0);
		assert_int_equal(bind_in(other, 443), EACCES);
		if (len > 1) {
			bed_make_cgroup(shorter);
			assert_int_equal(bind_in(shorter, 443), EACCES);
			bed_remove_cgroup(shorter);
		}
		bed_remove_cgroup(name);
		bed_remove_cgroup(other);
	}
}

static void sixty_four_levels(void **state)
{
	_cleanup_(bc_text_done) struct bc_text path = {}, text = {};

	(void)state;
	for (int i = 0; i < 64; i++)
		bc_text_addf(&path, "%slevel-%d", i ? "/" : "", i);
	bc_text_addf(&text, "grant cgroup %s/%s port 443\ngrant cgroup %s/level-0 port 444\n", bed.scope, path.data,
		     bed.scope);
	bed_policy(text.data);
	bed_make_cgroup(path.data);
	assert_int_equal(bind_in(path.data, 443), 0);
	assert_int_equal(bind_in(path.data, 444), 0);
	*strrchr(path.data, '/') = '\0';
	assert_int_equal(bind_in(path.data, 443), EACCES);
	assert_int_equal(bind_in(path.data, 444), 0);
	bed_remove_cgroup("level-0");
}

/* The same names in another order or place: what an owner of a delegated subtree can make. */
static void path_cannot_be_forged_from_below(void **state)
{
	static const char *const forged[] = { "user/bed/svc", "svc/svc", "user/svc", "bed", "user/a/svc", "a/svc/b" };

	(void)state;
	policy("grant cgroup %s/a/b/svc port 443\ngrant cgroup /svc port 443\ngrant cgroup /a/svc port 443\n");
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		bed_make_cgroup(forged[i]);
		assert_int_equal(bind_in(forged[i], 443), EACCES);
	}
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		char top[16];

		snprintf(top, sizeof(top), "%.*s", (int)strcspn(forged[i], "/"), forged[i]);
		bed_remove_cgroup(top);
	}
}

/* More cgroups than the cache remembers: what falls out of it is walked to again. */
static void more_cgroups_than_are_remembered(void **state)
{
	(void)state;
	policy("grant cgroup %s/a port 443\n");
	bed_make_cgroup("a/kept");
	for (int i = 0; i < 300; i++) {
		char path[320];

		assert_int_equal(bind_in("a/kept", 443), 0);
		for (int k = 0; k < 20; k++) {
			snprintf(path, sizeof(path), "%s/other", bed.cgroup);
			assert_int_equal(cycle(path), EACCES);
			snprintf(path, sizeof(path), "%s/a/other", bed.cgroup);
			assert_int_equal(cycle(path), 0);
		}
	}
	bed_remove_cgroup("a");
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(cgroup_is_covered_from_its_first_bind),
		cmocka_unit_test(unit_is_covered_from_its_first_bind),
		cmocka_unit_test(cgroups_outside_the_namespace_are_nobodys),
		cmocka_unit_test(deepest_scope_decides),
		cmocka_unit_test(change_of_scopes_counts_at_once),
		cmocka_unit_test(cgroup_made_anew_is_the_same_to_the_policy),
		cmocka_unit_test(names_of_every_kind),
		cmocka_unit_test(names_of_every_length),
		cmocka_unit_test(sixty_four_levels),
		cmocka_unit_test(path_cannot_be_forged_from_below),
		cmocka_unit_test(more_cgroups_than_are_remembered),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
