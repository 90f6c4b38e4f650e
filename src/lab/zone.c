#include "lab/zone.h"
#include <netinet/in.h>
#include <string.h>

#define HEADER_BYTES      12
#define UDP_BYTES         512 /* without EDNS (RFC 1035 4.2.1) */
#define ANSWER_BYTES_MAX  65535
#define CNAME_STEPS_MAX   8
#define NEGATIVE_NAME_TTL 1

enum type { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_MX = 15, TYPE_AAAA = 28 };
enum rcode {
	RCODE_NOERROR,
	RCODE_FORMERR,
	RCODE_SERVFAIL,
	RCODE_NXDOMAIN,
	RCODE_NOTIMP,
	RCODE_REFUSED
};
enum {
	TYPE_OPT = 41,
	FLAG_RESPONSE = 0x8000,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_TRUNCATED = 0x0200,
	FLAG_RECURSION_WANTED = 0x0100,
	FLAG_RECURSION_DONE = 0x0080
};

struct question {
	uint16_t id, flags, type;
	struct bytes wire; /* name, type and class as they came: sent back unchanged */
	char name[NAME_MAX_BYTES];
	bool has_edns;
	size_t limit; /* over UDP */
};

struct answer {
	struct buffer records; /* answers, then authority */
	uint16_t answer_count, authority_count;
	enum rcode rcode;
};

static uint16_t read_u16(struct bytes in, size_t at)
{
	return (uint16_t)((uint8_t)in.at[at] << 8 | (uint8_t)in.at[at + 1]);
}

static void put_u16(struct buffer *out, unsigned value)
{
	buffer_append_char(out, (char)(value >> 8));
	buffer_append_char(out, (char)value);
}

static void put_u32(struct buffer *out, uint32_t value)
{
	put_u16(out, value >> 16);
	put_u16(out, value & 0xffff);
}

/* Labels beyond 63 bytes are cut: a world's own mistake, not a stranger's. */
static void put_name(struct buffer *out, const char *text)
{
	for (struct bytes rest = bytes_of(text); rest.len > 0;) {
		struct bytes label = bytes_first(bytes_split(&rest, '.'), 63);

		if (label.len == 0)
			continue;
		buffer_append_char(out, (char)label.len);
		buffer_append(out, label);
	}
	buffer_append_char(out, '\0');
}

/* Reads the question's name, which is not compressed. Returns the bytes used, 0 if malformed. */
static size_t read_name(struct bytes in, char text_out[NAME_MAX_BYTES])
{
	size_t at = 0, len = 0;

	while (at < in.len && in.at[at] != 0) {
		size_t label = (uint8_t)in.at[at];

		if (label > 63 || at + 1 + label >= in.len || len + label + 2 > NAME_MAX_BYTES - 1)
			return 0;
		if (len > 0)
			text_out[len++] = '.';
		for (size_t i = 0; i < label; i++)
			text_out[len++] = char_lower(in.at[at + 1 + i]);
		at += 1 + label;
	}
	text_out[len] = '\0';
	return at < in.len ? at + 1 : 0;
}

/* Only an OPT record that stands first behind the question is seen; resolvers put it there. */
static void read_edns(struct bytes rest, struct question *question)
{
	question->limit = UDP_BYTES;
	if (rest.len < 11 || rest.at[0] != 0 || read_u16(rest, 1) != TYPE_OPT)
		return;
	question->has_edns = true;
	question->limit = MAX(read_u16(rest, 3), UDP_BYTES);
}

static bool read_question(struct bytes query, struct question *question)
{
	size_t used;

	if (query.len < HEADER_BYTES + 5 || read_u16(query, 4) != 1)
		return false;
	question->id = read_u16(query, 0);
	question->flags = read_u16(query, 2);
	if (question->flags & FLAG_RESPONSE)
		return false;
	used = read_name(bytes_from(query, HEADER_BYTES), question->name);
	if (used == 0 || HEADER_BYTES + used + 4 > query.len)
		return false;
	question->wire = (struct bytes){ query.at + HEADER_BYTES, used + 4 };
	question->type = read_u16(question->wire, used);
	read_edns(bytes_from(query, HEADER_BYTES + used + 4), question);
	return true;
}

/* Begins a record; the caller appends the data and calls end_record with the result. */
static size_t begin_record(struct answer *answer, const char *owner, enum type type, uint32_t ttl)
{
	put_name(&answer->records, owner);
	put_u16(&answer->records, type);
	put_u16(&answer->records, 1);
	put_u32(&answer->records, ttl);
	put_u16(&answer->records, 0);
	return answer->records.len;
}

static void end_record(struct answer *answer, size_t data_at)
{
	size_t len = answer->records.len - data_at;

	if (answer->records.is_over)
		return;
	answer->records.at[data_at - 2] = (char)(len >> 8);
	answer->records.at[data_at - 1] = (char)len;
}

static void answer_mx(struct answer *answer, const struct name *name)
{
	for (int i = 0; i < name->records.mx_count; i++) {
		size_t at = begin_record(answer, name->text, TYPE_MX, name->records.ttl_s);

		put_u16(&answer->records, name->records.mx[i].preference);
		put_name(&answer->records, name->records.mx[i].host);
		end_record(answer, at);
		answer->answer_count++;
	}
}

