// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/stat.h>

#include "cmd/app.h"
#include "kernel/probe.h"

int run_unload(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = { { "help", no_argument, NULL, 'h' }, {} };
	_cleanup_close_ int lock = -1;
	bool was_loaded = false;
	struct bc_error error, note;
	struct stat st;
	int code, r;

	while (next_option(command, argc, argv, table, &code) != -1)
		return code;
	if (optind < argc)
		return usage_error(command, "unload: unexpected '%s'", argv[optind]);
	r = bc_probe_capabilities(&error);
	if (r)
		return failed(&error);
	/* Locking would make the directory, or even mount a bpffs: not to find that there is nothing in it. */
	if (!stat(app->instance.pins, &st) || errno != ENOENT) {
		r = bc_instance_lock(&app->instance, &lock, &note, &error);
		if (!r)
			r = bc_instance_unload(&app->instance, &was_loaded, &error);
		if (r)
			return failed(&error);
	}
	if (!was_loaded)
		say("nothing was loaded in %s", app->instance.pins);
	return EXIT_DONE;
}
