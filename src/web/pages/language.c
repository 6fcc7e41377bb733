/*
 * language.c - which of the languages of the pages a reader wants (RFC 9110 12.5.4).
 *
 * "de-AT" is served with German, "*" with the first one. Of equal weights the one named first wins;
 * weight 0 means never. Without a match it is the first that is offered.
 */

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "web/page.h"

static const char *const languages[] = {"en", "de", NULL};

const char *const *page_languages(void)
{
	return languages;
}

static bool is_offered(const char *lang, const json_t *offered)
{
	return !json_is_array(offered) || json_has_text(offered, slice_of(lang));
}

static const char *first_offered(const json_t *offered)
{
	for (size_t i = 0; languages[i]; i++)
		if (is_offered(languages[i], offered))
			return languages[i];
	return languages[0];
}

static const char *match(struct slice range, const json_t *offered)
{
	if (slice_is(range, "*"))
		return first_offered(offered);
	const struct slice primary = slice_sub(range, 0, slice_find(range, '-'));
	for (size_t i = 0; languages[i]; i++)
		if (slice_is_nocase(primary, languages[i]) && is_offered(languages[i], offered))
			return languages[i];
	return NULL;
}

/* The weight of "de;q=0.8"; 0 for one that is no weight. */
static double weight(struct slice parameters)
{
	struct slice part;
	double q = 1;
	while (slice_next(&parameters, ';', &part)) {
		part = slice_trim(part);
		if (part.n > 2 && (part.p[0] == 'q' || part.p[0] == 'Q') && part.p[1] == '=' &&
			!units_parse_real(slice_sub(part, 2, part.n), &q))
			return 0;
	}
	return q > 1 ? 1 : q;
}

const char *page_language(const char *accept, const json_t *offered)
{
	struct slice rest = slice_of(accept), part;
	const char *best = NULL;
	double best_weight = 0;
	while (slice_next(&rest, ',', &part)) {
		const size_t end = slice_find(part, ';');
		const char *lang = match(slice_trim(slice_sub(part, 0, end)), offered);
		const double q = end < part.n ? weight(slice_sub(part, end + 1, part.n)) : 1;
		if (!lang || q <= best_weight)
			continue;
		best = lang;
		best_weight = q;
	}
	return best ? best : first_offered(offered);
}
