/* importgatus.c - documents of Gatus. */
#include "importers.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	importer_holds("gatus", slice_from((const char *)p, n));
	return 0;
}
