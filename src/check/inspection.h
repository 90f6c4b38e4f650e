/* check/inspection.h - what was seen of a destination: its DNS, its mail servers, its policies. */
#pragma once
#include "check/asker.h"
#include "check/policy_record.h"
#include "config/config.h"
#include "model/outcome.h"
#include "runtime/tls.h"

#define INSPECTION_HOSTS_MAX   10
#define INSPECTION_SERVERS_MAX 40 /* host, address and source */
#define INSPECTION_SOURCES_MAX 4
#define INSPECTION_TLSA_MAX    20

struct inspection_subject {
	struct bytes domain;    /* lower case A-labels, no final dot */
	struct bytes recipient; /* asked about up to RCPT; empty: only the domain */
	struct address sources[INSPECTION_SOURCES_MAX];
	int source_count; /* 0: the kernel chooses */
	uint16_t port;
	bool wants_ipv6;
	const struct config *config; /* helo, authorities */
	int64_t deadline_us, server_timeout_us;
	void (*progress)(void *arg, int done, int all); /* servers; may be NULL */
	void *progress_arg;
};

/* How far a conversation came. */
enum inspection_stage {
	STAGE_NOTHING, /* not asked */
	STAGE_CONNECT, /* this is what failed ... */
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DONE, /* nothing failed */
};

enum inspection_starttls {
	STARTTLS_NOT_OFFERED,
	STARTTLS_REFUSED, /* offered, and then 4yz or 5yz */
	STARTTLS_FAILED,  /* the handshake broke */
	STARTTLS_WORKS,
};

/* One conversation with one address of a host, from one source. */
struct inspection_server {
	int host; /* its number */
	struct address address, source;
	char address_text[ADDRESS_TEXT_MAX], source_text[ADDRESS_TEXT_MAX]; /* "": any source */
	enum inspection_stage stage;                                        /* where it failed */
	bool is_timeout, is_refused, is_unreachable, is_closed, is_garbage; /* how */
	int code;         /* of the reply that it failed with; 0: none */
	enum cause cause; /* what the reply means; CAUSE_NONE: refused for good */
	const char *category, *advice;
	char text[400];       /* that reply, or what went wrong */
	char banner[200];     /* "" if none came */
	bool has_ehlo;        /* else only HELO */
	char extensions[300]; /* as offered, in one line */
	uint64_t size_max;    /* 0: no limit said */
	enum inspection_starttls starttls;
	char starttls_text[240];
	char protocol[16], cipher[64];
	int cipher_bits;
	enum tls_verdict verdict; /* of the certificate, by the authorities */
	char verdict_text[120];
	bool has_tlsa; /* usable records were there ... */
	enum tls_verdict tlsa_verdict;
	struct tls_certificate certificate; /* of STARTTLS_WORKS */
	bool has_certificate;
	int64_t connect_us, took_us;
};

struct inspection_host {
	struct bytes name;
	int preference;
	bool is_literal;        /* an address where a name belongs */
	struct bytes alias_of;  /* a CNAME: not allowed (RFC 5321 5.1); empty: none */
	enum dns_status status; /* of its addresses */
	bool is_secure;
	int address_count, private_count; /* private: loopback, RFC 1918 ... */
	bool is_in_policy;                /* of MTA-STS */
	enum dns_status tlsa_status;
	struct tls_tlsa tlsa[INSPECTION_TLSA_MAX];
	int tlsa_count;
};

struct inspection {
	const struct inspection_subject *subject;
	enum dns_status mx_status;
	bool is_mx_secure, is_null_mx, has_hosts_beside_null_mx, is_implicit_mx;
	bool has_same_preference; /* of two hosts: shared load */
	bool are_hosts_cut;
	struct inspection_host hosts[INSPECTION_HOSTS_MAX];
	int host_count;
	struct inspection_server servers[INSPECTION_SERVERS_MAX];
	int server_count;
	bool are_servers_cut;
	struct { /* MTA-STS */
		int record_count;
		bool is_record_right, is_fetched;
		char problem[240];
		struct sts_policy policy;
	} sts;
	struct { /* TLSRPT */
		int record_count;
		bool is_right;
		char problem[200];
		struct tlsrpt_record record;
	} tlsrpt;
	int64_t took_us;
};

/* inspection_target - what a person asks about: "example.org", or "you@example.org". Appends the
 * domain as the subject's, and the recipient, if one was named. False: it is neither (or an address
 * beyond ASCII, or at a literal). */
bool inspection_target(struct bytes text, struct buffer *domain_out, struct buffer *recipient_out);

/* inspect - collects the facts of `subject`, all hosts side by side, at the latest at its deadline.
 * Never says DATA. Runs a loop of its own until then, so not for fibers. The facts are in the
 * arena. Fails where no resolver can be made. */
int inspect(const struct inspection_subject *subject, struct arena *arena,
            struct inspection **inspection_out, struct err *err);
