/*
 * target.h - a target of Graphite as a tree: functions, their arguments, paths.
 *
 *	alias(scale(stats.*.{a,b}.count, 2.5), "name")   a.b.c | scale(2) | alias("name")
 *
 * An argument is a target, a number, a text in single or double quotes, true, false, None or inf;
 * after the last of those by position come those by name, name=value. What is piped is the first
 * argument. In a path `\` takes the meaning of `(){},.'"\|=`.
 * A tree is immutable. Thread: any.
 */
#ifndef JUDGE_GRAPHITE_TARGET_H
#define JUDGE_GRAPHITE_TARGET_H

#include "base/error.h"
#include "base/slice.h"
#include "base/vec.h"

#define TARGET_TEXT  (64u << 10)
#define TARGET_DEPTH 32
#define TARGET_NODES 10000

enum target_type {
	TARGET_PATH,
	TARGET_CALL,
	TARGET_NUMBER,
	TARGET_STRING,
	TARGET_BOOL,
	TARGET_NONE
};

struct target_node {
	enum target_type type;
	size_t at;     /* byte of the text where it begins */
	char *text;    /* path; name of a function; text; as a number was written. Owned */
	char *raw;     /* of a call: as it was written. Owned */
	char *keyword; /* name=value; NULL: by position. Owned */
	double number;
	bool whole; /* a number without a fraction; true */
	VEC(struct target_node *) args;
};

struct target;

/* Returns owned; NULL with the column (code points, from 1) in *err. */
struct target *target_parse(struct slice text, struct error *err) must_check;
void target_free(struct target *t);
const struct target_node *target_root(const struct target *t);
/* An error at a node of it: fills column and message. */
void target_error(const struct target *t, const struct target_node *at, struct error *err,
	const char *fmt, ...) like_printf(4, 5);
/* The first path in the text of a target, found as graphite-web finds it: the first argument of
 * each function. Owned; NULL: there is none. */
char *target_first_path(struct slice text);

#endif
