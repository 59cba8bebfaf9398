// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/lessons.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/ports.h"
#include "pure/learned.h"
#include "pure/moment.h"

void lessons_done(struct lessons *lessons)
{
	bc_learn_done(&lessons->learn);
}

void lessons_gap(struct lessons *lessons, const char *format, ...)
{
	va_list args;
	char *gap;

	if (lessons->ngaps == LESSONS_GAPS)
		return;
	gap = lessons->gaps[lessons->ngaps++];
	va_start(args, format);
	vsnprintf(gap, sizeof(lessons->gaps[0]), format, args);
	va_end(args);
	say("%s; rules may be missing", gap);
}

static void print_head(const struct lessons *lessons, const struct bc_learned *learned)
{
	_cleanup_(bc_text_done) struct bc_text text = {}, line = {}, start = {}, end = {};
	bool foreign = false;

	for (size_t i = 0; i < learned->policy.n; i++)
		foreign |= learned->policy.rules[i].any_netns;
	bc_format_moment(&start, lessons->start - lessons->start % BC_SECOND);
	bc_format_moment(&end, lessons->end - lessons->end % BC_SECOND);
	bc_text_addf(&line, "Learned by bindctl from %" PRIu64 " bind%s", lessons->learn.binds,
		     lessons->learn.binds == 1 ? "" : "s");
	if (lessons->of_user)
		bc_text_addf(&line, " of user %s", lessons->of_user);
	bc_text_addf(&line, ", %s to %s", start.data, end.data);
	if (lessons->cgroup)
		bc_text_addf(&line, ", in cgroup %s", lessons->cgroup);
	bc_format_comment(&text, &line);
	fputs(text.data ?: "", stdout);
	for (unsigned i = 0; i < lessons->ngaps; i++)
		printf("# INCOMPLETE: %s\n", lessons->gaps[i]);
	printf("# Permits just these under a default deny, in another file: deny port 1-65535%s\n",
	       foreign ? " netns any" : "");
}

static int print_policy(const struct lessons *lessons, const struct bc_learned *learned)
{
	print_head(lessons, learned);
	for (size_t i = 0; i < learned->policy.n; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_lesson_format(&text, &learned->policy, &learned->policy.rules[i], &learned->lessons[i]);
		if (text.failed)
			return -ENOMEM;
		printf("\n%s", text.data);
	}
	return 0;
}

static void set_programs(struct json_object *object, const struct bc_sightings *sightings)
{
	struct json_object *programs = json_object_new_array();

	for (unsigned i = 0; i < sightings->nprograms && i < BC_PROGRAMS; i++)
		json_object_array_add(programs, out_string(sightings->programs[i]));
	json_object_object_add(object, "programs", programs);
	out_set_bool(object, "other_programs", sightings->nprograms > BC_PROGRAMS);
}

static struct json_object *make_lesson(const struct bc_policy *policy, const struct bc_rule *rule,
				       const struct bc_lesson *lesson)
{
	struct json_object *object = out_rule(policy, rule);

	/* It is from no file. */
	json_object_object_del(object, "file");
	json_object_object_del(object, "line");
	out_set_string(object, "fate",
		       lesson->fate == BC_FATE_PASSED ? "passed" :
		       lesson->fate == BC_FATE_LED    ? "rewritten" :
							"refused");
	out_set_string(object, "by", lesson->by);
	out_set_number(object, "binds", lesson->sightings.binds);
	out_set_number(object, "ungranted", lesson->sightings.ungranted);
	out_set_bool(object, "wider", lesson->width != BC_WIDTH_ONE);
	out_set_moment(object, "first", lesson->sightings.first);
	out_set_moment(object, "last", lesson->sightings.last);
	set_programs(object, &lesson->sightings);
	return object;
}

static int print_json(const struct lessons *lessons, const struct bc_learned *learned)
{
	struct json_object *object = json_object_new_object(), *gaps = json_object_new_array();

	out_set_moment(object, "start", lessons->start);
	out_set_moment(object, "end", lessons->end);
	out_set_number(object, "binds", lessons->learn.binds);
	for (unsigned i = 0; i < lessons->ngaps; i++)
		json_object_array_add(gaps, out_string(lessons->gaps[i]));
	json_object_object_add(object, "incomplete", gaps);
	out_begin_array(object, "rules");
	for (size_t i = 0; i < learned->policy.n; i++)
		out_element(make_lesson(&learned->policy, &learned->policy.rules[i], &learned->lessons[i]));
	out_end_array();
	return 0;
}

int lessons_print(const struct lessons *lessons, struct bc_error *reterr)
{
	_cleanup_(bc_learned_done) struct bc_learned learned = {};
	_cleanup_(bc_ephemeral_done) struct bc_ephemeral ephemeral = {};
	struct bc_learned_form form = { .user = written_user };
	int r;

	/* The root is every cgroup. */
	if (lessons->cgroup && lessons->cgroup[1])
		form.cgroup = lessons->cgroup;
	bc_ephemeral_read(&ephemeral);
	form.chosen = ephemeral.range;
	/* The kernel's default, where it does not say. */
	if (!form.chosen.last)
		form.chosen = (struct bc_range){ 32768, 60999 };
	r = bc_learned_make(&lessons->learn, &form, &learned, reterr);
	if (r)
		return r;
	r = (lessons->json ? print_json : print_policy)(lessons, &learned);
	return r ? bc_fail(reterr, r, "out of memory") : 0;
}
