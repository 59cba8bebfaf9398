// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/libbpf.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

const uint32_t sizes[SIZES] = { 10, 1000, 100000, 1000000 };
const char *const size_names[SIZES] = { "10 rules", "1 k", "100 k", "1 M" };

static const char *out_dir;
static const char *only;

static bool is_wanted(const char *part)
{
	return !only || !strcmp(only, part);
}

static int work(void)
{
	if (is_wanted("programs"))
		measure_programs();
	if (is_wanted("readers"))
		measure_readers();
	if (is_wanted("calls"))
		measure_calls();
	if (is_wanted("updates"))
		measure_updates();
	if (only && !strcmp(only, "systemd"))
		measure_units();
	figures_write(only ? NULL : out_dir);
	return 0;
}

static void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: bench --bindctl FILE --worker FILE --out DIR [--rounds N] [--only PART]\n"
		"Measures bindctl against the running kernel, as root. Parts: programs, readers, calls, updates;\n"
		"and systemd, which is measured by name alone, where systemd is the first process. With one part "
		"alone\n"
		"nothing is written to DIR.\n");
	exit(code);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bindctl", required_argument, NULL, 'b' },
		{ "worker", required_argument, NULL, 'w' },
		{ "out", required_argument, NULL, 'o' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	uint64_t rounds = 15;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'b')
			bench.bindctl = optarg;
		else if (c == 'w')
			bench.worker = optarg;
		else if (c == 'o')
			out_dir = optarg;
		else if (c == 'p')
			only = optarg;
		else if (c == 'r' && !bc_parse_number(optarg, strlen(optarg), 1, 1000, &rounds))
			continue;
		else
			usage(c == 'h' ? 0 : 2);
	}
	if (optind < argc || !bench.bindctl || !bench.worker || !out_dir)
		usage(2);
	if (geteuid())
		fail("must be run as root");
	bench.rounds = rounds;
	libbpf_set_print(NULL);
	return bed_run(work);
}
