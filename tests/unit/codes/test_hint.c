#include "codes/hint.h"
#include "support/check.h"

static const struct {
	const char *text;
	int seconds;
} rows[] = {
	{ "try again in 300 seconds", 300 },
	{ "please try again after 1800 sec", 1800 },
	{ "retry after 00:05:00", 300 },
	{ "please come back in 00:10:30", 630 },
	{ "greylisted for 5 minutes", 300 },
	{ "greylisted, back in 5 minutes", 300 },
	{ "retry in 1h", 3600 },
	{ "retry in 1h30m", 5400 },
	{ "wait 600s", 600 },
	{ "wait for about 10 min. then retry", 600 },
	{ "try again in at least 4 minutes and 30 seconds", 270 },
	{ "retry-after: 120", 120 },
	{ "retry after 120", 120 },
	{ "please retry in an hour", 3600 },
	{ "try again in one minute", 60 },
	{ "retry 2 hours later", 7200 },
	{ "greylisted (300s)", 300 },
	{ "veuillez reessayer dans 5 minutes", 300 },
	{ "bitte erneut versuchen nach 2 stunden", 7200 },
	{ "bitte in 10 minuten erneut", 600 },
	{ "intente de nuevo en 15 minutos", 900 },
	{ "try again later", 0 },
	{ "see line in 300, retry", 0 },
	{ "connection timed out after 300 seconds", 0 },
	{ "retry in 0 seconds", 0 },
	{ "retry in 86400 seconds", 86400 },
	{ "retry in 86401 seconds", 0 },
	{ "retry in 99999999999999999999 seconds", 0 },
	{ "retry in 3 days", 0 },
	{ "over 100 messages, retry in 192.0.2.1", 0 },
	{ "", 0 },
};

static void test_hint(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(rows[i].text, hint_read(bytes_of(rows[i].text)), rows[i].seconds);
}

TEST_MAIN(test_hint)
