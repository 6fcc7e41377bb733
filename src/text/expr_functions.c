/*
 * expr_functions.c - the functions that the language itself has.
 */

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/units.h"
#include "text/expr_tree.h"
#include "text/yaml.h"

typedef enum expr_result function(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret);

bool function_glob(struct slice pattern, struct slice text)
{
	/* Greedy with one point of return: linear in practice, never exponential. */
	size_t p = 0, t = 0, star = pattern.n, mark = 0;
	while (t < text.n) {
		if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t]) &&
			pattern.p[p] != '*') {
			p++;
			t++;
		} else if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (star < pattern.n) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static enum expr_result do_len(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	struct value list = VALUE_NOTHING;
	if (args[0].type == VALUE_REF && args[0].ref.element < 0 && v->scope->all) {
		const enum expr_result r = v->scope->all(v->scope->arg, args[0].ref, &list, v->err);
		*ret = value_int(r == EXPR_OK ? (int64_t)value_count(&list) : 0);
		value_drop(&list);
		return r;
	}
	const enum expr_result r = eval_plain(v, &args[0]);
	if (r != EXPR_OK)
		return r;
	const enum value_type t = args[0].type;
	if (t != VALUE_LIST && t != VALUE_MAP && t != VALUE_TEXT && t != VALUE_NULL)
		return eval_fail(
			v, n, "len wants a list, a map or text, not %s", value_type_name(t));
	*ret = value_int((int64_t)value_count(&args[0]));
	return EXPR_OK;
}

static enum expr_result do_has(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	*ret = value_bool(args[0].type != VALUE_NULL);
	return EXPR_OK;
}

static double number(const struct value *v)
{
	return v->type == VALUE_REAL ? v->real : (double)v->integer;
}

static enum expr_result extreme(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret, int sign)
{
	const bool list = count == 1 && args[0].type == VALUE_LIST;
	const size_t items = list ? value_count(&args[0]) : count;
	const struct value *best = NULL;
	for (size_t i = 0; i < items; i++) {
		const struct value *x = list ? value_item(&args[0], i) : &args[i];
		const bool countable = x->type == VALUE_INT || x->type == VALUE_REAL ||
				       x->type == VALUE_TIME || x->type == VALUE_SIZE;
		if (!countable || (best && x->type != best->type &&
					  (x->type > VALUE_REAL || best->type > VALUE_REAL)))
			return eval_fail(v, n, "%.*s wants numbers, times or sizes of one kind",
				SLICE_ARG(n->text));
		if (!best || (number(x) - number(best)) * sign > 0)
			best = x;
	}
	*ret = best ? value_copy(*best) : VALUE_NOTHING;
	return EXPR_OK;
}

static enum expr_result do_min(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	return extreme(v, n, args, count, ret, -1);
}

static enum expr_result do_max(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	return extreme(v, n, args, count, ret, 1);
}

/* ceil(a / b) comes here with the exact quotient, see expr_eval.c. */
static enum expr_result do_ceil(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type == VALUE_INT) {
		*ret = args[0];
		return EXPR_OK;
	}
	if (args[0].type != VALUE_REAL || fabs(args[0].real) > 9e18)
		return eval_fail(v, n, "ceil wants a number");
	*ret = value_int((int64_t)ceil(args[0].real));
	return EXPR_OK;
}

static bool add_subnet(unsigned char *address, int bytes, int64_t bits, int64_t number_)
{
	/* Adds number_ << (total - bits) to the address, byte by byte from the right. */
	int64_t carry = number_;
	for (int64_t bit = bits - 1; carry && bit >= 0; bit--, carry >>= 1) {
		if (!(carry & 1))
			continue;
		int64_t at = bit;
		while (at >= 0 && (address[at / 8] & (0x80 >> (at % 8)))) {
			address[at / 8] &= (unsigned char)~(0x80 >> (at % 8));
			at--;
		}
		if (at < 0)
			return false;
		address[at / 8] |= (unsigned char)(0x80 >> (at % 8));
	}
	return carry == 0 && bits <= bytes * 8;
}

