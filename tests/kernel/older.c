// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "older.h"

static const char *frozen(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", getenv("SCHEMA_3") ? getenv("SCHEMA_3") : "tests/kernel/schema-3", name);
	return path;
}

static void pin(int fd, const char *name)
{
	char path[160];

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/%s", bed.pins, name);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
}

static void pin_mark(uint32_t schema)
{
	/* As it was then: shorter than it is now. */
	const uint32_t mark[4] = { BC_MAGIC, schema, 0x7f, 0 }, only = 0;
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_schema", 4, sizeof(mark), 1, NULL);

	assert_int_equal(bpf_map_update_elem(fd, &only, mark, BPF_ANY), 0);
	pin(fd, "schema");
}

static void publish(struct bpf_object *object)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	_cleanup_close_ int file = open(frozen("image"), O_RDONLY | O_CLOEXEC), fd = -1;
	/* As it was then: features, and a bit for each port. */
	uint64_t gate[1 + 65536 / 64];
	const uint32_t only = 0;
	union bc_page page;

	assert_int_equal(read(file, &page, sizeof(page)), sizeof(page));
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_image", 4, sizeof(page), 1, &opts);
	assert_int_equal(bpf_map_update_elem(fd, &only, &page, BPF_ANY), 0);
	assert_int_equal(bpf_map_freeze(fd), 0);
	assert_int_equal(bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "bc_policy"), &only, &fd, BPF_ANY),
			 0);
	memset(gate, 0xff, sizeof(gate));
	assert_int_equal(bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "bc_gate"), &only, gate, BPF_ANY),
			 0);
}

static void link_programs(struct bpf_object *object)
{
	static const struct {
		const char *name;
		enum bpf_attach_type type;
	} hooks[] = {
		{ "post_bind4", BPF_CGROUP_INET4_POST_BIND },
		{ "post_bind6", BPF_CGROUP_INET6_POST_BIND },
		{ "bind4", BPF_CGROUP_INET4_BIND },
		{ "bind6", BPF_CGROUP_INET6_BIND },
	};
	_cleanup_close_ int cgroup = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		char name[32];
		int link;

		snprintf(name, sizeof(name), "bc_%s", hooks[i].name);
		link = bpf_link_create(bpf_program__fd(bpf_object__find_program_by_name(object, name)), cgroup,
				       hooks[i].type, NULL);
		pin(link, hooks[i].name);
		close(link);
	}
}

void older_load(uint32_t schema)
{
	static const char *const maps[] = { "policy", "gate", "events", "counters", "notes", "state", "seen" };
	struct bpf_object *object;

	bed_write("50-bindctl.conf", OLDER_POLICY, strlen(OLDER_POLICY));
	object = bpf_object__open_file(frozen("programs.elf"), NULL);
	assert_non_null(object);
	assert_int_equal(bpf_object__load(object), 0);
	assert_int_equal(mkdir(bed.pins, 0700), 0);
	pin_mark(schema);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		char name[32];

		snprintf(name, sizeof(name), "bc_%s", maps[i]);
		pin(bpf_object__find_map_fd_by_name(object, name), maps[i]);
	}
	publish(object);
	link_programs(object);
	bpf_object__close(object);
}
