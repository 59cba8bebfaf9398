// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/current.h"
#include "kernel/image.h"
#include "pure/tally.h"

static uint32_t pages_for(uint32_t cells)
{
	return (cells + BC_PAGE_CELLS - 1) / BC_PAGE_CELLS;
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

/* A page of the image by itself: not all of it is there, or it gets an imprint. */
static int write_page(int fd, uint32_t n, const struct bc_cells *cells, const struct bc_imprint *imprint)
{
	uint32_t first = n * BC_PAGE_CELLS, left = cells->n - first;
	union bc_page page = {};

	memcpy(&page, cells->cells + first, (left < BC_PAGE_CELLS ? left : BC_PAGE_CELLS) * sizeof(*cells->cells));
	if (imprint) {
		page.cells[0].header.root = imprint->root;
		page.cells[0].header.epoch = imprint->epoch;
		page.cells[0].header.tai_offset = imprint->tai_offset;
		page.cells[0].header.generation = imprint->generation;
	}
	return bpf_map_update_elem(fd, &n, &page, BPF_ANY) ? -errno : 0;
}

/*
 * In one call. The map is none that could be mapped into memory: to fill a large one that way takes longer, page by
 * page of faults, and a small one would not lie in memory that the kernel has under large pages.
 */
static int write_pages(int fd, uint32_t first, uint32_t n, const struct bc_cells *cells)
{
	_cleanup_free_ uint32_t *keys = malloc((n + 1) * sizeof(*keys));
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t done = n;

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		keys[i] = first + i;
	if (n && bpf_map_update_batch(fd, keys, cells->cells + (size_t)first * BC_PAGE_CELLS, &done, &opts))
		return -errno;
	return 0;
}

static int fill(int fd, const struct bc_cells *cells, const struct bc_imprint *imprint)
{
	uint32_t whole = cells->n / BC_PAGE_CELLS;
	int r = write_page(fd, 0, cells, imprint);

	if (!r && whole > 1)
		r = write_pages(fd, 1, whole - 1, cells);
	if (!r && whole && cells->n % BC_PAGE_CELLS)
		r = write_page(fd, whole, cells, NULL);
	return r;
}

int bc_image_create(const struct bc_cells *cells, const struct bc_imprint *imprint, int *ret_fd,
		    struct bc_error *reterr)
{
	/* The flags of bc_no_image in the programs: the kernel compares them when the slot is set. */
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_image", sizeof(uint32_t), sizeof(union bc_page),
						pages_for(cells->n), &opts);
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot create a BPF map of %u KiB for the policy",
				     cells->n / (1024 / BC_CELL_SIZE) + 1);
	r = fill(fd, cells, imprint);
	if (r)
		return bc_fail_errno(reterr, r, "cannot write the policy into its BPF map");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Opens the map of the image in force, of which *ret_info tells. -ENOENT, with a sentence, when there is none. */
static int open_image(const char *dir, int policy_fd, struct bpf_map_info *ret_info, int *ret_fd,
		      struct bc_error *reterr)
{
	uint32_t id = 0, size = sizeof(*ret_info);
	_cleanup_close_ int fd = -1;
	int r = bc_current_open(dir, policy_fd, &fd, &id, reterr);

	if (r)
		return r;
	if (bpf_obj_get_info_by_fd(fd, ret_info, &size))
		return bc_fail_errno(reterr, -errno, "cannot query BPF map %u", id);
	if (ret_info->value_size != sizeof(union bc_page))
		return bc_fail(
			reterr, -EBADMSG,
			"the policy in force was not written by bindctl (BPF map %u); run: bindctl unload, then: "
			"bindctl load",
			id);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * Pages of the map, from `first` on, one behind the other. `keys` has room for as many, and is how the kernel says which
 * ones they are: it wants to know the one before them, and calls that number opaque. Both are zeroed before, for tools that
 * do not know what this call writes.
 */
static int read_pages(int fd, uint32_t first, uint32_t n, uint32_t *keys, union bc_cell *cells)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t before = first - 1, done = n, batch;

