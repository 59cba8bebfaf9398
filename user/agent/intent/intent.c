// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/intent/gather.h"
#include "agent/intent/intent.h"
#include "agent/intent/write.h"

#define BLOCK_MAX (512u << 10) /* bytes for one path: 500 of them are what a file of policy may hold */
#define SHARE_MAX (4u << 20)   /* bytes for all pods of one namespace: the agent has memory for others, too */

/* The rules of one path. */
struct block {
	char *path;
	const char *key; /* of the pod */
	size_t at, len;	 /* in the text of all blocks */
};

/* A pod on the node. */
struct local {
	const struct state_entry *entry;
	const struct state_entry *rival; /* another one that claims to be the same; NULL: none */
	bool gone;			 /* its object is */
};

/* What the pods of a namespace have taken. */
struct share {
	char name[OBJECT_KEY_MAX];
	size_t used;
};

/* How much of what is claimed for a pod is written, where it is too much. */
enum amount {
	ALL,
	DENIES,
	CLUSTER_DENIES,
};

struct making {
	const struct state *state;
	const struct intent_config *config;
	struct findings findings;
	struct intent_counts counts;
	struct local *locals;
	size_t nlocals, locals_room;
	struct block *blocks;
	size_t nblocks, blocks_room;
	struct share *shares;
	size_t nshares, shares_room;
	size_t share_end;     /* how long the text may get for the pod in question */
	struct bc_text text;  /* of the blocks */
	struct claims claims; /* of the pod in question */
	struct rows rows;
	enum amount amount;
};

static void making_done(struct making *m)
{
	for (size_t i = 0; i < m->nblocks; i++)
		free(m->blocks[i].path);
	free(m->blocks);
	free(m->shares);
	free(m->locals);
	findings_done(&m->findings);
	bc_text_done(&m->text);
	claims_done(&m->claims);
	rows_done(&m->rows);
}

/* What is in force of an object that cannot be read, as the end of a sentence. */
static const char *rest_of(enum state_kind kind, const struct state_entry *entry)
{
	if (!entry->object)
		return "";
	if (kind != STATE_CLUSTER_POLICY)
		return "; it is given nothing";
	return entry->cluster->doubtful ?
		       "; until it is put right the pods that it may select are given nothing, and denied what can be "
		       "read of it" :
		       "; its last readable version stays in force";
}

/* What cannot be read, and what was not. */
static void find_rejected(struct making *m)
{
	const struct state_entry *entry;

	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		for (size_t i = 0; (entry = state_at(m->state, kind, i)); i++)
			if (entry->error) {
				m->counts.rejected++;
				gather_note(&m->findings, FINDING_REJECTED, kind, entry->key, "%s%s", entry->error,
					    rest_of(kind, entry));
			}
		if (state_lost_count(m->state, kind))
			findings_add(&m->findings, FINDING_REJECTED, state_kind_name(kind), "", "?",
				     "%zu more of this kind cannot be read, not even their names",
				     state_lost_count(m->state, kind));
	}
}

static int compare_locals(const void *left, const void *right)
{
	const struct local *a = left, *b = right;

	return strcmp(a->entry->pod->id, b->entry->pod->id) ?: strcmp(a->entry->key, b->entry->key);
}

static int add_local(struct making *m, const struct state_entry *entry, bool gone)
{
	const struct pod *pod = entry->pod;

	if (!pod || pod->finished || entry->absent)
		return 0;
	/* One that could not be read at all is here, or it would not be known. */
	if (pod->node ? strcmp(pod->node, m->config->node) != 0 : !pod->doubtful)
		return 0;
	if (bc_grow(&m->locals, &m->locals_room, m->nlocals + 1))
		return -ENOMEM;
	m->locals[m->nlocals++] = (struct local){ .entry = entry, .gone = gone };
	if (gone)
		gather_note(&m->findings, FINDING_NOTE, STATE_POD, entry->key,
			    "was deleted, but its cgroup is there: it goes on being denied what the cluster denies it");
	else
		m->counts.pods++;
	return 0;
}

