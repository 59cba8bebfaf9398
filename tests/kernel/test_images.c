// SPDX-License-Identifier: GPL-2.0-or-later
/* Images in the kernel: large ones, broken ones, and one taking another's place. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "kernel/attach.h"
#include "pure/decide.h"
#include "pure/inspect.h"

static int bind_error(uint32_t uid, int family, uint16_t port)
{
	const struct try try = { .uid = uid, .family = family, .port = port };

	return bed_try(&try).error;
}

/* Of what is published here: another one each time, since nobody compares the scopes. */
static uint64_t epoch = 1000;

/* Puts cells into force that the compiler never made. */
static void publish(const struct bc_cells *cells)
{
	const struct bc_imprint imprint = { .generation = 1, .root = 1, .epoch = ++epoch };
	struct bc_gate everything;
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	_cleanup_close_ int image_fd = -1;
	struct bc_error error;

	memset(&everything, 0xff, sizeof(everything));
	assert_int_equal(bc_force_open(bed.pins, &force, &error), 0);
	assert_int_equal(bc_image_create(cells, &imprint, &image_fd, &error), 0);
	assert_int_equal(bc_image_publish(&force, image_fd, &everything, &error), 0);
}

struct broken {
	const char *what;
	void (*breaks)(struct bc_cells *cells);
};

static struct bc_header *header(struct bc_cells *cells)
{
	return &cells->cells[0].header;
}

static void no_magic(struct bc_cells *cells)
{
	header(cells)->magic = 0;
}

static void other_schema(struct bc_cells *cells)
{
	header(cells)->schema++;
}

static void unknown_feature(struct bc_cells *cells)
{
	header(cells)->features |= 1u << 15;
}

static void rules_outside(struct bc_cells *cells)
{
	header(cells)->rules = cells->n + 1000;
}

static void rules_wrap(struct bc_cells *cells)
{
	header(cells)->rules = UINT32_MAX;
}

static struct bc_about *about(struct bc_cells *cells)
{
	return &cells->cells[1].about;
}

static void no_buckets(struct bc_cells *cells)
{
	/* The bucket is then 0, the index's first: nothing wrong may come of what is in it. */
	header(cells)->buckets = 0;
	memset(&cells->cells[BC_INDEX], 0, sizeof(*cells->cells));
}

static void segments_outside(struct bc_cells *cells)
{
	header(cells)->segments = cells->n + BC_PAGE_CELLS;
}

static void lists_outside(struct bc_cells *cells)
{
	header(cells)->lists = cells->n + BC_PAGE_CELLS;
}

/* The first entry, counted as rules are, that no page of the map has. */
static uint32_t first_outside(struct bc_cells *cells)
{
	uint32_t pages = (cells->n + BC_PAGE_CELLS - 1) / BC_PAGE_CELLS;

	return (pages * BC_PAGE_CELLS - header(cells)->rules) * BC_RULES;
}

static void details_outside(struct bc_cells *cells)
{
	bc_rule_at(cells, about(cells)->nrules - 1)->more = first_outside(cells);
}

static void detail_numbers_wrap(struct bc_cells *cells)
{
	bc_rule_at(cells, about(cells)->nrules - 1)->more = UINT32_MAX;
}

static void no_verdicts(struct bc_cells *cells)
{
	for (uint32_t i = 0; i < about(cells)->nrules; i++)
		bc_rule_at(cells, i)->verdict = 0;
}

static void unknown_verdicts(struct bc_cells *cells)
{
	for (uint32_t i = 0; i < about(cells)->nrules; i++)
		bc_rule_at(cells, i)->verdict = 200;
}

static void cut_short(struct bc_cells *cells)
{
	cells->n = header(cells)->rules;
}

static void header_alone(struct bc_cells *cells)
{
	cells->n = 1;
}

static void all_zero(struct bc_cells *cells)
{
	memset(cells->cells + 1, 0, (cells->n - 1) * sizeof(*cells->cells));
}

