// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/target.h"

#include <stdbool.h>
#include <string.h>
#include "base/util.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* &name=value, escaped; nothing if there is no value. */
static void add(struct bc_text *text, const char *name, const char *value)
{
	if (!value)
		return;
	bc_text_addf(text, "&%s=", name);
	for (; *value; value++) {
		if (is_plain(*value))
			bc_text_add(text, value, 1);
		else
			bc_text_addf(text, "%%%02X", (unsigned char)*value);
	}
}

static char *finish(struct bc_text *text)
{
	if (text->failed)
		bc_text_done(text);
	return text->data;
}

char *target_list(const char *path, const char *field_selector, unsigned page, const char *next_page)
{
	struct bc_text text = {};

	/* 0 is what the API takes for no limit. */
	bc_text_addf(&text, "%s?limit=%u", path, page);
	add(&text, "fieldSelector", field_selector);
	add(&text, "continue", next_page);
	return finish(&text);
}

char *target_watch(const char *path, const char *field_selector, const char *version, unsigned seconds)
{
	struct bc_text text = {};

	bc_text_addf(&text, "%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%u", path, seconds);
	add(&text, "resourceVersion", version);
	add(&text, "fieldSelector", field_selector);
	return finish(&text);
}
