/* The times at which a site kept mail waiting. */
#include "queue/incident.h"
#include "support/check.h"

static void test_life(void)
{
	struct incidents incidents = { 0 };

	incidents_hurt(&incidents, 5);
	incidents_recover(&incidents, 0);
	CHECK_TRUE("none", !incidents_current(&incidents));
	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_HOST_DOWN, 100);
	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_NETWORK, 110);
	CHECK_INT("one at a time", incidents.count, 1);
	incidents_hurt(&incidents, 3);
	incidents_expire(&incidents);
	incidents_end(&incidents, 200);
	CHECK_TRUE("over", !incidents_current(&incidents));
	incidents_recover(&incidents, 250);
	incidents_recover(&incidents, 150);
	incidents_recover(&incidents, 150);
	incidents_recover(&incidents, 150);
	CHECK_INT("cause", incidents.items[0].cause, CAUSE_HOST_DOWN);
	CHECK_INT("expired", incidents.items[0].expired, 1);
	CHECK_INT("recovered: those hurt, no more", incidents.items[0].recovered, 2);
	incidents_begin(&incidents, INCIDENT_RELAPSE, CAUSE_HOST_DOWN, 210);
	CHECK_INT("the same goes on", incidents.count, 1);
	CHECK_INT("since", incidents_current(&incidents)->start_us, 100);
	incidents_end(&incidents, 300);
	incidents_begin(&incidents, INCIDENT_RELAPSE, CAUSE_HOST_DOWN, 301 + RELAPSE_US);
	CHECK_INT("long after it is another", incidents.count, 2);
	incidents_deinit(&incidents);
}

static void test_oldest_goes(void)
{
	struct incidents incidents = { 0 };

	for (int i = 1; i <= INCIDENTS_MAX + 5; i++) {
		incidents_begin(&incidents, INCIDENT_NEW, CAUSE_HOST_DOWN, i * 10);
		incidents_end(&incidents, i * 10 + 5);
	}
	CHECK_INT("bounded", incidents.count, INCIDENTS_MAX);
	CHECK_INT("oldest", incidents.items[0].start_us, 60);
	incidents_deinit(&incidents);
}

static void test_odds(void)
{
	struct incidents incidents = { 0 };
	const int lengths[] = { 10, 20, 30, 100 };

	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_HOST_DOWN, 1);
	CHECK_INT("nothing to tell from", incidents_odds_percent(&incidents, 50, 5), -1);
	incidents_deinit(&incidents);
	for (int i = 0; i < 4; i++) {
		incidents_begin(&incidents, INCIDENT_NEW, CAUSE_HOST_DOWN, i * 1000 + 1);
		incidents_end(&incidents, i * 1000 + 1 + lengths[i]);
	}
	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_HOST_DOWN, 5000);
	CHECK_INT("at its start", incidents_odds_percent(&incidents, 25, 5000), 50);
	CHECK_INT("after 15", incidents_odds_percent(&incidents, 20, 5015), 66);
	CHECK_INT("longer than all", incidents_odds_percent(&incidents, 20, 5500), -1);
	incidents_deinit(&incidents);
}

static void test_kept(void)
{
	struct incidents incidents = { 0 }, again;
	struct buffer bytes = { 0 };
	struct reader in;

	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_TLS, 100);
	incidents_hurt(&incidents, 7);
	incidents_end(&incidents, 150);
	incidents_begin(&incidents, INCIDENT_NEW, CAUSE_NETWORK, 200);
	incidents_encode(&incidents, &bytes);
	in = (struct reader){ .in = buffer_bytes(&bytes) };
	CHECK_TRUE("read", incidents_decode(&in, &again) && in.in.len == 0);
	CHECK_INT("count", again.count, 2);
	CHECK_INT("hurt", again.items[0].hurt, 7);
	CHECK_TRUE("lasts", incidents_current(&again) != NULL);
	incidents_deinit(&again);
	for (size_t len = 0; len < bytes.len; len++) {
		in = (struct reader){ .in = { bytes.at, len } };
		CHECK_TRUE("cut", !incidents_decode(&in, &again));
	}
	bytes.at[1 + 8] = 1; /* ends before it began */
	in = (struct reader){ .in = buffer_bytes(&bytes) };
	CHECK_TRUE("illegal", !incidents_decode(&in, &again));
	buffer_deinit(&bytes);
	incidents_deinit(&incidents);
}

TEST_MAIN(test_life, test_oldest_goes, test_odds, test_kept)
