// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as the files of authbind's directory, and what stands before the first of them as a file of mac_portacl's rules:
 *
 *   [P500 33 0 80]      byport/80, mode 500, uid 33, gid 0; A: byaddr
 *   [U600 0 0 33]       byuid/33, whose lines follow
 *
 * What is printed must be policy that means the same, and in which no rule contradicts another.
 */
#include "fuzz.h"
#include "pure/authbind.h"
#include "pure/portacl.h"

static void check(const struct bc_import *import)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct bc_error error;

	bc_import_format(&text, import);
	require(!text.failed);
	if (text.len)
		require(!bc_parse(&policy, "import", text.data, text.len, FUZZ_BASE, &report));
	require(!bc_resolve(&policy, &fuzz_names, BC_ERROR, &report));
	require(policy.n == import->policy.n && bc_policy_digest(&policy) == bc_policy_digest(&import->policy));
	require(!bc_compile(&policy, BC_ERROR, &cells, &report, &error) && !report.n);
}

/* A line that begins a file. Makes its name; the caller frees it with the rest. */
static bool begin_file(const char *line, struct bc_auth *auth)
{
	struct bc_auth_file file = { .access.exists = true };
	char place, name[100];

	if (sscanf(line, "[%c%o %u %u %99[^]\n]", &place, &file.access.mode, &file.access.uid, &file.access.gid,
		   name) != 5)
		return false;
	/* No directory has two of a name. */
	for (size_t i = 0; i < auth->n; i++)
		if (!strcmp(auth->files[i].name, name))
			return true;
	file.place = place == 'P' ? BC_AUTH_BYPORT : place == 'A' ? BC_AUTH_BYADDR : BC_AUTH_BYUID;
	file.access.mode &= 07777;
	file.access.odd = file.access.mode == 0777 ? "odd" : NULL;
	file.name = strdup(name);
	require(file.name && !bc_grow(&auth->files, &auth->room, auth->n + 1));
	auth->files[auth->n++] = file;
	return true;
}

/* One line more of a user's file; it may hold NULs. */
static void add_line(struct bc_auth_file *file, const char *line, size_t len)
{
	if (file->place != BC_AUTH_BYUID)
		return;
	file->text = realloc(file->text, file->len + len + 1);
	require(file->text);
	memcpy(file->text + file->len, line, len);
	file->len += len;
	file->text[file->len] = '\0';
}

static void import_rules(const char *text, size_t len)
{
	_cleanup_(bc_import_done) struct bc_import import = {};
	struct bc_error error = {};

	if (!bc_import_portacl("rules", text, len, &import, &error))
		check(&import);
	else
		require(error.line && error.column && *error.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(bc_import_done) struct bc_import import = {};
	_cleanup_(bc_auth_done) struct bc_auth auth = {};
	_cleanup_free_ char *text = calloc(1, size + 1);
	struct bc_error error;
	size_t len, rules = 0;

	require(text);
	if (size)
		memcpy(text, data, size);
	for (int i = 0; i < BC_AUTH_PLACES; i++)
		auth.places[i] = (struct bc_auth_access){ .exists = true, .mode = 0755 };
	for (size_t at = 0; at < size; at += len) {
		const char *end = memchr(text + at, '\n', size - at);

		len = end ? (size_t)(end + 1 - (text + at)) : size - at;
		if (begin_file(text + at, &auth))
			continue;
		if (auth.n)
			add_line(&auth.files[auth.n - 1], text + at, len);
		else
			rules = at + len;
	}
	import_rules(text, rules);
	require(!bc_import_authbind(&auth, "auth", &import, &error));
	check(&import);
	return 0;
}
