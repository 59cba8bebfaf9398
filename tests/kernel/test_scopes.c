// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of cgroups and units: resolved by the kernel at the bind, whenever the cgroup was made. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"
#include "cycle.h"

static int bind_in(const char *in, uint16_t port)
{
	const struct try try = { .in = in, .uid = NOBODY, .family = AF_INET, .port = port };

	return bed_try(&try).error;
}

/* A policy in which %s stands for the bed's own cgroup. */
static void policy(const char *format)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (const char *at = format, *mark; *at; at = mark) {
		mark = strstr(at, "%s") ?: at + strlen(at);
		bc_text_add(&text, at, mark - at);
		if (*mark) {
			bc_text_addf(&text, "%s", bed.scope);
			mark += 2;
		}
	}
	assert_false(text.failed);
	bed_policy(text.data);
}

static void cgroup_is_covered_from_its_first_bind(void **state)
{
	char inside[320], outside[320];
	int granted, refused;

	(void)state;
	policy("grant cgroup %s/waiting port 443\n");
	snprintf(inside, sizeof(inside), "%s/waiting", bed.cgroup);
	snprintf(outside, sizeof(outside), "%s/waitinh", bed.cgroup);
	granted = cycles(inside, 0);
	refused = cycles(outside, EACCES);
	printf("# cgroup made, bound in, removed: %d of %d granted, outside %d of %d refused\n", granted, CYCLES,
	       refused, CYCLES);
	assert_int_equal(granted, CYCLES);
	assert_int_equal(refused, CYCLES);
}

static void deepest_scope_decides(void **state)
{
	(void)state;
	bed_make_cgroup("a/b/c/d");
	policy("deny port 443\ngrant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443 errno EPERM\n"
	       "grant cgroup %s/a/b/c/d user nobody port 443\n");
	assert_int_equal(bind_in(NULL, 443), EACCES);
	assert_int_equal(bind_in("a", 443), 0);
	assert_int_equal(bind_in("a/b", 443), EPERM);
	assert_int_equal(bind_in("a/b/c", 443), EPERM);
	assert_int_equal(bind_in("a/b/c/d", 443), 0);
	/* A wider rule of a deeper scope goes before a narrower one further out. */
	policy("deny user nobody port 443 proto tcp addr 0.0.0.0\ngrant cgroup %s/a port 1-1000\n");
	assert_int_equal(bind_in("a/b", 443), 0);
	assert_int_equal(bind_in(NULL, 443), EACCES);
	/* A rule further in that does not hold leaves the decision to the next one out. */
	policy("grant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443 proto udp\ndeny cgroup %s/a/b user root port "
	       "443\n");
	assert_int_equal(bind_in("a/b", 443), 0);
	bed_remove_cgroup("a");
}

static void change_of_scopes_counts_at_once(void **state)
{
	(void)state;
	bed_make_cgroup("a/b");
	for (int i = 0; i < 5; i++) {
		policy("grant cgroup %s/a port 443\n");
		assert_int_equal(bind_in("a/b", 443), 0);
		policy("grant cgroup %s/a port 443\ndeny cgroup %s/a/b port 443\n");
		assert_int_equal(bind_in("a/b", 443), EACCES);
		policy("grant cgroup %s/a/b port 443\n");
		assert_int_equal(bind_in("a/b", 443), 0);
		assert_int_equal(bind_in("a", 443), EACCES);
		policy("grant cgroup %s/other port 443\n");
		assert_int_equal(bind_in("a/b", 443), EACCES);
	}
	bed_remove_cgroup("a");
}

/* The cache of scopes filled with entries that are not of this policy. */
static void fill_cache(uint64_t cgroup, uint64_t entry)
{
	const uint64_t seen[2] = { cgroup, entry };
	_cleanup_close_ int fd = -1;
	struct bc_error error;
	uint32_t key = 0;

	assert_int_equal(bc_pin_open_map(bed.pins, BC_PIN_SEEN, BPF_MAP_TYPE_ARRAY, &fd, NULL, &error), 0);
	while (!bpf_map_update_elem(fd, &key, seen, BPF_EXIST))
		key++;
	assert_true(key > 1000);
}

/* Neither what was found under another policy, nor what is another cgroup's, counts. */
static void cached_scope_is_of_this_policy_and_cgroup(void **state)
{
	_cleanup_close_ int fd = -1;
	struct bc_error error;
	char path[320];
	uint64_t id;

	(void)state;
	bed_make_cgroup("a/b");
	policy("grant cgroup %s/a/b port 443\n");
	snprintf(path, sizeof(path), "%s/a/b", bed.cgroup);
	assert_int_equal(bc_open_cgroup(path, &fd, &error), 0);
	assert_int_equal(bc_cgroup_id(fd, &id), 0);
	for (uint64_t tag = 1; tag < 4; tag++) {
		fill_cache(id, tag << 60 | BC_SCOPE_ROOT);
		assert_int_equal(bind_in("a/b", 443), 0);
	}
	/* And as it was. */
	assert_int_equal(bind_in("a/b", 443), 0);
	bed_remove_cgroup("a/b");
}

static void cgroup_made_anew_is_the_same_to_the_policy(void **state)
{
	(void)state;
	policy("grant cgroup %s/a port 443\n");
	for (int i = 0; i < 20; i++) {
		bed_make_cgroup("a/b");
		assert_int_equal(bind_in("a/b", 443), 0);
		bed_remove_cgroup("a");
		bed_make_cgroup("b/a");
		assert_int_equal(bind_in("b/a", 443), EACCES);
		bed_remove_cgroup("b");
	}
}

