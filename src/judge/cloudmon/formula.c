/*
 * formula.c - see formula.h: recursive descent into postfix code, which a small stack runs.
 */

#include "judge/cloudmon/formula.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/vec.h"

enum op { OP_FLAG, OP_NUMBER, OP_NOT, OP_OR, OP_AND, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct step {
	enum op op;
	size_t flag;
	double number;
};

struct formula {
	VEC(struct step) steps;
	size_t names, depth;
};

struct parser {
	struct slice text;
	size_t at;
	unsigned depth;
	formula_name *name;
	void *arg;
	struct formula *f;
	struct error *err;
};

/* --- reading ---------------------------------------------------------------------------------- */

static bool fail(struct parser *p, size_t at, const char *what)
{
	error_set(p->err, ERROR_INPUT, "%s", what);
	p->err->col = (unsigned)utf8_length(slice_sub(p->text, 0, at)) + 1;
	return false;
}

/* What editors and web pages leave between words; production has some. */
static size_t blank(struct slice rest)
{
	static const char *const wide[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe3\x80\x80"};
	if (rest.n && isspace((unsigned char)rest.p[0]))
		return 1;
	for (size_t i = 0; i < array_len(wide); i++)
		if (slice_starts(rest, wide[i]))
			return strlen(wide[i]);
	return 0;
}

static void skip(struct parser *p)
{
	size_t n;
	while ((n = blank(slice_sub(p->text, p->at, p->text.n - p->at))))
		p->at += n;
}

static bool takes(struct parser *p, const char *token)
{
	const size_t n = strlen(token);
	skip(p);
	if (p->text.n - p->at < n || memcmp(p->text.p + p->at, token, n) != 0)
		return false;
	p->at += n;
	return true;
}

static void emit(struct parser *p, enum op op, size_t flag, double number)
{
	vec_push(&p->f->steps, ((struct step){op, flag, number}));
}

static bool parse_or(struct parser *p);

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.", c));
}

static bool parse_word(struct parser *p)
{
	skip(p);
	const size_t from = p->at;
	while (p->at < p->text.n && is_name(p->text.p[p->at]))
		p->at++;
	const struct slice word = slice_sub(p->text, from, p->at - from);
	if (!word.n)
		return fail(p, from,
			from == p->text.n ? "expected a flag, the expression ends"
					  : "expected a flag, `!` or `(`");
	if (slice_is(word, "true") || slice_is(word, "false")) {
		emit(p, OP_NUMBER, 0, slice_is(word, "true"));
		return true;
	}
	char text[40], *end;
	if (isdigit((unsigned char)word.p[0]) && word.n < sizeof(text)) {
		memcpy(text, word.p, word.n);
		text[word.n] = '\0';
		const double number = strtod(text, &end);
		if (!*end) {
			emit(p, OP_NUMBER, 0, number);
			return true;
		}
	}
	const unsigned col = (unsigned)utf8_length(slice_sub(p->text, 0, from)) + 1;
	const size_t flag = p->name(p->arg, word, col);
	p->f->names = flag >= p->f->names ? flag + 1 : p->f->names;
	emit(p, OP_FLAG, flag, 0);
	return true;
}

static bool parse_not(struct parser *p)
{
	bool negated = false;
	while (takes(p, "!"))
		negated = !negated;
	if (takes(p, "(")) {
		if (++p->depth > FORMULA_DEPTH)
			return fail(p, p->at - 1, "parentheses stand too deep in each other");
		if (!parse_or(p))
			return false;
		if (!takes(p, ")"))
			return fail(p, p->at, "expected `)`");
		p->depth--;
	} else if (!parse_word(p)) {
		return false;
	}
	if (negated)
		emit(p, OP_NOT, 0, 0);
	return true;
}

static bool parse_sum(struct parser *p)
{
	if (!parse_not(p))
		return false;
	while (takes(p, "+")) {
		if (!parse_not(p))
			return false;
		emit(p, OP_OR, 0, 0);
	}
	return true;
}

static bool parse_comparison(struct parser *p)
{
	static const struct {
		const char *token;
		enum op op;
	} ops[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT},
		{">", OP_GT}};
	if (!parse_sum(p))
		return false;
	for (size_t i = 0; i < array_len(ops); i++)
		if (takes(p, ops[i].token)) {
			if (!parse_sum(p))
				return false;
			emit(p, ops[i].op, 0, 0);
			break;
		}
	return true;
}

