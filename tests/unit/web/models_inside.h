/* models_inside.h - what models.c and models_events.c share. */
#ifndef TESTS_UNIT_WEB_MODELS_INSIDE_H
#define TESTS_UNIT_WEB_MODELS_INSIDE_H

#include "models.h"

#define NOW MODELS_NOW_MS

json_t *model_text(const char *s); /* NULL: null */
void model_add_events(json_t *site, enum mood mood, bool operators);

#endif
