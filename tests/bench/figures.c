// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench.h"

struct figure {
	char *table;
	char *row;
	char *column;
	double *values; /* in the order of the rounds */
	size_t n, room;
};

struct goal {
	char *what;
	const char *unit;
	double value;
	double goal;
	bool at_least;
};

static struct figure *figures;
static size_t nfigures, figures_room;
static struct goal goals[32];
static size_t ngoals;

static struct figure *find(const char *table, const char *row, const char *column)
{
	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].table, table) && !strcmp(figures[i].row, row) &&
		    !strcmp(figures[i].column, column))
			return &figures[i];
	return NULL;
}

static const struct figure *demand(const char *table, const char *row, const char *column)
{
	const struct figure *figure = find(table, row, column);

	if (!figure || !figure->n)
		fail("'%s', '%s' of '%s' was not measured", row, column, table);
	return figure;
}

void figure_add(const char *table, const char *row, const char *column, double value)
{
	struct figure *figure = find(table, row, column);

	if (!figure) {
		if (bc_grow(&figures, &figures_room, nfigures + 1))
			fail("out of memory");
		figure = &figures[nfigures++];
		*figure = (struct figure){ strdup(table), strdup(row), strdup(column) };
	}
	if (bc_grow(&figure->values, &figure->room, figure->n + 1))
		fail("out of memory");
	figure->values[figure->n++] = value;
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The value that `part` of all are below. */
static double quantile(const double *values, size_t n, double part)
{
	_cleanup_free_ double *sorted = malloc(n * sizeof(*sorted));
	double at = part * (n - 1), lower;

	if (!sorted)
		fail("out of memory");
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	lower = sorted[(size_t)at];
	return (size_t)at + 1 < n ? lower + (sorted[(size_t)at + 1] - lower) * (at - (size_t)at) : lower;
}

double figure_median(const char *table, const char *row, const char *column)
{
	const struct figure *figure = demand(table, row, column);

	return quantile(figure->values, figure->n, 0.5);
}

double figure_ratio(const char *table, const char *row, const char *column, const char *to_row, const char *to_column)
{
	const struct figure *a = demand(table, row, column), *b = demand(table, to_row, to_column);
	size_t n = a->n < b->n ? a->n : b->n;
	_cleanup_free_ double *ratios = malloc(n * sizeof(*ratios));

	if (!ratios)
		fail("out of memory");
	for (size_t i = 0; i < n; i++)
		ratios[i] = a->values[i] / b->values[i];
	return quantile(ratios, n, 0.5);
}

void figure_goal(const char *what, const char *unit, double value, double goal, bool at_least)
{
	if (ngoals == ARRAY_SIZE(goals))
		fail("too many goals");
	goals[ngoals++] = (struct goal){ strdup(what), unit, value, goal, at_least };
}

static bool is_met(const struct goal *goal)
{
	return goal->at_least ? goal->value >= goal->goal : goal->value <= goal->goal;
}

/* The first figure of each table; of each row; of each column. */
static bool is_first(size_t i, bool row, bool column)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(figures[k].table, figures[i].table) && (!row || !strcmp(figures[k].row, figures[i].row)) &&
		    (!column || !strcmp(figures[k].column, figures[i].column)))
			return false;
	return true;
}

static void print_value(FILE *f, const struct figure *figure)
{
	double value = figure ? quantile(figure->values, figure->n, 0.5) : 0;

	if (!figure)
		fprintf(f, " | %10s", "");
	else
		fprintf(f, " | %10.*f", value > -10 && value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

/* In Markdown, which reads well as it is. */
static void print_table(FILE *f, const char *table)
{
	fprintf(f, "\n%s\n\n| %-44s", table, "");
	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].table, table) && is_first(i, false, true))
			fprintf(f, " | %10s", figures[i].column);
	fprintf(f, " |\n| ---");
	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].table, table) && is_first(i, false, true))
			fprintf(f, " | ---:");
	fprintf(f, " |\n");
	for (size_t i = 0; i < nfigures; i++) {
		if (strcmp(figures[i].table, table) || !is_first(i, true, false))
			continue;
		fprintf(f, "| %-44s", figures[i].row);
		for (size_t k = 0; k < nfigures; k++)
			if (!strcmp(figures[k].table, table) && is_first(k, false, true))
				print_value(f, find(table, figures[i].row, figures[k].column));
		fprintf(f, " |\n");
	}
}

