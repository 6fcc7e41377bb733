/*
 * markdown_address.c - where a link may lead: an allow-list, on the address as a browser reads it.
 *
 * Entities and backslashes are decoded before. Browsers drop tabs and line ends out of an address
 * and read "\" as "/", so nothing with a control character is a link, and "\" is written encoded.
 */

#include <string.h>

#include "text/markdown_inside.h"

static bool has_controls(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return true;
	return false;
}

static bool starts_nocase(struct slice text, const char *word)
{
	return slice_is_nocase(slice_sub(text, 0, strlen(word)), word);
}

/* "host/path": a host, and no user name before it, behind which another host could hide. */
static bool good_host(struct slice rest)
{
	size_t n = 0;
	while (n < rest.n && !strchr("/\\?#", rest.p[n]))
		n++;
	return n > 0 && rest.p[0] != ':' && rest.p[0] != ' ' &&
	       slice_find(slice_sub(rest, 0, n), '@') == n;
}

enum address markdown_address(struct slice text)
{
	if (!text.n || has_controls(text))
		return ADDRESS_REFUSED;
	if (text.p[0] == '#')
		return text.n > 1 ? ADDRESS_HEADING : ADDRESS_REFUSED;
	if (text.p[0] == '/')
		return text.n > 1 && (text.p[1] == '/' || text.p[1] == '\\') ? ADDRESS_REFUSED
									     : ADDRESS_PATH;
	if (starts_nocase(text, "mailto:"))
		return text.n > 7 ? ADDRESS_MAIL : ADDRESS_REFUSED;
	const size_t scheme = starts_nocase(text, "https://")  ? 8
			      : starts_nocase(text, "http://") ? 7
							       : 0;
	return scheme && good_host(slice_sub(text, scheme, text.n)) ? ADDRESS_FOREIGN
								    : ADDRESS_REFUSED;
}

/* RFC 3986: what may stand in an address as it is; "%" stays, it was encoded by the author. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~:/?#[]@!$&'()*+,;=%", c));
}

void markdown_put_address(struct writer *w, struct slice text, enum address kind)
{
	if (kind == ADDRESS_HEADING) {
		buf_printf(w->to, "#h-%s%s", w->how->id ? w->how->id : "", w->how->id ? "-" : "");
		text = slice_sub(text, 1, text.n);
	}
	for (size_t i = 0; i < text.n; i++) {
		if (is_plain(text.p[i]))
			markdown_put_attribute(w->to, slice_sub(text, i, 1));
		else
			buf_printf(w->to, "%%%02X", (unsigned)(unsigned char)text.p[i]);
	}
}
