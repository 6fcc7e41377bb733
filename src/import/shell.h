/*
 * shell.h - the simple commands of a POSIX shell script (XCU 2.9.1), as far as that can be told
 * without running it: for start scripts that set variables and call one program.
 *
 * Quotes, backslashes, comments, continued lines, `$NAME` and `${NAME}` of variables set before,
 * `${NAME:-text}`. What only a running shell knows ($(...), backquotes, other variables, patterns)
 * makes a word *unknown*; here-documents are skipped. Control words (if, then, while ...) are
 * commands of that name: who reads decides what to make of them. Both branches of an `if` are read.
 * Limits: 1 MiB of text, 10,000 commands, 1,000 words of one. Thread: any.
 */
#ifndef IMPORT_SHELL_H
#define IMPORT_SHELL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"
#include "base/vec.h"

#define SHELL_TEXT_MAX     (1u << 20)
#define SHELL_COMMANDS_MAX 10000
#define SHELL_WORDS_MAX    1000

struct shell_word {
	char *text;   /* owned; what is unknown stands in it as it was written */
	bool unknown; /* only a running shell knows what it is */
	unsigned line, col;
};

struct shell_set { /* NAME=value before a command, or alone */
	char *name;
	struct shell_word value;
};

struct shell_command {
	VEC(struct shell_set) sets;
	VEC(struct shell_word) words; /* none: only variables are set */
	unsigned line, col;
};

struct shell_script {
	VEC(struct shell_command) commands;
};

/* `name` is the file's, for errors. False with the first error: an open quote, over a limit. */
bool shell_read(struct slice text, const char *name, struct shell_script *ret,
	struct error *err) must_check;
void shell_script_fini(struct shell_script *s);

#endif
