// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A neighbour who does not stand beside our programs but reaches into them: their pins, their maps, their links, and the
 * programs themselves. What he does is shown, and `load` undoes it; what cannot be seen is said in the manual.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"
#include "kernel/attach.h"
#include "kernel/events.h"
#include "rogue.h"

static int bind_at(const char *cgroup, uint16_t port)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .in = cgroup, .port = port };

	return bed_try(&try).error;
}

static void pin_path(char path[160], const char *name)
{
	snprintf(path, 160, "%s/%s", bed.pins, name);
}

/* What is wrong is found; `load` mends it, and the policy is in force. */
static void expect_mended(const char *what)
{
	rogue_expect(3, what);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	rogue_expect(0, "enforced      yes");
	assert_int_equal(bind_at(NULL, 443), 0);
	assert_int_equal(bind_at(NULL, 8443), EACCES);
}

static int set_up(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text),
		 "grant user 65534 port 443\ndeny port 8443\ngrant cgroup %s/given port 81\n"
		 "rewrite user 65534 port 9100 to :9101 hidden\n",
		 bed.scope);
	bed_write("10-test.conf", text, strlen(text));
	bed_make_cgroup("given");
	bed_make_cgroup("other");
	if (BINDCTL(NULL, "load"))
		return -1;
	rogue_expect(0, "enforced      yes");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	chmod(bed.pins, 0700);
	chown(bed.pins, 0, 0);
	bed_remove_cgroup("given");
	bed_remove_cgroup("other");
	return BINDCTL(NULL, "unload");
}

/* With the name of ours, and the maps of ours, and it grants everything. */
static void link_runs_a_program_with_our_name_and_maps(void **state)
{
	static const char *const names[] = { "policy",	"gate",	    "notes",	"state", "seen",
					     "readers", "refusals", "counters", "rings" };
	int maps[ARRAY_SIZE(names)], prog, link = bed_open_pin("bind4");
	struct rogue rogue = { .name = "bc_bind4", .type = BPF_CGROUP_INET4_BIND, .answer = 3, .maps = maps };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		maps[rogue.nmaps++] = bed_open_pin(names[i]);
	prog = rogue_load(&rogue);
	assert_int_equal(bpf_link_update(link, prog, NULL), 0);
	assert_int_equal(bind_at(NULL, 82), 0);
	expect_mended("bind4: the link runs program ");
	assert_int_equal(bind_at(NULL, 82), EACCES);
	close(prog);
	close(link);
	for (int i = 0; i < rogue.nmaps; i++)
		close(maps[i]);
}

/* Of the right kind, and another one; or of another size, which must not end in memory of ours. */
static void pinned_map_is_another(void **state)
{
	static const struct {
		const char *name;
		int type;
		uint32_t size; /* of a value */
	} rows[] = {
		{ "state", BPF_MAP_TYPE_ARRAY, sizeof(struct bc_state) },
		{ "seen", BPF_MAP_TYPE_ARRAY, 16 },
		{ "readers", BPF_MAP_TYPE_ARRAY, sizeof(struct bc_reader) },
		{ "refusals", BPF_MAP_TYPE_ARRAY, sizeof(struct bc_refusal) },
		{ "counters", BPF_MAP_TYPE_PERCPU_ARRAY, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t elements = !strcmp(rows[i].name, "seen") ? 8192 : BC_REFUSALS;
		_cleanup_close_ int fd = bpf_map_create(rows[i].type, "bc_it", 4, rows[i].size, elements, NULL);
		char path[160], what[160];

		assert_true(fd >= 0);
		pin_path(path, rows[i].name);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(bpf_obj_pin(fd, path), 0);
		snprintf(what, sizeof(what), "the program does not use the map that is pinned as %s", rows[i].name);
		expect_mended(what);
	}
}

static void pinned_map_is_too_large_for_its_readers(void **state)
{
	static const struct {
		const char *name;
		int type;
	} rows[] = {
		{ "gate", BPF_MAP_TYPE_ARRAY },
		{ "state", BPF_MAP_TYPE_ARRAY },
		{ "readers", BPF_MAP_TYPE_ARRAY },
		{ "refusals", BPF_MAP_TYPE_ARRAY },
		{ "counters", BPF_MAP_TYPE_PERCPU_ARRAY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_close_ int fd = bpf_map_create(rows[i].type, "bc_it", 4, 32000, 32, NULL);
		char path[160], what[160];

		assert_true(fd >= 0);
		for (uint32_t at = 0; rows[i].type == BPF_MAP_TYPE_ARRAY && at < 32; at++) {
			char value[32000];

			memset(value, 0x41, sizeof(value));
			assert_int_equal(bpf_map_update_elem(fd, &at, value, BPF_ANY), 0);
		}
		pin_path(path, rows[i].name);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(bpf_obj_pin(fd, path), 0);
		snprintf(what, sizeof(what), "%s is not what bindctl pinned there", rows[i].name);
		/* Whoever reads that map says so and does not die. */
		BINDCTL(NULL, "metrics");
		assert_in_range(BINDCTL(NULL, "why"), 0, 1);
		assert_in_range(BINDCTL(NULL, "monitor", "--timeout", "1s"), 0, 1);
		expect_mended(what);
	}
}

/* The pin of a link is a program, or another hook's link. */
static void pinned_link_is_a_program(void **state)
{
	const struct rogue rogue = { .name = "bc_bind4", .type = BPF_CGROUP_INET4_BIND, .answer = 1 };
	_cleanup_close_ int prog = rogue_load(&rogue), link = bed_open_pin("bind4");
	char path[160];

	(void)state;
	pin_path(path, "bind4");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(prog, path), 0);
	rogue_expect(3, "bind4 is not what bindctl pinned there");
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(bpf_obj_pin(link, path), 0);
	rogue_expect(0, "enforced      yes");
}

static void pins_can_be_taken_away_by_others(void **state)
{
	char path[160];

	(void)state;
	assert_int_equal(chmod(bed.pins, 0777), 0);
	rogue_expect(1, NULL);
	assert_int_equal(BINDCTL(NULL, "grant", "65534", "82"), 1);
	assert_int_equal(chmod(bed.pins, 0755), 0);
	assert_int_equal(chown(bed.pins, SOMEBODY, 0), 0);
	rogue_expect(1, NULL);
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(chown(bed.pins, 0, 0), 0);
	assert_int_equal(chmod(bed.pins, 0700), 0);
	pin_path(path, "bind4");
	assert_int_equal(chmod(path, 0666), 0);
	rogue_expect(3, "bind4 is writable by others, who could change what it decides (mode 0666)");
	assert_int_equal(chown(path, SOMEBODY, 0), 0);
	rogue_expect(3, "bind4 belongs to uid 1234, who could write to it");
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0600), 0);
	rogue_expect(0, "enforced      yes");
}