/*
 * Policies of every shape of index: one segment, a run of them, a list. Each asks for something, so that a rule's cell
 * is looked at.
 */
static const char *const shapes[] = {
	"grant user nobody port 443 proto tcp\n",
	"grant user nobody port 1,3,5,7,9,11,13,15,17,19,21,443 proto tcp\n",
	"grant user nobody port 443 log\ngrant user nobody port 443 proto tcp\n",
	"grant port 443 log\ngrant user nobody port 443 addr 127.0.0.0/8\n",
};

/* A broken image never grants, and leaves what needs no privilege alone. */
static void broken_images_never_grant(void **state)
{
	static const struct broken all[] = {
		{ "no magic", no_magic },
		{ "another schema", other_schema },
		{ "an unknown feature", unknown_feature },
		{ "rules behind the end", rules_outside },
		{ "rule numbers that wrap", rules_wrap },
		{ "no buckets", no_buckets },
		{ "rules without a verdict", no_verdicts },
		{ "verdicts that are none", unknown_verdicts },
		{ "cut short", cut_short },
		{ "a header alone", header_alone },
		{ "zeroes behind the header", all_zero },
		{ "segments behind the end", segments_outside },
		{ "lists behind the end", lists_outside },
		{ "a detail behind the end", details_outside },
		{ "a detail's number that wraps", detail_numbers_wrap },
	};

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			struct bc_cells cells;
			int error;

			bed_policy(shapes[s]);
			/* Segments, lists and details matter only to the shapes that have them. */
			if ((all[i].breaks == segments_outside && s != 1) ||
			    (all[i].breaks == lists_outside && s != 2) ||
			    ((all[i].breaks == details_outside || all[i].breaks == detail_numbers_wrap) && s != 3))
				continue;
			assert_int_equal(bind_error(NOBODY, AF_INET, 443), 0);
			cells = bed_build.cells;
			cells.cells = malloc(cells.n * sizeof(*cells.cells));
			assert_non_null(cells.cells);
			memcpy(cells.cells, bed_build.cells.cells, cells.n * sizeof(*cells.cells));
			all[i].breaks(&cells);
			publish(&cells);
			free(cells.cells);
			error = bind_error(NOBODY, AF_INET, 443);
			if (error != EACCES)
				fail_msg("%s, shape %zu: bind gave %d", all[i].what, s, error);
			assert_int_equal(bind_error(NOBODY, AF_INET6, 443), EACCES);
			assert_int_equal(bind_error(NOBODY, AF_INET, 8443), 0);
		}
	}
}

/* A rewrite whose detail or target cannot be read is none, and no way to the wildcard. */
static void rewrites_that_cannot_be_read_lead_nowhere(void **state)
{
	(void)state;
	for (uint32_t readable = 0; readable < 3; readable++) {
		bed_policy("rewrite user nobody port 443 to 127.0.0.1\n");
		if (readable < 2)
			bc_rule_at(&bed_build.cells, 0)->more = first_outside(&bed_build.cells) - readable;
		publish(&bed_build.cells);
		assert_int_equal(bind_error(NOBODY, AF_INET, 443), readable < 2 ? EACCES : 0);
	}
}

/* Whatever number stands in a deny, bind(2) fails with an errno. */
static void errno_is_always_one(void **state)
{
	static const uint8_t numbers[] = { 0, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int error;

		bed_policy("deny port 443\n");
		bc_rule_at(&bed_build.cells, 0)->err = numbers[i];
		publish(&bed_build.cells);
		error = bind_error(0, AF_INET, 443);
		assert_int_equal(error, numbers[i] ? numbers[i] : EPERM);
	}
}

