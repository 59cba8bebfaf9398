// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "pure/lesson.h"
#include "pure/moment.h"
#include "pure/parse.h"

/* `nginx`, `a, b and c`, `a, b, c, d and others`. */
static void format_programs(struct bc_text *text, const struct bc_sightings *sightings)
{
	for (unsigned i = 0; i < sightings->nprograms; i++) {
		bc_text_addf(text, "%s%s",
			     i == 0			   ? "" :
			     i + 1 == sightings->nprograms ? " and " :
							     ", ",
			     i == BC_PROGRAMS ? "others" : sightings->programs[i]);
	}
}

static void format_second(struct bc_text *text, uint64_t moment)
{
	bc_format_moment(text, moment - moment % BC_SECOND);
}

void bc_lesson_comment(struct bc_text *text, const struct bc_text *line)
{
	char shown[BC_LINE_MAX];

	if (!line->data)
		return;
	bc_printable(shown, sizeof(shown) - strlen(BC_LESSON_MARK), line->data);
	bc_text_addf(text, BC_LESSON_MARK "%s\n", shown);
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
	bc_lesson_comment(text, &line);
	text->failed |= line.failed;
}

static void format_reasons(struct bc_text *text, const struct bc_rule *rule, const struct bc_lesson *lesson)
{
	_cleanup_(bc_text_done) struct bc_text line = {};

	if (lesson->v4_side)
		bc_text_addf(text, BC_LESSON_MARK "among them [::], which takes the IPv4 port along\n");
	if (lesson->range)
		bc_text_addf(text, BC_LESSON_MARK
			     "left the choice to the kernel: these are all the ports that it chooses from, "
			     "more than was seen\n");
	if (lesson->sightings.ungranted)
		bc_text_addf(text, BC_LESSON_MARK "%llu refused by the kernel: nothing granted the port\n",
			     (unsigned long long)lesson->sightings.ungranted);
	if (rule->any_netns)
		bc_text_addf(text, BC_LESSON_MARK "seen outside of the initial network namespace\n");
	if (lesson->fate == BC_FATE_LED)
		bc_text_addf(&line, "led elsewhere, which must stay, by: %s", lesson->by ?: "a rule that is gone");
	else if (lesson->fate == BC_FATE_REFUSED)
		bc_text_addf(&line, "refused by: %s", lesson->by ?: "a rule that is gone");
	bc_lesson_comment(text, &line);
	text->failed |= line.failed;
}

void bc_lesson_format(struct bc_text *text, const struct bc_policy *policy, const struct bc_rule *rule,
		      const struct bc_lesson *lesson)
{
	format_tally(text, lesson);
	format_reasons(text, rule, lesson);
	if (lesson->fate != BC_FATE_PASSED)
		bc_text_addf(text, BC_LESSON_MARK);
	bc_format_rule(text, policy, rule);
	bc_text_addf(text, "\n");
}
