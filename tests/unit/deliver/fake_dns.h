/* A resolver that answers from a table: what the names of the transcripts stand for. */
#pragma once
#include "dns/dns.h"

/*   mx*.test        127.0.0.1, where the scripted server listens
 *   refused*.test   127.0.0.9, where nobody listens
 *   both.test       127.0.0.9, then 127.0.0.1
 *   servfail.test   no answer; nodata.test: no address
 * and literals. */
void fake_dns_addresses(const char *host, struct dns_address_answer *answer_out);
