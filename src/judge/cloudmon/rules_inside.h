/*
 * rules_inside.h - what the files that read a rule set share.
 *
 * Files are read one after the other into the same drafts: maps merge by key, what comes later
 * wins, lists are replaced, as metrics-processor does it. Then flags and health metrics are made of
 * the drafts. An environment variable is a file of one value.
 */
#ifndef JUDGE_CLOUDMON_RULES_INSIDE_H
#define JUDGE_CLOUDMON_RULES_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "judge/cloudmon/cloudmon.h"
#include "text/yaml.h"

struct part {                 /* of a document */
	const struct yaml *y; /* NULL: not there */
	const char *file;
};

struct template
{
	char *name;
	struct part at, query, promql, op, threshold;
	struct target *target; /* query once parsed */
	bool used, bad;
	enum flag_op how;
	double limit;
};

struct environment {
	char *name;
	json_t *attributes;
};

struct health_draft {
	char *key;
	struct part at, service, component_name, category, metrics, expressions;
};

struct cloudmon_rules {
	struct cloudmon_datasource datasource;
	struct cloudmon_dashboard dashboard;
	struct cloudmon_patience patience;
	VEC(struct cloudmon_flag) flags;
	VEC(struct cloudmon_health) healths;
	struct map health_by_name; /* "ENVIRONMENT\nKEY": its number and one */
	VEC(struct environment *) environments;
	VEC(struct formula *) formulas;
	VEC(char *) texts; /* what flags and health metrics point to */
	VEC(void *) arrays;
	size_t notes;
};

struct rules_reader {
	struct cloudmon_rules *rules;
	cloudmon_note *note;
	void *arg;
	struct error_list *errors;
	size_t before; /* errors that were there */
	VEC(struct yaml_file *) files;
	struct map templates; /* struct template */
	struct map healths;   /* struct health_draft */
	struct map by_flag;   /* "ENVIRONMENT\nSERVICE.NAME": number of the flag and one */
	struct map by_name;   /* "SERVICE.NAME": struct flag_name */
	struct part environments, flags;
};

struct flag_name { /* of all environments */
	struct part at;
	bool used;
};

/* Tells what is odd; what is wrong. */
void rules_note(struct rules_reader *rd, struct part p, const char *fmt, ...) like_printf(3, 4);
void rules_wrong(struct rules_reader *rd, struct part p, const char *fmt, ...) like_printf(3, 4);
/* A key of a map; y NULL when it is not there or null. */
struct part rules_get(struct part map, const char *key);
struct part rules_item(struct part of, size_t i);
/* Whether it is of that kind; else it is told. What is not there is none. */
bool rules_is(struct rules_reader *rd, struct part p, enum yaml_kind kind, const char *what);
/* Notes each key of the map that is none of these; NULL-terminated. */
void rules_known(struct rules_reader *rd, struct part map, const char *const *keys);
/* The text of a scalar, "" when it is not there. */
const char *rules_text(struct part p);
/* Kept as long as the rules. */
const char *rules_keep(struct cloudmon_rules *r, char *owned);
struct environment *rules_environment(struct rules_reader *rd, const char *name);
/* The number of a flag; CLOUDMON_NOBODY, CLOUDMON_ELSEWHERE. */
int64_t rules_flag(struct rules_reader *rd, const char *environment, const char *name);

/* rules_read.c: files, one (taken; NULL is fine), and variables, into drafts. */
void rules_read_files(struct rules_reader *rd, const char *path);
void rules_read_file(struct rules_reader *rd, struct yaml_file *f);
void rules_read_environment(struct rules_reader *rd, char *const *environment);
/* rules_flags.c: templates and environments into flags. */
void rules_make_flags(struct rules_reader *rd);
/* rules_health.c */
void rules_make_healths(struct rules_reader *rd);

#endif
