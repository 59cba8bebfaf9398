// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every changing command, killed in turn at every one of its system calls that others could see, on the way in and on the
 * way out. What is left must be the old policy or the new one, whole, for both families; the files must be in order; and
 * the next command must succeed and leave nothing behind of the one that was killed.
 *
 * Such a place is the entry and the exit of each call that changes a file, a pin, what a pin leads to, or a lock: all but
 * what trace.c knows to be unseen. Left out are calls that only read, those that change nothing but the process itself,
 * and those that make or close objects that it alone has, which the kernel does away with when it is killed. To die in
 * one of these, or anywhere before the next change, leaves what the last change left: it is equal to the exit of that. Of
 * all calls, those included, one way in or out of SAMPLE is a place all the same. What the dynamic linker does before
 * main() counts as one place.
 *
 * Several workers share the places, each with an instance of its own; what one call leaves, two of them find: one makes
 * the same command the next one, the other tries apply before it. Where nothing was changed yet (what there is to be seen
 * is the same, down to the ids of BPF objects), the next place needs no new beginning. And what that worker has seen
 * healed already is not healed once more: there binds are tried, and no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "older.h"
#include "survey.h"
#include "trace.h"

#define FILE_NAME "50-bindctl.conf"
#define RUNTIME_NAME "50-runtime.conf"
#define WORKERS_MAX 8
#define SAMPLE 50
#define REMAINS_MAX 200

/* The errno of nobody's binds of 443, and of somebody's of 8443. */
struct answers {
	int grant, other;
};

/* One command and the states around it. */
struct scene {
	const char *name;
	const char *before; /* the policy file, loaded; NULL: nothing is loaded, and no file */
	const char *file;   /* what the file says when the command starts, if not `before` */
	const char *argv[8];
	struct answers old, new;
	bool fresh;   /* hooks that the end needs and the beginning does not must not be linked from last time */
	bool upgrade; /* what is loaded is another build */
	bool older;   /* what is loaded is of an older schema, with OLDER_POLICY */
};

static const struct scene scenes[] = {
	{ "load", NULL, "grant user nobody port 443\n", { "load" }, { EACCES, 0 }, { 0, 0 } },
	{ "load over another build",
	  "grant user nobody port 443\ndeny port 8443 errno EPERM\nrewrite user 1 port 9 to :9999\n",
	  NULL,
	  { "load" },
	  { 0, EPERM },
	  { 0, EPERM },
	  .fresh = true,
	  .upgrade = true },
	{ "load over an older schema",
	  OLDER_POLICY,
	  NULL,
	  { "load" },
	  { 0, EPERM },
	  { 0, EPERM },
	  .fresh = true,
	  .older = true },
	{ "grant, nothing loaded", NULL, NULL, { "grant", "nobody", "443" }, { EACCES, 0 }, { 0, 0 } },
	{ "apply",
	  "grant user nobody port 443\n",
	  "deny port 443,8443 errno EPERM\n",
	  { "apply" },
	  { 0, 0 },
	  { EPERM, EPERM },
	  .fresh = true },
	{ "rewrite",
	  "rewrite user 1 port 9 to :9999\n",
	  NULL,
	  { "rewrite", "nobody", "443", "to", ":8443" },
	  { EACCES, 0 },
	  { 0, 0 } },
	{ "grant", "# mine\n", NULL, { "grant", "nobody", "443" }, { EACCES, 0 }, { 0, 0 } },
	{ "grant --runtime", "# mine\n", NULL, { "grant", "--runtime", "nobody", "443" }, { EACCES, 0 }, { 0, 0 } },
	{ "allow",
	  "deny port 443,8443 errno EPERM\n",
	  NULL,
	  { "allow", "nobody", "443" },
	  { EPERM, EPERM },
	  { EACCES, EPERM } },
	{ "deny",
	  "grant user nobody port 443\ndeny port 9\n",
	  NULL,
	  { "deny", "nobody", "443", "errno", "EPERM" },
	  { 0, 0 },
	  { EPERM, 0 } },
	{ "reserve", "deny port 9\n", NULL, { "reserve", "nobody", "443,8443" }, { EACCES, 0 }, { 0, EACCES } },
	{ "revoke", "grant user nobody port 443\n", NULL, { "revoke", "nobody", "443" }, { 0, 0 }, { EACCES, 0 } },
	{ "unload", "grant user nobody port 443\n", NULL, { "unload" }, { 0, 0 }, { EACCES, 0 } },
};

/* What a command that was killed has left behind, and how often. */
struct remains {
	char *state;
	int times;
};

/* Where to kill: so many stops behind the beginning of main(). */
struct place {
	enum trace_calls calls;
	long stop;
};

struct places {
	struct place *items;
	size_t n, room;
};

static int nworkers, worker;
static long *killed; /* shared by the workers: the number of places in all */

static void write_or_remove(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", bed.policy, name);
	if (text)
		bed_write(name, text, strlen(text));
	else
		unlink(path);
}