/* The pods on this node. Of two that would have the same cgroup, nobody knows whose it is. */
static int find_locals(struct making *m)
{
	const struct state_entry *entry;
	int r = 0;

	for (size_t i = 0; !r && (entry = state_at(m->state, STATE_POD, i)); i++)
		r = add_local(m, entry, false);
	for (size_t i = 0; !r && (entry = state_gone_at(m->state, i)); i++)
		r = add_local(m, entry, true);
	if (r)
		return r;
	if (m->nlocals)
		qsort(m->locals, m->nlocals, sizeof(*m->locals), compare_locals);
	for (size_t i = 1; i < m->nlocals; i++) {
		struct local *a = &m->locals[i - 1], *b = &m->locals[i];

		if (strcmp(a->entry->pod->id, b->entry->pod->id) != 0)
			continue;
		a->rival = b->entry;
		b->rival = a->entry;
	}
	for (size_t i = 0; i < m->nlocals; i++)
		if (m->locals[i].rival)
			gather_note(&m->findings, FINDING_WARNING, STATE_POD, m->locals[i].entry->key,
				    "claims to be the same static pod as %s: it is given nothing",
				    m->locals[i].rival->key);
	return 0;
}

static void tell_overruled(void *ctx, const struct claim *winner, const struct claim *loser)
{
	struct making *m = ctx;
	enum state_kind winner_kind, loser_kind;
	const struct state_entry *won = gather_policy(m->state, winner->policy, &winner_kind);
	const struct state_entry *lost = gather_policy(m->state, loser->policy, &loser_kind);

	if (winner_kind == STATE_CLUSTER_POLICY)
		gather_note(&m->findings, FINDING_NOTE, loser_kind, lost->key,
			    "spec.rules[%u]: ClusterBindPolicy %s denies it, or a part of it", loser->rule, won->key);
	else
		gather_note(&m->findings, FINDING_WARNING, loser_kind, lost->key,
			    "spec.rules[%u]: conflicts with spec.rules[%u] of BindPolicy %s, which is as specific and "
			    "decides",
			    loser->rule, winner->rule, won->key);
}

/* What is denied needs no order. */
static int add_denies(struct making *m)
{
	for (size_t i = 0; i < m->claims.n; i++) {
		const struct claim *claim = &m->claims.items[i];

		if (claim_gives(claim))
			continue;
		if (bc_grow(&m->rows.items, &m->rows.room, m->rows.n + 1))
			return -ENOMEM;
		m->rows.items[m->rows.n++] = (struct row){ .range = claim->range,
							   .claim = i,
							   .place = i,
							   .proto = claim->proto,
							   .has_user = claim->has_user,
							   .user = claim->user };
	}
	return 0;
}

static int make_rows(struct making *m, const struct local *local)
{
	const struct gather g = { m->state, &m->findings };
	bool bare = local->rival || local->gone || local->entry->pod->ending || m->amount == CLUSTER_DENIES;
	int r = gather(&g, local->entry, bare, &m->claims);

	m->rows.n = 0;
	if (r)
		return r;
	return m->amount == ALL ? settle(&m->claims, &m->rows, tell_overruled, m) : add_denies(m);
}

static int add_block(struct making *m, const struct local *local, enum podpath_driver driver, enum pod_qos qos,
		     struct bc_error *reterr)
{
	const struct pod *pod = local->entry->pod;
	struct block block = { .key = local->entry->key, .at = m->text.len };
	char path[PODPATH_MAX];
	struct writing w = {
		.state = m->state, .claims = &m->claims, .path = path, .own_netns = !pod->host_network, .text = &m->text
	};
	int r = podpath(&m->config->path, driver, qos, pod->id, path, sizeof(path), reterr);

	if (r)
		return r;
	bc_text_addf(&m->text, "\n# Pod %s\n", local->entry->key);
	r = write_rows(&w, &m->rows);
	block.len = m->text.len - block.at;
	if (!r && (block.len > BLOCK_MAX || m->text.len > m->share_end) && m->amount != CLUSTER_DENIES)
		return -E2BIG;
	block.path = strdup(path);
	if (r || !block.path || bc_grow(&m->blocks, &m->blocks_room, m->nblocks + 1)) {
		free(block.path);
		return -ENOMEM;
	}
	m->blocks[m->nblocks++] = block;
	m->counts.rules += w.lines;
	return 0;
}

/* Wherever it may be. */
static int add_blocks(struct making *m, const struct local *local, struct bc_error *reterr)
{
	struct podpath_place place = {};
	int r = 0;

	while (!r && podpath_next(&m->config->path, local->entry->pod->qos, &place))
		r = add_block(m, local, place.driver, place.qos, reterr);
	return r;
}

/* Of the pod's namespace; NULL: no memory. */
static struct share *find_share(struct making *m, const struct local *local)
{
	struct share share = {};

