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

int bc_fail_errno(struct bc_error *reterr, int code, const char *format, ...)
{
	va_list args;
	size_t used;

	if (reterr) {
		va_start(args, format);
		fill(reterr, NULL, 0, 0, format, args);
		va_end(args);
		used = strlen(reterr->text);
		snprintf(reterr->text + used, sizeof(reterr->text) - used, ": %s", strerror(-code));
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
