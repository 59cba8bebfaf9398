// SPDX-License-Identifier: GPL-2.0-or-later
/* Real binds, the rules learned from them, and the same binds again under a deny of every port. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "host/names.h"
#include "kernel/events.h"
#include "pure/learned.h"

#define AUDIT "mode audit\n"
#define DENY "deny port 1-65535 netns any\n"

static struct bc_events *events;

static int learn_event(void *ctx, const struct bc_event *event)
{
	return bc_learn_add(ctx, event, NULL);
}

/* From now on, under that policy. */
static void begin(const char *policy)
{
	const struct bc_wanted wanted = { .all = true, .ring_bytes = 1 << 20 };
	struct bc_error error;

	bed_policy(policy);
	if (bc_events_open(bed.pins, &wanted, &events, &error))
		fail_msg("%s", error.text);
}

/* Puts what was learned since then into force, beside a deny of all ports. Returns how many binds there were. */
static uint64_t end_and_apply(const struct bc_learned_form *form, struct bc_text *ret_policy)
{
	struct bc_learned learned = {};
	struct bc_learn learn = {};
	struct bc_losses losses;
	struct bc_error error;
	uint64_t binds;

	assert_int_equal(bc_events_read(events, learn_event, &learn), 0);
	assert_int_equal(bc_events_losses(events, &losses, &error), 0);
	assert_int_equal(losses.lost + losses.limited, 0);
	bc_events_close(&events);
	if (bc_learned_make(&learn, form, &learned, &error))
		fail_msg("%s", error.text);
	bc_text_addf(ret_policy, DENY);
	for (size_t i = 0; i < learned.policy.n; i++)
		bc_lesson_format(ret_policy, &learned.policy, &learned.policy.rules[i], &learned.lessons[i]);
	binds = learn.binds;
	bc_learned_done(&learned);
	bc_learn_done(&learn);
	bed_policy(ret_policy->data);
	return binds;
}

static const uint32_t users[] = { 0, NOBODY, SOMEBODY };
static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "::", "::ffff:127.0.0.1", "::1" };
static const uint16_t ports[] = { 981, 982, 8981 };

/* One of all binds that there are: a digit for each thing in which they differ. */
struct number {
	unsigned user, addr, port, udp, v6only;
};

#define ALL (3 * 5 * 3 * 2 * 2)

static struct number number_of(unsigned n)
{
	struct number number;

	number.user = n % 3, n /= 3;
	number.addr = n % 5, n /= 5;
	number.port = n % 3, n /= 3;
	number.udp = n % 2, n /= 2;
	number.v6only = n;
	return number;
}

/* Whether there is such a bind: a V6ONLY socket takes no mapped address, and an IPv4 one has no such option. */
static bool exists(const struct number *number)
{
	return !number->v6only || number->addr == 2 || number->addr == 4;
}

static int bind_error(const struct number *number)
{
	const struct try try = { .uid = users[number->user],
				 .family = number->addr < 2 ? AF_INET : AF_INET6,
				 .addr = addrs[number->addr],
				 .port = ports[number->port],
				 .type = number->udp ? SOCK_DGRAM : SOCK_STREAM,
				 .v6only = number->v6only };

	return bed_try(&try).error;
}

/* Whether the first of the binds, having been seen, makes the other one pass; of the sides of a dual-stack [::] one. */
static bool covers(const struct number *seen, const struct number *other, unsigned side)
{
	bool wild = seen->addr == 2 && !seen->v6only;
	/* One address in two spellings. */
	unsigned addr = seen->addr == 3 ? 1 : seen->addr;

	return seen->user == other->user && seen->port == other->port && seen->udp == other->udp &&
	       (addr == side || (wild && side == 0));
}

static bool is_covered(const bool *seen, const struct number *number)
{
	unsigned sides[2] = { number->addr == 3 ? 1 : number->addr }, nsides = 1, found = 0;

	if (number->addr == 2 && !number->v6only)
		sides[nsides++] = 0;
	for (unsigned side = 0; side < nsides; side++) {
		bool some = false;

		for (unsigned n = 0; n < ALL; n++) {
			struct number other = number_of(n);

			some |= seen[n] && covers(&other, number, sides[side]);
		}
		found += some;
	}
	return found == nsides;
}

