/* importkuma.c - documents of Uptime Kuma. */
#include "importers.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	importer_holds("uptime-kuma", slice_from((const char *)p, n));
	return 0;
}
