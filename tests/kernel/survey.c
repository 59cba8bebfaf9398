// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "bindctl/abi.h"
#include "survey.h"

static void add_bytes(struct bc_text *text, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bc_text_addf(text, "%02x", ((const uint8_t *)bytes)[i]);
}

static void add_file(struct bc_text *text, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *content = NULL;
	size_t len;

	if (fd < 0 || bc_read_all(fd, 1 << 24, &content, &len))
		fail_msg("cannot read %s", path);
	bc_text_addf(text, " %zu bytes: ", len);
	bc_text_add(text, content, len);
}

static bool is_hook(const char *name)
{
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++)
		if (!strcmp(bc_hook_name(hook), name))
			return true;
	return false;
}

static void add_link(struct bc_text *text, int fd, bool ids)
{
	_cleanup_close_ int prog_fd = -1;
	struct bpf_prog_info program = {};
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	if (ids)
		bc_text_addf(text, " link %u program %u", info.id, info.prog_id);
	prog_fd = bpf_prog_get_fd_by_id(info.prog_id);
	assert_true(prog_fd >= 0);
	size = sizeof(program);
	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd, &program, &size), 0);
	add_bytes(text, program.tag, sizeof(program.tag));
}

/* The image behind the id in the outer map's slot. */
static void add_image(struct bc_text *text, uint32_t id)
{
	_cleanup_close_ int fd = bpf_map_get_fd_by_id(id);
	union bc_page page;
	uint32_t key = 0;

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &page), 0);
	bc_text_addf(text, " digest %llx", (unsigned long long)page.cells[1].about.digest);
}

/* Of maps, what commands write: other maps change with every bind. */
static void add_map(struct bc_text *text, const char *name, int fd, bool ids)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), key = 0;
	union {
		uint8_t bytes[sizeof(struct bc_gate)];
		uint32_t id;
	} value;

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	bc_text_addf(text, " %s", info.name);
	if (ids)
		bc_text_addf(text, " map %u", info.id);
	if (strcmp(name, BC_PIN_SCHEMA) && strcmp(name, BC_PIN_POLICY) && strcmp(name, BC_PIN_GATE))
		return;
	assert_true(info.value_size <= sizeof(value));
	if (bpf_map_lookup_elem(fd, &key, &value))
		return;
	if (!strcmp(name, BC_PIN_POLICY))
		add_image(text, value.id);
	if (ids || strcmp(name, BC_PIN_POLICY))
		add_bytes(text, &value, info.value_size);
}

static void add_pin(struct bc_text *text, const char *path, const char *name, bool ids)
{
	_cleanup_close_ int fd = bpf_obj_get(path);

	if (fd < 0)
		fail_msg("cannot open %s", path);
	if (is_hook(name))
		add_link(text, fd, ids);
	else
		add_map(text, name, fd, ids);
}

typedef void add_more(struct bc_text *text, const char *path, const char *name, bool ids);

static void survey_directory(struct bc_text *text, const char *dir, add_more *more, bool ids)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);

	bc_text_addf(text, "%s%s\n", dir, n < 0 ? " is not there" : ":");
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL;
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") && strcmp(name, "..")) {
			assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
			bc_text_addf(text, "%s", path);
			if (more)
				more(text, path, name, ids);
			bc_text_add(text, "\n", 1);
		}
		free(entries[i]);
	}
	free(entries);
	assert_false(text->failed);
}

static void add_policy_file(struct bc_text *text, const char *path, const char *name, bool ids)
{
	(void)name;
	(void)ids;
	add_file(text, path);
}

void survey_names(struct bc_text *ret)
{
	survey_directory(ret, bed.policy, NULL, false);
	survey_directory(ret, bed.pins, NULL, false);
}

void survey_state(struct bc_text *ret, bool ids)
{
	survey_directory(ret, bed.policy, add_policy_file, ids);
	survey_directory(ret, bed.pins, add_pin, ids);
}

static void check_program(uint32_t id, const char *hook)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "bc_%s", hook);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	if (strcmp(info.name, wanted))
		fail_msg("at %s runs the program %s", hook, info.name);
}

void survey_hooks(struct hooked ret_hooks[BC_HOOKS])
{
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		_cleanup_close_ int fd = -1;
		_cleanup_free_ char *path = NULL;
		struct bpf_link_info info = {};
		uint32_t size = sizeof(info);

		ret_hooks[hook] = (struct hooked){};
		assert_true(asprintf(&path, "%s/%s", bed.pins, bc_hook_name(hook)) > 0);
		fd = bpf_obj_get(path);
		if (fd < 0)
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
		check_program(info.prog_id, bc_hook_name(hook));
		ret_hooks[hook] = (struct hooked){ info.id, info.prog_id };
	}
}

uint32_t survey_map(const char *pin)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = bed_open_pin(pin);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

int survey_replaced(const struct hooked before[BC_HOOKS], const struct hooked after[BC_HOOKS])
{
	int n = 0;

	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++)
		n += before[hook].link && before[hook].link == after[hook].link &&
		     before[hook].program != after[hook].program;
	return n;
}
