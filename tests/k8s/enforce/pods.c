// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pods.h"

const char *pod_grant(const char *pod, uint16_t port)
{
	char *text;

	if (asprintf(&text, "# default/edge\ngrant cgroup %s/%s port %u netns host\n", bed.scope, pod, port) < 0)
		fail();
	return text;
}

int pod_bind(const char *pod, uint16_t port)
{
	char in[512];
	const struct try try = { .in = in, .uid = NOBODY, .family = AF_INET, .port = port };

	snprintf(in, sizeof(in), "%s" CONTAINER, pod);
	return bed_try(&try).error;
}

void pods_open_store(struct enforcer *ret, const struct bc_store *store)
{
	const struct enforcer_config config = { .instance = bed.instance, .store = *store };
	struct bc_error error;

	if (enforcer_init(ret, &config, &error))
		fail_msg("%s", error.text);
}

void pods_open(struct enforcer *ret)
{
	const struct bc_store store = bc_store_at(bed.policy);

	pods_open_store(ret, &store);
}

static const char *find(const struct bc_report *report, const char *text)
{
	for (size_t i = 0; i < report->n; i++)
		if (strstr(report->items[i].text, text) || strstr(report->items[i].source, text))
			return report->items[i].text;
	return NULL;
}

static void print(const struct bc_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		printf("# %s:%u: %s\n", report->items[i].source, report->items[i].line, report->items[i].text);
}

void pods_enforce(struct enforcer *enforcer, const char *text, int wanted, int findings)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct bc_error error;

	if (enforce(enforcer, text, strlen(text), &result, &report, &error)) {
		print(&report);
		fail_msg("enforce: %s", error.text);
	}
	if ((wanted != PODS_ANY && (int)result != wanted) || (findings != PODS_ANY && (int)report.n != findings)) {
		print(&report);
		fail_msg("enforce: result %d, %zu findings", result, report.n);
	}
}

void pods_check(struct enforcer *enforcer, enum enforce_result wanted, const char *finding)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct bc_error error;

	if (enforce_check(enforcer, &result, &report, &error)) {
		print(&report);
		fail_msg("check: %s", error.text);
	}
	if (result != wanted || (finding ? !find(&report, finding) : report.n)) {
		print(&report);
		fail_msg("check: result %d; not said: %s", result, finding ? finding : "nothing");
	}
}

void pods_refuse(struct enforcer *enforcer, const char *text, int code, const char *sentence, const char *finding)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct bc_error error;
	int r = enforce(enforcer, text, strlen(text), &result, &report, &error);

	if (!r)
		fail_msg("enforced what should be refused: %s", sentence);
	if (r != code || !strstr(error.text, sentence) || (finding && !find(&report, finding))) {
		print(&report);
		fail_msg("refused with %d: %s", r, error.text);
	}
}

char *read_path(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len;

	if (fd < 0) {
		assert_int_equal(errno, ENOENT);
		return NULL;
	}
	assert_int_equal(bc_read_all(fd, 1 << 20, &text, &len), 0);
	return text;
}

void write_path(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || bc_write_all(fd, text, strlen(text)))
		fail_msg("cannot write %s: %s", path, strerror(errno));
}

void pods_forget(void)
{
	DIR *dir = opendir(bed.policy);
	struct dirent *entry;

	bed_unload();
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void pods_agree(void)
{
	_cleanup_(bc_text_done) struct bc_text difference = {};

	assert_int_equal(BINDCTL(NULL, "status", "--ignore-neighbours"), 0);
	assert_int_equal(BINDCTL(&difference, "apply", "--dry-run"), 0);
	if (difference.len)
		fail_msg("the kernel and the files differ:\n%s", difference.data);
}
