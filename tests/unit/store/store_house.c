/* store_house.c - see store_house.h. */
#include "store_house.h"

#include <unistd.h>

#include "../check.h"
#include "base/mem.h"

static const struct facts_migration notes[] = {
	{1, "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT)"},
};

void must(bool good, const struct house *h)
{
	if (!good)
		fail_msg("%s", h->err.msg);
}

bool add_note(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx, "INSERT INTO note(text) VALUES('one')", NULL, 0, err);
}

static void open_facts(struct house *h)
{
	h->facts = facts_open(h->dir, h->loop, &h->err);
	must(h->facts != NULL, h);
	must(facts_migrate(h->facts, "test", notes, 1, &h->err), h);
}

void house_reopen(struct house *h)
{
	facts_close(h->facts);
	open_facts(h);
}

int house_setup(void **state)
{
	struct house *h = mem_new(struct house);

	snprintf(h->root, sizeof(h->root), "/tmp/test-facts-XXXXXX");
	if (!mkdtemp(h->root))
		return -1;
	h->dir = mem_printf("%s/deep/state", h->root);
	h->thread = pthread_self();
	h->loop = loop_new(NULL, &h->err);
	must(h->loop != NULL, h);
	open_facts(h);
	*state = h;
	return 0;
}

int house_teardown(void **state)
{
	struct house *h = *state;

	facts_close(h->facts);
	loop_free(h->loop);
	remove_tree(h->root);
	free(h->dir);
	free(h);
	return 0;
}
