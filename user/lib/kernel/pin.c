// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "bindctl/abi.h"
#include "host/guarded.h"
#include "kernel/pin.h"

int bc_pin_path(char *path, const char *dir, const char *name, struct bc_error *reterr)
{
	if (snprintf(path, BC_PIN_MAX, "%s/%s", dir, name) >= BC_PIN_MAX)
		return bc_fail(reterr, -ENAMETOOLONG, "the path of the pins is longer than %d bytes", BC_PIN_MAX - 1);
	return 0;
}

int bc_pin_reader_path(char *path, const char *dir, uint32_t number, struct bc_error *reterr)
{
	char name[32];

	snprintf(name, sizeof(name), BC_PIN_READER "%u", number);
	return bc_pin_path(path, dir, name, reterr);
}

void bc_pin_replaced(const char *dir, const char *name, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text path = {}, word = {};

	bc_text_addf(&path, "%s/%s", dir, name);
	if (!path.failed)
		bc_text_add_word(&word, path.data);
	bc_fail(reterr, -EBADMSG, "%s/%s is not what bindctl pinned there; run: rm %s, then: bindctl load", dir, name,
		path.failed || word.failed ? "" : word.data);
}

/* Every name that a pin of ours can have; the schema is not among them. */
static const char *const links[] = { BC_PIN_BIND4,	BC_PIN_BIND6,	     BC_PIN_POST_BIND4,
				     BC_PIN_POST_BIND6, BC_PIN_GETSOCKNAME4, BC_PIN_GETSOCKNAME6 };
static const char *const maps[] = { BC_PIN_RINGS, BC_PIN_READERS, BC_PIN_REFUSALS, BC_PIN_COUNTERS, BC_PIN_NOTES,
				    BC_PIN_STATE, BC_PIN_SEEN,	  BC_PIN_IMAGE,	   BC_PIN_POLICY,   BC_PIN_GATE };
/* What older schemas had. */
static const char *const former[] = { "events" };

/* Before the name of a pin that is about to get it. */
#define NEW "new_"

static bool is_map(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (!strcmp(name, maps[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(former); i++)
		if (!strcmp(name, former[i]))
			return true;
	return !strcmp(name, BC_PIN_SCHEMA);
}

static bool is_reader(const char *name)
{
	size_t len = strlen(BC_PIN_READER);

	return !strncmp(name, BC_PIN_READER, len) && name[len] >= '0' && name[len] < '0' + (int)BC_READERS &&
	       !name[len + 1];
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (!strcmp(name, links[i]))
			return true;
	return is_map(name) || is_reader(name);
}

/* Left by a command that was killed, and of no meaning. */
static bool is_remnant(const char *name)
{
	return !strncmp(name, NEW, strlen(NEW)) && is_map(name + strlen(NEW));
}

/* What is in a directory of pins, remnants apart. */
struct contents {
	size_t n;
	size_t known;
};

static int look_into(const char *dir, struct contents *ret)
{
	DIR *open = opendir(dir);
	struct dirent *entry;
	int r;

	*ret = (struct contents){};
	if (!open)
		return errno == ENOENT ? 0 : -errno;
	/* What cannot be read is not empty: something of ours may be in force there. */
	for (errno = 0; (entry = readdir(open)); errno = 0) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_remnant(entry->d_name))
			continue;
		ret->n++;
		ret->known += is_known(entry->d_name);
	}
	r = -errno;
	closedir(open);
	return r;
}

/* Of any schema: what is behind the first two words may be longer or shorter than what is known here. */
static int read_schema(int fd, struct bc_schema *ret)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), key = 0;
	_cleanup_free_ char *value = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < offsetof(struct bc_schema, features) ||
	    info.value_size > 4096)
		return -EEXIST;
	/* The kernel rounds what it copies up to eight bytes. */
	value = calloc(1, info.value_size + 8);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &key, value))
		return -errno;
	*ret = (struct bc_schema){};
	memcpy(ret, value, info.value_size < sizeof(*ret) ? info.value_size : sizeof(*ret));
	return ret->magic == BC_MAGIC ? 0 : -EEXIST;
}

/* Whether pins without a schema are ours all the same: all have names of ours, and the policy is one. */
static bool has_policy(const char *dir)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	return !bc_pin_open_map(dir, BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, &fd, NULL, NULL) &&
	       !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, "bc_policy");
}

