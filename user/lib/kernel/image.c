// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/image.h"

/* The array's memory as mmap(2) gives it: whole pages. */
static size_t mapped_size(uint32_t cells)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return ((size_t)cells * BC_CELL_SIZE + page - 1) / page * page;
}

/* Whether two images have the same scopes under the same numbers: what was found in one holds in the other. */
static bool same_scopes(const struct bc_cells *a, const struct bc_cells *b)
{
	const struct bc_header *ha = &a->cells[0].header, *hb = &b->cells[0].header;
	uint32_t na = a->cells[1].about.names - ha->scopes, nb = b->cells[1].about.names - hb->scopes;

	return a->cells[1].about.nscopes == b->cells[1].about.nscopes && na == nb &&
	       ha->labels - ha->scopes == hb->labels - hb->scopes &&
	       !memcmp(a->cells + ha->scopes, b->cells + hb->scopes, na * sizeof(*a->cells));
}

/* By how many seconds CLOCK_TAI is ahead of CLOCK_REALTIME: whole ones, asked for within far less than one. */
static int32_t tai_offset(void)
{
	struct timespec tai, now;

	if (clock_gettime(CLOCK_TAI, &tai) || clock_gettime(CLOCK_REALTIME, &now))
		return 0;
	return tai.tv_sec - now.tv_sec + (tai.tv_nsec - now.tv_nsec > 500000000 ? 1 : 0) -
	       (now.tv_nsec - tai.tv_nsec > 500000000 ? 1 : 0);
}

int bc_imprint_make(const struct bc_cells *cells, const struct bc_cells *current, uint64_t root, struct bc_imprint *ret,
		    struct bc_error *reterr)
{
	struct bc_imprint imprint = { .generation = 1, .root = root, .tai_offset = tai_offset() };
	const struct bc_header *before = current->n ? &current->cells[0].header : NULL;

	if (before)
		imprint.generation = current->cells[1].about.generation + 1;
	if (before && before->root == root && before->epoch && same_scopes(cells, current))
		imprint.epoch = before->epoch;
	else if (getrandom(&imprint.epoch, sizeof(imprint.epoch), 0) != sizeof(imprint.epoch))
		return bc_fail_errno(reterr, -errno, "cannot get a random number");
	*ret = imprint;
	return 0;
}

static int fill(int fd, const struct bc_cells *cells, const struct bc_imprint *imprint)
{
	size_t size = mapped_size(cells->n);
	union bc_cell *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, cells->cells, (size_t)cells->n * BC_CELL_SIZE);
	memory[0].header.root = imprint->root;
	memory[0].header.epoch = imprint->epoch;
	memory[0].header.tai_offset = imprint->tai_offset;
	memory[1].about.generation = imprint->generation;
	munmap(memory, size);
	return 0;
}

int bc_image_create(const struct bc_cells *cells, const struct bc_imprint *imprint, int *ret_fd,
		    struct bc_error *reterr)
{
	/* The flags of bc_no_image in the programs: the kernel compares them when the slot is set. */
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_image", sizeof(uint32_t), BC_CELL_SIZE, cells->n, &opts);
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot create a BPF map of %u KiB for the policy",
				     cells->n / (1024 / BC_CELL_SIZE) + 1);
	r = fill(fd, cells, imprint);
	if (r)
		return bc_fail_errno(reterr, r, "cannot write the policy into its BPF map");
	if (bpf_map_freeze(fd))
		return bc_fail_errno(reterr, -errno, "cannot freeze the policy's BPF map");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bc_image_publish(int policy_fd, int image_fd, struct bc_error *reterr)
{
	const uint32_t slot = 0;

	if (bpf_map_update_elem(policy_fd, &slot, &image_fd, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot put the policy into force");
	return 0;
}

int bc_image_withdraw(int policy_fd, struct bc_error *reterr)
{
	const uint32_t slot = 0;

	if (bpf_map_delete_elem(policy_fd, &slot) && errno != ENOENT)
		return bc_fail_errno(reterr, -errno, "cannot withdraw the policy");
	return 0;
}

void bc_mapped_image_done(struct bc_mapped_image *mapped)
{
	if (mapped->image.cells)
		munmap(mapped->image.cells, mapped->size);
	*mapped = (struct bc_mapped_image){};
}

/* Opens the map in the slot. One that is replaced between the two calls is gone: look again. */
static int open_current(int policy_fd, uint32_t *ret_id, struct bc_error *reterr)
{
	const uint32_t slot = 0;

	for (int tries = 0; tries < 100; tries++) {
		int fd;

		if (bpf_map_lookup_elem(policy_fd, &slot, ret_id))
			return errno == ENOENT ? bc_fail(reterr, -ENOENT, "no policy is in force") :
						 bc_fail_errno(reterr, -errno, "cannot read which policy is in force");
		fd = bpf_map_get_fd_by_id(*ret_id);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return bc_fail_errno(reterr, -errno, "cannot open the policy in force (BPF map %u)", *ret_id);
	}
	return bc_fail(reterr, -EBUSY, "the policy in force is being replaced all the time");
}

int bc_image_map(int policy_fd, struct bc_mapped_image *ret_mapped, struct bc_error *reterr)
{
	struct bpf_map_info info = {};
	uint32_t id = 0, size = sizeof(info);
	_cleanup_close_ int fd = open_current(policy_fd, &id, reterr);
	void *memory;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return bc_fail_errno(reterr, -errno, "cannot query BPF map %u", id);
	if (info.value_size != BC_CELL_SIZE)
		return bc_fail(reterr, -EBADMSG, "the policy in force was not written by bindctl (BPF map %u)", id);
	memory = mmap(NULL, mapped_size(info.max_entries), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return bc_fail_errno(reterr, -errno, "cannot read the policy in force (BPF map %u)", id);
	*ret_mapped = (struct bc_mapped_image){ { memory, info.max_entries }, mapped_size(info.max_entries), id };
	/* The empty one that the programs are loaded with. */
	if (!((union bc_cell *)memory)->header.magic) {
		bc_mapped_image_done(ret_mapped);
		return bc_fail(reterr, -ENOENT, "no policy is in force");
	}
	return 0;
}
