#include "model/cause.h"
#include "model/recipient.h"
#include "support/check.h"

static void test_names_read_back(void)
{
	for (int i = 0; i < CAUSE_COUNT; i++) {
		enum cause cause = CAUSE_NONE;

		CHECK_TRUE(cause_name(i), cause_parse(bytes_of(cause_name(i)), &cause));
		CHECK_INT(cause_name(i), cause, i);
		CHECK_INT(cause_name(i), cause_status(i)[0], '4');
		CHECK_TRUE(cause_name(i), cause_sentence(i)[0] != '\0');
	}
	for (int i = 0; i < RECIPIENT_STATES; i++) {
		enum recipient_state state = RECIPIENT_QUEUED;

		CHECK_TRUE(recipient_state_name(i),
		           recipient_state_parse(bytes_of(recipient_state_name(i)), &state));
		CHECK_INT(recipient_state_name(i), state, i);
	}
}

static void test_unknown_names_are_refused(void)
{
	enum cause cause;
	enum recipient_state state;

	CHECK_TRUE("empty", !cause_parse(bytes_of(""), &cause));
	CHECK_TRUE("longer", !cause_parse(bytes_of("greylisted2"), &cause));
	CHECK_TRUE("state", !recipient_state_parse(bytes_of("lost"), &state));
}

static void test_ours(void)
{
	CHECK_TRUE("own_limit", cause_is_ours(CAUSE_OWN_LIMIT));
	CHECK_TRUE("held", cause_is_ours(CAUSE_HELD));
	CHECK_TRUE("soft_other", !cause_is_ours(CAUSE_SOFT_OTHER));
	CHECK_TRUE("none", !cause_is_ours(CAUSE_NONE));
}

TEST_MAIN(test_names_read_back, test_unknown_names_are_refused, test_ours)
