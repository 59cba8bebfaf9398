// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "host/build.h"
#include "host/mounts.h"
#include "host/names.h"
#include "pure/gate.h"

void policy_compile(enum kind kind, uint32_t rules, struct bc_cells *ret)
{
	const struct bc_names names = { .user = bc_user_by_name, .group = bc_group_by_name };
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct bc_error error;

	policy_text(kind, bench.name, rules, &text);
	if (text.failed || bc_files_set(&files, "bench.conf", text.data, text.len, 0))
		fail("out of memory");
	if (bc_build_policy(&files, &names, BC_ERROR, BC_ERROR, &build, &report, &error))
		fail("%s policy of %u rules: %s", kind_names[kind], rules,
		     report.n ? report.items[0].text : error.text);
	if (build.policy.n != rules)
		fail("%s policy: %zu rules instead of %u", kind_names[kind], build.policy.n, rules);
	*ret = build.cells;
	build.cells = (struct bc_cells){};
}

/* What the kernel says that a map costs. */
static uint64_t map_bytes(int fd)
{
	unsigned long bytes = 0;
	char line[128];
	FILE *f;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	f = fopen(line, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "memlock: %lu", &bytes);
	if (f)
		fclose(f);
	if (!bytes)
		fail("the kernel does not say what a map costs");
	return bytes;
}

struct image policy_image(const struct bc_cells *cells, uint64_t *ret_bytes)
{
	struct bc_imprint imprint;
	struct bc_error error;
	uint64_t root = 0;
	struct image image;
	int root_fd;
	_cleanup_free_ char *path = NULL;

	if (bc_find_cgroup2(&path, &error) || bc_open_cgroup(path, &root_fd, &error) || bc_cgroup_id(root_fd, &root))
		fail("%s", error.text);
	close(root_fd);
	if (bc_imprint_make(bench.pins, cells, bench.force.policy_fd, root, false, &imprint, &error) ||
	    bc_image_create(cells, &imprint, &image.fd, &error))
		fail("%s", error.text);
	if (ret_bytes)
		*ret_bytes = map_bytes(image.fd);
	bc_gate_needs(cells, &image.needs);
	return image;
}

void policy_publish(const struct image *image)
{
	struct bc_error error;

	if (bc_image_publish(&bench.force, image->fd, &image->needs, &error))
		fail("%s", error.text);
}
