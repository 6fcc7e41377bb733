/* fuzz.c - see fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"

void fuzz_held(bool kept, const char *promise, const char *file, int line)
{
	if (kept)
		return;
	fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
	abort();
}

size_t fuzz_errors(struct error_list *errors)
{
	size_t n = errors->n;

	for (size_t i = 0; i < n; i++) {
		char text[ERROR_TEXT + 300];

		fuzz_hold(errors->p[i].msg[0] != '\0');
		fuzz_hold(error_text(&errors->p[i], text, sizeof(text))[0] != '\0');
	}
	error_list_fini(errors);
	return n;
}

const char *fuzz_file(unsigned slot, struct slice text)
{
	static struct {
		int fd;
		char path[64];
	} files[FUZZ_FILES];

	if (!files[slot].path[0]) {
		files[slot].fd = memfd_create("fuzz", MFD_CLOEXEC);
		fuzz_hold(files[slot].fd >= 0);
		snprintf(files[slot].path, sizeof(files[slot].path), "/proc/self/fd/%d",
			files[slot].fd);
	}
	fuzz_hold(ftruncate(files[slot].fd, 0) == 0);
	fuzz_hold(pwrite(files[slot].fd, text.p, text.n, 0) == (ssize_t)text.n);
	return files[slot].path;
}

/* libfyaml 0.7 leaks a token's text when it refuses a document; what it allocates is its own. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

/* --- a world -----------------------------------------------------------------------------------
 */

static struct value two_numbers(void)
{
	struct value list = value_list_new();

	value_list_add(&list, value_int(1));
	value_list_add(&list, value_int(2));
	return list;
}

static struct value one_pair(void)
{
	struct value map = value_map_new();

	value_map_put(&map, SLICE("a"), value_str("b"));
	return map;
}

static enum expr_result name(void *arg, struct slice n, struct value *ret, struct error *err)
{
	if (slice_is(n, "late"))
		return EXPR_BLOCKED;
	if (slice_is(n, "never"))
		return EXPR_ABSENT;
	if (slice_is(n, "broken"))
		return EXPR_SKIPPED;
	if (slice_is(n, "x"))
		*ret = value_int(7);
	else if (slice_is(n, "list"))
		*ret = two_numbers();
	else if (slice_is(n, "map"))
		*ret = one_pair();
	else if (slice_is(n, "text"))
		*ret = value_str("abc");
	else if (slice_is(n, "time"))
		*ret = value_time(90000000000);
	else if (slice_is(n, "it"))
		*ret = value_of_ref(1, -1);
	else {
		error_set(err, ERROR_INPUT, "unknown name %.40s", "");
		return EXPR_ERROR;
	}
	return EXPR_OK;
}

static enum expr_result field(
	void *arg, struct value_ref ref, struct slice f, struct value *ret, struct error *err)
{
	*ret = value_text(f);
	return EXPR_OK;
}

static enum expr_result at_index(
	void *arg, struct value_ref ref, int64_t index, struct value *ret, struct error *err)
{
	*ret = value_of_ref(ref.object, (int32_t)(index & 0xff));
	return EXPR_OK;
}

static enum expr_result all(void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	*ret = value_list_new();
	value_list_add(ret, value_of_ref(ref.object, 0));
	value_list_add(ret, value_of_ref(ref.object, 1));
	return EXPR_OK;
}

static enum expr_result plain(void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	*ret = value_str("0f3b");
	return EXPR_OK;
}

static enum expr_result measurement(void *arg, struct slice n, struct value *ret, struct error *err)
{
	if (slice_is(n, "STATUS"))
		*ret = value_int(200);
	else if (slice_is(n, "BODY"))
		*ret = one_pair();
	else if (slice_is(n, "GAP"))
		*ret = value_time(300000000);
	else if (slice_is(n, "OUTPUT"))
		*ret = value_str("a line\nanother");
	else
		*ret = VALUE_NOTHING;
	return EXPR_OK;
}

static enum expr_result call(void *arg, struct slice function, const struct value *args, size_t n,
	struct value *ret, struct error *err)
{
	*ret = n ? value_copy(args[0]) : value_str("called");
	return EXPR_OK;
}

const struct expr_scope fuzz_scope = {.name = name,
	.field = field,
	.index = at_index,
	.all = all,
	.plain = plain,
	.measurement = measurement,
	.call = call};
