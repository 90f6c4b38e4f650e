/* check/spf_record.h - one SPF record as its terms (RFC 7208 sections 4.5, 5, 6 and 12). Pure. */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum spf_mechanism {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
};

struct spf_directive {
	char qualifier; /* '+', '-', '~' or '?' */
	enum spf_mechanism mechanism;
	struct bytes text;      /* as it is written */
	struct bytes domain;    /* domain-spec, macros not expanded; empty: none */
	int ip4_bits, ip6_bits; /* prefix lengths; 32 and 128 where none is given */
	uint8_t network[16];    /* of ip4 (the first four bytes) and ip6 */
};

struct spf_record {
	struct spf_directive *directives; /* in the arena */
	int count;
	struct bytes redirect;    /* domain-spec; empty: none */
	struct bytes explanation; /* exp=; the same */
};

/* Where a record is wrong, and why. */
struct spf_problem {
	size_t at;      /* byte of the record, from 0 */
	char text[200]; /* "ip4:1.2.3: not an IPv4 address" */
};

/* spf_record_is - whether a TXT record is one of SPF: "v=spf1" and then a blank or nothing. */
bool spf_record_is(struct bytes text);

/* spf_record_parse - reads a record for which spf_record_is holds. Borrows from `text`. Returns 0,
 * or ERR_INVALID with `*problem_out` set: the permerror of section 4.6. */
int spf_record_parse(struct arena *arena, struct bytes text, struct spf_record *record_out,
                     struct spf_problem *problem_out);
