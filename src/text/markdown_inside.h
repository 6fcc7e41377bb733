/*
 * markdown_inside.h - the inside of Markdown, shared by markdown*.c and by nobody else.
 *
 *	markdown.c          blocks and spans as md4c tells them
 *	markdown_write.c    characters: escaped, decoded, kept for the ids of headings
 *	markdown_address.c  where a link may lead
 */
#ifndef TEXT_MARKDOWN_INSIDE_H
#define TEXT_MARKDOWN_INSIDE_H

#include <md4c.h>
#include <stdint.h>

#include "base/map.h"
#include "text/markdown.h"

#define SLUG_MAX 64 /* bytes of a heading that go into its id */

struct writer {
	const struct markdown *how;
	struct buf html;    /* all of it */
	struct buf inside;  /* of the heading that is being read: its id stands before it */
	struct buf *to;     /* one of these two */
	struct buf slug;    /* of that heading */
	struct buf address; /* of the link that is being read */
	struct map ids;     /* those given away, and the number that was tried last for each */
	unsigned levels[6]; /* of the headings this place is below, in the numbers of the text */
	unsigned level_count, depth; /* of blocks */
	struct span {
		MD_SPANTYPE type;
		bool tag; /* false: a link that leads nowhere */
	} spans[MARKDOWN_DEPTH_MAX];
	unsigned span_count;
	bool linked, blank; /* inside of an <a>; which shows nothing yet */
	bool deep;
};

/* --- markdown_write.c */
void markdown_put_code(struct writer *w, uint32_t c);
void markdown_put_text(struct writer *w, struct slice text); /* UTF-8 */
void markdown_put_entity(struct writer *w, struct slice text);
void markdown_put_attribute(struct buf *to, struct slice text); /* escaped */
/* What an attribute of md4c says, decoded. */
void markdown_decode(const MD_ATTRIBUTE *a, struct buf *to);
/* A new id for w->slug, without quotes. */
void markdown_put_id(struct writer *w, struct buf *to);

/* --- markdown_address.c */
enum address { ADDRESS_REFUSED, ADDRESS_FOREIGN, ADDRESS_MAIL, ADDRESS_PATH, ADDRESS_HEADING };
enum address markdown_address(struct slice text);
/* As the value of href. */
void markdown_put_address(struct writer *w, struct slice text, enum address kind);

#endif
