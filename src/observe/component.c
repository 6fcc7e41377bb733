/*
 * component.c - see component.h. Bytes are looked at, not characters: a letter beyond ASCII becomes
 * one '-' for each of its bytes, so that different names seldom meet in one id.
 */

#include "observe/component.h"

#include "base/buf.h"

static void add(struct buf *id, const char *text)
{
	for (const char *p = text; *p && id->n < COMPONENT_ID_MAX; p++) {
		const char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		buf_add_char(id, plain ? c : '-');
	}
}

char *component_id(const char *prefix, const char *name)
{
	struct buf id = BUF(BUF_LINE);
	add(&id, prefix ? prefix : "");
	add(&id, name);
	return id.n ? buf_take(&id) : mem_strdup("");
}
