// SPDX-License-Identifier: GPL-2.0-or-later
/* A cluster in a few words: objects out of JSON with ' for ", and what a pod of it may bind. */
#ifndef BINDCTL_TESTS_CLUSTER_H
#define BINDCTL_TESTS_CLUSTER_H

#include "../../unit/unit.h"
#include "../../unit/reference.h"
#include "agent/intent/intent.h"
#include "agent/intent/object.h"

#define NODE "n1"
#define UID_OF(digit) "00000000-0000-4000-8000-00000000000" #digit
/* Where kubelet has a Guaranteed pod of that uid. */
#define PATH_OF(digit) "/kubepods/pod" UID_OF(digit)

static const struct intent_config cluster_config = { .node = NODE, .path = { .drivers = PODPATH_CGROUPFS } };

/* The object, with ' for ". */
static inline struct json_object *json(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	struct json_object *object;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_tokener_parse(copy);
	if (!object)
		fail_msg("no JSON: %s", copy);
	return object;
}

static inline int set(struct state *state, enum state_kind kind, const char *text)
{
	struct json_object *object = json(text);
	int change = state_set(state, kind, object);

	if (getenv("SHOW_OBJECTS"))
		print_message("# %s\n", text);
	assert_true(change == STATE_CHANGED || change == STATE_UNCHANGED);
	json_object_put(object);
	return change;
}

__attribute__((format(printf, 3, 4))) static inline int setf(struct state *state, enum state_kind kind,
							     const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return set(state, kind, text);
}

static inline int unset(struct state *state, enum state_kind kind, const char *text)
{
	struct json_object *object = json(text);
	int change = state_remove(state, kind, object);

	json_object_put(object);
	return change;
}

/* Objects of the kind that cannot be read. */
static inline size_t rejected(const struct state *state, enum state_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < state_count(state, kind); i++)
		n += state_at(state, kind, i)->error != NULL;
	return n;
}

#define POD(ns, name, digit, labels, spec)                                                             \
	"{'metadata': {'namespace': '" ns "', 'name': '" name                                          \
	"', 'uid': '" UID_OF(digit) "', 'labels': {" labels "}}, 'spec': {'nodeName': '" NODE "'" spec \
				    "}, 'status': {'qosClass': 'Guaranteed', 'phase': 'Running'}}"
#define HOST ", 'hostNetwork': true"
#define NAMESPACE(name, labels) "{'metadata': {'name': '" name "', 'labels': {" labels "}}}"
#define POLICY(ns, name, selector, rules)                                                              \
	"{'metadata': {'namespace': '" ns "', 'name': '" name "'}, 'spec': {'podSelector': {" selector \
	"}, 'rules': [" rules "]}}"
#define CLUSTER(name, spec) "{'metadata': {'name': '" name "'}, 'spec': {" spec "}}"

/* What intent_make() said. */
struct made {
	struct bc_text text;
	struct findings findings;
	struct intent_counts counts;
	struct bc_cells image;
	struct bc_policy policy;
};

static inline void made_done(struct made *made)
{
	bc_text_done(&made->text);
	findings_done(&made->findings);
	bc_cells_done(&made->image);
	bc_policy_done(&made->policy);
}

/* The text must be policy, and no two rules of it may disagree. */
static inline void make(const struct state *state, const struct intent_config *config, struct made *made)
{
	struct bc_report report = {};
	struct bc_error error = {};

	if (intent_make(state, config, &made->text, &made->findings, &made->counts, &error))
		fail_msg("cannot make: %s", error.text);
	policy_from_text(&made->policy, made->text.data);
	if (bc_compile(&made->policy, BC_WARNING, &made->image, &report, &error))
		fail_msg("cannot compile: %s", error.text);
	if (report.n)
		fail_msg("%u: %s in:\n%s", report.items[0].line, report.items[0].text, made->text.data);
	bc_report_done(&report);
}

static inline enum bc_verdict ask_made(const struct made *made, const struct bc_question *question)
{
	struct bc_answer answer = {};
	enum bc_verdict verdict;

	assert_int_equal(bc_decide_image(&made->image, question, &answer), 0);
	verdict = answer.verdict;
	bc_answer_done(&answer);
	return verdict;
}

/* A TCP bind of uid 1000 at 0.0.0.0, by a process of the pod in its own network namespace. */
static inline struct bc_question bind_of(const char *path, bool host, unsigned port)
{
	struct bc_question question = ask(1000, port, "0.0.0.0");

	question.cgroup = path;
	question.host_netns = host;
	return question;
}

static inline void assert_verdict(const struct made *made, struct bc_question question, enum bc_verdict verdict)
{
	enum bc_verdict got = ask_made(made, &question);

	if (got != verdict)
		fail_msg("uid %u port %u %s of %s: verdict %d, not %d, in:\n%s", question.uid, question.port,
			 question.host_netns ? "on the node" : "in the pod", question.cgroup ? question.cgroup : "/",
			 got, verdict, made->text.data);
}

