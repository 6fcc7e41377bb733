/*
 * route.h - the table of everything that is answered: one row a method and path.
 *
 * A path is literal but for at most one {name}, which stands for one segment of it, or for what of
 * a segment lies before a suffix: /api/ops/v1/components/{id}.json. HEAD is answered by the GET
 * rows. A row is of one class:
 *	fixed   part of the program
 *	pinned  (A) made when the house publishes, held ready in every language and coding
 *	cold    (B) asked of the house when wanted, kept for a while
 *	asked   (C) asked of the house each time, kept by nobody
 * Thread: any.
 */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include <jansson.h>

#include "base/slice.h"
#include "store/facts.h"
#include "web/faces/faces.h"
#include "web/faces/writes.h"
#include "web/page.h"

enum route_class { CLASS_FIXED, CLASS_PINNED, CLASS_COLD, CLASS_ASKED };
enum route_face {
	FACE_PAGES,
	FACE_OPS,
	FACE_STATUSPAGE,
	FACE_GRAPHITE,
	FACE_PROCESS,
	FACE_INFLUX,
	FACE_PROMETHEUS, /* and its Alertmanager */
	FACE_GATUS,
	FACE_UPTIME_KUMA,
	FACE_CLOUDMON
};
enum { ON_PUBLIC = 1, ON_INTAKE = 2, ON_BOTH = 3 };

/* What a fixed row gives. */
enum route_file { FILE_NONE, FILE_STATIC, FILE_ICON, FILE_ROBOTS, FILE_OPENAPI };
/* How what the house answers is shown; FORM_DOCUMENT: as it says itself, {"status": 200, "type":
 * "text/csv", "text": "..."}. */
enum route_form { FORM_PAGE, FORM_JSON, FORM_TEXT, FORM_HEALTH, FORM_DOCUMENT, FORM_WRITE };

struct route {
	const char *method, *path;
	enum route_face face;
	unsigned on;
	enum route_class class;
	enum audience audience; /* PUBLIC: everybody; OPERATORS: 403 to others */
	enum route_form form;
	enum page page;                      /* of FORM_PAGE */
	enum route_file file;                /* of a fixed row, */
	const char *moved;                   /* or where it is: {name} stands behind it */
	json_t *(*make)(const json_t *site); /* of a pinned row of FORM_JSON; returns owned */
	const char *query, *key;             /* of a cold or asked row; the argument of {name} */
	bool number;                         /* {name} is a number over 0, and told as one */
	bool command; /* it is a command: `query`, told {"id": {id}, "body": what is sent}; without
		       * one its name is {name} */
	const struct write_face *write; /* of FORM_WRITE: how it is read and answered */
	bool own_secret; /* what is sent has a secret of its own: the intake's is not asked for */
	bool outpost;    /* an outpost's token is asked for instead */
	/* Of an asked row: what is asked, from the request; NULL: *err, which is shown with 400. */
	json_t *(*arguments)(const struct face_request *r, struct error *err);
	size_t body_max; /* of a request; 0: none is taken */
};

#define ROUTE_WORD_MAX 200 /* bytes of {name}, decoded */

extern const struct route routes[];
extern const size_t route_count;

struct route_match {
	const struct route *route;     /* NULL: there is none */
	bool other_method;             /* the path is there, not for this method */
	char word[ROUTE_WORD_MAX + 1]; /* decoded {name}, "" when the path has none */
};

/* `path` as sent, still encoded. */
void route_match_path(const char *method, const char *path, unsigned on, struct route_match *ret);
/* The methods a path has there: "GET, HEAD". Returns `text`. */
#define ROUTE_ALLOW 64
const char *route_allow(const char *path, unsigned on, char *text);
/* Whether a path could match both patterns. */
bool route_overlap(const char *a, const char *b);
/* The page's path in which {name} stands for `word`, encoded. */
void route_path(const struct route *r, const char *word, struct buf *out);

#endif
