// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "pure/authbind.h"
#include "pure/authname.h"
#include "pure/authuser.h"

static const char *const place_names[] = {
	[BC_AUTH_TOP] = "",
	[BC_AUTH_BYPORT] = "/byport",
	[BC_AUTH_BYADDR] = "/byaddr",
	[BC_AUTH_BYUID] = "/byuid",
};

struct making {
	const struct bc_auth *auth;
	const char *dir;
	struct bc_import *import;
	struct bc_auth_name *names; /* of the files that are asked for */
	size_t n;
	struct bc_auth_decided decided;
};

void bc_auth_done(struct bc_auth *auth)
{
	for (size_t i = 0; i < auth->n; i++) {
		free(auth->files[i].name);
		free(auth->files[i].text);
		free(auth->files[i].access.entries);
	}
	for (int i = 0; i < BC_AUTH_PLACES; i++)
		free(auth->places[i].entries);
	free(auth->files);
	*auth = (struct bc_auth){};
}

/* DIR/byport or DIR/byport/80, malloc'ed. */
static char *path_of(const struct making *making, enum bc_auth_place place, const char *name)
{
	struct bc_text text = {};

	bc_text_addf(&text, "%s%s%s%s", making->dir, place_names[place], name ? "/" : "", name ?: "");
	if (text.failed) {
		making->import->failed = -ENOMEM;
		bc_text_done(&text);
	}
	return text.data;
}

static void note(const struct making *making, enum bc_note_kind kind, const struct bc_auth_file *file, const char *text)
{
	_cleanup_free_ char *path = path_of(making, file->place, file->name);

	if (path)
		bc_import_note(making->import, kind, path, 0, 0, "%s", text);
}

/*
 * Whether everybody may search the directory. Where nobody may but root, whom authbind leaves alone, it permits nothing
 * of what would be asked for there and later; likewise where it is no directory. If some may, it depends on two files
 * at once, and no rule says that.
 */
static bool is_open(const struct making *making, enum bc_auth_place place)
{
	const struct bc_auth_access *access = &making->auth->places[place];
	_cleanup_(bc_text_done) struct bc_text word = {};
	_cleanup_free_ char *path = NULL;
	bool shut = !(access->mode & 011) && !(access->uid && access->mode & 0100);

	/* One that is missing has no files. */
	if (!access->exists || (!access->odd && (access->mode & 0111) == 0111))
		return true;
	path = path_of(making, place, NULL);
	if (!path)
		return false;
	bc_text_add_word(&word, path);
	if (access->odd)
		bc_import_note(making->import, BC_NOTE_LOST, path, 0, 0, "%s: nothing that it decides is imported",
			       access->odd);
	else if (shut)
		bc_import_note(making->import, BC_NOTE_IGNORED, path, 0, 0,
			       "mode %04o: nobody may search it, so authbind permits nothing from here on",
			       access->mode);
	else
		bc_import_note(making->import, BC_NOTE_LOST, path, 0, 0,
			       "mode %04o: only some may search it, and a rule cannot ask for that besides; to import "
			       "as if everybody could, run: chmod a+x %s",
			       access->mode, word.failed ? "" : word.data);
	return false;
}

/* Sorts out the names that authbind never asks for. */
static int read_names(struct making *making)
{
	making->names = calloc(making->auth->n + 1, sizeof(*making->names));
	if (!making->names)
		return -ENOMEM;
	for (size_t i = 0; i < making->auth->n; i++) {
		const struct bc_auth_file *file = &making->auth->files[i];
		const char *why = bc_auth_read_name(file, &making->names[making->n]);

		if (why)
			note(making, BC_NOTE_IGNORED, file, why);
		else
			making->n++;
	}
	qsort(making->names, making->n, sizeof(*making->names), bc_auth_compare_names);
	return 0;
}

