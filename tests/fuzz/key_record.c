#include "check/key_record.h"
#include "base/assert.h"
#include "check/dmarc.h"
#include "check/policy_record.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problem(bool is_good, const char problem[200])
{
	ASSERT(is_good == (problem[0] == '\0'));
	for (const char *c = problem; *c; c++)
		ASSERT(*c >= ' ' && *c <= '~');
}

/* A key record is a key or has a reason, in printable text; so the records of the other kinds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct key_record key;
	struct dmarc_record dmarc;
	struct sts_record sts;
	struct tlsrpt_record tlsrpt;
	struct bimi_record bimi;
	char problem[200];

	check_problem(key_record_parse(text, &key), key.problem);
	if (!key.problem[0])
		ASSERT(key.kind != KEY_UNKNOWN && (key.is_revoked || key.bits > 0));
	if (!dmarc_parse(text, &dmarc))
		ASSERT(dmarc.problem[0] && dmarc.policy == DMARC_NONE);
	check_problem(sts_record_parse(text, &sts, problem), problem);
	check_problem(tlsrpt_record_parse(text, &tlsrpt, problem), problem);
	check_problem(bimi_record_parse(text, &bimi, problem), problem);
	return 0;
}