	if (bpf_map_lookup_batch(fd, first ? &before : NULL, &batch, keys, cells, &done, &opts) && errno != ENOENT)
		return -errno;
	return done == n && keys[0] == first ? 0 : -EIO;
}

/*
 * Writes those tallies, from *at on, whose rules are in one page; it is not in force yet, so nobody counts there. `rules`
 * is the rules' first cell.
 */
static int write_tallies(int fd, uint32_t rules, const struct bc_tally *tallies, size_t n, size_t *at)
{
	uint32_t key = (rules + tallies[*at].rule / BC_RULES) / BC_PAGE_CELLS;
	union bc_page page;

	if (bpf_map_lookup_elem(fd, &key, &page))
		return -errno;
	for (; *at < n; (*at)++) {
		uint32_t number = tallies[*at].rule, cell = rules + number / BC_RULES;
		struct bc_rule_cell *rule = &page.cells[cell % BC_PAGE_CELLS].rules[number % BC_RULES];

		if (cell / BC_PAGE_CELLS != key)
			break;
		rule->hits = tallies[*at].hits;
		rule->last = tallies[*at].last;
	}
	return bpf_map_update_elem(fd, &key, &page, BPF_ANY) ? -errno : 0;
}

#define BATCH_PAGES 256u /* 1 MiB */

/* The rules that were hit. Of a large image only the pages of its rules are read, a few at a time. Nobody has checked it. */
static int read_hits(int fd, uint32_t pages, struct bc_hits *hits)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.MallocSizeof): a page is several cells */
	_cleanup_free_ union bc_cell *cells = calloc(BATCH_PAGES, sizeof(union bc_page));
	_cleanup_free_ uint32_t *keys = calloc(BATCH_PAGES, sizeof(*keys));
	uint32_t first, rules, some;
	int r = cells && keys ? read_pages(fd, 0, 1, keys, cells) : -ENOMEM;

	if (r)
		return r;
	rules = bc_tally_find(cells, pages * BC_PAGE_CELLS, &first);
	for (uint32_t done = 0; !r && done < rules; done += some) {
		uint32_t at = first + done / BC_RULES, last = first + (rules - 1) / BC_RULES;
		uint32_t page = at / BC_PAGE_CELLS, n = last / BC_PAGE_CELLS - page + 1;

		n = n < BATCH_PAGES ? n : BATCH_PAGES;
		some = (n * BC_PAGE_CELLS - at % BC_PAGE_CELLS) * BC_RULES;
		some = some < rules - done ? some : rules - done;
		r = read_pages(fd, page, n, keys, cells);
		if (!r)
			r = bc_tally_take(hits, cells[at % BC_PAGE_CELLS].rules, some);
	}
	return r;
}

/* That a count is lost is no reason to do without the policy. */
static void carry_tallies(const char *dir, int policy_fd, const struct bc_cells *cells, int image_fd)
{
	_cleanup_(bc_hits_done) struct bc_hits hits = {};
	_cleanup_free_ struct bc_tally *tallies = NULL;
	struct bpf_map_info info = {};
	_cleanup_close_ int fd = -1;
	size_t n = 0;

	if (open_image(dir, policy_fd, &info, &fd, NULL) || read_hits(fd, info.max_entries, &hits) ||
	    bc_tally_carry(&hits, cells, &tallies, &n))
		return;
	for (size_t at = 0; at < n;)
		if (write_tallies(image_fd, cells->cells[0].header.rules, tallies, n, &at))
			return;
}

int bc_image_seal(const char *dir, int policy_fd, const struct bc_cells *cells, int image_fd, struct bc_error *reterr)
{
	carry_tallies(dir, policy_fd, cells, image_fd);
	if (bpf_map_freeze(image_fd))
		return bc_fail_errno(reterr, -errno, "cannot freeze the policy's BPF map");
	return 0;
}

