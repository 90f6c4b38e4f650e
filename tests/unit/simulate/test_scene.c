/* World files (issue 3, 13): what is wrong is said with its place; what is right means what it
 * says. */
#include "base/units.h"
#include "simulate/scene.h"
#include "support/check.h"
#include <stdlib.h>

#define HOST   "host h { }\n"
#define DOMAIN "domain d { mx h; }\n"

static const struct {
	const char *name, *text, *problem;
} wrong[] = {
	{ "unknown word", "sed 1;", "w:1: sed: this is not known here\n" },
	{ "unknown block", "\nhots h { }", "w:2: hots: this is not known here\n" },
	{ "no name", "host { }", "w:1: host: wants one name\n" },
	{ "no name for an address", "host \"a@b\" { }", "w:1: host: wants one name\n" },
	{ "twice", HOST "host H { }", "w:2: host: this host is there already\n" },
	{ "no such host", HOST "domain d { mx g; }",
	  "w:2: mx: wants the names of up to 32 host blocks\n" },
	{ "no mx", HOST "domain d { ttl 1h; }", "w:2: domain: has no mx\n" },
	{ "no such domain", HOST DOMAIN "traffic t { to e; }",
	  "w:3: to: wants names of domain blocks, each perhaps with its weight\n" },
	{ "nowhere", HOST DOMAIN "traffic t { }", "w:3: traffic: does not say where to\n" },
	{ "backwards", HOST DOMAIN "traffic t { to d; from 2h; until 1h; }",
	  "w:3: traffic: ends before it begins\n" },
	{ "no time", "host h { at noon { refuse; } }",
	  "w:1: at: wants a duration: at 3h { ... }\n" },
	{ "at in at", "host h { at 1h { at 2h { } } }", "w:1: at: this is not known here\n" },
	{ "rate", "host h { rate 5; }", "w:1: rate: wants NUMBER/DURATION, and perhaps a reply\n" },
	{ "no reply", "host h { greylist 5m later; }",
	  "w:1: greylist: wants a duration, and perhaps a reply\n" },
	{ "not busy", "host h { busy \"550 no\"; }", "w:1: busy: takes a reply of class 4\n" },
	{ "percent", "host h { full 101; }",
	  "w:1: full: wants a percentage, and perhaps a reply\n" },
	{ "too many mails", HOST DOMAIN "traffic t { to d; messages 20000001; }",
	  "w:3: messages: wants a number\n" },
	{ "flaps too often", "host h { flap 1s 1s 365d; }", "w:1: host: changes too often\n" },
	{ "syntax", "host h {", "w:1: host: the block that begins here has no '}'\n" },
};

static void test_wrong(void)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct buffer problems = { 0 };
		struct scene *scene = NULL;

		CHECK_INT(wrong[i].name,
		          scene_parse("w", bytes_of(wrong[i].text), &scene, &problems),
		          ERR_INVALID);
		CHECK_TRUE(wrong[i].name, scene == NULL);
		CHECK_BYTES(wrong[i].name, buffer_bytes(&problems), bytes_of(wrong[i].problem));
		buffer_deinit(&problems);
	}
}

static struct scene *parsed(const char *text)
{
	struct buffer problems = { 0 };
	struct scene *scene = NULL;

	scene_parse("w", bytes_of(text), &scene, &problems);
	CHECK_BYTES(text, buffer_bytes(&problems), bytes_of(""));
	scene_fill(scene);
	buffer_deinit(&problems);
	return scene;
}

static void test_periods(void)
{
	struct scene *scene = parsed("host h { rate 5/1m; at 2h { accept; } at 1h { blackhole; "
	                             "rate 0; } at 10h { flap 1m 2m 10h5m; } }\n" DOMAIN);
	const struct scene_host *host = scene_find_host(scene, bytes_of("H"));

	CHECK_INT("periods", host->period_count, 7);
	CHECK_INT("rate", scene_manners_at(host, 0)->rate_count, 5);
	CHECK_INT("in order of time", scene_manners_at(host, US_PER_HOUR)->listen, SCENE_BLACKHOLE);
	CHECK_INT("what is not said stays", scene_manners_at(host, 3 * US_PER_HOUR)->rate_count, 0);
	CHECK_INT("up", scene_manners_at(host, 2 * US_PER_HOUR)->listen, SCENE_ACCEPTS);
	CHECK_INT("flaps", scene_manners_at(host, 10 * US_PER_HOUR)->listen, SCENE_REFUSES);
	CHECK_INT("and is up at last",
	          scene_manners_at(host, 10 * US_PER_HOUR + 4 * US_PER_MINUTE)->listen,
	          SCENE_ACCEPTS);
	scene_destroy(scene);
}

static void test_downtime(void)
{
	struct scene *scene = parsed(
		"host a { at 1h { refuse; } at 3h { accept; } }\n"
		"host b { at 2h { busy; } at 4h { accept; } }\n"
		"domain d { mx a b; copies 3; at 10h { servfail; } at 11h { answer; } }\n");
	const struct scene_domain *domain = scene_find_domain(scene, bytes_of("2.d"));
	struct span both = { 0, 5 * US_PER_HOUR }, later = { 150 * US_PER_MINUTE, US_PER_DAY };
	struct span early = { 0, US_PER_HOUR }, within = { 0, 150 * US_PER_MINUTE };

	CHECK_INT("copies", scene->domain_count, 3);
	CHECK_INT("when neither host is there, or no DNS", domain->down_count, 2);
	CHECK_TRUE("up for 4 h", scene_uptime_us(domain, both) == 4 * US_PER_HOUR);
	CHECK_TRUE("from the middle",
	           scene_uptime_us(domain, later) == US_PER_DAY - 4 * US_PER_HOUR);
	CHECK_TRUE("recovery", scene_recovery_us(domain, both) == 3 * US_PER_HOUR);
	CHECK_TRUE("the last one", scene_recovery_us(domain, later) == 11 * US_PER_HOUR);
	CHECK_TRUE("none before", scene_recovery_us(domain, early) == -1);
	CHECK_TRUE("not over yet", scene_recovery_us(domain, within) == -1);
	scene_destroy(scene);
}

static void test_mail(void)
{
	const char *text = HOST
		"domain d { mx h; copies 2; mailboxes 5; }\ndomain e { mx h; }\n"
		"traffic t { messages 1000; from 1h; until 2h; to d 3 e; senders 7; "
		"size 4K; priority 2; }\n";
	struct scene *scene = parsed(text), *again = parsed(text);
	size_t to_e = 0;

	CHECK_INT("all of them", scene->mail_count, 1000);
	for (uint32_t i = 0; i < scene->mail_count; i++) {
		const struct mail *mail = &scene->mails[i];

		CHECK_TRUE("in order", i == 0 || mail->arrived_us >= mail[-1].arrived_us);
		CHECK_TRUE("in time",
		           mail->arrived_us >= US_PER_HOUR && mail->arrived_us < 2 * US_PER_HOUR);
		CHECK_TRUE("sender", mail->sender < 7 && mail->size_bytes == 4096);
		CHECK_TRUE("mailbox", mail->domain == 2 || mail->mailbox < 5);
		to_e += mail->domain == 2;
	}
	CHECK_TRUE("by weight", to_e > 180 && to_e < 320);
	CHECK_TRUE("same seed, same mail",
	           memcmp(scene->mails, again->mails, 1000 * sizeof *scene->mails) == 0);
	scene_destroy(scene);
	scene_destroy(again);
}

TEST_MAIN(test_wrong, test_periods, test_downtime, test_mail)