/* Of all binds some are made, while the deny only reports; what they need and what the kernel refused is granted. */
static void what_was_seen_passes_and_nothing_else(void **state)
{
	const struct bc_learned_form form = { .user = bc_user_name };
	unsigned binds = 0, passed = 0, refused = 0;
	struct bc_text policy = {};
	bool seen[ALL] = {};

	(void)state;
	begin(AUDIT DENY);
	for (unsigned n = 5; n < ALL; n += 7) {
		struct number number = number_of(n);

		if (!exists(&number))
			continue;
		assert_int_equal(bind_error(&number), number.user && number.port < 2 ? EACCES : 0);
		seen[n] = true;
		binds++;
	}
	assert_int_equal(end_and_apply(&form, &policy), binds);
	for (unsigned n = 0; n < ALL; n++) {
		struct number number = number_of(n);
		int expected = is_covered(seen, &number) ? 0 : EACCES, error;

		if (!exists(&number))
			continue;
		error = bind_error(&number);
		if (error != expected)
			fail_msg("uid %u, %s port %u %s%s: %s, not %s, under:\n%s", users[number.user],
				 addrs[number.addr], ports[number.port], number.udp ? "udp" : "tcp",
				 number.v6only ? " V6ONLY" : "", strerror(error), strerror(expected), policy.data);
		if (error)
			refused++;
		else
			passed++;
	}
	printf("# %u binds seen; then %u passed, %u were refused\n", binds, passed, refused);
	assert_true(passed >= binds && refused > passed);
	bc_text_done(&policy);
}

/* In another network namespace, and with the choice left to the kernel. */
static void choice_of_the_kernel_passes(void **state)
{
	const struct bc_learned_form form = { .user = bc_user_name, .chosen = { 9444, 9445 } };
	struct try try = { .uid = NOBODY, .family = AF_INET6, .local_ports = "9444 9445" };
	struct bc_text policy = {};

	(void)state;
	bed_policy(DENY);
	assert_int_equal(bed_try(&try).error, EACCES);
	begin(AUDIT DENY);
	assert_int_equal(bed_try(&try).error, 0);
	assert_int_equal(end_and_apply(&form, &policy), 1);
	assert_int_equal(bed_try(&try).error, 0);
	try.family = AF_INET;
	assert_int_equal(bed_try(&try).error, 0);
	try.addr = "127.0.0.1";
	assert_int_equal(bed_try(&try).error, EACCES);
	try.addr = NULL;
	try.uid = SOMEBODY;
	assert_int_equal(bed_try(&try).error, EACCES);
	try.uid = NOBODY;
	try.local_ports = "9446 9447";
	assert_int_equal(bed_try(&try).error, EACCES);
	bc_text_done(&policy);
	/* What the deny refused itself is no more than a proposal. */
	try.local_ports = "9444 9445";
	begin(DENY);
	assert_int_equal(bed_try(&try).error, EACCES);
	assert_int_equal(end_and_apply(&form, &policy), 1);
	assert_non_null(strstr(policy.data, "\n# allow user nobody port 9444-9445 proto tcp addr 0.0.0.0 netns any\n"));
	assert_int_equal(bed_try(&try).error, EACCES);
	bc_text_done(&policy);
}

static void rules_hold_in_the_cgroup_that_is_asked_for(void **state)
{
	struct bc_learned_form form = { .user = bc_user_name };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 981, .in = "web/a" };
	struct bc_text policy = {};
	char path[128];

	(void)state;
	bed_make_cgroup("web/a");
	snprintf(path, sizeof(path), "%s/web", bed.scope);
	form.cgroup = path;
	begin(AUDIT DENY);
	assert_int_equal(bed_try(&try).error, EACCES);
	assert_int_equal(end_and_apply(&form, &policy), 1);
	assert_int_equal(bed_try(&try).error, 0);
	try.in = "web";
	assert_int_equal(bed_try(&try).error, 0);
	try.in = NULL;
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_remove_cgroup("web");
	bc_text_done(&policy);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(what_was_seen_passes_and_nothing_else),
		cmocka_unit_test(choice_of_the_kernel_passes),
		cmocka_unit_test(rules_hold_in_the_cgroup_that_is_asked_for),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