static void answer_addresses(struct answer *answer, const struct name *name, enum type type)
{
	for (int i = 0; i < name->records.address_count; i++) {
		const struct sockaddr_storage *storage = &name->records.addresses[i].storage;
		const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
		bool is_ipv6 = storage->ss_family == AF_INET6;
		size_t at;

		if (is_ipv6 != (type == TYPE_AAAA))
			continue;
		at = begin_record(answer, name->text, type, name->records.ttl_s);
		if (is_ipv6)
			buffer_append(&answer->records,
			              (struct bytes){ (const char *)&in6->sin6_addr, 16 });
		else
			buffer_append(&answer->records,
			              (struct bytes){ (const char *)&in->sin_addr, 4 });
		end_record(answer, at);
		answer->answer_count++;
	}
}

static void answer_cname(struct answer *answer, const struct name *name)
{
	size_t at = begin_record(answer, name->text, TYPE_CNAME, name->records.ttl_s);

	put_name(&answer->records, name->records.cname);
	end_record(answer, at);
	answer->answer_count++;
}

/* The data of the SOA says how long a negative answer may be kept (RFC 2308). */
static void add_soa(struct answer *answer, const char *name, uint32_t ttl)
{
	const char *dot = strrchr(name, '.');
	size_t at = begin_record(answer, dot ? dot + 1 : name, TYPE_SOA, ttl);

	put_name(&answer->records, "ns.lab.invalid");
	put_name(&answer->records, "lab.lab.invalid");
	put_u32(&answer->records, 1);
	for (int i = 0; i < 3; i++)
		put_u32(&answer->records, 3600);
	put_u32(&answer->records, ttl);
	end_record(answer, at);
	answer->authority_count++;
}

/* What the name's own records say; "no data" and "no such name" carry the SOA. */
static void answer_records(const struct world *world, const struct name *name, const char *asked,
                           uint16_t type, struct answer *answer)
{
	uint16_t before = answer->answer_count;

	if (name && type == TYPE_MX)
		answer_mx(answer, name);
	if (name && (type == TYPE_A || type == TYPE_AAAA))
		answer_addresses(answer, name, type);
	if (answer->answer_count > before)
		return;
	if (!name && strchr(asked, '.') && !world_has_below(world, bytes_of(asked)))
		answer->rcode = RCODE_NXDOMAIN;
	add_soa(answer, asked, name ? name->records.ttl_s : NEGATIVE_NAME_TTL);
}

/* Follows CNAMEs of this world to the name that has the answer. False: the script says silence. */
static bool fill_answer(const struct world *world, const struct question *question,
                        struct answer *answer)
{
	const struct name *name = world_find(world, bytes_of(question->name));
	const char *asked = question->name;

	for (int step = 0; name && step < CNAME_STEPS_MAX; step++) {
		if (name->records.manner != DNS_MANNER_ANSWER || !name->records.cname[0])
			break;
		answer_cname(answer, name);
		if (question->type == TYPE_CNAME)
			return true;
		asked = name->records.cname;
		name = world_find(world, bytes_of(asked));
	}
	switch (name ? name->records.manner : DNS_MANNER_ANSWER) {
	case DNS_MANNER_ANSWER:
		answer_records(world, name, asked, question->type, answer);
		return true;
	case DNS_MANNER_NXDOMAIN:
		answer->rcode = RCODE_NXDOMAIN;
		add_soa(answer, asked, name->records.ttl_s);
		return true;
	case DNS_MANNER_SERVFAIL:
		answer->rcode = RCODE_SERVFAIL;
		return true;
	case DNS_MANNER_REFUSED:
		answer->rcode = RCODE_REFUSED;
		return true;
	case DNS_MANNER_TIMEOUT:
	default:
		return false;
	}
}

static void put_answer(const struct question *question, const struct answer *answer,
                       bool is_truncated, struct buffer *out)
{
	put_u16(out, question->id);
	put_u16(out, FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_DONE |
	                     (question->flags & FLAG_RECURSION_WANTED) |
	                     (is_truncated ? FLAG_TRUNCATED : 0) | answer->rcode);
	put_u16(out, 1);
	put_u16(out, is_truncated ? 0 : answer->answer_count);
	put_u16(out, is_truncated ? 0 : answer->authority_count);
	put_u16(out, question->has_edns);
	buffer_append(out, question->wire);
	if (!is_truncated)
		buffer_append(out, buffer_bytes(&answer->records));
	if (!question->has_edns)
		return;
	buffer_append_char(out, '\0');
	put_u16(out, TYPE_OPT);
	put_u16(out, 1232);
	put_u32(out, 0);
	put_u16(out, 0);
}

bool zone_answer(const struct world *world, struct bytes query, enum zone_transport transport,
                 struct buffer *out)
{
	struct question question = { 0 };
	struct answer answer = { .records.limit = ANSWER_BYTES_MAX - 1024 };
	const struct name *name;
	size_t whole;
	bool is_truncated, is_answered;

	if (!read_question(query, &question))
		return false;
	name = world_find(world, bytes_of(question.name));
	is_answered = fill_answer(world, &question, &answer);
	whole = HEADER_BYTES + question.wire.len + answer.records.len +
	        (question.has_edns ? 11 : 0);
	is_truncated = transport == ZONE_UDP &&
	               (whole > question.limit || (name && name->records.is_truncated));
	if (answer.records.is_over) { /* even TCP cannot carry it */
		answer.rcode = RCODE_SERVFAIL;
		answer.answer_count = answer.authority_count = 0;
		buffer_clear(&answer.records);
	}
	if (is_answered)
		put_answer(&question, &answer, is_truncated, out);
	buffer_deinit(&answer.records);
	return is_answered;
}
