/* check/asker.h - how the checks ask the DNS: through one function, which in tests is a table. */
#pragma once
#include "base/arena.h"
#include "base/macros.h"
#include "dns/dns.h"

enum ask_type { ASK_TXT, ASK_IPV4, ASK_IPV6, ASK_MX, ASK_PTR, ASK_CNAME, ASK_TLSA };

struct asker_answer {
	enum dns_status status; /* with DNS_NO_DOMAIN and DNS_NO_DATA there are no records */
	bool is_secure;         /* validated by DNSSEC */
	struct bytes *records;  /* a TXT record's strings joined; 4 or 16 bytes; a host name, of
	                           MX by preference and "" for a null MX; TLSA as it came; each
	                           followed by NUL */
	uint16_t *preferences;  /* of MX */
	int count;
};

struct asker {
	/* Puts what it answers into the arena. Never DNS_FOUND without a record. */
	PARKS void (*ask)(void *arg, struct arena *arena, const char *name, enum ask_type type,
	                  struct asker_answer *answer_out);
	void *arg;
};
