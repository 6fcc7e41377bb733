/* configured.h - configurations for tests: of a text, or of files in a directory of their own. */
#ifndef TESTS_UNIT_CLI_CONFIGURED_H
#define TESTS_UNIT_CLI_CONFIGURED_H

#include "cli/config.h"

struct place { /* a directory that goes away again */
	char dir[64];
};

int place_set_up(void **state);
int place_tear_down(void **state);
/* Writes DIR/path; its directories are made. */
void place_put(const struct place *p, const char *path, const char *text);
/* DIR/path, owned. */
char *place_path(const struct place *p, const char *path);

/* Fails the test with every error when it does not load. */
struct config *configured(const char *text);
struct config *configured_files(const struct place *p); /* glasshouse.yaml and conf.d */
/* One error a line, with DIR left away; `text` may be NULL: the files. Owned by the caller. */
char *refusal(const struct place *p, const char *text);
/* What config_json() says, as one line. Owned. */
char *shown(const struct config *c);

#endif
