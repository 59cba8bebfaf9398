// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How much work the kernel's verifier has with each program. It gives up at a million instructions, and counts otherwise
 * from one kernel to the next: well below that, no kernel to come refuses what this one takes.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "bindctl.skel.h"

#define INSTRUCTIONS_MAX 500000
#define LOG_STATS 4 /* BPF_LOG_STATS of the kernel: the figures alone, and what it has against a program */
#define PROGRAMS 6

static char logs[PROGRAMS][65536];

/* All of it goes into the logs. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The end of what the verifier said, for a person. */
static void show_log(const char *name, const char *log)
{
	size_t len = strlen(log);

	for (log += len > 2000 ? len - 2000 : 0; *log; log += strcspn(log, "\n"), log += *log == '\n')
		printf("# %s: %.*s\n", name, (int)strcspn(log, "\n"), log);
}

static unsigned long processed(const char *log)
{
	const char *found = strstr(log, "processed ");

	return found ? strtoul(found + strlen("processed "), NULL, 10) : 0;
}

static void verifier_has_little_to_do(void **state)
{
	struct bindctl_bpf *programs = bindctl_bpf__open();
	struct bpf_program *program;
	int n = 0, r;

	(void)state;
	assert_non_null(programs);
	bpf_object__for_each_program(program, programs->obj)
	{
		assert_true(n < PROGRAMS);
		assert_int_equal(bpf_program__set_log_level(program, LOG_STATS), 0);
		assert_int_equal(bpf_program__set_log_buf(program, logs[n], sizeof(logs[n])), 0);
		n++;
	}
	assert_int_equal(n, PROGRAMS);
	r = bindctl_bpf__load(programs);
	n = 0;
	bpf_object__for_each_program(program, programs->obj)
	{
		const char *name = bpf_program__name(program), *log = logs[n++];
		unsigned long instructions = processed(log);

		if (r && *log)
			show_log(name, log);
		if (r)
			continue;
		printf("# verifier: %s: %lu instructions\n", name, instructions);
		/* None at all: not understood what it says. */
		assert_in_range(instructions, 1, INSTRUCTIONS_MAX);
	}
	if (r)
		fail_msg("the kernel refused the programs: %s", strerror(-r));
	bindctl_bpf__destroy(programs);
}

int main(void)
{
	const struct CMUnitTest table[] = { cmocka_unit_test(verifier_has_little_to_do) };

	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(say_nothing);
	return cmocka_run_group_tests(table, NULL, NULL);
}