/* cidr(base, bits, n): the n-th network of that prefix length inside base. */
static enum expr_result do_cidr(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	unsigned char a[16], out[16];
	char text[INET6_ADDRSTRLEN + 8];
	if (args[0].type != VALUE_TEXT || args[1].type != VALUE_INT || args[2].type != VALUE_INT)
		return eval_fail(v, n, "cidr wants a network, a prefix length and a number");
	const struct slice base = value_slice(&args[0]);
	const size_t slash = slice_find(base, '/');
	char *address = slice_dup(slice_sub(base, 0, slash));
	const int family = strchr(address, ':') ? AF_INET6 : AF_INET;
	const int bytes = family == AF_INET ? 4 : 16;
	int64_t prefix = 0;
	const bool good = slash < base.n && inet_pton(family, address, a) == 1 &&
			  units_parse_int(slice_sub(base, slash + 1, base.n), &prefix) &&
			  prefix >= 0 && prefix <= bytes * 8;
	free(address);
	const int64_t bits = args[1].integer, i = args[2].integer;
	if (!good)
		return eval_fail(v, n, "\"%.60s\" is no network such as 10.0.0.0/16", base.p);
	if (bits < prefix || bits > bytes * 8 || i < 0 ||
		(bits - prefix < 62 && i >= (int64_t)1 << (bits - prefix)))
		return eval_fail(v, n, "%.60s has no network %lld of length /%lld", base.p,
			(long long)i, (long long)bits);
	memcpy(out, a, sizeof(out));
	for (int64_t b = prefix; b < bytes * 8; b++)
		out[b / 8] &= (unsigned char)~(0x80 >> (b % 8));
	if (!add_subnet(out, bytes, bits, i) || !inet_ntop(family, out, text, INET6_ADDRSTRLEN))
		return eval_fail(v, n, "%.60s has no network %lld", base.p, (long long)i);
	snprintf(text + strlen(text), 8, "/%lld", (long long)bits);
	*ret = value_str(text);
	return EXPR_OK;
}

static enum expr_result do_join(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type != VALUE_LIST || (count > 1 && args[1].type != VALUE_TEXT))
		return eval_fail(v, n, "join wants a list and a text between");
	struct buf text = BUF(EXPR_BYTES);
	for (size_t i = 0; i < value_count(&args[0]); i++) {
		struct value item = value_copy(*value_item(&args[0], i));
		const enum expr_result r = eval_plain(v, &item);
		if (i && count > 1)
			buf_add_slice(&text, value_slice(&args[1]));
		value_write(&text, &item);
		value_drop(&item);
		if (r != EXPR_OK) {
			buf_fini(&text);
			return r;
		}
	}
	const bool good = eval_spend(v, n, text.over ? EXPR_BYTES + 1 : text.n);
	if (good)
		*ret = value_text(buf_slice(&text));
	buf_fini(&text);
	return good ? EXPR_OK : EXPR_ERROR;
}

static enum expr_result do_string(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	struct buf text = BUF(EXPR_BYTES);
	const enum expr_result r = eval_plain(v, &args[0]);
	value_write(&text, &args[0]);
	const bool good = r == EXPR_OK && eval_spend(v, n, text.over ? EXPR_BYTES + 1 : text.n);
	if (good)
		*ret = value_text(buf_slice(&text));
	buf_fini(&text);
	return r == EXPR_OK && !good ? EXPR_ERROR : r;
}

static enum expr_result do_lower(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type != VALUE_TEXT)
		return eval_fail(v, n, "lower wants text, not %s", value_type_name(args[0].type));
	if (!eval_spend(v, n, value_slice(&args[0]).n))
		return EXPR_ERROR;
	char *text = slice_dup(value_slice(&args[0]));
	for (char *p = text; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	*ret = value_text(slice_from(text, value_slice(&args[0]).n));
	free(text);
	return EXPR_OK;
}