/*
 * Whether the image in force, whose first page that is, has the same scopes under the same numbers as `cells`: what was
 * found in one holds in the other. Of a large image only the pages of its scopes are read. Nobody has checked it.
 */
static bool has_scopes(int fd, uint32_t pages, const union bc_page *first, const struct bc_cells *cells)
{
	const struct bc_header *before = &first->cells[0].header, *after = &cells->cells[0].header;
	uint32_t n = cells->cells[1].about.names - after->scopes, at = before->scopes;

	if (first->cells[1].about.nscopes != cells->cells[1].about.nscopes ||
	    first->cells[1].about.names - before->scopes != n ||
	    before->labels - before->scopes != after->labels - after->scopes)
		return false;
	for (uint32_t done = 0, some; done < n; done += some, at += some) {
		uint32_t key = at / BC_PAGE_CELLS, left = BC_PAGE_CELLS - at % BC_PAGE_CELLS;
		union bc_page page;

		some = n - done < left ? n - done : left;
		if (key >= pages || bpf_map_lookup_elem(fd, &key, &page) ||
		    memcmp(&page.cells[at % BC_PAGE_CELLS], &cells->cells[after->scopes + done],
			   some * sizeof(*page.cells)))
			return false;
	}
	return true;
}

int bc_imprint_make(const char *dir, const struct bc_cells *cells, int policy_fd, uint64_t root, bool anew,
		    struct bc_imprint *ret, struct bc_error *reterr)
{
	struct bc_imprint imprint = { .generation = 1, .root = root, .tai_offset = tai_offset() };
	struct bpf_map_info info = {};
	_cleanup_close_ int fd = -1;
	union bc_page first = {};
	const struct bc_header *before = &first.cells[0].header;
	int r = open_image(dir, policy_fd, &info, &fd, reterr);

	if (r && r != -ENOENT)
		return r;
	if (!r && bpf_map_lookup_elem(fd, &(uint32_t){ 0 }, &first))
		return bc_fail_errno(reterr, -errno, "cannot read the policy in force");
	if (before->magic)
		imprint.generation = before->generation + 1;
	if (!anew && before->magic && before->root == root && before->epoch &&
	    has_scopes(fd, info.max_entries, &first, cells))
		imprint.epoch = before->epoch;
	else if (getrandom(&imprint.epoch, sizeof(imprint.epoch), 0) != sizeof(imprint.epoch))
		return bc_fail_errno(reterr, -errno, "cannot get a random number");
	*ret = imprint;
	return 0;
}

/* How many cells there are: what the image says, unless that cannot be. */
static uint32_t cells_in(const union bc_cell *cells, uint32_t pages)
{
	return pages_for(cells[1].about.cells) == pages ? cells[1].about.cells : pages * BC_PAGE_CELLS;
}

int bc_image_read(const char *dir, int policy_fd, struct bc_cells *ret_image, struct bc_error *reterr)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_free_ uint32_t *keys = NULL;
	struct bpf_map_info info = {};
	_cleanup_close_ int fd = -1;
	int r = open_image(dir, policy_fd, &info, &fd, reterr);

	if (r)
		return r;
	/* NOLINTNEXTLINE(clang-analyzer-unix.MallocSizeof): a page is several cells */
	image.cells = calloc(info.max_entries, sizeof(union bc_page));
	keys = calloc(info.max_entries, sizeof(*keys));
	r = image.cells && keys ? read_pages(fd, 0, info.max_entries, keys, image.cells) : -ENOMEM;
	if (r)
		return bc_fail_errno(reterr, r, "cannot read the policy in force (BPF map %u)", info.id);
	/* The empty one that the programs are loaded with. */
	if (!image.cells[0].header.magic)
		return bc_fail(reterr, -ENOENT, "no policy is in force; run: bindctl load");
	image.n = cells_in(image.cells, info.max_entries);
	*ret_image = image;
	image = (struct bc_cells){};
	return 0;
}
