/*
 * script.h - what `sh` reads on a simulated guest: from text to a tree, and the tree run.
 *
 * Known are lists (`;` `&` `&&` `||` line ends), pipes, `!`, `{ }`, `( )`, if, for, while, break,
 * assignments, $x ${x} $? $! $$ $( ) $(( )), quotes, redirections to and from files and
 * here-documents; docs/sim-guests.md says so for users. A script is run at once, in a time of its
 * own: what it waits for adds up, and its shell lets that much time pass before anybody sees what
 * it said. Limits: 256 KiB of text, depth 64, 200,000 commands. Thread: the guests'.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "base/map.h"
#include "base/vec.h"
#include "sim/guest_shell.h"

#define SCRIPT_DEPTH_MAX 64
#define SCRIPT_STEPS_MAX 200000

enum node_type {
	NODE_SIMPLE, /* words; assignments come first */
	NODE_LIST,   /* parts, each joined to the one before it */
	NODE_PIPE,
	NODE_NOT,
	NODE_GROUP,    /* { } */
	NODE_SUBSHELL, /* ( ) */
	NODE_IF,       /* condition, body, condition, body, …, and perhaps one more: else */
	NODE_FOR,      /* words: the name, then the items; one part */
	NODE_WHILE,    /* condition, body */
};

enum redirect_type { REDIRECT_FROM, REDIRECT_TO, REDIRECT_APPEND, REDIRECT_DUP, REDIRECT_HERE };

struct redirect {
	enum redirect_type type;
	int fd;     /* 0, 1, 2 */
	char *word; /* not yet expanded: the file, the descriptor, the here-document itself */
	bool plain; /* of a here-document: nothing in it is expanded */
};

struct node {
	enum node_type type;
	VEC(char *) words; /* as written, with their quotes */
	VEC(struct node *) parts;
	VEC(enum shell_join) joins; /* of a list, one a part */
	VEC(bool) background;       /* the same */
	VEC(struct redirect) redirects;
};

/* Owned; NULL with *ret_wrong (static) when it is not understood. */
struct node *script_parse(struct slice text, const char **ret_wrong);
void node_free(struct node *n); /* NULL is fine */
/* Where the word at the start of `text` ends. False: a quote or a bracket stays open. */
bool script_word_end(struct slice text, size_t *ret);

/* The state of a script that runs. */
struct script {
	struct shell *sh; /* whose output, files and user it has; its `script` is this one */
	struct map vars;  /* name -> owned text */
	int64_t now_ns, until_ns; /* its own time; when the last of the background ends */
	int status;
	unsigned background; /* $! */
	unsigned steps, depth;
	bool exiting, breaking;
	const char *wrong; /* NULL; or why it stopped: static */
};

/* Runs a text in the shell `sh`; what is said is in sh->out and sh->err. Returns the status. */
int script_run(struct shell *sh, struct slice text, int64_t *ret_took_ns);
void script_node(struct script *s, const struct node *n);

/* script_expand.c: a word as written to words. With `split`, blanks in what is expanded outside of
 * quotes make several. False: it is not understood (s->wrong). */
struct words {
	VEC(char *) list;
};
bool script_expand(struct script *s, const char *word, bool split, struct words *ret);
void words_fini(struct words *w);
/* Runs a text and returns what it wrote, owned, without the last line ends. */
char *script_capture(struct script *s, struct slice text);

#endif
