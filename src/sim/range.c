#include "sim/range.h"

#include <stdlib.h>
#include <string.h>

bool range_read(const char *text, int64_t size, int64_t *from, int64_t *n)
{
	char *end;

	if (!text || strncmp(text, "bytes=", 6) || strchr(text, ','))
		return true;
	text += 6;
	if (*text == '-') {
		const int64_t tail = strtoll(text + 1, &end, 10);
		if (tail <= 0 || *end)
			return false;
		*from = tail < size ? size - tail : 0;
		*n = size - *from;
		return true;
	}
	*from = strtoll(text, &end, 10);
	if (*end != '-' || *from >= size || *from < 0)
		return false;
	const int64_t last = end[1] ? strtoll(end + 1, NULL, 10) : size - 1;
	if (last < *from)
		return false;
	*n = (last < size ? last + 1 : size) - *from;
	return true;
}
