/* check/reputation.h - what the DNS and the blocklists say of a sender: the facts. What they are
 * worth is said by check/judgement.h. */
#pragma once
#include "check/asker.h"
#include "check/blocklist.h"
#include "check/dmarc.h"
#include "check/key_record.h"
#include "check/own_key.h"
#include "check/policy_record.h"
#include "check/spf.h"
#include "config/config.h"

#define REPUTATION_ADDRESSES_MAX 8
#define REPUTATION_SELECTORS_MAX 32
#define REPUTATION_NAMES_MAX     5 /* of one address */
#define REPUTATION_HOSTS_MAX     10
#define REPUTATION_LISTINGS_MAX  64

/* What is asked about. */
struct reputation_subject {
	struct bytes domain; /* lower case A-labels, no final dot */
	struct address addresses[REPUTATION_ADDRESSES_MAX];
	int address_count;
	struct bytes helo; /* empty: not known */
	struct bytes selectors[REPUTATION_SELECTORS_MAX];
	struct dkim_key *keys[REPUTATION_SELECTORS_MAX]; /* ours for them; NULL: not known */
	int selector_count;                              /* 0: the usual ones are guessed */
	const char *trust; /* PEM file of authorities for https; "" the system's */
	int64_t now_s, deadline_us;
};

/* One TXT record among those at a name. */
struct reputation_record {
	enum dns_status status;
	int count;         /* records of the wanted kind */
	struct bytes text; /* the first of them */
	bool is_right;     /* with a count of 1: it could be read */
	char problem[200]; /* why not */
};

struct reputation_selector {
	struct bytes name;
	struct reputation_record record;
	struct key_record key;
	enum own_key own;
};

struct reputation_name {
	struct bytes name;
	enum dns_status status; /* of its addresses */
	bool is_confirmed;      /* the name leads back to the address */
};

struct reputation_address {
	struct address ip;
	char text[ADDRESS_TEXT_MAX];
	struct spf_verdict spf, helo_spf;
	enum dns_status names_status;
	struct reputation_name names[REPUTATION_NAMES_MAX];
	int name_count;
	bool is_name_generic; /* the first name spells the address: that of a line, not of a server
	                       */
	enum dns_status helo_status;
	bool is_helo_right; /* the HELO name has this address */
};

struct reputation_host {
	struct bytes name;
	enum dns_status status; /* of its addresses */
	int address_count;
	bool is_in_policy; /* of MTA-STS */
};

struct reputation_report { /* an address outside that is to get DMARC reports */
	struct bytes domain;
	enum dns_status status;
	bool is_authorised;
};

enum reputation_trial {
	TRIAL_NOT_NEEDED,
	TRIAL_PASSED,
	TRIAL_NO_ANSWER,
	TRIAL_REFUSED,      /* it does not want our resolver's questions */
	TRIAL_EMPTY,        /* what must be listed is not */
	TRIAL_LISTS_ALL,    /* what must not be listed is */
	TRIAL_NO_BLOCKLIST, /* its answers are none of a blocklist */
};

struct reputation_listing {
	const struct blocklist_zone *zone;
	char object[256]; /* the address or the domain */
	char codes[64];   /* "127.0.0.2 127.0.0.4" */
	struct bytes reason;
};

struct reputation {
	struct reputation_subject subject;
	struct reputation_record spf_record;
	struct spf_verdict spf_survey;
	struct reputation_address addresses[REPUTATION_ADDRESSES_MAX];
	struct reputation_selector selectors[REPUTATION_SELECTORS_MAX];
	int selector_count;
	bool are_selectors_guessed;
	struct bytes dmarc_domain; /* where the record is: the domain, or its organisation */
	struct reputation_record dmarc_record;
	struct dmarc_record dmarc;
	struct reputation_report reports[DMARC_REPORTS_MAX];
	int report_count;
	struct reputation_record sts_record, tlsrpt_record, bimi_record;
	struct tlsrpt_record tlsrpt;
	struct bimi_record bimi;
	bool is_policy_fetched;   /* of MTA-STS */
	char policy_problem[240]; /* why it was not, or what is wrong with it; "" */
	struct sts_policy policy;
	enum dns_status mx_status;
	bool is_null_mx, is_implicit_mx;
	struct reputation_host hosts[REPUTATION_HOSTS_MAX];
	int host_count;
	enum reputation_trial trials[BLOCKLIST_ZONES_MAX][BLOCKLIST_KINDS];
	struct reputation_listing listings[REPUTATION_LISTINGS_MAX];
	int listing_count;
	int question_count;
	bool is_cut; /* more questions than are asked of one domain */
};

/* reputation_domain - a domain as a person writes it as the subject's: A-labels, lower case, no
 * final dot. False if it is none with at least two labels. Appends. */
bool reputation_domain(struct bytes text, struct buffer *out);

/* reputation_add_keys - the keys of the configuration that sign in the domain's own name; where no
 * selector was given, theirs are taken. A key that cannot be read is done without, and named in
 * `err`. reputation_drop_keys frees them. */
int reputation_add_keys(const struct config *config, struct reputation_subject *subject,
                        struct err *err);
void reputation_drop_keys(struct reputation_subject *subject);

/* reputation_find - collects the facts of `subject`; of `config` the resolvers count. Runs a loop
 * of its own until then, so not for fibers; at the latest at the subject's deadline. The facts are
 * in the arena, and borrow from the subject. Fails where no resolver can be made. */
int reputation_find(const struct config *config, const struct reputation_subject *subject,
                    struct arena *arena, struct reputation **reputation_out, struct err *err);
