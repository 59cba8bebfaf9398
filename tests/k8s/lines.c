// SPDX-License-Identifier: GPL-2.0-or-later
#include "lines.h"

#include <json-c/json.h>
#include <stdio.h>

void lines_stats(const struct resource *resource)
{
	const struct reflector_stats *s = reflector_stats(resource->reflector);

#define N(name) (unsigned long long)s->name
	printf("%s STATS none=%llu 1xx=%llu 2xx=%llu 3xx=%llu 4xx=%llu 5xx=%llu lists=%llu watches=%llu "
	       "set=%llu gone=%llu bookmarks=%llu expired=%llu truncated=%llu silent=%llu "
	       "status=%u failure=%s\n",
	       resource->name, N(replies[0]), N(replies[1]), N(replies[2]), N(replies[3]), N(replies[4]), N(replies[5]),
	       N(lists), N(watches), N(set), N(gone), N(bookmarks), N(expired), N(truncated), N(silent), s->status,
	       s->failure);
#undef N
}

/* So that no name can look like something else, or like two lines. */
static void print_text(struct json_object *metadata, const char *name, char behind)
{
	struct json_object *found = NULL;
	const char *text;
	int len;

	if (!json_object_object_get_ex(metadata, name, &found))
		return;
	text = json_object_get_string(found);
	len = json_object_get_string_len(found);
	for (int i = 0; i < len; i++) {
		if (text[i] > ' ' && text[i] <= '~' && text[i] != '\\' && text[i] != '/')
			putchar(text[i]);
		else
			printf("\\x%02x", (unsigned char)text[i]);
	}
	if (behind)
		putchar(behind);
}

static void on_list_begin(void *ctx)
{
	const struct resource *resource = ctx;

	printf("%s LIST-BEGIN\n", resource->name);
}

static int on_object(void *ctx, struct json_object *object, bool gone)
{
	const struct resource *resource = ctx;
	struct json_object *metadata = NULL;

	json_object_object_get_ex(object, "metadata", &metadata);
	printf("%s %s ", resource->name, gone ? "GONE" : "SET");
	print_text(metadata, "namespace", '/');
	print_text(metadata, "name", '\0');
	if (!gone) {
		putchar(' ');
		print_text(metadata, "resourceVersion", '\0');
	}
	putchar('\n');
	return 0;
}

static void on_unreadable(void *ctx, const char *namespace, const char *name, const char *why)
{
	const struct resource *resource = ctx;

	printf("%s UNREADABLE %s%s%s: %s\n", resource->name, namespace, *namespace ? "/" : "", *name ? name : "?", why);
}

static void on_list_end(void *ctx)
{
	const struct resource *resource = ctx;

	printf("%s LIST-END\n%s SYNCED\n", resource->name, resource->name);
	if (resource->stats)
		lines_stats(resource);
}

static void on_note(void *ctx, enum reflector_level level, const char *text)
{
	const struct resource *resource = ctx;

	printf("%s NOTE %s: %s\n", resource->name,
	       level == REFLECT_WARNING ? "warning" :
	       level == REFLECT_INFO	? "info" :
					  "debug",
	       text);
}

void lines_set(struct resource *resource, struct reflector_config *config)
{
	config->ctx = resource;
	config->on_list_begin = on_list_begin;
	config->on_object = on_object;
	config->on_unreadable = on_unreadable;
	config->on_list_end = on_list_end;
	config->on_note = on_note;
}
