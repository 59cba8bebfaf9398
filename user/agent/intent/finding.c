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
	free(findings->items);
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

void findings_add(struct findings *findings, enum finding_level level, const char *kind, const char *namespace,
		  const char *name, const char *format, ...)
{
	struct finding finding = { .level = level, .kind = kind };
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	finding.namespace = copy(namespace);
	finding.name = copy(name);
	finding.text = copy(text);
	if (finding.namespace && finding.name && finding.text) {
		finding.hash = hash_of(&finding);
		if (is_known(findings, &finding)) {
			finding_done(&finding);
			return;
		}
		if (findings->n < FINDINGS_MAX && !bc_grow(&findings->items, &findings->room, findings->n + 1)) {
			findings->items[findings->n++] = finding;
			return;
		}
	}
	finding_done(&finding);
	findings->dropped++;
}
