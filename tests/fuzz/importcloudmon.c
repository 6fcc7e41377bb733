/* importcloudmon.c - documents of CloudMon. */
#include "importers.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	importer_holds("cloudmon", slice_from((const char *)p, n));
	return 0;
}