/* Two users a port, on every port below 50,001; every third is a deny. */
static void write_many(struct bc_text *text)
{
	for (unsigned i = 0; i < 100000; i++)
		bc_text_addf(text, "%s user %u port %u\n", i % 3 ? "grant" : "deny", 100000 + i % 2, 1 + i / 2);
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

/* Every rule of the user, one after the other. */
static void bind_all(uint32_t uid)
{
	const struct try try = { .uid = uid };
	pid_t child = fork();
	int status;

	if (child == 0) {
		bed_become(&try);
		for (unsigned port = 1; port <= 50000; port++) {
			struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			/* Whether it is granted is not what is asked here. */
			(void)!bind(fd, (struct sockaddr *)&in, sizeof(in));
			close(fd);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The next image goes on counting where the last one was, whatever the page of a rule. */
static void a_hundred_thousand_counts(void)
{
	_cleanup_(bc_text_done) struct bc_text out = {};

	bind_all(100001);
	bed_write("20-more.conf", "grant port 60000\n", strlen("grant port 60000\n"));
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	assert_int_equal(BINDCTL(&out, "list", "--numeric", "--unused"), 0);
	assert_null(strstr(out.data, "user 100001"));
	/* The rules of the other user, the new one and the head. */
	assert_int_equal(count_lines(out.data), 50002);
	bed_write("20-more.conf", "", 0);
}

static void a_hundred_thousand_rules(void **state)
{
	static const unsigned rules[] = { 0, 1, 2, 3, 4, 5, 884, 885, 886, 2044, 2045, 99999 };
	_cleanup_(bc_text_done) struct bc_text text = {}, out = {};

	(void)state;
	write_many(&text);
	assert_false(text.failed);
	bed_write("10-many.conf", text.data, text.len);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	assert_int_equal(BINDCTL(&out, "list", "--numeric"), 0);
	assert_int_equal(count_lines(out.data), 100001);
	assert_non_null(strstr(out.data, "grant user 100000 port 50000"));
	a_hundred_thousand_counts();
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned number = rules[i], uid = 100000 + number % 2, port = 1 + number / 2;

		assert_int_equal(bind_error(uid, AF_INET, port), number % 3 ? 0 : EACCES);
		assert_int_equal(bind_error(uid, AF_INET6, port), number % 3 ? 0 : EACCES);
	}
	assert_int_equal(bind_error(100002, AF_INET, 443), EACCES);
	assert_int_equal(bind_error(100000, AF_INET, 50001), 0);
	bed_write("10-many.conf", "", 0);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	assert_int_equal(bind_error(100001, AF_INET, 1), EACCES);
}

/* Binds of 443 by nobody until told to stop; counts what neither policy would have answered. */
static void bind_until_stopped(volatile int *stop, volatile long *wrong, volatile long *binds)
{
	const struct try try = { .uid = NOBODY };

	bed_become(&try);
	while (!*stop) {
		for (int family = 0; family < 2; family++) {
			struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
			struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(444) };
			int fd = socket(family ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

			bed_reuse(fd);
			if (family ? bind(fd, (struct sockaddr *)&in6, sizeof(in6)) :
				     bind(fd, (struct sockaddr *)&in, sizeof(in)))
				++*wrong;
			++*binds;
			close(fd);
		}
	}
	_exit(0);
}

/* Both policies grant both ports, one by a user's rule and one by everyone's: no bind may fall between them. */
static void no_gap_between_policies(void **state)
{
	volatile long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	bed_policy("grant user nobody port 443,444\n");
	child = fork();
	if (child == 0)
		bind_until_stopped((volatile int *)shared, shared + 1, shared + 2);
	for (int i = 0; i < 100; i++)
		bed_policy(i % 2 ? "grant user nobody port 443,444\n" : "deny user 1 port 1-500\ngrant port 440-450\n");
	*(volatile int *)shared = 1;
	waitpid(child, NULL, 0);
	printf("# %ld binds during 100 swaps, %ld wrong\n", shared[2], shared[1]);
	assert_int_equal(shared[1], 0);
	assert_true(shared[2] > 100);
	munmap((void *)shared, 4096);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(broken_images_never_grant),
		cmocka_unit_test(rewrites_that_cannot_be_read_lead_nowhere),
		cmocka_unit_test(errno_is_always_one),
		cmocka_unit_test(a_hundred_thousand_rules),
		cmocka_unit_test(no_gap_between_policies),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
