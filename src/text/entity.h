/*
 * entity.h - characters as HTML and Markdown may write them: &amp; &#38; &#x26;.
 *
 * All names of the HTML standard that end in ";" are known; the old ones without it are not meant
 * (CommonMark 0.30, section 2.5). Thread: any.
 */
#ifndef TEXT_ENTITY_H
#define TEXT_ENTITY_H

#include <stdint.h>

#include "base/slice.h"

#define ENTITY_MAX 2 /* code points of one */

/* `text` from "&" to ";". The number of code points it stands for; 0: it is no entity, only text.
 * What is no character (0, surrogates, above U+10FFFF) is U+FFFD. */
unsigned entity_decode(struct slice text, uint32_t ret[ENTITY_MAX]);

#endif