static void print_all(FILE *f)
{
	fprintf(f, "Medians of the rounds.\n");
	for (size_t i = 0; i < nfigures; i++)
		if (is_first(i, false, false))
			print_table(f, figures[i].table);
	if (!ngoals)
		return;
	fprintf(f, "\nGoals\n\n| %-66s | %12s | %12s |     |\n| --- | ---: | ---: | --- |\n", "", "reached", "wanted");
	for (size_t i = 0; i < ngoals; i++)
		fprintf(f, "| %-66s | %6.*f %-5s | %s %4g %-5s | %s |\n", goals[i].what, goals[i].value < 10 ? 2 : 0,
			goals[i].value, goals[i].unit, goals[i].at_least ? ">=" : "<=", goals[i].goal, goals[i].unit,
			is_met(&goals[i]) ? "met" : "MISSED");
}

static json_object *figure_json(const struct figure *figure)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "table", json_object_new_string(figure->table));
	json_object_object_add(o, "row", json_object_new_string(figure->row));
	json_object_object_add(o, "column", json_object_new_string(figure->column));
	json_object_object_add(o, "rounds", json_object_new_int64(figure->n));
	json_object_object_add(o, "median", json_object_new_double(quantile(figure->values, figure->n, 0.5)));
	json_object_object_add(o, "lower_quartile", json_object_new_double(quantile(figure->values, figure->n, 0.25)));
	json_object_object_add(o, "upper_quartile", json_object_new_double(quantile(figure->values, figure->n, 0.75)));
	return o;
}

static json_object *goal_json(const struct goal *goal)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "what", json_object_new_string(goal->what));
	json_object_object_add(o, "unit", json_object_new_string(goal->unit));
	json_object_object_add(o, "reached", json_object_new_double(goal->value));
	json_object_object_add(o, goal->at_least ? "at_least" : "at_most", json_object_new_double(goal->goal));
	json_object_object_add(o, "met", json_object_new_boolean(is_met(goal)));
	return o;
}

static void write_json(const char *dir)
{
	json_object *root = json_object_new_object(), *list = json_object_new_array(), *met = json_object_new_array();
	struct utsname uts;
	char text[256];
	time_t t = time(NULL);

	uname(&uts);
	strftime(text, sizeof(text), "%FT%TZ", gmtime(&t));
	json_object_object_add(root, "version", json_object_new_int(1));
	json_object_object_add(root, "time", json_object_new_string(text));
	json_object_object_add(root, "kernel", json_object_new_string(uts.release));
	json_object_object_add(root, "rounds", json_object_new_int(bench.rounds));
	for (size_t i = 0; i < nfigures; i++)
		json_object_array_add(list, figure_json(&figures[i]));
	json_object_object_add(root, "figures", list);
	for (size_t i = 0; i < ngoals; i++)
		json_object_array_add(met, goal_json(&goals[i]));
	json_object_object_add(root, "goals", met);
	snprintf(text, sizeof(text), "%s/results.json", dir);
	if (json_object_to_file_ext(text, root, JSON_C_TO_STRING_PRETTY))
		fail("cannot write %s", text);
	json_object_put(root);
}

static FILE *create(const char *dir, const char *name)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		fail("cannot write %s: %m", path);
	return f;
}

/* For plot.gp: a line for each size, a column for each row. */
static void write_programs(const char *dir)
{
	FILE *f = create(dir, "programs.dat");

	fprintf(f, "rules");
	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].table, PROGRAMS) && is_first(i, true, false))
			fprintf(f, "\t%s", figures[i].row);
	for (unsigned size = 0; size < SIZES; size++) {
		fprintf(f, "\n%u", sizes[size]);
		for (size_t i = 0; i < nfigures; i++)
			if (!strcmp(figures[i].table, PROGRAMS) && is_first(i, true, false))
				fprintf(f, "\t%g", figure_median(PROGRAMS, figures[i].row, size_names[size]));
	}
	fprintf(f, "\n");
	if (fclose(f))
		fail("cannot write to %s: %m", dir);
}

/* A line for each row of the calls, with the time of the bind alone. */
static void write_calls(const char *dir)
{
	FILE *f = create(dir, "calls.dat");

	for (size_t i = 0; i < nfigures; i++)
		if (!strcmp(figures[i].table, CALLS) && is_first(i, true, false))
			fprintf(f, "%s\t%g\n", figures[i].row, quantile(figures[i].values, figures[i].n, 0.5));
	if (fclose(f))
		fail("cannot write to %s: %m", dir);
}

void figures_write(const char *dir)
{
	FILE *f;

	print_all(stdout);
	if (!dir)
		return;
	f = create(dir, "results.md");
	print_all(f);
	if (fclose(f))
		fail("cannot write to %s: %m", dir);
	write_json(dir);
	write_programs(dir);
	write_calls(dir);
}