static enum expr_result do_without(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type != VALUE_LIST || args[1].type != VALUE_LIST)
		return eval_fail(v, n, "without wants two lists");
	if (!eval_spend(v, n, value_count(&args[0]) * sizeof(struct value)))
		return EXPR_ERROR;
	*ret = value_list_new();
	for (size_t i = 0; i < value_count(&args[0]); i++) {
		bool out = false;
		for (size_t k = 0; k < value_count(&args[1]) && !out; k++) {
			if (!eval_spend(v, n, 0)) {
				value_drop(ret);
				return EXPR_ERROR;
			}
			out = value_equal(value_item(&args[0], i), value_item(&args[1], k));
		}
		if (!out)
			value_list_add(ret, value_copy(*value_item(&args[0], i)));
	}
	return EXPR_OK;
}

static enum expr_result do_base64(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type != VALUE_TEXT)
		return eval_fail(v, n, "base64 wants text, not %s", value_type_name(args[0].type));
	if (!eval_spend(v, n, value_slice(&args[0]).n * 4 / 3))
		return EXPR_ERROR;
	char *text = base64_encode(value_slice(&args[0]).p, value_slice(&args[0]).n);
	*ret = value_str(text);
	free(text);
	return EXPR_OK;
}

static enum expr_result do_yaml(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	if (args[0].type != VALUE_TEXT)
		return eval_fail(v, n, "yaml wants text, not %s", value_type_name(args[0].type));
	struct error_list errors = {0};
	char where[ERROR_TEXT + 300];
	struct yaml_file *f = yaml_parse(value_slice(&args[0]), "yaml()", &errors);
	enum expr_result r = EXPR_OK;
	if (!f) {
		r = eval_fail(v, n, "%.480s", error_text(&errors.p[0], where, sizeof(where)));
	} else if (yaml_documents(f)) {
		json_t *j = yaml_json(yaml_root(f, 0));
		*ret = value_from_json(j);
		json_decref(j);
	}
	yaml_free(f);
	error_list_fini(&errors);
	return r;
}

static enum expr_result only_compared(struct evaluation *v, const struct node *n,
	struct value *args, size_t count, struct value *ret)
{
	return eval_fail(v, n, "%.*s stands to the right of == or != only", SLICE_ARG(n->text));
}

static const struct {
	const char *name;
	size_t min, max;
	function *run;
	bool plain; /* refs among the arguments become plain first */
} functions[] = {
	{"len", 1, 1, do_len, false},
	{"has", 1, 1, do_has, true},
	{"min", 1, 8, do_min, true},
	{"max", 1, 8, do_max, true},
	{"ceil", 1, 1, do_ceil, true},
	{"cidr", 3, 3, do_cidr, true},
	{"join", 1, 2, do_join, true},
	{"lower", 1, 1, do_lower, true},
	{"string", 1, 1, do_string, true},
	{"without", 2, 2, do_without, true},
	{"base64", 1, 1, do_base64, true},
	{"yaml", 1, 1, do_yaml, true},
	{"pat", 1, 1, only_compared, false},
	{"any", 1, 8, only_compared, false},
	{"re", 1, 1, only_compared, false},
};

bool function_known(struct slice name, size_t *ret_min, size_t *ret_max)
{
	for (size_t i = 0; i < array_len(functions); i++)
		if (slice_is(name, functions[i].name)) {
			*ret_min = functions[i].min;
			*ret_max = functions[i].max;
			return true;
		}
	return false;
}

enum expr_result function_call(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret)
{
	for (size_t i = 0; i < array_len(functions); i++) {
		if (!slice_is(n->text, functions[i].name))
			continue;
		for (size_t k = 0; functions[i].plain && k < count; k++) {
			const enum expr_result r = eval_plain(v, &args[k]);
			if (r != EXPR_OK)
				return r;
		}
		return functions[i].run(v, n, args, count, ret);
	}
	return eval_fail(v, n, "unknown function %.*s", SLICE_ARG(n->text));
}