int bc_pin_open(const char *dir, const char *name, int *ret_fd, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];
	int fd, r = bc_pin_path(path, dir, name, reterr);

	if (r)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return bc_fail(reterr, -ENOENT, "the pin %s is missing; run: bindctl load", path);
	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	*ret_fd = fd;
	return 0;
}

static int open_schema(const char *dir, int *ret_fd, struct bc_schema *ret, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	int r = bc_pin_open(dir, BC_PIN_SCHEMA, &fd, reterr);

	if (r)
		return r;
	r = read_schema(fd, ret);
	if (r == -EEXIST)
		return bc_fail(reterr, r, "%s/%s was not made by bindctl; give another --pin", dir, BC_PIN_SCHEMA);
	if (r)
		return bc_fail_errno(reterr, r, "cannot read %s/%s", dir, BC_PIN_SCHEMA);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int bc_pins_check(const char *dir, uint32_t *ret_schema, struct bc_error *reterr)
{
	struct bc_schema schema = {};
	struct contents contents;
	_cleanup_close_ int fd = -1;
	int r = bc_check_guarded(dir, reterr);

	if (ret_schema)
		*ret_schema = 0;
	if (r)
		return r;
	r = look_into(dir, &contents);
	if (r)
		return bc_fail_errno(reterr, r, "cannot list %s", dir);
	if (!contents.n)
		return BC_PINS_ABSENT;
	r = open_schema(dir, &fd, &schema, reterr);
	if (r == -ENOENT && contents.known == contents.n && has_policy(dir))
		return BC_PINS_OLDER;
	/* The others are ours: what stands in the place of the mark is not. */
	if (r == -EEXIST && contents.known == contents.n && has_policy(dir))
		bc_pin_replaced(dir, BC_PIN_SCHEMA, reterr);
	if (r == -ENOENT)
		return bc_fail(reterr, -EEXIST, "%s holds something that bindctl did not put there; give another --pin",
			       dir);
	if (r)
		return r;
	if (schema.schema > BC_SCHEMA)
		return bc_fail(reterr, -EPROTO,
			       "the pins in %s have schema %u, made by a newer bindctl; this one has %u; use that one",
			       dir, schema.schema, BC_SCHEMA);
	if (ret_schema)
		*ret_schema = schema.schema;
	return schema.schema < BC_SCHEMA ? BC_PINS_OLDER : BC_PINS_OURS;
}

size_t bc_pins_strangers(const char *dir)
{
	struct contents contents;

	return look_into(dir, &contents) ? 0 : contents.n - contents.known;
}

int bc_pins_require(const char *dir, struct bc_error *reterr)
{
	uint32_t schema;
	int r = bc_pins_check(dir, &schema, reterr);

	if (r == BC_PINS_ABSENT)
		return bc_fail(reterr, -ENOENT, "bindctl is not loaded: no pins in %s; run: bindctl load", dir);
	if (r == BC_PINS_OLDER && !schema)
		return bc_fail(reterr, -EPROTO, "the pins in %s have lost their schema; run: bindctl load", dir);
	if (r == BC_PINS_OLDER)
		return bc_fail(reterr, -EPROTO,
			       "the pins in %s have schema %u, made by an older bindctl; run: bindctl load", dir,
			       schema);
	return r < 0 ? r : 0;
}

int bc_pins_make_directory(const char *dir, struct bc_error *reterr)
{
	int r = bc_check_guarded(dir, reterr);

	if (r)
		return r;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return bc_fail_errno(reterr, -errno, "cannot create %s", dir);
	/* Where others can make files, somebody may have been faster, to remove our links from it later. */
	return bc_check_guarded(dir, reterr);
}

int bc_pin_put(const char *dir, const char *name, int fd, struct bc_error *reterr)
{
	char path[BC_PIN_MAX], new[BC_PIN_MAX], prefixed[64];
	int r = bc_pin_path(path, dir, name, reterr);

	snprintf(prefixed, sizeof(prefixed), NEW "%s", name);
	if (!r)
		r = bc_pin_path(new, dir, prefixed, reterr);
	/* One may be left by a command that was killed. */
	if (!r)
		r = bc_pin_remove(dir, prefixed, reterr);
	if (r)
		return r;
	if (bpf_obj_pin(fd, new))
		return bc_fail_errno(reterr, -errno, "cannot pin %s", path);
	if (rename(new, path)) {
		r = bc_fail_errno(reterr, -errno, "cannot pin %s", path);
		unlink(new);
	}
	return r;
}

int bc_pins_mark(const char *dir, struct bc_error *reterr)
{
	const struct bc_schema schema = { .magic = BC_MAGIC, .schema = BC_SCHEMA };
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "bc_schema", sizeof(uint32_t), sizeof(schema), 1, NULL);
	uint32_t key = 0;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot create a BPF map");
	if (bpf_map_update_elem(fd, &key, &schema, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the schema's BPF map");
	for (size_t i = 0; i < ARRAY_SIZE(former); i++) {
		int r = bc_pin_remove(dir, former[i], reterr);

		if (r)
			return r;
	}
	return bc_pin_put(dir, BC_PIN_SCHEMA, fd, reterr);
}

int bc_pins_read(const char *dir, struct bc_schema *ret, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;

	return open_schema(dir, &fd, ret, reterr);
}

int bc_pins_set(const char *dir, const struct bc_schema *mark, struct bc_error *reterr)
{
	_cleanup_close_ int fd = -1;
	struct bc_schema schema = {};
	uint32_t key = 0;
	int r = open_schema(dir, &fd, &schema, reterr);

	if (r || (schema.features == mark->features && schema.cgroup == mark->cgroup &&
		  !memcmp(schema.programs, mark->programs, sizeof(schema.programs))))
		return r;
	schema.features = mark->features;
	schema.cgroup = mark->cgroup;
	memcpy(schema.programs, mark->programs, sizeof(schema.programs));
	if (bpf_map_update_elem(fd, &key, &schema, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write %s/%s", dir, BC_PIN_SCHEMA);
	return 0;
}

/* What an element of each holds; the kernel copies as much as the map has, whatever there is room for. */
static bool has_size(const char *name, uint32_t value_size)
{
	static const struct {
		const char *name;
		size_t size;
	} sizes[] = {
		{ BC_PIN_GATE, sizeof(struct bc_gate) },	{ BC_PIN_STATE, sizeof(struct bc_state) },
		{ BC_PIN_READERS, sizeof(struct bc_reader) },	{ BC_PIN_COUNTERS, sizeof(uint64_t) },
		{ BC_PIN_REFUSALS, sizeof(struct bc_refusal) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!strcmp(name, sizes[i].name))
			return value_size == sizes[i].size;
	return true;
}

int bc_pin_open_map(const char *dir, const char *name, uint32_t type, int *ret_fd, uint32_t *ret_id,
		    struct bc_error *reterr)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	int r = bc_pin_open(dir, name, &fd, reterr);

	if (r)
		return r;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != type || !has_size(name, info.value_size)) {
		bc_pin_replaced(dir, name, reterr);
		return -EBADMSG;
	}
	*ret_fd = TAKE_FD(fd);
	if (ret_id)
		*ret_id = info.id;
	return 0;
}

int bc_pin_remove(const char *dir, const char *name, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];
	int r = bc_pin_path(path, dir, name, reterr);

	if (r)
		return r;
	if (unlink(path) && errno != ENOENT)
		return bc_fail_errno(reterr, -errno, "cannot remove %s", path);
	return 0;
}

/* Who reads notices that its place is gone. */
static int remove_readers(const char *dir, struct bc_error *reterr)
{
	char path[BC_PIN_MAX];

	for (uint32_t number = 0; number < BC_READERS; number++) {
		int r = bc_pin_reader_path(path, dir, number, reterr);

		if (r)
			return r;
		if (rmdir(path) && errno != ENOENT)
			return bc_fail_errno(reterr, -errno, "cannot remove %s", path);
	}
	return 0;
}

int bc_pins_remove_maps(const char *dir, struct bc_error *reterr)
{
	char prefixed[64];
	int r = remove_readers(dir, reterr);

	for (size_t i = 0; !r && i < ARRAY_SIZE(former); i++)
		r = bc_pin_remove(dir, former[i], reterr);
	for (size_t i = 0; !r && i < ARRAY_SIZE(maps); i++) {
		snprintf(prefixed, sizeof(prefixed), NEW "%s", maps[i]);
		r = bc_pin_remove(dir, prefixed, reterr);
		if (!r)
			r = bc_pin_remove(dir, maps[i], reterr);
	}
	if (!r)
		r = bc_pin_remove(dir, NEW BC_PIN_SCHEMA, reterr);
	return r ? r : bc_pin_remove(dir, BC_PIN_SCHEMA, reterr);
}
