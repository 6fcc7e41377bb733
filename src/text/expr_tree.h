/*
 * expr_tree.h - the inside of expressions, shared by the expr_*.c files.
 *
 * expr_lex.c tokens · expr_parse.c the language (Pratt) · expr_condition.c expect and warn ·
 * expr_eval.c evaluation · expr_operator.c operators · expr_access.c fields and items ·
 * expr_functions.c the built-in functions
 */
#ifndef TEXT_EXPR_TREE_H
#define TEXT_EXPR_TREE_H

#include "base/vec.h"
#include "text/expr.h"
#include "text/regex.h"

enum node_type {
	NODE_LITERAL,
	NODE_NAME,
	NODE_MEASURE,
	NODE_FIELD, /* a.text */
	NODE_INDEX, /* a[b] */
	NODE_ALL,   /* a[*] */
	NODE_LIST,
	NODE_MAP,
	NODE_NOT,
	NODE_MINUS,
	NODE_BINARY,
	NODE_CHOICE, /* a ? b : c */
	NODE_CALL,
	NODE_CONCAT, /* pieces of a text with ${} in it */
};

enum op {
	OP_NONE,
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_IN,
	OP_AND,
	OP_OR,
	OP_ELSE, /* ?? */
};

struct node {
	enum node_type type;
	enum op op;
	size_t at; /* offset in the expression's text */
	struct value value;
	struct slice text; /* name, field, function, measurement; borrows from the expression */
	struct node *a, *b, *c;
	VEC(struct node *) items;
	VEC(struct slice) keys; /* of a map literal */
	struct regex *regex;    /* of re() */
};

struct expr {
	char *text, *file;
	unsigned line, col, flags;
	struct node *root;
	VEC(void *) memory; /* nodes and unescaped texts */
};

enum token_type {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_LITERAL,
	TOKEN_OP,    /* binary operator */
	TOKEN_PUNCT, /* one character: ( ) [ ] { } , : ? . ! - */
	TOKEN_BAD,
};

struct token {
	enum token_type type;
	size_t at, n;
	struct slice text;
	enum op op;
	char punct;
	struct value value; /* of a literal; owned by whoever takes it */
};

struct parser {
	struct expr *e;
	struct slice text;
	size_t at;
	struct token token;
	unsigned depth, flags;
	struct error *err;
	bool failed;
	bool dashes; /* names may hold them: [HEADER].content-type */
};

#define EXPR_DEPTH 64

void lex_next(struct parser *p);
/* Reads a literal with or without a unit that is the whole of s. */
bool lex_literal(struct slice s, struct value *ret);
/* The offset behind the `}` that closes a ${ whose content begins at `at`; text.n + 1 if none. */
size_t lex_close(struct slice text, size_t at);

struct expr *expr_new(struct slice text, const char *file, unsigned line, unsigned col);
struct node *expr_node(struct expr *e, enum node_type type, size_t at);
void parse_fail(struct parser *p, size_t at, const char *fmt, ...) like_printf(3, 4);
/* Whether the text and the tree so far are within the limits; fails the parser if not. */
bool parse_within_limits(struct parser *p);
struct node *parse_expression(struct parser *p, unsigned binding);
/* Parses text[from, to) as one expression; NULL and p->failed on error. */
struct node *parse_part(struct parser *p, size_t from, size_t to);
/* .field, ['field'] and [index] behind a node. */
struct node *parse_suffixes(struct parser *p, struct node *n);

/* False with an error when a function of the language has too few or too many arguments. */
bool parse_count_arguments(struct parser *p, const struct node *call);

/* Makes the pattern of a call of re(); false with an error when it is none. */
bool parse_regex(struct parser *p, struct node *call, struct slice pattern, size_t at);

struct evaluation {
	const struct expr *e;
	const struct expr_scope *scope;
	struct error *err;
	unsigned steps;
	size_t bytes;
};

/* "<", as people write it. */
const char *op_text(enum op op);
enum expr_result eval_node(struct evaluation *v, const struct node *n, struct value *ret);
enum expr_result eval_fail(struct evaluation *v, const struct node *n, const char *fmt, ...)
	like_printf(3, 4);
/* The same without a ref. */
enum expr_result eval_plain_node(struct evaluation *v, const struct node *n, struct value *ret);
/* Turns what `n` measured into the text it was, in place, where it was one. */
enum expr_result eval_as_written(
	struct evaluation *v, const struct node *n, struct value *measured);
/* Turns a ref into its plain value in place. */
enum expr_result eval_plain(struct evaluation *v, struct value *value);
bool eval_spend(struct evaluation *v, const struct node *n, size_t bytes);

/* What the operator of `n` makes of two plain values; not && || ??, which may not want the second.
 * They may be read as others: a text beside a unit. */
enum expr_result operator_apply(struct evaluation *v, const struct node *n, struct value *a,
	struct value *b, struct value *ret);
/* NODE_FIELD, NODE_INDEX, NODE_ALL. */
enum expr_result access_eval(struct evaluation *v, const struct node *n, struct value *ret);

/* Whether the language itself has the function; *ret_min, *ret_max arguments. */
bool function_known(struct slice name, size_t *ret_min, size_t *ret_max);
enum expr_result function_call(struct evaluation *v, const struct node *n, struct value *args,
	size_t count, struct value *ret);
bool function_glob(struct slice pattern, struct slice text);

#endif
