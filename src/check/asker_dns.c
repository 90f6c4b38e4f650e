#include "check/asker_dns.h"
#include "base/alloc.h"
#include "base/list.h"
#include "dns/upstream.h"
#include "dns/wire.h"
#include "runtime/fiber.h"
#include <string.h>

#define LOOKUP_TYPE_CNAME 5
#define LOOKUP_TYPE_PTR   12
#define LOOKUP_TYPE_TXT   16
#define LOOKUP_TYPE_TLSA  52
#define RECORDS_MAX       100   /* of one answer; more are not looked at */
#define TXT_BYTES_MAX     16384 /* of one record */

struct asker_dns {
	struct upstream *upstream;
	struct asker_dns_limits limits;
	int question_count, open_count;
	bool is_exhausted;
	struct list waiting; /* for one of the open questions to end */
};

struct turn {
	struct list place;
	struct fiber *fiber;
	bool has_come;
};

static const int lookup_types[] = {
	[ASK_TXT] = LOOKUP_TYPE_TXT,   [ASK_IPV4] = LOOKUP_TYPE_A,  [ASK_IPV6] = LOOKUP_TYPE_AAAA,
	[ASK_MX] = LOOKUP_TYPE_MX,     [ASK_PTR] = LOOKUP_TYPE_PTR, [ASK_CNAME] = LOOKUP_TYPE_CNAME,
	[ASK_TLSA] = LOOKUP_TYPE_TLSA,
};

static bool wait_for_turn(struct asker_dns *dns)
{
	struct turn turn = { .fiber = fiber_self() };

	if (dns->open_count < dns->limits.open_max) {
		dns->open_count++;
		return true;
	}
	list_append(&dns->waiting, &turn.place);
	while (!turn.has_come) {
		if (fiber_park(dns->limits.deadline_us) == 0 || turn.has_come)
			continue;
		list_remove(&turn.place);
		return false;
	}
	return true;
}

/* Hands the place over, so that nobody overtakes those who wait. */
static void end_turn(struct asker_dns *dns)
{
	struct list *first = list_take_first(&dns->waiting);
	struct turn *turn;

	if (!first) {
		dns->open_count--;
		return;
	}
	turn = CONTAINER_OF(first, struct turn, place);
	turn->has_come = true;
	fiber_wake(turn->fiber);
}

/* What libunbound is given has to mean itself: no escapes, no blanks. */
static bool may_be_asked(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '\\')
			return false;
	return *name != '\0';
}

/* The strings of a TXT record, joined without anything between them (RFC 7208 3.3). */
static struct bytes decode_txt(struct arena *arena, struct bytes data)
{
	struct buffer text = { .limit = TXT_BYTES_MAX };
	struct bytes copy;

	while (data.len > 0) {
		size_t len = (uint8_t)data.at[0];

		buffer_append(&text, bytes_first(bytes_from(data, 1), len));
		data = bytes_from(data, 1 + len);
	}
	copy = arena_copy(arena, buffer_bytes(&text));
	buffer_deinit(&text);
	return copy;
}

static struct bytes decode_name(struct arena *arena, struct bytes data)
{
	char name[WIRE_NAME_TEXT_MAX];

	return wire_name_decode(data, name) ? arena_copy(arena, bytes_of(name))
	                                    : (struct bytes){ 0 };
}

/* Puts a host behind those of the same or a better preference. */
static void add_mx(struct arena *arena, struct bytes data, struct asker_answer *answer)
{
	uint16_t *preferences = answer->preferences;
	struct wire_mx mx;
	int at = answer->count;

	wire_mx_decode(data, &mx);
	if (mx.kind == WIRE_MX_MALFORMED)
		return;
	for (; at > 0 && preferences[at - 1] > mx.preference; at--) {
		preferences[at] = preferences[at - 1];
		answer->records[at] = answer->records[at - 1];
	}
	preferences[at] = mx.preference;
	answer->records[at] = arena_copy(arena, bytes_of(mx.host));
	answer->count++;
}

static void take_records(struct arena *arena, const struct lookup *lookup, enum ask_type type,
                         struct asker_answer *answer)
{
	int count = MIN(lookup->count, RECORDS_MAX);

	answer->preferences = arena_alloc(arena, RECORDS_MAX * sizeof *answer->preferences);
	answer->records = arena_alloc(arena, RECORDS_MAX * sizeof *answer->records);
	for (int i = 0; i < count; i++) {
		struct bytes data = lookup_data(lookup, i), record = { 0 };

		if (type == ASK_MX)
			add_mx(arena, data, answer);
		else if (type == ASK_TXT)
			record = decode_txt(arena, data);
		else if (type == ASK_PTR || type == ASK_CNAME)
			record = decode_name(arena, data);
		else
			record = arena_copy(arena, data);
		if (record.at)
			answer->records[answer->count++] = record;
	}
	if (answer->count == 0)
		answer->status = DNS_NO_DATA;
}

static void ask(void *arg, struct arena *arena, const char *name, enum ask_type type,
                struct asker_answer *answer_out)
{
	struct asker_dns *dns = arg;
	struct lookup lookup = { .name = name, .type = lookup_types[type] };

	*answer_out = (struct asker_answer){ .status = DNS_NO_DOMAIN };
	if (!may_be_asked(name))
		return;
	answer_out->status = DNS_TIMEOUT;
	if (dns->question_count == dns->limits.questions_max) {
		dns->is_exhausted = true;
		return;
	}
	dns->question_count++;
	if (!wait_for_turn(dns))
		return;
	upstream_ask(dns->upstream, &lookup, 1, dns->limits.deadline_us);
	end_turn(dns);
	answer_out->status = lookup.status;
	answer_out->is_secure = lookup.is_secure;
	if (lookup.status == DNS_FOUND)
		take_records(arena, &lookup, type, answer_out);
	lookup_deinit(&lookup);
}

int asker_dns_open(const struct config *config, const struct asker_dns_limits *limits,
                   struct asker_dns **dns_out, struct err *err)
{
	struct asker_dns *dns = alloc_zeroed(sizeof *dns);

	dns->limits = *limits;
	list_init(&dns->waiting);
	if (upstream_open(config, &dns->upstream, err) < 0) {
		asker_dns_close(dns);
		return err->code;
	}
	*dns_out = dns;
	return 0;
}

void asker_dns_close(struct asker_dns *dns)
{
	if (!dns)
		return;
	upstream_close(dns->upstream);
	alloc_free(dns);
}

void asker_dns_watch(struct asker_dns *dns)
{
	upstream_watch(dns->upstream);
}

void asker_dns_unwatch(struct asker_dns *dns)
{
	upstream_unwatch(dns->upstream);
}

struct asker asker_dns_asker(struct asker_dns *dns)
{
	return (struct asker){ ask, dns };
}

int asker_dns_question_count(const struct asker_dns *dns)
{
	return dns->question_count;
}

bool asker_dns_is_exhausted(const struct asker_dns *dns)
{
	return dns->is_exhausted;
}