static void set_scene(const struct scene *scene, bool first)
{
	const char *program = getenv(scene->upgrade ? "OTHER_BINDCTL" : "BINDCTL");

	if ((first || scene->fresh || !scene->before) && !access(bed.pins, F_OK))
		assert_int_equal(BINDCTL(NULL, "unload"), 0);
	write_or_remove(RUNTIME_NAME, NULL);
	write_or_remove(FILE_NAME, scene->before);
	if (scene->older)
		older_load(OLDER_SCHEMA);
	else if (scene->before)
		assert_int_equal(bed_run(program, NULL, (const char *const[]){ "apply", NULL }), 0);
	if (scene->file)
		write_or_remove(FILE_NAME, scene->file);
}

static void add_place(struct places *places, enum trace_calls calls, long stop)
{
	assert_int_equal(bc_grow(&places->items, &places->room, places->n + 1), 0);
	places->items[places->n++] = (struct place){ calls, stop };
}

/* Runs the command once to its end, and notes where it can be killed. */
static void record(const struct scene *scene, enum trace_calls calls, struct places *places)
{
	pid_t pid = trace_start(getenv("BINDCTL"), scene->argv, calls);
	struct trace_stop stop;

	trace_to_main(pid, calls, &stop);
	for (long n = 0; !stop.ended; n++) {
		if (calls == TRACE_CHANGES || n % SAMPLE == 0)
			add_place(places, calls, n);
		trace_next(pid, &stop);
	}
	assert_int_equal(stop.code, 0);
}

static void run_and_kill(const struct scene *scene, const struct place *place)
{
	pid_t pid = trace_start(getenv("BINDCTL"), scene->argv, place->calls);
	struct trace_stop stop;

	trace_to_main(pid, place->calls, &stop);
	for (long n = place->stop; n && !stop.ended; n--)
		trace_next(pid, &stop);
	if (!stop.ended)
		trace_kill(pid);
	else
		/* It may have had a call less to make this time. */
		assert_int_equal(stop.code, 0);
}

static int bind_port(uint32_t uid, int family, uint16_t port)
{
	const struct try try = { .uid = uid, .family = family, .port = port };

	return bed_try(&try).error;
}

static bool is_whole(const struct answers *answers, const struct answers *wanted)
{
	return answers[0].grant == wanted->grant && answers[0].other == wanted->other &&
	       answers[1].grant == wanted->grant && answers[1].other == wanted->other;
}

/* Asks on both families. */
static void check_decisions(const struct scene *scene, long n, bool may_be_old, bool may_be_new)
{
	struct answers answers[2];

	for (int i = 0; i < 2; i++)
		answers[i] = (struct answers){ bind_port(NOBODY, i ? AF_INET6 : AF_INET, 443),
					       bind_port(SOMEBODY, i ? AF_INET6 : AF_INET, 8443) };
	if (!(may_be_old && is_whole(answers, &scene->old)) && !(may_be_new && is_whole(answers, &scene->new)))
		fail_msg("%s killed at stop %ld: IPv4 gives %d and %d, IPv6 %d and %d, which is not the %s policy",
			 scene->name, n, answers[0].grant, answers[0].other, answers[1].grant, answers[1].other,
			 !may_be_new ? "old" :
			 !may_be_old ? "new" :
				       "old or new");
}

/* A policy in force has its hooks, whatever was going on: else a kernel's choice of a denied port, say, gets through. */
static void check_hooks(const struct scene *scene, long n)
{
	_cleanup_(bc_text_done) struct bc_text said = {};

	BINDCTL(&said, "status");
	if (strstr(said.data, "not attached"))
		fail_msg("%s killed at stop %ld: a hook is missing\n%s", scene->name, n, said.data);
}

/* Nothing of a half-written file, and no pin that a command leaves when nobody kills it. */
static void check_no_leftovers(const struct scene *scene, long n, const struct bc_text *wanted)
{
	_cleanup_(bc_text_done) struct bc_text names = {};

	survey_names(&names);
	if (strstr(names.data, "/.") || (wanted && strcmp(names.data, wanted->data)))
		fail_msg("%s killed at stop %ld: the next command leaves\n%s", scene->name, n, names.data);
}

static int run_next(const struct scene *scene, long n, const char *const *argv)
{
	int code = bed_bindctl(NULL, argv);

	/* To revoke what was revoked is an error. */
	if (code && !(code == 1 && argv == scene->argv && !strcmp(scene->name, "revoke")))
		fail_msg("%s killed at stop %ld: afterwards '%s' fails with %d", scene->name, n, argv[0], code);
	return code;
}

