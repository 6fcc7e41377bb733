#include "sim/guest_http.h"

#include "base/units.h"

/* Takes a line off; false when its end is not there. A lone line feed ends one too. */
static bool next_line(struct slice *rest, struct slice *ret)
{
	const size_t n = slice_find(*rest, '\n');
	if (n == rest->n)
		return false;
	*ret = slice_sub(*rest, 0, n && rest->p[n - 1] == '\r' ? n - 1 : n);
	*rest = slice_sub(*rest, n + 1, rest->n);
	return true;
}

/* "GET /path HTTP/1.1" */
static bool read_request(struct slice line, struct guest_http *ret)
{
	const size_t a = slice_find(line, ' ');
	const struct slice rest = slice_sub(line, a < line.n ? a + 1 : line.n, line.n);
	const size_t b = slice_find(rest, ' ');
	const struct slice version = slice_sub(rest, b < rest.n ? b + 1 : rest.n, rest.n);
	ret->method = slice_sub(line, 0, a);
	ret->target = slice_sub(rest, 0, b);
	ret->close = slice_is(version, "HTTP/1.0");
	return ret->method.n && ret->target.n && (ret->close || slice_is(version, "HTTP/1.1"));
}

static bool read_header(struct slice line, struct guest_http *ret)
{
	const size_t colon = slice_find(line, ':');
	if (colon == line.n || !colon)
		return false;
	const struct slice name = slice_sub(line, 0, colon);
	const struct slice value = slice_trim(slice_sub(line, colon + 1, line.n));
	int64_t n;
	if (slice_is_nocase(name, "Content-Length")) {
		if (!units_parse_int(value, &n) || n < 0 || n > GUEST_HTTP_BODY_MAX)
			return false;
		ret->body_n = (size_t)n;
	} else if (slice_is_nocase(name, "Transfer-Encoding")) {
		return false;
	} else if (slice_is_nocase(name, "Connection")) {
		ret->close = slice_is_nocase(value, "close") ||
			     (ret->close && !slice_is_nocase(value, "keep-alive"));
	} else if (slice_is_nocase(name, "Cookie")) {
		ret->cookie = value;
	}
	return true;
}

enum guest_http_state guest_http_read(struct slice text, struct guest_http *ret)
{
	struct slice rest = text, line;
	*ret = (struct guest_http){0};
	for (bool first = true; next_line(&rest, &line); first = false) {
		if (text.n - rest.n > GUEST_HTTP_HEAD_MAX)
			return GUEST_HTTP_BAD;
		if (!first && !line.n) {
			ret->head_n = text.n - rest.n;
			return GUEST_HTTP_WHOLE;
		}
		if (!(first ? read_request(line, ret) : read_header(line, ret)))
			return GUEST_HTTP_BAD;
	}
	return text.n > GUEST_HTTP_HEAD_MAX ? GUEST_HTTP_BAD : GUEST_HTTP_PART;
}

struct slice guest_http_cookie(struct slice header, const char *name)
{
	struct slice part;
	while (header.n && slice_next(&header, ';', &part)) {
		const size_t eq = slice_find(part, '=');
		if (eq < part.n && slice_is(slice_trim(slice_sub(part, 0, eq)), name))
			return slice_trim(slice_sub(part, eq + 1, part.n));
	}
	return (struct slice){0};
}
