/* config/check.h - is a text of the right form? Each returns what it should be, or NULL if it is
 * right. Pure: no name is looked up. */
#pragma once
#include "base/bytes.h"

const char *check_name(struct bytes value);      /* a host or domain name */
const char *check_pattern(struct bytes value);   /* a domain, or "*." and a domain */
const char *check_endpoint(struct bytes value);  /* "192.0.2.1:25", "[2001:db8::1]:25" */
const char *check_network(struct bytes value);   /* "192.0.2.0/24", "2001:db8::/32", an address */
const char *check_address(struct bytes value);   /* an IP address */
const char *check_mailbox(struct bytes value);   /* "local@domain" */
const char *check_stub(struct bytes value);      /* "zone=192.0.2.1:53" */
const char *check_route(struct bytes value);     /* hosts separated by blanks, see model/route.h */
const char *check_word(struct bytes value);      /* a name that we give */
const char *check_rate(struct bytes value);      /* "500/h" */
const char *check_own_cause(struct bytes value); /* own_limit, suspended, held, own_fault, none */
const char *check_dkim(struct bytes value);      /* "SELECTOR._domainkey.DOMAIN" */
const char *check_sender(struct bytes value);    /* a domain, "*." and a domain, "*" */
const char *check_day(struct bytes value);       /* "2026-11-23" */
const char *check_path(struct bytes value);      /* an absolute path */
const char *check_url(struct bytes value);       /* "https://..." or "http://..." */
const char *check_not_empty(struct bytes value);