static inline const char *level_name(enum finding_level level)
{
	return level == FINDING_REJECTED ? "rejected" : level == FINDING_WARNING ? "warning" : "note";
}

static inline bool has_finding(const struct findings *findings, enum finding_level level, const char *kind,
			       const char *namespace, const char *name, const char *fragment)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];

		if (finding->level == level && !strcmp(finding->kind, kind) && !strcmp(finding->namespace, namespace) &&
		    !strcmp(finding->name, name) && strstr(finding->text, fragment))
			return true;
	}
	return false;
}

static inline void assert_finding(const struct findings *findings, enum finding_level level, const char *kind,
				  const char *namespace, const char *name, const char *fragment)
{
	if (has_finding(findings, level, kind, namespace, name, fragment))
		return;
	for (size_t i = 0; i < findings->n; i++)
		print_message("# %s %s %s/%s: %s\n", level_name(findings->items[i].level), findings->items[i].kind,
			      findings->items[i].namespace, findings->items[i].name, findings->items[i].text);
	fail_msg("no %s finding of %s %s/%s with '%s'", level_name(level), kind, namespace, name, fragment);
}

/* Makes the file of a state, asks one bind of it, and lets it go. */
static inline void assert_bind(const struct state *state, const char *path, bool host, unsigned port,
			       enum bc_verdict verdict)
{
	_cleanup_(made_done) struct made made = {};

	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(path, host, port), verdict);
}

/* The same for a finding. */
static inline void assert_said(const struct state *state, enum finding_level level, const char *kind,
			       const char *namespace, const char *name, const char *text)
{
	_cleanup_(made_done) struct made made = {};

	make(state, &cluster_config, &made);
	assert_finding(&made.findings, level, kind, namespace, name, text);
}

/* Four policies of a namespace that are long, of 64 denies each, which speak of so many addresses. */
static inline void set_long_policies(struct state *state, const char *namespace, int addresses)
{
	for (int i = 0; i < 4; i++) {
		_cleanup_(bc_text_done) struct bc_text rules = {};

		for (int k = 0; k < 64; k++) {
			bc_text_addf(&rules, "%s{'action': 'Deny', 'ports': [%d], 'runAsUser': %u, 'addresses': [",
				     k ? ", " : "", 1000 + 64 * i + k, 4000000000u + i);
			for (int a = 0; a < addresses; a++)
				bc_text_addf(&rules, "%s'2001:db8:1234:5678:9abc:def0:%x:%x'", a ? ", " : "", 4096 + i,
					     4096 + a);
			bc_text_addf(&rules, "]}");
		}
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': '%s', 'name': 'p%d'}, 'spec': {'podSelector': {}, 'rules': [%s]}}",
		     namespace, i, rules.data);
	}
}

/* So many policies of a namespace, each of 16 grants whose ranges overlap those of all the others. */
static inline void set_overlapping_policies(struct state *state, const char *namespace, int n)
{
	for (int i = 0; i < n; i++) {
		_cleanup_(bc_text_done) struct bc_text rules = {};

		for (int k = 0; k < 16; k++) {
			bc_text_addf(&rules, "%s{'action': 'Grant', 'ports': ['%d-%d'], 'addresses': [", k ? ", " : "",
				     1000 + 16 * i + k, 60000 - 16 * i - k);
			for (int a = 0; a < 16; a++)
				bc_text_addf(&rules, "%s'10.%d.%d.0/24'", a ? ", " : "", i, a);
			bc_text_addf(&rules, "]}");
		}
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': '%s', 'name': 'p%03d'}, 'spec': {'podSelector': {}, 'rules': [%s]}}",
		     namespace, i, rules.data);
	}
}

#define P1 PATH_OF(1)
#define P2 PATH_OF(2)
#define GRANT(ports) "{'action': 'Grant', 'ports': [" ports "]}"
#define DENY(ports) "{'action': 'Deny', 'ports': [" ports "]}"

/* Pod web/edge with an own network namespace, pod web/host on the node's, and pod dns/other like the first. */
static inline struct state *small_cluster(void)
{
	struct state *state = state_new();

	set(state, STATE_NAMESPACE, NAMESPACE("web", "'team': 'a'"));
	set(state, STATE_NAMESPACE, NAMESPACE("dns", "'team': 'b'"));
	set(state, STATE_POD, POD("web", "edge", 1, "'app': 'edge'", ""));
	set(state, STATE_POD, POD("web", "host", 2, "'app': 'edge'", HOST));
	set(state, STATE_POD, POD("dns", "other", 3, "'app': 'edge'", ""));
	return state;
}

#endif