static void add_rule(const struct making *making, const struct bc_auth_name *name, const struct bc_rule *form)
{
	const struct bc_range range = { name->number, name->number };
	struct bc_rule rule = *form;

	/* (uid_t)-1 is nobody's. */
	if (rule.id == UINT32_MAX)
		return;
	if (rule.kind != BC_ANYONE)
		rule.clauses |= rule.kind == BC_USER ? BC_CLAUSE_USER : BC_CLAUSE_GROUP;
	if (rule.proto)
		rule.clauses |= BC_CLAUSE_PROTO;
	else
		rule.proto = BC_TCP | BC_UDP;
	if (name->file->place == BC_AUTH_BYADDR)
		bc_auth_set_addr(&rule, name->addr, 128, name->v4);
	bc_import_rule(making->import, &rule, &range, 1);
}

/* A rule for the owner or a user that is named, if those of groups and others do not say the same. */
static void add_user(const struct making *making, const struct bc_auth_name *name, uint32_t uid)
{
	struct bc_auth_rest rest = bc_auth_rest(&name->file->access);
	struct bc_rule rule = { .kind = BC_USER, .id = uid };
	bool may = false;

	if (bc_auth_user(&name->file->access, uid, &may) && may && !rest.all)
		rule.verb = BC_VERB_GRANT;
	else if (!may && rest.some)
		rule.verb = BC_VERB_ALLOW;
	if (uid && rule.verb)
		add_rule(making, name, &rule);
}

/*
 * The same for a group. Who is in a group that may and in another that may not, may; but of two rules for groups the
 * one that gives less decides, unless the other is more specific: by the protocol it is, named one by one.
 */
static void add_group(const struct making *making, const struct bc_auth_name *name, uint32_t gid)
{
	struct bc_auth_rest rest = bc_auth_rest(&name->file->access);
	bool may = bc_auth_group_may(&name->file->access, gid);
	struct bc_rule rule = { .verb = may ? BC_VERB_GRANT : BC_VERB_ALLOW, .kind = BC_GROUP, .id = gid };

	if (may != rest.others) {
		add_rule(making, name, &rule);
	} else if (may && !rest.all) {
		rule.proto = BC_TCP;
		add_rule(making, name, &rule);
		rule.proto = BC_UDP;
		add_rule(making, name, &rule);
	}
}

/*
 * Who may execute the file: rules for users go before those for groups, and these before that for everybody, just as
 * the kernel goes by its bits. Where a nearer subject may not what a farther one may, `allow` takes it out. Root is
 * never helped by authbind, whoever owns the file.
 */
static void add_rules(const struct making *making, const struct bc_auth_name *name)
{
	const struct bc_auth_access *access = &name->file->access;
	const struct bc_rule root = { .verb = BC_VERB_ALLOW, .kind = BC_USER };
	const struct bc_rule everybody = { .verb = BC_VERB_GRANT, .kind = BC_ANYONE };
	struct bc_auth_rest rest = bc_auth_rest(access);

	add_user(making, name, access->uid);
	for (size_t i = 0; i < access->n; i++)
		if (!access->entries[i].group && access->entries[i].id != access->uid)
			add_user(making, name, access->entries[i].id);
	if (rest.some)
		add_rule(making, name, &root);
	add_group(making, name, access->gid);
	for (size_t i = 0; i < access->n; i++)
		if (access->entries[i].group && access->entries[i].id != access->gid)
			add_group(making, name, access->entries[i].id);
	if (rest.others)
		add_rule(making, name, &everybody);
}

/* What the rules of a byaddr file do not say as authbind does. */
static void note_addr(const struct making *making, const struct bc_auth_name *name)
{
	const struct bc_auth_name *v4;

	if (name->file->place != BC_AUTH_BYADDR || name->addr)
		return;
	v4 = bc_auth_find_wildcard(&making->decided, name->number);
	if (!v4 || !bc_auth_same(&v4->file->access, &name->file->access))
		note(making, BC_NOTE_LOST, name->file, BC_AUTH_DUAL);
}

/* Whether nobody else may execute it. */
static bool is_for_root(const struct bc_auth_access *access)
{
	bool may = access->uid && access->mode & 0100;

	for (size_t i = 0; i < access->n; i++)
		may |= access->entries[i].may && (access->entries[i].group || access->entries[i].id);
	return !may && !bc_auth_rest(access).some;
}

