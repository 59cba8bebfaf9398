// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

static void fill(struct bc_error *reterr, const char *source, unsigned line, unsigned column, const char *format,
		 va_list args)
{
	struct bc_error error = { .line = line, .column = column };

	/* Built aside first: the arguments may point into *reterr itself. */
	vsnprintf(error.text, sizeof(error.text), format, args);
	if (source)
		snprintf(error.source, sizeof(error.source), "%s", source);
	*reterr = error;
}

int bc_fail(struct bc_error *reterr, int code, const char *format, ...)
{
	va_list args;

	if (reterr) {
		va_start(args, format);
		fill(reterr, NULL, 0, 0, format, args);
		va_end(args);
	}
	return code;
}

/* Behind the text, which gives way if it is too long: a path can be guessed from its beginning, an errno cannot. */
static void add_reason(struct bc_error *error, const char *reason)
{
	static const char cut[] = "...";
	size_t size = sizeof(error->text), used = strlen(error->text), need = strlen(": ") + strlen(reason) + 1;

	if (used + need > size) {
		used = bc_utf8_cut(error->text, size - need - strlen(cut));
		used += snprintf(error->text + used, size - used, "%s", cut);
	}
	snprintf(error->text + used, size - used, ": %s", reason);
}

int bc_fail_errno(struct bc_error *reterr, int code, const char *format, ...)
{
	va_list args;

	if (reterr) {
		va_start(args, format);
		fill(reterr, NULL, 0, 0, format, args);
		va_end(args);
		add_reason(reterr, strerror(-code));
	}
	return code;
}

int bc_fail_at(struct bc_error *reterr, int code, const char *source, unsigned line, unsigned column,
	       const char *format, ...)
{
	va_list args;

	if (reterr) {
		va_start(args, format);
		fill(reterr, source, line, column, format, args);
		va_end(args);
	}
	return code;
}

void bc_report_add(struct bc_report *report, const struct bc_error *error)
{
	if (error->severity == BC_ERROR)
		report->errors++;
	if (report->n >= BC_REPORT_MAX || bc_grow(&report->items, &report->room, report->n + 1)) {
		report->dropped++;
		return;
	}
	report->items[report->n++] = *error;
}

void bc_report_done(struct bc_report *report)
{
	free(report->items);
	*report = (struct bc_report){};
}