/* The next command: the same again, or another one before it. */
static void check_aftermath(const struct scene *scene, long n, const struct bc_text *end, bool another)
{
	bool unload = !strcmp(scene->argv[0], "unload");
	int code;

	check_decisions(scene, n, true, true);
	if (BINDCTL(NULL, "check"))
		fail_msg("%s killed at stop %ld: the files are broken", scene->name, n);
	if (!unload && scene->before && !scene->older)
		check_hooks(scene, n);
	if (another) {
		run_next(scene, n, (const char *const[]){ "apply", NULL });
		check_decisions(scene, n, true, true);
		check_no_leftovers(scene, n, NULL);
	}
	code = run_next(scene, n, scene->argv);
	check_decisions(scene, n, false, true);
	/* Who found nothing to do, and all in force, has not tidied up. */
	if (code)
		run_next(scene, n, (const char *const[]){ "apply", NULL });
	check_no_leftovers(scene, n, end);
	if (!unload && BINDCTL(NULL, "status"))
		fail_msg("%s killed at stop %ld: afterwards the policy is not enforced", scene->name, n);
}

/* The entry of what there is to be seen now; a new one if it was never seen before. */
static struct remains *find_remains(struct remains remains[REMAINS_MAX])
{
	struct bc_text state = {};
	int i = 0;

	survey_state(&state, false);
	while (i < REMAINS_MAX && remains[i].state && strcmp(remains[i].state, state.data))
		i++;
	assert_in_range(i, 0, REMAINS_MAX - 1);
	if (remains[i].state)
		bc_text_done(&state);
	else
		remains[i].state = state.data;
	return &remains[i];
}

/* *clean: what the scene begins with is there. */
static void kill_here(const struct scene *scene, const struct place *place, const struct bc_text *end, bool *clean,
		      struct remains remains[REMAINS_MAX])
{
	_cleanup_(bc_text_done) struct bc_text before = {}, after = {};
	struct hooked other[BC_HOOKS], ours[BC_HOOKS];
	struct remains *left;
	long n = place->stop;

	if (!*clean)
		set_scene(scene, false);
	survey_hooks(other);
	survey_state(&before, true);
	run_and_kill(scene, place);
	survey_state(&after, true);
	*clean = !strcmp(before.data, after.data);
	left = find_remains(remains);
	if (left->times == (nworkers > 1 ? 1 : 2)) {
		check_decisions(scene, n, true, !*clean);
		return;
	}
	*clean = false;
	check_aftermath(scene, n, end, (worker + left->times++) % 2);
	survey_hooks(ours);
	if (scene->upgrade && survey_replaced(other, ours) != BC_HOOKS)
		fail_msg("%s killed at stop %ld: afterwards programs of the other build are linked", scene->name, n);
}

static void kill_everywhere(void **state)
{
	const struct scene *scene = *state;
	struct remains remains[REMAINS_MAX] = {};
	struct places places = {};
	struct bc_text end = {};
	bool clean = false;

	set_scene(scene, true);
	record(scene, TRACE_CHANGES, &places);
	check_decisions(scene, -1, false, true);
	survey_names(&end);
	set_scene(scene, false);
	record(scene, TRACE_ALL, &places);
	for (size_t i = worker; i < places.n; i += nworkers) {
		kill_here(scene, &places.items[i], &end, &clean, remains);
		__atomic_fetch_add(killed, 1, __ATOMIC_RELAXED);
	}
	if (worker == 0)
		printf("# %s: killed at %zu places\n", scene->name, places.n);
	/* Before and after at the least. */
	assert_true(places.n > 40 && remains[1].times);
	for (int i = 0; i < REMAINS_MAX; i++)
		free(remains[i].state);
	free(places.items);
	bc_text_done(&end);
}

static int tests(void)
{
	struct CMUnitTest table[ARRAY_SIZE(scenes)];
	const char *only = getenv("BINDCTL_KILL_SCENE");

	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		table[i] = (struct CMUnitTest){ scenes[i].name, kill_everywhere, NULL, NULL, (void *)&scenes[i] };
	/* A pattern, but no scene's name has more than itself in it. */
	if (only)
		cmocka_set_test_filter(only);
	return cmocka_run_group_tests(table, NULL, NULL);
}

/* One worker's tests, what they print going to `out`. */
static pid_t start_worker(FILE *out)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(out), STDERR_FILENO);
		exit(bed_main(tests));
	}
	return pid;
}

static void copy_output(FILE *out)
{
	char line[4096];

	rewind(out);
	while (fgets(line, sizeof(line), out))
		fputs(line, stdout);
	fclose(out);
}

int main(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	FILE *out[WORKERS_MAX];
	pid_t pids[WORKERS_MAX];
	int failures = 0, status;

	nworkers = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : processors;
	killed = mmap(NULL, sizeof(*killed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (killed == MAP_FAILED)
		return 1;
	for (worker = 0; worker < nworkers; worker++) {
		out[worker] = tmpfile();
		pids[worker] = out[worker] ? start_worker(out[worker]) : -1;
	}
	for (int i = 0; i < nworkers; i++) {
		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status)
			failures++;
		if (out[i])
			copy_output(out[i]);
	}
	printf("# kill points: %ld\n", *killed);
	return failures ? 1 : 0;
}