/* On a BPF file system that is everybody's, a user makes the directory of the pins his before anything is loaded. */
static void directory_of_the_pins_is_made_by_somebody_before(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(mkdir(bed.pins, 0700), 0);
	assert_int_equal(chown(bed.pins, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(bind_at(NULL, 443), EACCES);
	assert_int_equal(chown(bed.pins, 0, 0), 0);
	assert_int_equal(chmod(bed.pins, 01777), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 1);
	assert_int_equal(rmdir(bed.pins), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
}

/* A BPF file system over ours: the pins are out of sight, and what they keep is not out of force. */
static void pins_are_hidden_behind_another_file_system(void **state)
{
	char path[100];
	int code;

	(void)state;
	snprintf(path, sizeof(path), "%s/bpf", bed.dir);
	assert_int_equal(mount("bpf", path, "bpf", 0, NULL), 0);
	code = BINDCTL(NULL, "status");
	if (code == 3)
		code = BINDCTL(NULL, "load");
	if (!code)
		rogue_expect(3, "(bc_bind4) runs before ours");
	BINDCTL(NULL, "unload");
	assert_int_equal(umount(path), 0);
	assert_int_equal(code, 0);
	rogue_expect(0, "enforced      yes");
}

static uint64_t id_of(const char *cgroup)
{
	_cleanup_close_ int fd = -1;
	char path[300];
	uint64_t id = 0;

	snprintf(path, sizeof(path), "%s/%s", bed.cgroup, cgroup);
	assert_int_equal(bc_open_cgroup(path, &fd, NULL), 0);
	assert_int_equal(bc_cgroup_id(fd, &id), 0);
	return id;
}

/* The place in the cache that a cgroup has by now, and what is there. */
static uint32_t find_seen(int fd, uint64_t id, uint64_t ret_seen[2])
{
	for (uint32_t at = 0; at < 8192; at++)
		if (!bpf_map_lookup_elem(fd, &at, ret_seen) && ret_seen[0] == id)
			return at;
	fail_msg("the cgroup is not in the cache");
	return 0;
}

/* He writes into the cache that one cgroup is another: nothing shows it, and `load` begins a new one. */
static void cache_says_that_one_cgroup_is_another(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("seen");
	uint64_t given[2], other[2];
	uint32_t at;

	(void)state;
	assert_int_equal(bind_at("given", 81), 0);
	assert_int_equal(bind_at("other", 81), EACCES);
	find_seen(fd, id_of("given"), given);
	at = find_seen(fd, id_of("other"), other);
	other[1] = (other[1] & ~0x1fffffull) | (given[1] & 0x1fffff);
	assert_int_equal(bpf_map_update_elem(fd, &at, other, BPF_ANY), 0);
	assert_int_equal(bind_at("other", 81), 0);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	assert_int_equal(bind_at("other", 81), EACCES);
	assert_int_equal(bind_at("given", 81), 0);
}

static void programs_are_told_another_initial_network_namespace(void **state)
{
	_cleanup_close_ int fd = bed_open_pin("state");
	struct bc_state told = {};
	const uint32_t only = 0;

	(void)state;
	assert_int_equal(bind_at(NULL, 8443), EACCES);
	assert_int_equal(bpf_map_lookup_elem(fd, &only, &told), 0);
	assert_int_not_equal(told.host_netns, 0);
	told.host_netns += 1000;
	assert_int_equal(bpf_map_update_elem(fd, &only, &told, BPF_ANY), 0);
	/* No rule holds any more. */
	assert_int_equal(bind_at(NULL, 8443), 0);
	expect_mended("the programs take another network namespace for the initial one");
}

/* A process that holds the link open keeps it from going with its pin. */
static void neighbour_holds_our_links_open_while_we_unload(void **state)
{
	_cleanup_close_ int link4 = bed_open_pin("bind4"), post4 = bed_open_pin("post_bind4"),
			    maps = bed_open_pin("policy");

	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(bind_at(NULL, 443), EACCES);
	assert_int_equal(bind_at(NULL, 8443), 0);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	assert_int_equal(bind_at(NULL, 8443), EACCES);
	rogue_expect(0, "enforced      yes");
}

/* The image in the slot is one that bindctl never made, of a map with the right shape. */
static void slot_holds_an_image_of_his(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	_cleanup_close_ int policy = bed_open_pin("policy"), image = bed_open_pin("image"),
			    his = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_image", 4, sizeof(union bc_page), 1, &opts);
	static union bc_page page;
	const uint32_t only = 0;

	(void)state;
	assert_true(his >= 0);
	/* The one in force cannot be written, not even by him. */
	assert_int_equal(bpf_map_lookup_elem(image, &only, &page), 0);
	assert_int_equal(bpf_map_update_elem(image, &only, &page, BPF_ANY), -EPERM);
	/* A copy with the digest that it had, in which each deny has become an allow. */
	for (uint32_t i = page.cells[0].header.rules; i < page.cells[0].header.scopes; i++)
		for (int k = 0; k < 2; k++)
			if (page.cells[i].rules[k].verdict == BC_DENY)
				page.cells[i].rules[k].verdict = BC_ALLOW;
	assert_int_equal(bpf_map_update_elem(his, &only, &page, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(policy, &only, &his, BPF_ANY), 0);
	assert_int_equal(bind_at(NULL, 8443), 0);
	expect_mended("the compiled policy is broken: its digest is not that of its rules");
}

/* A program may write where system calls may not. */
static void program_writes_into_the_image(void **state)
{
	_cleanup_close_ int image = bed_open_pin("image"), prog = -1, link = -1;
	static union bc_page page;
	const uint32_t only = 0;
	struct rogue rogue = { .type = BPF_CGROUP_INET4_BIND, .answer = 1, .maps = &image, .writes = true };

	(void)state;
	assert_int_equal(bpf_map_lookup_elem(image, &only, &page), 0);
	for (uint32_t i = page.cells[0].header.rules; i < page.cells[0].header.scopes; i++)
		for (int k = 0; k < 2; k++)
			if (page.cells[i].rules[k].verdict == BC_DENY)
				rogue.offset = i * BC_CELL_SIZE + k * sizeof(struct bc_rule_cell);
	assert_int_not_equal(rogue.offset, 0);
	rogue.value = BC_ALLOW;
	prog = rogue_load(&rogue);
	link = rogue_link(prog, bed.cgroup, rogue.type);
	assert_true(link >= 0);
	bind_at(NULL, 9000);
	bc_closep(&link);
	assert_int_equal(bind_at(NULL, 8443), 0);
	expect_mended("the compiled policy is broken: its digest is not that of its rules");
}

/*
 * As he likes it, beside the place of a `learn` that was killed: who sweeps that away reads what the policy in force needs
 * of the gate, and may not follow where the image leads.
 */
static void image_leads_who_sweeps_astray(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	const struct bc_wanted wanted = { .all = true, .ring_bytes = 1 << 16 };
	_cleanup_close_ int policy = bed_open_pin("policy"), image = bed_open_pin("image"),
			    his = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_image", 4, sizeof(union bc_page), 1, &opts);
	static union bc_page page;
	const uint32_t only = 0;
	struct bc_events *events;
	struct bc_error error;
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		raise(bc_events_open(bed.pins, &wanted, &events, &error) ? SIGTERM : SIGKILL);
		_exit(1);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(bpf_map_lookup_elem(image, &only, &page), 0);
	page.cells[0].header.buckets = UINT32_MAX;
	assert_int_equal(bpf_map_update_elem(his, &only, &page, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(policy, &only, &his, BPF_ANY), 0);
	expect_mended("the compiled policy is broken");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(link_runs_a_program_with_our_name_and_maps),
		TEST(pinned_map_is_another),
		TEST(pinned_map_is_too_large_for_its_readers),
		TEST(pinned_link_is_a_program),
		TEST(pins_can_be_taken_away_by_others),
		TEST(directory_of_the_pins_is_made_by_somebody_before),
		TEST(pins_are_hidden_behind_another_file_system),
		TEST(cache_says_that_one_cgroup_is_another),
		TEST(neighbour_holds_our_links_open_while_we_unload),
		TEST(slot_holds_an_image_of_his),
		TEST(image_leads_who_sweeps_astray),
		TEST(program_writes_into_the_image),
		TEST(programs_are_told_another_initial_network_namespace),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