static bool parse_and(struct parser *p)
{
	if (!parse_comparison(p))
		return false;
	while (takes(p, "&&")) {
		if (!parse_comparison(p))
			return false;
		emit(p, OP_AND, 0, 0);
	}
	return true;
}

static bool parse_or(struct parser *p)
{
	if (!parse_and(p))
		return false;
	while (takes(p, "||")) {
		if (!parse_and(p))
			return false;
		emit(p, OP_OR, 0, 0);
	}
	return true;
}

/* How many values stand on the stack at once. */
static size_t stack_depth(const struct formula *f)
{
	size_t depth = 0, most = 0;
	VEC_EACH (&f->steps, struct step, s) {
		if (s->op == OP_FLAG || s->op == OP_NUMBER)
			depth++;
		else if (s->op != OP_NOT)
			depth--;
		most = depth > most ? depth : most;
	}
	return most;
}

struct formula *formula_parse(struct slice text, formula_name *name, void *arg, struct error *err)
{
	struct parser p = {.text = text, .name = name, .arg = arg, .err = err};
	if (text.n > FORMULA_TEXT) {
		error_set(err, ERROR_LIMIT, "an expression has at most %u bytes", FORMULA_TEXT);
		return NULL;
	}
	p.f = mem_new(struct formula);
	bool good = parse_or(&p);
	skip(&p);
	if (good && p.at < text.n)
		good = fail(&p, p.at, "expected `||`, `&&`, `+` or a comparison");
	p.f->depth = stack_depth(p.f);
	if (good && p.f->depth > 2 * FORMULA_DEPTH)
		good = fail(&p, 0, "the expression is nested too deep");
	if (good)
		return p.f;
	formula_free(p.f);
	return NULL;
}

void formula_free(struct formula *f)
{
	if (!f)
		return;
	vec_fini(&f->steps);
	free(f);
}

size_t formula_names(const struct formula *f)
{
	return f->names;
}

/* --- evaluating: 0 and 1 and numbers, NAN is unknown --------------------------------------------
 */

static double joined(enum op op, double a, double b)
{
	if (op == OP_OR) {
		if ((!isnan(a) && a != 0) || (!isnan(b) && b != 0))
			return 1;
		return isnan(a) || isnan(b) ? NAN : 0;
	}
	if (op == OP_AND) {
		if (a == 0 || b == 0)
			return 0;
		return isnan(a) || isnan(b) ? NAN : 1;
	}
	if (isnan(a) || isnan(b))
		return NAN;
	switch (op) {
	case OP_EQ: return a == b;
	case OP_NE: return a != b;
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_GT: return a > b;
	case OP_GE: return a >= b;
	case OP_FLAG:
	case OP_NUMBER:
	case OP_NOT:
	case OP_OR:
	case OP_AND: break;
	}
	return NAN;
}

enum flag_value formula_value(const struct formula *f, const enum flag_value *flags)
{
	double stack[2 * FORMULA_DEPTH];
	size_t n = 0;
	VEC_EACH (&f->steps, struct step, s) {
		if (s->op == OP_FLAG) {
			const enum flag_value v = flags[s->flag];
			stack[n++] = v == FLAG_UNKNOWN ? NAN : v == FLAG_TRUE;
		} else if (s->op == OP_NUMBER) {
			stack[n++] = s->number;
		} else if (s->op == OP_NOT) {
			stack[n - 1] = isnan(stack[n - 1]) ? NAN : stack[n - 1] == 0;
		} else {
			n--;
			stack[n - 1] = joined(s->op, stack[n - 1], stack[n]);
		}
	}
	return isnan(stack[0]) ? FLAG_UNKNOWN : stack[0] != 0 ? FLAG_TRUE : FLAG_FALSE;
}
