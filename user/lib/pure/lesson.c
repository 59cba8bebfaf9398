// SPDX-License-Identifier: GPL-2.0-or-later

#include "pure/lesson.h"
#include "pure/moment.h"

/* `nginx`, `a, b and c`, `a, b, c, d and others`. */
static void format_programs(struct bc_text *text, const struct bc_sightings *sightings)
{
	for (unsigned i = 0; i < sightings->nprograms; i++) {
		bc_text_addf(text, "%s%s",
			     i == 0			   ? "" :
			     i + 1 == sightings->nprograms ? " and " :
							     ", ",
			     i == BC_PROGRAMS ? "others" : "");
		if (i < BC_PROGRAMS)
			bc_format_word(text, sightings->programs[i]);
	}
}

static void format_second(struct bc_text *text, uint64_t moment)
{
	bc_format_moment(text, moment - moment % BC_SECOND);
}

static void format_tally(struct bc_text *text, const struct bc_lesson *lesson)
{
	const struct bc_sightings *sightings = &lesson->sightings;
	_cleanup_(bc_text_done) struct bc_text line = {};

	bc_text_addf(&line, "%llu bind%s by ", (unsigned long long)sightings->binds, sightings->binds == 1 ? "" : "s");
	format_programs(&line, sightings);
	bc_text_addf(&line, ", ");
	format_second(&line, sightings->first);
	if (sightings->last / BC_SECOND != sightings->first / BC_SECOND) {
		bc_text_addf(&line, " to ");
		format_second(&line, sightings->last);
	}
	bc_format_comment(text, &line);
	text->failed |= line.failed;
}

static void format_reasons(struct bc_text *text, const struct bc_rule *rule, const struct bc_lesson *lesson)
{
	_cleanup_(bc_text_done) struct bc_text line = {};

	if (lesson->v4_side)
		bc_text_addf(text, BC_COMMENT "among them [::], which takes the IPv4 port along\n");
	if (lesson->width == BC_WIDTH_CHOSEN)
		bc_text_addf(text,
			     BC_COMMENT "left the choice to the kernel: these are all the ports that it chooses from, "
					"more than was seen\n");
	if (lesson->width == BC_WIDTH_ANY)
		bc_text_addf(text, BC_COMMENT "left the choice to the kernel, which only a rule on any port is about: "
					      "more than was seen\n");
	if (lesson->sightings.ungranted)
		bc_text_addf(text, BC_COMMENT "%llu refused by the kernel: nothing granted the port\n",
			     (unsigned long long)lesson->sightings.ungranted);
	if (rule->any_netns)
		bc_text_addf(text, BC_COMMENT "seen outside of the initial network namespace\n");
	if (lesson->fate == BC_FATE_LED)
		bc_text_addf(&line, "led elsewhere, which must stay, by: %s", lesson->by ?: "a rule that is gone");
	else if (lesson->fate == BC_FATE_REFUSED)
		bc_text_addf(&line, "refused by: %s", lesson->by ?: "a rule that is gone");
	bc_format_comment(text, &line);
	text->failed |= line.failed;
}

void bc_lesson_format(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule,
		      const struct bc_lesson *lesson)
{
	format_tally(text, lesson);
	format_reasons(text, rule, lesson);
	if (lesson->fate != BC_FATE_PASSED)
		bc_text_addf(text, BC_COMMENT);
	bc_format_rule(text, policy, rule);
	bc_text_addf(text, "\n");
}
