/*
 * rule.h - one rule: a condition over series, as it is written, read once and immutable.
 *
 *	- {name: api-slow, component: compute, severity: degraded,
 *	   when: 'p95(call{service="compute"}) > 2s', over: 5m, for: 2m, recover: 5m, minimum: 5,
 *	   each: location, text: "Compute answers slowly"}
 *
 * The condition is the house's expression language (text/expr.h) with functions over series:
 * functions.def. A selector is NAME, NAME{tag="value", other!="value*"} or a pattern in quotes,
 * over names with patterns of *, ? and [...]; `location` is a tag of every series. docs/rules.md has
 * all. Thread: any, one at a time.
 */
#ifndef JUDGE_RULES_RULE_H
#define JUDGE_RULES_RULE_H

#include <jansson.h>

#include "base/vec.h"
#include "store/series.h"
#include "text/expr.h"
#include "text/yaml.h"

#define RULES_MAX        2000
#define RULE_TERMS_MAX   16  /* functions over series in one rule */
#define RULE_TAGS_MAX    16  /* of one selector */
#define RULE_GROUPS_MAX  100 /* values of `each` */
#define RULES_TICK_MS    10000
#define RULE_OVER_MAX_MS SERIES_DAY_MS
#define RULE_AGO_MAX_MS  (366 * SERIES_DAY_MS)
#define RULE_TEXT_MAX    500 /* bytes of text and when */

enum rule_severity { RULE_DEGRADED, RULE_OUTAGE, RULE_NOTE };
const char *rule_severity_name(enum rule_severity s);

enum rule_function {
#define RULE_FUNCTION(id, name, q, unit, help) RULE_##id,
#include "judge/rules/functions.def"
#undef RULE_FUNCTION
	RULE_FUNCTIONS
};
const char *rule_function_name(enum rule_function f);
double rule_function_quantile(enum rule_function f); /* of p50 and so on; else -1 */

/* --- what is selected ---------------------------------------------------------------------------
 */

struct selector_tag {
	char *key, *pattern;
	bool differs; /* != */
};

struct selector {
	char *text; /* as written */
	char *name; /* a pattern */
	bool exact; /* name is no pattern */
	struct selector_tag *tags;
	size_t tag_count;
};
/* err has no place: the text is part of a condition. */
bool selector_parse(struct selector *s, struct slice text, struct error *err) must_check;
void selector_fini(struct selector *s);
bool selector_fits(const struct selector *s, const struct series *series);
/* The value of a tag, `location` among them; owned, "" when it has none. */
char *series_group(const struct series *s, const char *tag);

/* --- a rule --------------------------------------------------------------------------------------
 */

/* Series of one selector, in buckets of one width; several terms may look at it. */
struct rule_watch {
	const struct selector *selector; /* borrowed of a term */
	int64_t bucket_ms;
	size_t buckets; /* of a window, whole */
	bool values;    /* of changed(): a bucket is a value, and there are CHANGE_PAST of them */
};

struct rule_term {
	enum rule_function function;
	struct selector selector;
	int64_t ago_ms; /* 0: now; else the whole hour in which that was */
	bool changed;   /* whether it changed is asked, too */
	size_t watch, changed_watch;
};

/* As written; later files go over it, key by key. */
struct rule_text {
	char *name, *component, *when, *text, *each;
	int severity;
	int64_t over_ns, for_ns, recover_ns, minimum;
	const char *file; /* borrowed */
	unsigned line, col, when_line, when_col;
};
void rule_text_init(struct rule_text *t);
void rule_text_fini(struct rule_text *t);
/* Over what is there. False: an error was added. */
bool rule_text_read(
	struct rule_text *t, const struct yaml *map, const char *file, struct error_list *errors);

struct rule {
	struct rule_text as; /* all defaults filled in */
	struct expr *when;
	VEC(struct rule_term) terms;
	VEC(struct rule_watch) watches;
};
/* Takes the texts; NULL: errors were added, and the texts are still the caller's. */
struct rule *rule_new(struct rule_text *t, struct error_list *errors);
/* condition.c: when, terms and watches. */
bool rule_read_condition(struct rule *r, struct error *err) must_check;
void rule_free(struct rule *r);
json_t *rule_json(const struct rule *r); /* as glasshouse.yaml has it; owned */

/* All rules of `judge: {rules: [...]}` of a file, or of a file that is such a list or map; for
 * replay and tests. Borrows path while the rules live. Names that come twice are errors. NULL:
 * errors. Owned, *ret_n of them. */
struct rule **rules_load(const char *path, size_t *ret_n, struct error_list *errors);
void rules_unload(struct rule **rules, size_t n);

#endif
