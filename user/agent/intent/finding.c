// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/intent/finding.h"

static void finding_done(struct finding *finding)
{
	free(finding->namespace);
	free(finding->name);
	free(finding->text);
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		finding_done(&findings->items[i]);
	for (size_t i = 0; i < findings->ntallies; i++)
		free(findings->tallies[i].namespace);
	free(findings->items);
	free(findings->tallies);
	*findings = (struct findings){};
}

/* A copy that can be shown; names have at most 253 bytes, and may be anything where the object is rejected. */
static char *copy(const char *from)
{
	char shown[1024];

	return strdup(bc_printable(shown, sizeof(shown), from));
}

static uint64_t hash_of(const struct finding *finding)
{
	const char *const parts[] = { finding->kind, finding->namespace, finding->name, finding->text };
	uint64_t hash = BC_FNV_START;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		hash = bc_fnv(hash, parts[i], strlen(parts[i]) + 1);
	return hash;
}

static bool is_known(const struct findings *findings, const struct finding *finding)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *known = &findings->items[i];

		if (known->hash == finding->hash && !strcmp(known->kind, finding->kind) &&
		    !strcmp(known->namespace, finding->namespace) && !strcmp(known->name, finding->name) &&
		    !strcmp(known->text, finding->text))
			return true;
	}
	return false;
}

/* Takes it over, if there is memory. */
static bool add_tally(struct findings *findings, const struct findings_tally *tally)
{
	if (bc_grow(&findings->tallies, &findings->tallies_room, findings->ntallies + 1))
		return false;
	findings->tallies[findings->ntallies++] = *tally;
	return true;
}

/* NULL: no memory. What is said comes namespace by namespace, mostly. */
static struct findings_tally *find_tally(struct findings *findings, const char *namespace)
{
	struct findings_tally tally;

	if (findings->last < findings->ntallies && !strcmp(findings->tallies[findings->last].namespace, namespace))
		return &findings->tallies[findings->last];
	for (size_t i = 0; i < findings->ntallies; i++)
		if (!strcmp(findings->tallies[i].namespace, namespace)) {
			findings->last = i;
			return &findings->tallies[i];
		}
	tally = (struct findings_tally){ .namespace = strdup(namespace) };
	if (!tally.namespace || !add_tally(findings, &tally)) {
		free(tally.namespace);
		return NULL;
	}
	findings->last = findings->ntallies - 1;
	return &findings->tallies[findings->last];
}

/* Takes the finding over if there is room for it; whether there was. */
static bool take(struct findings *findings, struct findings_tally *tally, const struct finding *finding)
{
	findings->full |= findings->n >= FINDINGS_MAX;
	tally->full |= *tally->namespace && tally->n >= FINDINGS_OF_NAMESPACE;
	if (findings->full || tally->full || bc_grow(&findings->items, &findings->room, findings->n + 1))
		return false;
	findings->items[findings->n++] = *finding;
	tally->n++;
	return true;
}

void findings_add(struct findings *findings, enum finding_level level, const char *kind, const char *namespace,
		  const char *name, const char *format, ...)
{
	struct findings_tally *tally = findings->full ? NULL : find_tally(findings, namespace);
	struct finding finding = { .level = level, .kind = kind };
	bool known = false, taken = false;
	char text[512];
	va_list args;

	if (!tally || tally->full) {
		findings->dropped++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	finding.namespace = copy(namespace);
	finding.name = copy(name);
	finding.text = copy(text);
	if (finding.namespace && finding.name && finding.text) {
		finding.hash = hash_of(&finding);
		known = is_known(findings, &finding);
		taken = !known && take(findings, tally, &finding);
	}
	if (!taken)
		finding_done(&finding);
	findings->dropped += !known && !taken;
}
