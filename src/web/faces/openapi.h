/* openapi.h - openapi.yaml as part of the program; openapi.c is made of it by the build. */
#ifndef WEB_FACES_OPENAPI_H
#define WEB_FACES_OPENAPI_H

#include <stddef.h>

extern const char openapi_yaml[];
extern const size_t openapi_yaml_n;

#endif
