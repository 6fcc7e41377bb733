/*
 * expr.h - the expression language of scenarios and conditions.
 *
 *	.f ['odd:name'] [n] [*]  + - * / % == != < <= > >= in ! && || a ? b : c ??
 *	literals: 1 2.5 'text' "text" true false null 10ms 5GiB 200/s 0.5% [a, b] {k: v, 'odd k': v}
 *	functions: len min max ceil cidr(base, bits, n) join lower string without(a, b)
 *	           base64 yaml  - and those the scope adds: size_for file sample secret
 *	in conditions only: [NAME] is this step's own measurement; len() has() pat() any() as in
 *	Gatus, and re(), a regular expression (regex.h) as it is written
 *
 * `/` on integers rounds down, ceil(a / b) rounds the exact quotient up. `??` replaces null and
 * absent. `&& || ?:` and `??` evaluate only what they need. Comparing different units is an error
 * with the position. An evaluation may take at most EXPR_STEPS operations and its values EXPR_BYTES.
 *An expression is at most EXPR_TEXT bytes and EXPR_NODES parts, 64 levels deep: what walks the tree
 * may use the stack. Thread: one at a time; a parsed expression is immutable.
 */
#ifndef TEXT_EXPR_H
#define TEXT_EXPR_H

#include "base/error.h"
#include "text/value.h"

#define EXPR_STEPS 100000
#define EXPR_BYTES (4u << 20)
#define EXPR_TEXT  (64u << 10)
#define EXPR_NODES 4000

struct expr;

enum expr_result {
	EXPR_OK,
	EXPR_BLOCKED, /* needs something that is not ready; ask again later */
	EXPR_ABSENT,  /* needs something that will never be (a step whose `when` is false) */
	EXPR_SKIPPED, /* needs something that failed or was skipped */
	EXPR_ERROR,   /* err says what and where; its kind is ERROR_LIMIT for what took too much */
};

/* How names get their meaning. Every function may return any result; values are returned owned. */
struct expr_scope {
	void *arg;
	/* A bare name. An unknown one is EXPR_ERROR with ret untouched and err set. */
	enum expr_result (*name)(
		void *arg, struct slice name, struct value *ret, struct error *err);
	/* ref.field; ref[index] (negative allowed); ref[*] as a list. NULL: refs do not occur. */
	enum expr_result (*field)(void *arg, struct value_ref ref, struct slice field,
		struct value *ret, struct error *err);
	enum expr_result (*index)(void *arg, struct value_ref ref, int64_t index, struct value *ret,
		struct error *err);
	enum expr_result (*all)(
		void *arg, struct value_ref ref, struct value *ret, struct error *err);
	/* A ref where a plain value is needed (comparison, text, JSON): its id. */
	enum expr_result (*plain)(
		void *arg, struct value_ref ref, struct value *ret, struct error *err);
	/* [NAME] of conditions. */
	enum expr_result (*measurement)(
		void *arg, struct slice name, struct value *ret, struct error *err);
	/* What [NAME] was written as before it was read as a document, where it was one; *ret
	 * stays null where it was not. Texts and patterns are held against that. May be NULL. */
	enum expr_result (*written)(
		void *arg, struct slice name, struct value *ret, struct error *err);
	/* Functions the language itself does not have. `args` are borrowed. */
	enum expr_result (*call)(void *arg, struct slice function, const struct value *args,
		size_t n, struct value *ret, struct error *err);
};

enum expr_flags {
	EXPR_MEASUREMENTS = 1, /* [NAME] is a measurement, not a list */
	/* Conditions over series: NAME{tag="value"} and a bare NAME, which may have . - and * in
	 * it, are texts, `7d ago` is a time below 0, all functions are the scope's. Both sides of
	 * && and || are evaluated, and what is absent decides nothing: absent || true is true,
	 * absent && false is false. */
	EXPR_SERIES = 2,
};

/* `file`, `line`, `col` are where `text` begins, for errors. Returns owned, or NULL. */
struct expr *expr_parse(struct slice text, unsigned flags, const char *file, unsigned line,
	unsigned col, struct error *err);
void expr_free(struct expr *e);

/* Calls `cb` for each name the expression uses at its root (`a` in `a.b[c]` and c), with the place
 * of each; functions and measurements are not names. `needs_all`: it is used as name[*]. */
struct expr_use {
	struct slice name;
	unsigned line, col;
	bool needs_all; /* name[*] */
	bool indexed;   /* name[...] */
	bool optional;  /* left of ?? */
};
void expr_names(const struct expr *e, void (*cb)(void *arg, const struct expr_use *use), void *arg);
/* Names of all called functions, for checking before a run. */
void expr_functions(const struct expr *e,
	void (*cb)(void *arg, struct slice function, size_t args, unsigned line, unsigned col),
	void *arg);
/* Each call, those in its arguments before it, with the arguments that are literals. */
#define EXPR_CALL_ARGS 4
struct expr_call {
	struct slice function;
	unsigned line, col;
	size_t n;                                 /* may be more than EXPR_CALL_ARGS */
	const struct value *args[EXPR_CALL_ARGS]; /* NULL: no literal */
	const struct expr_call *inner;            /* of the first argument, when it is a call */
};
void expr_calls(
	const struct expr *e, void (*cb)(void *arg, const struct expr_call *call), void *arg);
/* All literal texts, plain words of conditions among them; each is borrowed for the call. */
void expr_texts(const struct expr *e, void (*cb)(void *arg, struct slice text), void *arg);

/* Each [NAME]. */
void expr_measurements(const struct expr *e,
	void (*cb)(void *arg, struct slice name, unsigned line, unsigned col), void *arg);

/* Whether what is compared with a measurement as it is written, a literal, has the unit that the
 * measurement has: `type_of` says its type, VALUE_NULL where that is not known before. False with
 * what does not fit, as an evaluation would say it, in *err. Both sides of && and || are looked at.
 */
bool expr_units(const struct expr *e, enum value_type (*type_of)(struct slice name),
	struct error *err) must_check;

enum expr_result expr_eval(
	const struct expr *e, const struct expr_scope *scope, struct value *ret, struct error *err);
/* For condition messages: each measurement and name with the value it had, "[STATUS] = 503".
 * Appends to out. */
void expr_explain(const struct expr *e, const struct expr_scope *scope, struct buf *out);

/*
 * Conditions of `expect` and `warn` are texts in which `${expr}` may stand beside [NAME]:
 * "[OUTPUT] == ${it.name}". The right side may be plain words: everything after the operator that
 * is neither ${}, a literal nor a measurement is text, as in Gatus ("[BODY].status == UP").
 */
struct expr *expr_parse_condition(
	struct slice text, const char *file, unsigned line, unsigned col, struct error *err);

#endif
