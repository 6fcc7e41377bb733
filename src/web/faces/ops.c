/*
 * ops.c - our own API: the models of web/model.h as they are, described by openapi.yaml.
 */

#include "web/faces/faces.h"

json_t *ops_status(const json_t *site)
{
	/* the parts are shared, within one thread */
	return json_copy((json_t *)site);
}

const struct web_file *ops_openapi(void)
{
	return web_file_find("openapi.yaml");
}