	(void)gather_split(local->entry->key, share.name);
	for (size_t i = 0; i < m->nshares; i++)
		if (!strcmp(m->shares[i].name, share.name))
			return &m->shares[i];
	if (bc_grow(&m->shares, &m->shares_room, m->nshares + 1))
		return NULL;
	m->shares[m->nshares] = share;
	return &m->shares[m->nshares++];
}

/* Nobody's pod is to take so much that there is no room for others'. */
static int add_pod(struct making *m, const struct local *local, struct bc_error *reterr)
{
	static const char *const whose[] = { NULL, "they and the cluster's", "the cluster's" };
	const size_t text = m->text.len, blocks = m->nblocks, rules = m->counts.rules;
	struct share *share = find_share(m, local);
	int r = share ? -E2BIG : -ENOMEM;

	if (share)
		m->share_end = text + (share->used < SHARE_MAX ? SHARE_MAX - share->used : 0);
	for (m->amount = ALL; r == -E2BIG && m->amount <= CLUSTER_DENIES; m->amount++) {
		m->text.len = text;
		m->counts.rules = rules;
		while (m->nblocks > blocks)
			free(m->blocks[--m->nblocks].path);
		if (m->amount != ALL)
			gather_note(&m->findings, FINDING_WARNING, STATE_POD, local->entry->key,
				    "its policies, or its namespace's together, have too many rules, or too many that "
				    "overlap: in "
				    "force is only what %s deny",
				    whose[m->amount]);
		r = make_rows(m, local);
		if (!r && m->rows.n)
			r = add_blocks(m, local, reterr);
	}
	m->counts.pods_ruled += !r && m->rows.n && !local->gone;
	if (share)
		share->used += m->text.len - text;
	return r;
}

static int compare_blocks(const void *left, const void *right)
{
	const struct block *a = left, *b = right;

	return strcmp(a->path, b->path) ?: strcmp(a->key, b->key);
}

/* The reserved ports of all cluster policies: on the node's network, for everyone that has no grant. */
static int add_reserved(struct making *m, struct bc_text *text)
{
	struct writing w = { .state = m->state, .claims = &m->claims, .text = text };
	const struct state_entry *entry;
	int r = 0;

	m->claims.n = m->rows.n = 0;
	for (size_t i = 0; !r && (entry = state_at(m->state, STATE_CLUSTER_POLICY, i)); i++) {
		const struct rules *rules = &entry->cluster->reserved;

		for (size_t k = 0; !r && k < rules->n; k++) {
			struct rule rule = rules->items[k];

			rule.verb = BC_VERB_DENY;
			r = claims_add(&m->claims, rules, &rule,
				       &(struct claim){ .audit = entry->cluster->audit, .policy = i, .rule = k });
		}
	}
	r = r ?: add_denies(m);
	if (!r && m->rows.n)
		bc_text_addf(text, "\n# Reserved ports\n");
	r = r ?: write_rows(&w, &m->rows);
	m->counts.rules += w.lines;
	return r;
}

static int make_text(struct making *m, struct bc_text *text, struct bc_error *reterr)
{
	int r;

	bc_text_addf(text, "# Written by bindctl-agent, and written again whenever the cluster's policy changes.\n");
	find_rejected(m);
	r = find_locals(m);
	r = r ?: add_reserved(m, text);
	for (size_t i = 0; !r && i < m->nlocals; i++)
		r = add_pod(m, &m->locals[i], reterr);
	if (r)
		return r;
	if (m->nblocks)
		qsort(m->blocks, m->nblocks, sizeof(*m->blocks), compare_blocks);
	for (size_t i = 0; i < m->nblocks; i++)
		bc_text_add(text, m->text.data + m->blocks[i].at, m->blocks[i].len);
	return text->failed || m->text.failed ? -ENOMEM : 0;
}

int intent_make(const struct state *state, const struct intent_config *config, struct bc_text *ret_text,
		struct findings *ret_findings, struct intent_counts *ret_counts, struct bc_error *reterr)
{
	_cleanup_(making_done) struct making m = { .state = state, .config = config };
	_cleanup_(bc_text_done) struct bc_text text = {};
	int r = podpath_check(&config->path, reterr);

	if (r)
		return r;
	r = make_text(&m, &text, reterr);
	if (r == -ENOMEM)
		return bc_fail(reterr, r, "out of memory");
	if (r)
		return r;
	*ret_text = text;
	*ret_findings = m.findings;
	*ret_counts = m.counts;
	text = (struct bc_text){};
	m.findings = (struct findings){};
	return 0;
}
