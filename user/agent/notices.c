// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "agent/log.h"
#include "agent/notices.h"

static int by_hash(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return BC_COMPARE(left, right);
}

static uint64_t *hashes_of(const struct findings *findings)
{
	uint64_t *hashes = malloc((findings->n + 1) * sizeof(*hashes));

	if (!hashes)
		return NULL;
	for (size_t i = 0; i < findings->n; i++)
		hashes[i] = findings->items[i].hash;
	qsort(hashes, findings->n, sizeof(*hashes), by_hash);
	return hashes;
}

static void say_missing(const struct findings *findings, const uint64_t *others, size_t n, bool appeared,
			notices_fn *say, void *ctx)
{
	for (size_t i = 0; i < findings->n; i++)
		if (!bsearch(&findings->items[i].hash, others, n, sizeof(*others), by_hash))
			say(ctx, &findings->items[i], appeared);
}

int notices_compare(const struct findings *before, const struct findings *now, notices_fn *say, void *ctx)
{
	_cleanup_free_ uint64_t *old = hashes_of(before), *new = hashes_of(now);

	if (!old || !new)
		return -ENOMEM;
	say_missing(before, new, now->n, false, say, ctx);
	say_missing(now, old, before->n, true, say, ctx);
	return 0;
}

static void log_finding(void *ctx, const struct finding *finding, bool appeared)
{
	const enum log_level level = !appeared || finding->level == FINDING_NOTE ? LEVEL_INFO : LEVEL_WARNING;
	const char *event = finding->level == FINDING_REJECTED ? (appeared ? "rejected" : "rejected-no-more") :
								 (appeared ? "finding" : "finding-gone");

	(void)ctx;
	log_event(level, event, "kind", finding->kind, "namespace", *finding->namespace ? finding->namespace : NULL,
		  "name", finding->name, "text", finding->text, NULL);
}

void notices_log(struct findings *known, struct findings *found)
{
	char number[24];

	/* Without memory to compare them, better too much than nothing. */
	if (notices_compare(known, found, log_finding, NULL))
		for (size_t i = 0; i < found->n; i++)
			log_finding(NULL, &found->items[i], true);
	if (found->dropped && found->dropped != known->dropped)
		log_event(LEVEL_WARNING, "more-findings", "count", log_number(number, found->dropped), NULL);
	findings_done(known);
	*known = *found;
	*found = (struct findings){};
}

void notices_of_report(const struct bc_report *report, struct findings *ret)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct bc_error *error = &report->items[i];
		_cleanup_(bc_text_done) struct bc_text place = {};

		log_place(&place, error);
		findings_add(ret, error->severity == BC_ERROR ? FINDING_REJECTED : FINDING_WARNING, "PolicyFile", "",
			     place.failed ? "?" : place.data, "%s", error->text);
	}
	ret->dropped += report->dropped;
}
