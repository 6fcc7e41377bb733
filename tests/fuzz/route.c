/* route.c - paths: which row they find, in what order methods are told, and the intake's guard. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "web/route.h"
#include "web/serve_inside.h"

static void hold_match(const struct route_match *m, const char *path)
{
	const struct slice word = slice_of(m->word);
	struct buf again = BUF(BUF_LINE);
	struct route_match second;
	fuzz_hold(word.n <= ROUTE_WORD_MAX && utf8_valid(word));
	fuzz_hold(!strchr(m->word, '/') && !strpbrk(m->word, "\r\n"));
	fuzz_hold((strchr(m->route->path, '{') != NULL) == (word.n > 0));
	/* the path that is written of it finds the same */
	route_path(m->route, m->word, &again);
	route_match_path(m->route->method, buf_str(&again), ON_BOTH, &second);
	fuzz_hold(second.route == m->route && !strcmp(second.word, m->word));
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", ""};
	char *path = slice_dup(slice_from((const char *)p, n));
	char allow[ROUTE_ALLOW];
	for (size_t i = 0; i < array_len(methods); i++) {
		struct route_match m, of_public;
		route_match_path(methods[i], path, ON_BOTH, &m);
		route_match_path(methods[i], path, ON_PUBLIC, &of_public);
		fuzz_hold(!m.route || !m.other_method);
		if (of_public.route)
			fuzz_hold(of_public.route->on & ON_PUBLIC);
		if (m.route)
			hold_match(&m, path);
	}
	route_allow(path, ON_BOTH, allow);
	struct guard g = {.open = true, .need_token = true, .token = {1}};
	fuzz_hold(!guard_token_fits(&g, path));
	guard_host_is_local(path);
	fuzz_hold(!guard_origin_fits(path, ""));
	guard_read(&g, slice_from((const char *)p, n));
	free(path);
	return 0;
}
