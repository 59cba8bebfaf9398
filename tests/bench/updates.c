// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a change of the policy takes until it is enforced, while somebody binds all the time, ports that the change
 * is not about: each of his binds must come out as both policies say.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define CHANGES 5 /* a round */

static const uint32_t before[] = { 1, 1000, 100000 };
static const char *const before_names[] = { "1 rule", "1 k", "100 k" };

static uint64_t watched, wrong, taken;

static void start_watching(const struct worker *worker)
{
	/* The port behind the grant's last one is the kernel's to refuse. */
	const struct order order = { .mode = ORDER_WATCH,
				     .type = SOCK_STREAM,
				     .port = PORT,
				     .nports = ORDER_PORTS,
				     .step = 1,
				     .wanted = EACCES };

	worker_order(worker, &order);
}

static void stop_watching(const struct worker *worker)
{
	struct answer answer;

	if (send(worker->fd, "", 1, MSG_NOSIGNAL) != 1)
		fail("a worker is gone: %m");
	answer = worker_answer(worker);
	watched += answer.done;
	wrong += answer.wrong;
	taken += answer.taken;
	/* What is wanted depends on the port. */
	if (answer.wrong)
		worker_say_wrong(&answer, answer.port == PORT ? 0 : EACCES);
}

static void write_policy(uint32_t rules, bool another)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	policy_text(USERS, bench.name, rules, &text);
	if (another)
		bc_text_addf(&text, "grant user 4321 port 999 netns any\n");
	if (text.failed)
		fail("out of memory");
	bed_write("policy/10-bench.conf", text.data, text.len);
}

static void measure_commands(const struct worker *worker)
{
	for (unsigned i = 0; i < ARRAY_SIZE(before); i++) {
		write_policy(before[i], false);
		BINDCTL("apply");
		start_watching(worker);
		for (unsigned k = 0; k < CHANGES; k++) {
			figure_add(UPDATES, "bindctl grant", before_names[i],
				   BINDCTL("grant", "4321", "999", "netns", "any") / 1e6);
			figure_add(UPDATES, "bindctl revoke", before_names[i],
				   BINDCTL("revoke", "4321", "999", "netns", "any") / 1e6);
		}
		stop_watching(worker);
	}
}

static void measure_apply(const struct worker *worker)
{
	start_watching(worker);
	for (unsigned k = 0; k < 2; k++) {
		write_policy(1000000 - k, k);
		figure_add(UPDATES, "bindctl apply (text to enforced)", size_names[3], BINDCTL("apply") / 1e6);
	}
	stop_watching(worker);
}

static void measure_publication(const struct worker *worker, const struct bc_cells *cells)
{
	uint64_t bytes, others;
	struct image last = policy_image(cells, &others);

	policy_publish(&last);
	start_watching(worker);
	for (unsigned k = 0; k < CHANGES; k++) {
		uint64_t start = now();
		struct image image = policy_image(cells, NULL);
		uint64_t middle = now();

		policy_publish(&image);
		figure_add(UPDATES, "image to enforced", size_names[3], (now() - start) / 1e6);
		figure_add(UPDATES, "of which swapped in", size_names[3], (now() - middle) / 1e6);
		close(last.fd);
		last = image;
	}
	stop_watching(worker);
	close(policy_image(cells, &bytes).fd);
	figure_add(MEMORY, "user, while one image follows another", size_names[3], (double)(bytes + others) / 1000000);
	close(last.fd);
}

static void set_goals(void)
{
	figure_goal("1 M rules, image to enforced", "ms", figure_median(UPDATES, "image to enforced", size_names[3]),
		    100, false);
	figure_goal("1 M rules, text to enforced", "ms",
		    figure_median(UPDATES, "bindctl apply (text to enforced)", size_names[3]), 2000, false);
	figure_goal("bindctl grant into 100 k rules", "ms", figure_median(UPDATES, "bindctl grant", before_names[2]),
		    250, false);
	figure_goal("binds meanwhile that came out wrong", "", wrong, 0, false);
	printf("%lu binds while the policy changed, %lu wrong, %lu of a port that was still held\n\n",
	       (unsigned long)watched, (unsigned long)wrong, (unsigned long)taken);
	if (wrong)
		fail("binds were decided as no policy says");
}

void measure_updates(void)
{
	struct worker worker = worker_start(&(struct who){ OURS, .uid = WORKER_USER });
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	unsigned rounds = (bench.rounds + 2) / 3;

	policy_compile(USERS, 1000000, &cells);
	for (unsigned round = 0; round < rounds; round++) {
		measure_commands(&worker);
		measure_apply(&worker);
		measure_publication(&worker, &cells);
	}
	worker_stop(&worker);
	set_goals();
}
