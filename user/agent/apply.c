// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent does with what it knows: intent, and that into force. */
#include <errno.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/leftover.h"
#include "agent/notices.h"

/*
 * What the library said: places in files come and go like the findings about objects; what was amiss in the kernel is
 * said each time. Of an attempt that did not get as far as to the files (`compiled`) nothing is known.
 */
static void log_report(struct agent *agent, const struct bc_report *report, bool compiled)
{
	_cleanup_(bc_report_done) struct bc_report places = {};
	struct findings found = {};

	for (size_t i = 0; i < report->n; i++)
		if (*report->items[i].source)
			bc_report_add(&places, &report->items[i]);
		else
			log_error(LEVEL_WARNING, "amiss", &report->items[i]);
	if (!compiled)
		return;
	notices_of_report(&places, &found);
	notices_log(&agent->complaints, &found);
}

static void log_applied(const struct agent *agent, enum enforce_result result, int64_t took)
{
	static const char *const results[] = { "unchanged", "changed", "mended" };
	char rules[24], pods[24], generation[24], duration[24];

	log_event(result == ENFORCE_NOTHING ? LEVEL_DEBUG : LEVEL_INFO, "applied", "result", results[result], "rules",
		  log_number(rules, agent->counts.rules), "pods", log_number(pods, agent->counts.pods_ruled),
		  "generation", log_number(generation, agent->enforcer.facts.generation), "took_ms",
		  log_number(duration, took), NULL);
}

/* What to say of a failure: the first fault of a file, which is what there is to mend, or what they add up to. */
static const struct bc_error *choose_failure(const struct bc_report *report, const struct bc_error *error)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->items[i].severity == BC_ERROR)
			return &report->items[i];
	return error;
}

/* One attempt more. */
static void count(struct metrics *metrics, int r, enum enforce_result result, int64_t begun)
{
	if (r == -ECANCELED)
		return;
	metrics_observe(&metrics->apply, (clock_ms() - begun) / 1000.0);
	metrics->applies[r ? METRICS_FAILED : result == ENFORCE_NOTHING ? METRICS_UNCHANGED : METRICS_CHANGED]++;
	metrics->mended += !r && result == ENFORCE_MENDED;
}

/* What comes of an attempt, successful or not (`r`). One that a signal cut short is none: the loop will look at that. */
static void conclude(struct agent *agent, int r, enum enforce_result result, const struct bc_report *report,
		     const struct bc_error *error, int64_t begun)
{
	const int64_t now = clock_ms(), first = agent->pace.first;
	struct metrics *metrics = &agent->metrics;

	if (r == -ECANCELED)
		return;
	pace_done(&agent->pace, begun, now, r != 0);
	log_report(agent, report, !r || report->n);
	if (r) {
		log_error(LEVEL_ERROR, "apply-failed", error);
		agent->failure = *choose_failure(report, error);
		return;
	}
	if (*agent->failure.text)
		log_event(LEVEL_INFO, "apply-recovered", NULL);
	agent->failure = (struct bc_error){};
	agent->applied = true;
	metrics->applied_ms = clock_unix_ms();
	if (result == ENFORCE_CHANGED && first != PACE_NEVER)
		metrics_observe(&metrics->event_to_enforced, (now - first) / 1000.0);
	log_applied(agent, result, now - begun);
}

/* The policy's text; findings are logged as far as they are new. */
static int compute(struct agent *agent, struct bc_text *ret_text, struct bc_error *reterr)
{
	struct findings found = {};
	int r = intent_make(agent->sources.state, &agent->intent, ret_text, &found, &agent->counts, reterr);

	if (!r)
		notices_log(&agent->findings, &found);
	return r;
}

/* Of a pod that nobody has told of for a while, that it runs may be long over. */
static void look_for_astray(struct agent *agent)
{
	struct findings found = {};

	if (sources_watching(&agent->sources, STATE_POD) &&
	    !astray_look(&agent->astray, agent->sources.state, &agent->intent, agent->enforcer.instance.cgroup,
			 clock_ms(), &found))
		notices_log(&agent->lost, &found);
	findings_done(&found);
}

bool agent_forget(struct agent *agent)
{
	return leftover_forget(agent->sources.state, &agent->intent.path, agent->enforcer.instance.cgroup) ==
	       STATE_CHANGED;
}

void agent_apply(struct agent *agent)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	enum enforce_result result = ENFORCE_NOTHING;
	const int64_t begun = clock_ms();
	struct bc_error error;
	int r;

	(void)agent_forget(agent);
	r = compute(agent, &text, &error);
	if (!r)
		r = enforce(&agent->enforcer, text.data, text.len, &result, &report, &error);
	count(&agent->metrics, r, result, begun);
	conclude(agent, r, result, &report, &error, begun);
	look_for_astray(agent);
}

void agent_check(struct agent *agent)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result = ENFORCE_NOTHING;
	const int64_t begun = clock_ms();
	struct bc_error error;
	int r = enforce_check(&agent->enforcer, &result, &report, &error);

	/* To have found nothing amiss is no attempt. */
	if (r || result != ENFORCE_NOTHING)
		count(&agent->metrics, r, result, begun);
	conclude(agent, r, result, &report, &error, begun);
	look_for_astray(agent);
}

int agent_print(struct agent *agent)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_text_done) struct bc_text text = {}, difference = {};
	struct bc_error error;
	int r;

	(void)agent_forget(agent);
	r = compute(agent, &text, &error);
	if (!r && (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout)))
		r = bc_fail_errno(&error, -EIO, "cannot print the policy");
	if (!r)
		r = enforce_dry(&agent->enforcer, text.data, text.len, &difference, &report, &error);
	log_report(agent, &report, true);
	if (r) {
		log_error(LEVEL_ERROR, "dry-run-failed", &error);
		return EXIT_FAILED;
	}
	if (difference.len)
		fputs(difference.data, stderr);
	return EXIT_DONE;
}
