/*
 * shown.h - every page as it is shown in the tests: its document, the site it stands in, how large
 * it may be.
 */
#ifndef TESTS_UNIT_WEB_SHOWN_H
#define TESTS_UNIT_WEB_SHOWN_H

#include "../check.h"

#include "models.h"
#include "web/page.h"

#define FSI "\xe2\x81\xa8"
#define PDI "\xe2\x81\xa9"

struct shown {
	const char *name;
	enum page page;
	const char *path;
	json_t *(*model)(void);
	json_t *(*site)(void);
	bool operators;
	size_t most, most_packed; /* bytes; 0: not said */
};

const struct shown *shown_find(const char *name);          /* fails the test when there is none */
char *shown_html(const struct shown *s, const char *lang); /* owned */
/* Every page, in every language. */
void shown_each(void (*look)(const struct shown *s, const char *lang, const char *html));
void assert_has(const struct shown *s, const char *html, const char *text);
void assert_lacks(const struct shown *s, const char *html, const char *text);
/* Of a group of tests: what pages need. */
int shown_begin(void **state);
int shown_end(void **state);

#endif
