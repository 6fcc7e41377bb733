/*
 * page.h - pages as pure functions: a model (model.h) and a language become HTML.
 *
 * Templates, texts and pictures are part of the program (web/ of the source tree). A page is
 * complete without JavaScript, has no inline style or script (the CSP forbids them), names no
 * foreign host, says "as of" always and never tells by colour alone.
 * Thread: any, after page_init().
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/error.h"
#include "web/pages/files.h"

enum page {
	PAGE_STATUS,       /* /                  SITE */
	PAGE_COMPONENT,    /* /components/ID     COMPONENT */
	PAGE_AVAILABILITY, /* /availability      AVAILABILITY */
	PAGE_SCENARIO,     /* /scenarios/NAME    SCENARIO */
	PAGE_RUN,          /* /runs/ID           RUN */
	PAGE_EVIDENCE,     /* /evidence/ID       EVIDENCE */
	PAGE_LEDGER,       /* /ledger[/VIEW]     LEDGER */
	PAGE_HOSTS,        /* /hosts             HOSTS */
	PAGE_CALLS,        /* /calls[/VIEW]      CALLS */
	PAGE_EXPLORE,      /* /explore           EXPLORE */
	PAGE_EVENT,        /* /events/ID         EVENT */
	PAGE_HISTORY,      /* /history[/VIEW]    HISTORY */
	PAGE_ALERTS,       /* /alerts            ALERTS */
	PAGE_PROBLEM,      /* any error          {status, path} */
	PAGE_COUNT
};

/* Compiles all templates and texts; an error is a mistake in the program's own files. */
bool page_init(struct error *err) must_check;
void page_fini(void);
/* What pages other than PAGE_STATUS show of SITE: site, observing, at_ms and started_ms in head and
 * foot, what is declared, and the state of each component beside it. Shares; returns owned. */
json_t *page_frame(const json_t *site);
/* `site`: the SITE document, or for pages other than PAGE_STATUS its frame; `path` the page's own,
 * for language links; `lang` one of page_languages(); `operators` shows what is theirs. */
bool page_render(enum page p, const json_t *model, const json_t *site, const char *path,
	const char *lang, bool operators, struct buf *out, struct error *err) must_check;
const char *const *page_languages(void); /* "en", "de", NULL; the first is the default */
/* The best of them for an Accept-Language header (RFC 9110 12.5.4), restricted to `offered`
 * (json array of names, or NULL: all). Static. */
const char *page_language(const char *accept, const json_t *offered);

/* Files that pages link to, served below PAGE_FILES: "style-HASH.css". NULL: there is none of that
 * name. */
#define PAGE_FILES "/files/"
struct page_file {
	const char *name; /* with a hash of its content: may be cached for ever */
	const char *type; /* Content-Type */
	const struct web_file *file;
};
const struct page_file *page_file(const char *name);
size_t page_files(const struct page_file **ret);

#endif
