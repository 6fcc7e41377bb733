/* harmless.h - whether HTML is what markdown.h promises; for its unit tests and its fuzz target. */
#ifndef TESTS_UNIT_TEXT_HARMLESS_H
#define TESTS_UNIT_TEXT_HARMLESS_H

#include "base/slice.h"

/* What is wrong with it, owned: a tag or attribute outside the list, a link elsewhere than allowed
 * or in another one, an element that is not closed in its order, a block inside of a line, an
 * id that is there twice, an outline with gaps or that does not begin at `heading`, a character
 * that is not escaped or allowed. NULL: nothing. */
char *harmless_trouble(struct slice html, unsigned heading);

#endif