static void import_file(const struct making *making, const struct bc_auth_name *name)
{
	const struct bc_auth_access *access = &name->file->access;
	size_t before = making->import->policy.n;
	_cleanup_free_ char *path = path_of(making, name->file->place, name->file->name);

	if (!path)
		return;
	if (access->odd) {
		bc_import_note(making->import, BC_NOTE_LOST, path, 0, 0, "%s: nobody is granted it", access->odd);
		return;
	}
	if (!name->v4 && name->file->place == BC_AUTH_BYADDR && bc_auth_is_mapped(name->addr)) {
		bc_import_note(making->import, BC_NOTE_LOST, path, 0, 0, "%s", BC_AUTH_OF_V4);
		return;
	}
	bc_import_note(making->import, BC_NOTE_FROM, path, 0, 0, "mode %04o%s%s", access->mode,
		       access->n ? " and an access control list" : "",
		       is_for_root(access) ? ", nobody but root may execute it" : "");
	add_rules(making, name);
	if (making->import->policy.n > before)
		note_addr(making, name);
}

/* The files that decide: the first of those for one address and port, and where byport has none for the port. */
static int sort_out(struct making *making)
{
	struct bc_auth_decided *decided = &making->decided;

	decided->names = calloc(making->n + 1, sizeof(*decided->names));
	if (!decided->names)
		return -ENOMEM;
	for (size_t i = 0; i < making->n; i++) {
		const struct bc_auth_name *name = &making->names[i];
		const struct bc_auth_name *last = decided->n ? &decided->names[decided->n - 1] : NULL;

		if (name->file->place == BC_AUTH_BYPORT)
			decided->ports[name->number] = true;
		if (name->file->place != BC_AUTH_BYADDR)
			continue;
		if (decided->ports[name->number])
			note(making, BC_NOTE_IGNORED, name->file,
			     "authbind never comes to it: byport has a file for the port");
		else if (last && last->v4 == name->v4 && last->addr == name->addr && last->number == name->number)
			note(making, BC_NOTE_IGNORED, name->file,
			     "authbind never comes to it: it finds the file of the address's other name first");
		else
			decided->names[decided->n++] = *name;
	}
	return 0;
}

static void import_user(const struct making *making, const struct bc_auth_name *name)
{
	_cleanup_free_ char *path = path_of(making, BC_AUTH_BYUID, name->file->name);

	if (!name->file->text)
		note(making, BC_NOTE_IGNORED, name->file, "not a file that can be read: permits nothing");
	else if (path)
		bc_auth_import_user(making->import, &making->decided, path, name);
}

/* In the order in which authbind asks: what is behind a directory that is not open is not imported. */
static void import_all(struct making *making)
{
	size_t i = 0;

	if (!is_open(making, BC_AUTH_TOP) || !is_open(making, BC_AUTH_BYPORT))
		return;
	for (; i < making->n && making->names[i].file->place == BC_AUTH_BYPORT; i++)
		import_file(making, &making->names[i]);
	if (!is_open(making, BC_AUTH_BYADDR))
		return;
	for (size_t k = 0; k < making->decided.n; k++)
		import_file(making, &making->decided.names[k]);
	for (; i < making->n && making->names[i].file->place == BC_AUTH_BYADDR; i++)
		;
	for (; i < making->n; i++)
		import_user(making, &making->names[i]);
}

int bc_import_authbind(const struct bc_auth *auth, const char *dir, struct bc_import *ret, struct bc_error *reterr)
{
	_cleanup_(bc_import_done) struct bc_import import = {};
	struct making making = { .auth = auth, .dir = dir, .import = &import };
	int r = read_names(&making) ?: sort_out(&making);

	if (!r)
		import_all(&making);
	free(making.names);
	free(making.decided.names);
	r = r ?: import.failed;
	if (r == -E2BIG)
		return bc_fail(reterr, r, "more files than a policy can name");
	if (r)
		return bc_fail_errno(reterr, r, "cannot make rules");
	*ret = import;
	import = (struct bc_import){};
	return 0;
}
