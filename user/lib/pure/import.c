// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/import.h"

void bc_import_done(struct bc_import *import)
{
	for (size_t i = 0; i < import->n; i++)
		free(import->notes[i].text);
	free(import->notes);
	bc_policy_done(&import->policy);
	*import = (struct bc_import){};
}

void bc_import_note(struct bc_import *import, enum bc_note_kind kind, const char *source, unsigned line,
		    unsigned column, const char *format, ...)
{
	struct bc_note note = { .kind = kind, .rule = import->policy.n, .line = line, .column = column };
	va_list args;
	int r;

	if (import->failed)
		return;
	import->failed = bc_policy_source(&import->policy, source, &note.source);
	if (!import->failed && bc_grow(&import->notes, &import->room, import->n + 1))
		import->failed = -ENOMEM;
	if (import->failed)
		return;
	va_start(args, format);
	r = vasprintf(&note.text, format, args);
	va_end(args);
	if (r < 0) {
		import->failed = -ENOMEM;
		return;
	}
	import->notes[import->n++] = note;
	import->lost += kind == BC_NOTE_LOST;
}

void bc_import_rule(struct bc_import *import, const struct bc_rule *rule, const struct bc_range *ranges, size_t n)
{
	struct bc_policy *policy = &import->policy;
	struct bc_rule *added;

	if (import->failed)
		return;
	if (bc_grow(&policy->rules, &policy->room, policy->n + 1) ||
	    bc_grow(&policy->ranges, &policy->ranges_room, policy->nranges + n)) {
		import->failed = -ENOMEM;
		return;
	}
	added = &policy->rules[policy->n++];
	*added = *rule;
	added->clauses |= BC_CLAUSE_PORT;
	added->ranges = policy->nranges;
	added->nranges = n;
	if (import->n) {
		added->source = import->notes[import->n - 1].source;
		added->line = import->notes[import->n - 1].line;
	}
	memcpy(policy->ranges + policy->nranges, ranges, n * sizeof(*ranges));
	policy->nranges += n;
}

static void format_note(struct bc_text *text, const struct bc_import *import, const struct bc_note *note)
{
	_cleanup_(bc_text_done) struct bc_text line = {};

	bc_text_addf(&line, "%s%s", note->kind == BC_NOTE_LOST ? "NOT IMPORTED: " : "",
		     import->policy.sources[note->source]);
	if (note->line)
		bc_text_addf(&line, ":%u", note->line);
	if (note->column)
		bc_text_addf(&line, ":%u", note->column);
	bc_text_addf(&line, ": %s", note->text);
	bc_text_addf(text, "\n");
	bc_format_comment(text, &line);
	text->failed |= line.failed;
}

void bc_import_format(struct bc_text *text, const struct bc_import *import)
{
	size_t note = 0;

	for (size_t i = 0; i <= import->policy.n; i++) {
		for (; note < import->n && import->notes[note].rule == i; note++)
			format_note(text, import, &import->notes[note]);
		if (i == import->policy.n)
			return;
		bc_format_rule(text, &import->policy, &import->policy.rules[i]);
		bc_text_addf(text, "\n");
	}
}
