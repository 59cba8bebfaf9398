// SPDX-License-Identifier: GPL-2.0-or-later
/* import: what another tool permits, as policy. */
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/authdir.h"
#include "host/store.h"
#include "pure/portacl.h"

static int import_authbind(const char *dir, struct bc_import *ret, struct bc_error *reterr)
{
	_cleanup_(bc_auth_done) struct bc_auth auth = {};
	int r = bc_auth_read(dir, &auth, reterr);

	return r ?: bc_import_authbind(&auth, dir, ret, reterr);
}

/* Rules hold colons, and files whose name does can be given with a slash. */
static bool is_portacl_text(const char *argument)
{
	return !strchr(argument, '/') && strchr(argument, ':');
}

static int import_portacl(const char *argument, struct bc_import *ret, struct bc_error *reterr)
{
	_cleanup_(bc_file_done) struct bc_file file = {};
	int r;

	if (is_portacl_text(argument))
		return bc_import_portacl(NULL, argument, strlen(argument), ret, reterr);
	r = bc_file_read(argument, &file, reterr);
	return r ?: bc_import_portacl(argument, file.text, file.len, ret, reterr);
}

static const struct {
	const char *name;
	const char *usual; /* what to import if nothing is said; NULL: something must be */
	const char *wants;
	const char *remark; /* on what was made of it */
	int (*import)(const char *argument, struct bc_import *ret, struct bc_error *reterr);
} tools[] = {
	{ "authbind", BC_AUTH_DIR, NULL, "Root's binds it leaves to the kernel, and so does 'allow user root'.",
	  import_authbind },
	{ "portacl", NULL, "rules or a file", "Its numbers were taken for users and groups of this host.",
	  import_portacl },
};

/* What is lost is said on stderr, too: stdout may go to a file that nobody looks at. */
static void say_lost(const struct bc_import *import)
{
	for (size_t i = 0; i < import->n; i++) {
		const struct bc_note *note = &import->notes[i];
		struct bc_error warning = { .severity = BC_WARNING, .line = note->line, .column = note->column };

		if (note->kind != BC_NOTE_LOST)
			continue;
		snprintf(warning.source, sizeof(warning.source), "%s", import->policy.sources[note->source]);
		snprintf(warning.text, sizeof(warning.text), "not imported: %s", note->text);
		say_error(&warning);
	}
}

static void print_json(const struct bc_import *import)
{
	struct json_object *members = json_object_new_object(), *notes = json_object_new_array();

	for (size_t i = 0; i < import->n; i++) {
		const struct bc_note *note = &import->notes[i];
		struct json_object *element;

		if (note->kind == BC_NOTE_FROM)
			continue;
		element = json_object_new_object();
		out_set_bool(element, "lost", note->kind == BC_NOTE_LOST);
		out_set_string(element, "file", import->policy.sources[note->source]);
		out_set_number(element, "line", note->line);
		out_set_number(element, "column", note->column);
		out_set_string(element, "text", note->text);
		json_object_array_add(notes, element);
	}
	json_object_object_add(members, "notes", notes);
	out_begin_array(members, "rules");
	for (size_t i = 0; i < import->policy.n; i++)
		out_element(out_rule(&import->policy, &import->policy.rules[i]));
	out_end_array();
}

static int print_policy(const char *tool, const char *remark, const struct bc_import *import)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_import_format(&text, import);
	if (text.failed) {
		say("out of memory");
		return EXIT_FAILED;
	}
	printf("# Imported by bindctl from %s: %zu rule%s", tool, import->policy.n, import->policy.n == 1 ? "" : "s");
	if (import->lost)
		printf(", %zu thing%s NOT IMPORTED", import->lost, import->lost == 1 ? "" : "s");
	printf("\n# %s\n%s", remark, text.data ?: "");
	return EXIT_DONE;
}

static int import(const struct command *command, bool json, int argc, char **argv)
{
	_cleanup_(bc_import_done) struct bc_import made = {};
	struct bc_error error;
	size_t tool = 0;
	int code = EXIT_DONE;

	if (!argc)
		return usage_error(command, "import: wants authbind or portacl");
	while (tool < ARRAY_SIZE(tools) && strcmp(tools[tool].name, argv[0]))
		tool++;
	if (tool == ARRAY_SIZE(tools))
		return usage_error(command, "import: unknown '%s' (authbind or portacl)", argv[0]);
	if (argc > 2)
		return usage_error(command, "import: unexpected '%s'", argv[2]);
	if (argc < 2 && !tools[tool].usual)
		return usage_error(command, "import %s: wants %s", tools[tool].name, tools[tool].wants);
	if (tools[tool].import(argc < 2 ? tools[tool].usual : argv[1], &made, &error))
		return failed(&error);
	add_written_names(&made.policy);
	say_lost(&made);
	if (json)
		print_json(&made);
	else
		code = print_policy(tools[tool].name, tools[tool].remark, &made);
	return finish_output(code ?: made.lost ? EXIT_FAILED : EXIT_DONE);
}

int run_import(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	bool json = false;
	int option, code;

	(void)app;
	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		json |= option == 'j';
	}
	return import(command, json, argc - optind, argv + optind);
}
