/* What the document of the site says of streams while none are taken. */
#include "../check.h"

#include <jansson.h>

#include "cli/running.h"

/* After a reload whose addresses could not be opened there is nothing, at each making of the page;
 * that it keeps no memory either is the sanitizer's to say. */
static void without_streams_nothing_is_said_and_nothing_kept(void **state)
{
	const struct running r = {0};
	json_t *site = json_object();
	for (int i = 0; i < 3; i++)
		running_ingest_site(&r, site);
	assert_int_equal(json_object_size(site), 0);
	json_decref(site);
}

int test_running_ingest(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_streams_nothing_is_said_and_nothing_kept),
	};
	return cmocka_run_group_tests_name("running_ingest", tests, NULL, NULL);
}
