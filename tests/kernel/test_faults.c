// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every changing command, with each of its system calls failing in turn: memory, file descriptors, disks and the BPF
 * file system run out of room wherever they can. Whoever says that nothing was changed must have changed nothing, and
 * whoever says that it is done must have done it. Of the calls that only ask some have to do: fault.c has the choice, and
 * what each can fail with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "fault.h"
#include "look.h"

#define FILE_NAME "50-bindctl.conf"

/* One command and the states around it: the errno of nobody's binds of 443. */
struct scene {
	const char *name;
	const char *before; /* the policy file, loaded; NULL: nothing is loaded, and no file */
	const char *file;   /* what the file says when the command starts, if not `before` */
	const char *after;  /* what it is to say in the end; NULL: the same */
	const char *argv[8];
	int old, new;
};

static const struct scene scenes[] = {
	{ "grant", "# mine\n", NULL, "# mine\ngrant user nobody port 443\n", { "grant", "nobody", "443" }, EACCES, 0 },
	{ "revoke", "grant user nobody port 443\n", NULL, "", { "revoke", "nobody", "443" }, 0, EACCES },
	{ "apply", "grant user nobody port 443\n", "deny port 443 errno EPERM\n", NULL, { "apply" }, 0, EPERM },
	{ "load over itself", "# mine\n", "grant user nobody port 443\n", NULL, { "load" }, EACCES, 0 },
	{ "grant, nothing loaded",
	  NULL,
	  NULL,
	  "grant user nobody port 443\n",
	  { "grant", "nobody", "443" },
	  EACCES,
	  0 },
	{ "unload", "grant user nobody port 443\n", NULL, NULL, { "unload" }, 0, EACCES },
};

static long points;

static void set_scene(const struct scene *scene)
{
	char path[256];

	if (!scene->before || !strcmp(scene->name, "apply"))
		assert_int_equal(BINDCTL(NULL, "unload"), 0);
	if (scene->before) {
		bed_write(FILE_NAME, scene->before, strlen(scene->before));
		assert_int_equal(BINDCTL(NULL, "apply"), 0);
	} else {
		snprintf(path, sizeof(path), "%s/" FILE_NAME, bed.policy);
		unlink(path);
	}
	if (scene->file)
		bed_write(FILE_NAME, scene->file, strlen(scene->file));
}

static int bind_error(int family)
{
	return bed_try(&(struct try){ .uid = NOBODY, .family = family, .port = 443 }).error;
}

static void complain(const struct scene *scene, const struct fault *fault, const char *what)
{
	fail_msg("%s, call %ld (system call %d, first argument %llu) failing with %s: exit %d, %s\n%s", scene->name,
		 fault->n, fault->call, (unsigned long long)fault->arg0, strerrorname_np(fault->error), fault->exit,
		 what, fault->said);
}

/* Links that a command which failed has made already may stay: they are whole, and decide nothing by themselves. */
static bool is_left_over(const char *pins)
{
	return strstr(pins, "new_");
}

static void check_failure(const struct scene *scene, const struct fault *fault, const struct bc_text *files)
{
	_cleanup_(bc_text_done) struct bc_text files_now = {}, pins_now = {};
	int v4 = bind_error(AF_INET), v6 = bind_error(AF_INET6);
	const char *newline = strchr(fault->said, '\n');

	look_into(bed.policy, true, &files_now);
	look_into(bed.pins, false, &pins_now);
	if (strncmp(fault->said, "bindctl: ", 9) || !newline)
		complain(scene, fault, "and no word about it");
	/* Of what unload has done nothing can be undone; but it says so, and is whole. */
	if (v4 != v6 || (v4 != scene->old && (v4 != scene->new || strcmp(scene->argv[0], "unload"))))
		complain(scene, fault, "and not the old policy");
	if (strcmp(files->data, files_now.data))
		complain(scene, fault, files_now.data);
	if (is_left_over(pins_now.data))
		complain(scene, fault, "and a pin is left behind");
	if (!scene->before && pins_now.len)
		complain(scene, fault, pins_now.data);
}

static void check_success(const struct scene *scene, const struct fault *fault)
{
	_cleanup_(bc_text_done) struct bc_text files = {};
	char wanted[256];

	if (bind_error(AF_INET) != scene->new || bind_error(AF_INET6) != scene->new)
		complain(scene, fault, "and not the new policy");
	look_into(bed.policy, true, &files);
	snprintf(wanted, sizeof(wanted), FILE_NAME ": %s\n", scene->after);
	if (scene->after && strcmp(files.data, wanted))
		complain(scene, fault, files.data);
}

static void fail_everywhere(void **state)
{
	const struct scene *scene = *state;
	_cleanup_(bc_text_done) struct bc_text files = {};
	struct fault fault = {};
	long failed = 0;

	set_scene(scene);
	look_into(bed.policy, true, &files);
	for (;; fault.n++) {
		fault_run(scene->argv, &fault);
		if (fault.exit) {
			check_failure(scene, &fault, &files);
			failed++;
		} else {
			check_success(scene, &fault);
		}
		if (fault.call < 0)
			break;
		/* What a failure left is a beginning as good as any other: the next run must find its way. */
		if (!fault.exit || !strcmp(scene->argv[0], "unload"))
			set_scene(scene);
	}
	if (fault.exit)
		complain(scene, &fault, "though nothing failed");
	printf("# %s: %ld calls failed, and the command with %ld of them\n", scene->name, fault.n, failed);
	assert_true(fault.n > 30 && failed > 20);
	points += fault.n;
}

static int tests(void)
{
	struct CMUnitTest table[ARRAY_SIZE(scenes)];
	const char *only = getenv("BINDCTL_FAULT_SCENE");
	int failures;

	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		table[i] = (struct CMUnitTest){ scenes[i].name, fail_everywhere, NULL, NULL, (void *)&scenes[i] };
	if (only)
		cmocka_set_test_filter(only);
	failures = cmocka_run_group_tests(table, NULL, NULL);
	printf("# fault points: %ld\n", points);
	return failures;
}

int main(void)
{
	return bed_main(tests);
}
