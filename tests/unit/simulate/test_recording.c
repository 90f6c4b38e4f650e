/* The recorded event log as a world (issue 3, 13; docs/formats/events.md). */
#include "base/units.h"
#include "simulate/recording.h"
#include "simulate/relay.h"
#include "support/check.h"

#define LINE(time, event, id, rest)                                               \
	"{\"time\":\"2026-11-23T" time "Z\",\"event\":\"" event "\",\"id\":\"" id \
	"\",\"index\":0,\"destination\":\"a.test\"" rest "}\n"
#define ACCEPTED(time, id) \
	LINE(time, "accepted", id, ",\"sender\":\"s@x.test\",\"recipient\":\"r@a.test\",\"size\":7")
#define ATTEMPT(time, event, id, phase, cause, reply)                           \
	LINE(time, event, id,                                                   \
	     ",\"site\":\"mx.test\",\"phase\":\"" phase "\",\"cause\":\"" cause \
	     "\",\"reply\":\"" reply "\"")

static struct scene *recorded(const char *text)
{
	struct scene *scene = NULL;
	struct err err = { 0 };

	recording_parse("log", bytes_of(text), &scene, &err);
	CHECK_STRING("no problem", err.text, "");
	return scene;
}

static void test_outage(void)
{
	struct scene *scene = recorded(
		ACCEPTED("10:00:00.000", "m1") ATTEMPT(
			"10:00:01", "delivered", "m1", "DOT", "",
			"250") ACCEPTED("11:00:00", "m2") ATTEMPT("11:00:01.500", "deferred", "m2",
	                                                          "connect", "host_down",
	                                                          "timed out") ACCEPTED("12:00:00",
	                                                                                "m3")
			ATTEMPT("13:00:00", "delivered", "m2", "DOT", "", "250") ATTEMPT(
				"13:00:01", "failed", "m3", "RCPT", "",
				"550 5.1.1 no") "{\"time\":\"2026-11-23T13:00:02Z\",\"event\":"
						"\"site_opened\",\"site\":\"mx.test\"}\n"
						"{\"time\":\"2026-11-23T13:00");
	const struct scene_domain *domain = scene_find_domain(scene, bytes_of("a.test"));
	const struct scene_host *host = scene_find_host(scene, bytes_of("mx.test"));

	CHECK_INT("mails", scene->mail_count, 3);
	CHECK_TRUE("times", scene->mails[1].arrived_us == US_PER_HOUR);
	CHECK_INT("size", scene->mails[1].size_bytes, 7);
	CHECK_TRUE("refused for good", scene->mails[2].is_refused && !scene->mails[1].is_refused);
	CHECK_INT("downtimes", domain->down_count, 1);
	CHECK_TRUE("from the first failure",
	           domain->down[0].from_us == US_PER_HOUR + 1500 * US_PER_MS);
	CHECK_TRUE("to the first success", domain->down[0].to_us == 3 * US_PER_HOUR);
	CHECK_INT("it did not answer", scene_manners_at(host, 2 * US_PER_HOUR)->listen,
	          SCENE_BLACKHOLE);
	scene_destroy(scene);
}

static void test_put_off(void)
{
	struct scene *scene = recorded(
		ACCEPTED("10:00:00", "m1") ACCEPTED("10:00:00", "m2") ACCEPTED("10:00:00", "m3")
			ACCEPTED("10:00:00", "m4") ATTEMPT("10:00:00", "deferred", "m1", "RCPT",
	                                                   "greylisted", "451 4.7.1 greylisted")
				ATTEMPT("10:10:00", "delivered", "m1", "DOT", "", "250") ATTEMPT(
					"10:10:00", "deferred", "m2", "RCPT", "greylisted",
					"451 4.7.1 greylisted") ATTEMPT("10:20:00", "deferred",
	                                                                "m3", "RCPT",
	                                                                "mailbox_full",
	                                                                "452 4.2.2 full")
					ATTEMPT("10:30:00", "delivered", "m3", "DOT", "",
	                                        "250") ATTEMPT("10:30:00", "deferred", "m4", "RCPT",
	                                                       "mailbox_full", "452 4.2.2 full")
						LINE("11:00:00", "deferred", "m4",
	                                             ",\"cause\":\"dns_failure\",\"phase\":\"DNS\"")
							LINE("12:00:00", "cancelled", "m2", ""));

	CHECK_INT("the cancelled one is left out", scene->mail_count, 3);
	CHECK_TRUE("greylisted for ten minutes",
	           scene->mails[0].not_before_us == 10 * US_PER_MINUTE);
	CHECK_TRUE("full until then", scene->mails[1].not_before_us == 20 * US_PER_MINUTE);
	CHECK_TRUE("full to the end", scene->mails[2].not_before_us == 2 * US_PER_HOUR);
	CHECK_INT("DNS", scene_records_at(&scene->domains[0], 90 * US_PER_MINUTE)->dns,
	          SCENE_SERVFAIL);
	scene_destroy(scene);
}

/* Two got through within the hour in which limits were met: so many an hour. */
static void test_rate(void)
{
	struct scene *scene = recorded(
		ACCEPTED("10:00:00", "m1") ACCEPTED("10:00:00", "m2") ACCEPTED("10:00:00", "m3")
			ATTEMPT("10:00:00", "deferred", "m3", "RCPT", "rate_limited",
	                        "450 slow") ATTEMPT("10:20:00", "delivered", "m1", "DOT", "", "250")
				ATTEMPT("10:40:00", "delivered", "m2", "DOT", "",
	                                "250") ATTEMPT("11:00:00", "deferred", "m3", "RCPT",
	                                               "rate_limited", "450 slow")
					ATTEMPT("16:00:00", "delivered", "m3", "DOT", "", "250"));
	const struct scene_host *host = scene_find_host(scene, bytes_of("mx.test"));

	CHECK_INT("while it lasts", scene_manners_at(host, 30 * US_PER_MINUTE)->rate_count, 2);
	CHECK_INT("and not after", scene_manners_at(host, 3 * US_PER_HOUR)->rate_count, 0);
	scene_destroy(scene);
}

static const struct {
	const char *name, *text, *problem;
} wrong[] = {
	{ "empty", "", "log: no message was accepted in it" },
	{ "no JSON", ACCEPTED("10:00:00", "m1") "\nhello\n", "log:3: this is no event of the log" },
	{ "a list", "[]\n", "log:1: this is no event of the log" },
	{ "no time", "{\"event\":\"accepted\"}\n", "log:1: the event has no time" },
	{ "no domain",
	  "{\"time\":\"2028-01-01T00:00:00Z\",\"event\":\"x\",\"destination\":\"a@b\"}\n",
	  "log:1: the destination is no domain" },
	{ "only of mail from before", ATTEMPT("10:00:00", "delivered", "m1", "DOT", "", "250"),
	  "log: no message was accepted in it" },
	{ "too long",
	  ACCEPTED("10:00:00", "m1") "{\"time\":\"2028-01-01T00:00:00Z\",\"event\":\"x\"}\n",
	  "log:2: more than a year after the first event" },
};

static void test_wrong(void)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct scene *scene = NULL;
		struct err err = { 0 };

		CHECK_INT(wrong[i].name,
		          recording_parse("log", bytes_of(wrong[i].text), &scene, &err),
		          ERR_INVALID);
		CHECK_STRING(wrong[i].name, err.text, wrong[i].problem);
		CHECK_TRUE(wrong[i].name, scene == NULL);
	}
}

TEST_MAIN(test_outage, test_put_off, test_rate, test_wrong)