static const char *const names[] = {
	"with blank", "a\\x2db", "caf\xc3\xa9", "-", "...", "%s", "\"quoted\"", "back\\slash", "#",
};

static void names_of_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		char other[64];

		bc_text_addf(&text, "grant cgroup \"%s/", bed.scope);
		for (const char *at = names[i]; *at; at++)
			bc_text_addf(&text, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
		bc_text_addf(&text, "\" port 443\n");
		bed_policy(text.data);
		snprintf(other, sizeof(other), "%s.", names[i]);
		bed_make_cgroup(names[i]);
		bed_make_cgroup(other);
		assert_int_equal(bind_in(names[i], 443), 0);
		assert_int_equal(bind_in(other, 443), EACCES);
		bed_remove_cgroup(names[i]);
		bed_remove_cgroup(other);
	}
}

/* At each length where the name's last part ends, and one byte to either side. */
static void names_of_every_length(void **state)
{
	static const int lengths[] = { 1,  2,	31,  32,  33,  63,  64,	 65,  95,  96,
				       97, 127, 128, 129, 192, 223, 224, 225, 254, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		char name[256] = "", other[256], shorter[256];
		int len = lengths[i];

		memset(name, 'n', len);
		strcpy(other, name);
		strcpy(shorter, name);
		other[len - 1] = 'm';
		shorter[len - 1] = '\0';
		bc_text_addf(&text, "grant cgroup %s/%s port 443\n", bed.scope, name);
		bed_policy(text.data);
		bed_make_cgroup(name);
		bed_make_cgroup(other);
		assert_int_equal(bind_in(name, 443), 0);
		assert_int_equal(bind_in(other, 443), EACCES);
		if (len > 1) {
			bed_make_cgroup(shorter);
			assert_int_equal(bind_in(shorter, 443), EACCES);
			bed_remove_cgroup(shorter);
		}
		bed_remove_cgroup(name);
		bed_remove_cgroup(other);
	}
}

static void sixty_four_levels(void **state)
{
	_cleanup_(bc_text_done) struct bc_text path = {}, text = {};

	(void)state;
	for (int i = 0; i < 64; i++)
		bc_text_addf(&path, "%slevel-%d", i ? "/" : "", i);
	bc_text_addf(&text, "grant cgroup %s/%s port 443\ngrant cgroup %s/level-0 port 444\n", bed.scope, path.data,
		     bed.scope);
	bed_policy(text.data);
	bed_make_cgroup(path.data);
	assert_int_equal(bind_in(path.data, 443), 0);
	assert_int_equal(bind_in(path.data, 444), 0);
	*strrchr(path.data, '/') = '\0';
	assert_int_equal(bind_in(path.data, 443), EACCES);
	assert_int_equal(bind_in(path.data, 444), 0);
	bed_remove_cgroup("level-0");
}

/* The same names in another order or place: what an owner of a delegated subtree can make. */
static void path_cannot_be_forged_from_below(void **state)
{
	static const char *const forged[] = { "user/bed/svc", "svc/svc", "user/svc", "bed", "user/a/svc", "a/svc/b" };

	(void)state;
	policy("grant cgroup %s/a/b/svc port 443\ngrant cgroup /svc port 443\ngrant cgroup /a/svc port 443\n");
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		bed_make_cgroup(forged[i]);
		assert_int_equal(bind_in(forged[i], 443), EACCES);
	}
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		char top[16];

		snprintf(top, sizeof(top), "%.*s", (int)strcspn(forged[i], "/"), forged[i]);
		bed_remove_cgroup(top);
	}
}

#define REMEMBERED 8192 /* SEEN_MAX of maps.bpf.h */

/* More cgroups than the cache remembers: what falls out of it is walked to again. */
static void more_cgroups_than_are_remembered(void **state)
{
	const int rounds = bed_share(300);

	(void)state;
	if (rounds * 40 <= REMEMBERED) {
		print_message("# SKIP as many cgroups as are remembered take too long here\n");
		skip();
	}
	policy("grant cgroup %s/a port 443\n");
	bed_make_cgroup("a/kept");
	for (int i = rounds; i > 0; i--) {
		char path[320];

		assert_int_equal(bind_in("a/kept", 443), 0);
		for (int k = 0; k < 20; k++) {
			snprintf(path, sizeof(path), "%s/other", bed.cgroup);
			assert_int_equal(cycle(path), EACCES);
			snprintf(path, sizeof(path), "%s/a/other", bed.cgroup);
			assert_int_equal(cycle(path), 0);
		}
	}
	bed_remove_cgroup("a");
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(cgroup_is_covered_from_its_first_bind),
		cmocka_unit_test(deepest_scope_decides),
		cmocka_unit_test(change_of_scopes_counts_at_once),
		cmocka_unit_test(cached_scope_is_of_this_policy_and_cgroup),
		cmocka_unit_test(cgroup_made_anew_is_the_same_to_the_policy),
		cmocka_unit_test(names_of_every_kind),
		cmocka_unit_test(names_of_every_length),
		cmocka_unit_test(sixty_four_levels),
		cmocka_unit_test(path_cannot_be_forged_from_below),
		cmocka_unit_test(more_cgroups_than_are_remembered),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
