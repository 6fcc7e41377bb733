/*
 * variable.h - texts with variables of the environment in them, as Go's os.ExpandEnv has them:
 * $NAME, ${NAME}, and $$ for a dollar. Thread: any that may read the environment.
 */
#ifndef IMPORT_VARIABLE_H
#define IMPORT_VARIABLE_H

#include <stdbool.h>

struct variables {
	bool some;    /* there were variables in it */
	bool missing; /* one of them is not set, or goes by a name of secrets: it stands as it was
		       */
	char *only;   /* the text is this variable and nothing else; owned */
};

/* The text with the values of what is set; owned. */
char *variables_expand(const char *text, struct variables *ret);
void variables_fini(struct variables *v);

#endif
