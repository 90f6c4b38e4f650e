#include "config/schema.h"
#include "base/macros.h"
#include "base/units.h"
#include "config/check.h"
#include <string.h>

#define DAY  US_PER_DAY
#define KIB  1024LL
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)
#define MANY 1000000

/* Short waits are for tests and demonstrations. */
#define WAIT .min = 100 * US_PER_MS, .max = 365 * DAY
/* The compiler checks that the struct's member has the type that the row says. */
#define C_STRING                char *
#define C_CHOICE                char *
#define C_SWITCH                bool
#define C_NUMBER                int
#define C_SIZE                  int64_t
#define C_DURATION              int64_t
#define C_STRINGS               struct config_strings
#define C_DURATIONS             int64_t *
#define IS_A(kind, member_type) __builtin_types_compatible_p(C_##kind, member_type)
#define AT(kind, block, member)                                                                   \
	.type = SCHEMA_##kind,                                                                    \
	.offset = offsetof(struct config##block, member) +                                        \
	          0 * sizeof(struct {                                                             \
			  _Static_assert(IS_A(kind, typeof(((struct config##block *)0)->member)), \
		                         #member);                                                \
			  int unused;                                                             \
		  })

static const struct schema_key top_keys[] = {
	{ "hostname", AT(STRING, , hostname), .check = check_name,
	  .doc = "What the relay calls itself; the name of the machine if not given",
	  .example = "mail.example.com" },
	{ "node", AT(NUMBER, , node), .initial = "0", .max = 255,
	  .doc = "Number of this relay, part of every message id: give each relay its own" },
	{ "workers", AT(NUMBER, , workers), .initial = "0", .max = 256,
	  .doc = "Threads that talk SMTP; 0 is one per core" },
	{ "forecast", AT(DURATION, , forecast_us), .initial = "1m", .max = DAY,
	  .doc = "How often it is reckoned what will expire; 0 is never" },
	{ "reply_rules", AT(STRING, , reply_rules),
	  .doc = "File of rules for what replies mean, asked before the built-in ones; read again "
	         "at "
	         "a reload",
	  .example = "/etc/outlast/replies.rules" },
};

static const struct schema_key listener_keys[] = {
	{ "kind", AT(CHOICE, _listener, kind), .initial = "relay", .choices = "relay submission",
	  .doc = "With submission, missing Date and Message-ID fields are added" },
	{ "tls", AT(CHOICE, _listener, tls), .initial = "none",
	  .choices = "none starttls required implicit",
	  .doc = "starttls offers it (ports 25 and 587), required takes no mail before it, "
	         "implicit "
	         "begins with it (port 465)",
	  .example = "starttls" },
	{ "certificate", AT(STRING, _listener, certificate),
	  .doc = "File with the certificate and its chain (PEM); read again when it changes",
	  .example = "/etc/outlast/mail.example.com.pem" },
	{ "key", AT(STRING, _listener, key),
	  .doc = "File with the certificate's private key (PEM, no passphrase); the certificate's "
	         "file "
	         "if not given",
	  .example = "/etc/outlast/mail.example.com.key" },
};

static const struct schema_key dkim_keys[] = {
	{ "key", AT(STRING, _dkim, key), .check = check_not_empty,
	  .doc = "File with the private key (PEM, RSA or Ed25519), as `outlast dkim keygen` makes "
	         "it",
	  .example = "/etc/outlast/s1.example.com.pem" },
	{ "senders", AT(STRINGS, _dkim, senders), .check = check_sender,
	  .doc = "Domains in From whose mail is signed with it: a domain, *.DOMAIN for those below "
	         "it, * for all; the key's own domain if none is given",
	  .example = "example.com *.example.com" },
	{ "from", AT(STRING, _dkim, from), .check = check_day,
	  .doc = "First day (UTC) on which it signs; of several keys of a domain the newest does",
	  .example = "2026-12-01" },
	{ "until", AT(STRING, _dkim, until), .check = check_day,
	  .doc = "Day (UTC) on which it signs no more; its record must stay while mail is on its "
	         "way",
	  .example = "2027-06-01" },
};

static const struct schema_key alarm_keys[] = {
	{ "expiring", AT(NUMBER, _alarm, expiring), .initial = "0", .max = INT32_MAX,
	  .doc = "Raised when so many recipients expire `within` if nothing changes (`outlast "
	         "forecast`)",
	  .example = "100" },
	{ "within", AT(CHOICE, _alarm, within), .initial = "24h", .choices = "1h 6h 24h",
	  .doc = "How far `expiring` looks ahead" },
	{ "site_down", AT(DURATION, _alarm, site_down_us), .initial = "0", .max = 365 * DAY,
	  .doc = "Raised when a site, or the DNS of a domain, has kept mail waiting so long",
	  .example = "2h" },
	{ "queue_age", AT(DURATION, _alarm, queue_age_us), .initial = "0", .max = 365 * DAY,
	  .doc = "Raised when the oldest message has waited so long", .example = "12h" },
	{ "disk_free", AT(SIZE, _alarm, disk_free_bytes), .initial = "0", .max = 1024 * 1024 * GIB,
	  .doc = "Raised when less is free for the spool", .example = "5G" },
	{ "exec", AT(STRING, _alarm, exec), .check = check_path,
	  .doc = "Program that is run with the alarm's name and `raised` or `cleared`; its "
	         "standard "
	         "input is the alarm as JSON",
	  .example = "/usr/local/bin/page-me" },
	{ "webhook", AT(STRING, _alarm, webhook), .check = check_url,
	  .doc = "Where the alarm is posted to, as JSON",
	  .example = "https://alerts.example.com/outlast" },
	{ "file", AT(STRING, _alarm, file), .check = check_path,
	  .doc = "File to which the alarm is appended, a line of JSON",
	  .example = "/var/log/outlast-alarms.log" },
	{ "every", AT(DURATION, _alarm, every_us), .initial = "30s", WAIT,
	  .doc = "How often it is looked at; it is cleared after three looks without the trouble" },
	{ "timeout", AT(DURATION, _alarm, timeout_us), .initial = "10s", WAIT,
	  .doc = "How long `exec` and `webhook` may take; a program that takes longer is killed" },
};

static const struct schema_key receive_keys[] = {
	{ "relay_from", AT(STRINGS, _receive, relay_from), .initial = "127.0.0.0/8 ::1",
	  .check = check_network, .doc = "Networks whose clients may send mail to any domain",
	  .example = "127.0.0.0/8 ::1 10.0.0.0/8" },
	{ "bare_newline", AT(CHOICE, _receive, bare_newline), .initial = "refuse",
	  .choices = "refuse normalise",
	  .doc = "What becomes of a message with CR or LF alone (SMTP smuggling uses them)" },
	{ "message_size", AT(SIZE, _receive, message_size_bytes), .initial = "50M", .min = 64 * KIB,
	  .max = 4 * GIB, .doc = "Largest message taken" },
	{ "memory_message_size", AT(SIZE, _receive, memory_message_bytes), .initial = "1M",
	  .min = 4 * KIB, .max = 64 * MIB,
	  .doc = "Content beyond this size is kept in a file while it is received" },
	{ "memory_size", AT(SIZE, _receive, memory_bytes), .initial = "256M", .min = 1 * MIB,
	  .max = 1024 * GIB,
	  .doc = "Memory for the content of all sessions; when it is used up, sessions wait" },
	{ "recipients_per_message", AT(NUMBER, _receive, recipients_per_message), .initial = "1000",
	  .min = 100, .max = 50000,
	  .doc = "Recipients of one message (RFC 5321 demands at least 100)" },
	{ "messages_per_connection", AT(NUMBER, _receive, messages_per_connection),
	  .initial = "10000", .min = 1, .max = 100 * MANY,
	  .doc = "Messages on one connection; then 421" },
	{ "connections", AT(NUMBER, _receive, connections), .initial = "20000", .min = 1,
	  .max = MANY, .doc = "Connections of each worker" },
	{ "connections_per_client", AT(NUMBER, _receive, connections_per_client), .initial = "1000",
	  .min = 1, .max = MANY, .doc = "Connections from one address, for each worker" },
	{ "errors_per_connection", AT(NUMBER, _receive, errors_per_connection), .initial = "20",
	  .min = 1, .max = MANY, .doc = "Refused commands; then 421" },
	{ "header_size", AT(SIZE, _receive, header_bytes), .initial = "256K", .min = 16 * KIB,
	  .max = 16 * MIB, .doc = "Largest header section" },
	{ "hops", AT(NUMBER, _receive, hops), .initial = "100", .min = 10, .max = 1000,
	  .doc = "Received fields; more are taken for a mail loop" },
	{ "command_timeout", AT(DURATION, _receive, command_timeout_us), .initial = "5m", WAIT,
	  .doc = "How long a client may take for its next command" },
	{ "data_timeout", AT(DURATION, _receive, data_timeout_us), .initial = "3m", WAIT,
	  .doc = "How long a client may pause while it sends content" },
	{ "future_release", AT(DURATION, _receive, future_release_us), .initial = "30d",
	  .max = 45 * DAY,
	  .doc = "How far ahead a client of a `submission` listener may set the time of delivery "
	         "(FUTURERELEASE); 0 is not at all" },
	{ "session_timeout", AT(DURATION, _receive, session_timeout_us), .initial = "2h", WAIT,
	  .doc = "How long a connection may last in all" },
};

static const struct schema_key spool_keys[] = {
	{ "directory", AT(STRING, _spool, directory), .initial = "/var/spool/outlast",
	  .check = check_not_empty, .doc = "Where messages are kept; a change needs a restart" },
	{ "segment_size", AT(SIZE, _spool, segment_bytes), .initial = "64M", .min = 1 * MIB,
	  .max = 1 * GIB, .doc = "Size of a journal file" },
	{ "spare_segments", AT(NUMBER, _spool, spare_segments), .initial = "8", .max = 1000,
	  .doc = "Used-up journal files kept for recycling" },
	{ "reserve_size", AT(SIZE, _spool, reserve_bytes), .initial = "64M", .max = 1024 * GIB,
	  .doc = "With less free space than this new mail is refused for now (452)" },
};

static const struct schema_key drop_keys[] = {
	{ "directory", AT(STRING, _drop, directory),
	  .doc = "Folder in which `sendmail` leaves mail for the relay, also while it does not "
	         "run; "
	         "a change needs a restart",
	  .example = "/var/spool/outlast-drop" },
	{ "domain", AT(STRING, _drop, domain), .check = check_name,
	  .doc = "Added to addresses without a domain; `hostname` if not given",
	  .example = "example.com" },
	{ "local_to", AT(STRING, _drop, local_to), .check = check_mailbox,
	  .doc = "Who gets mail for addresses without a domain, such as cron's for root",
	  .example = "admin@example.com" },
};

static const struct schema_key dns_keys[] = {
	{ "servers", AT(STRINGS, _dns, servers), .check = check_endpoint,
	  .doc = "Resolvers to ask; those of /etc/resolv.conf if none is given",
	  .example = "127.0.0.1:53" },
	{ "trust_anchor", AT(STRING, _dns, trust_anchor),
	  .doc = "File with the DNSSEC root key; without it nothing is validated",
	  .example = "/usr/share/dns/root.key" },
	{ "timeout", AT(DURATION, _dns, timeout_us), .initial = "20s", WAIT,
	  .doc = "For one question in all" },
	{ "ttl_min", AT(DURATION, _dns, ttl_min_us), .initial = "5s", .max = DAY,
	  .doc = "Answers are kept at least this long" },
	{ "ttl_max", AT(DURATION, _dns, ttl_max_us), .initial = "1d", .max = 7 * DAY,
	  .doc = "Answers are kept at most this long" },
	{ "stubs", AT(STRINGS, _dns, stubs), .check = check_stub,
	  .doc = "Zones that a given server is asked for", .example = "test=127.0.0.1:5353" },
};

static const struct schema_key deliver_keys[] = {
	{ "helo", AT(STRING, _deliver, helo), .check = check_name,
	  .doc = "Name given to other servers; `hostname` if not given",
	  .example = "out.example.com" },
	{ "port", AT(NUMBER, _deliver, port), .initial = "25", .min = 1, .max = 65535,
	  .doc = "Port of other mail servers" },
	{ "source_addresses", AT(STRINGS, _deliver, source_addresses), .check = check_address,
	  .doc = "Own addresses to send from, at most one IPv4 and one IPv6; the kernel's choice "
	         "if "
	         "none is given",
	  .example = "192.0.2.10 2001:db8::10" },
	{ "connect_timeout", AT(DURATION, _deliver, connect_timeout_us), .initial = "30s", WAIT,
	  .doc = "For each address of a server" },
	{ "greeting_timeout", AT(DURATION, _deliver, greeting_timeout_us), .initial = "5m", WAIT,
	  .doc = "For the server's greeting" },
	{ "command_timeout", AT(DURATION, _deliver, command_timeout_us), .initial = "5m", WAIT,
	  .doc = "For the replies to EHLO, MAIL, RCPT and RSET" },
	{ "data_timeout", AT(DURATION, _deliver, data_timeout_us), .initial = "2m", WAIT,
	  .doc = "For the reply to DATA" },
	{ "body_timeout", AT(DURATION, _deliver, body_timeout_us), .initial = "3m", WAIT,
	  .doc = "For each piece of the content to be taken" },
	{ "dot_timeout", AT(DURATION, _deliver, dot_timeout_us), .initial = "10m", WAIT,
	  .doc = "For the reply to the end of the content" },
	{ "quit_timeout", AT(DURATION, _deliver, quit_timeout_us), .initial = "5s", WAIT,
	  .doc = "For the reply to QUIT" },
	{ "handshake_timeout", AT(DURATION, _deliver, handshake_timeout_us), .initial = "1m", WAIT,
	  .doc = "For a TLS handshake" },
	{ "tls_trust", AT(STRING, _deliver, tls_trust),
	  .initial = "/etc/ssl/certs/ca-certificates.crt",
	  .doc = "File with the authorities whose certificates are believed (PEM)" },
	{ "addresses_per_attempt", AT(NUMBER, _deliver, addresses_per_attempt), .initial = "10",
	  .min = 1, .max = 100, .doc = "Addresses of all hosts together that one attempt tries" },
	{ "connections", AT(NUMBER, _deliver, connections), .initial = "1000", .min = 1,
	  .max = 100000, .doc = "Connections to all sites together" },
	{ "ipv6", AT(SWITCH, _deliver, ipv6), .initial = "yes",
	  .doc = "Whether IPv6 addresses of servers are used" },
	{ "allow_own_address", AT(SWITCH, _deliver, allow_own_address), .initial = "no",
	  .doc = "Whether mail may be delivered to this machine or to loopback (for tests)" },
};

static const struct schema_key report_keys[] = {
	{ "from", AT(STRING, _report, from), .check = check_mailbox,
	  .doc = "Author of the notices; postmaster at `deliver.helo` if not given",
	  .example = "postmaster@example.com" },
	{ "postmaster", AT(STRING, _report, postmaster), .check = check_mailbox,
	  .doc = "Gets notices that cannot be delivered; without it they are logged and dropped",
	  .example = "postmaster@example.com" },
	{ "expired_status", AT(CHOICE, _report, expired_status), .initial = "5.4.7",
	  .choices = "5.4.7 4.4.7 cause", .doc = "Status in the notice of an expired message" },
	{ "delayed_status", AT(CHOICE, _report, delayed_status), .initial = "4.4.7",
	  .choices = "4.4.7 cause", .doc = "Status in the notice of a delayed message" },
	{ "return_size", AT(SIZE, _report, return_bytes), .initial = "50K", .max = 64 * MIB,
	  .doc = "Of larger messages a notice returns only the header" },
	{ "event_log", AT(STRING, _report, event_log),
	  .doc = "File for the event log, one line of JSON each; - is standard output",
	  .example = "/var/log/outlast/events.log" },
};

static const struct schema_key vault_keys[] = {
	{ "keep", AT(DURATION, _vault, keep_us), .initial = "7d", .max = 365 * DAY,
	  .doc = "How long; 0 keeps nothing" },
	{ "size", AT(SIZE, _vault, size_bytes), .initial = "1G", .min = 0, .max = 1024 * GIB,
	  .doc = "Content in all; beyond it the oldest goes" },
};

static const struct schema_key admin_keys[] = {
	{ "socket", AT(STRING, _admin, socket), .initial = "/run/outlast/control",
	  .check = check_not_empty, .doc = "Unix socket of the HTTP API, which the commands use" },
};

static const struct schema_key log_keys[] = {
	{ "level", AT(CHOICE, _log, level), .initial = "info",
	  .choices = "debug info warning error", .doc = "Least weight of what is logged" },
	{ "format", AT(CHOICE, _log, format), .initial = "json", .choices = "json text",
	  .doc = "JSON for programs, text for people" },
	{ "file", AT(STRING, _log, file), .doc = "Standard error if not given",
	  .example = "/var/log/outlast/outlast.log" },
};

static const struct schema_key destination_keys[] = {
	{ "preset", AT(STRING, _destination, preset),
	  .doc = "Takes the values of a preset for the keys that are not given here",
	  .example = "postfix" },
	{ "schedule", AT(DURATIONS, _destination, schedule_us),
	  .count_offset = offsetof(struct config_destination, schedule_count),
	  .initial = "5m 10m 20m 40m 1h", WAIT,
	  .doc = "Waits between the attempts for a recipient; the last one repeats" },
	{ "jitter_percent", AT(NUMBER, _destination, jitter_percent), .initial = "10", .max = 50,
	  .doc = "By how much each wait may be shorter or longer, by chance" },
	{ "lifetime", AT(DURATION, _destination, lifetime_us), .initial = "5d", WAIT,
	  .doc = "How long a recipient may stay queued; then it expires (5.4.7)" },
	{ "not_counted", AT(STRINGS, _destination, not_counted), .initial = "suspended own_fault",
	  .check = check_own_cause,
	  .doc = "Causes of our own whose time does not count against the lifetime, of "
	         "`own_limit`, "
	         "`suspended`, `held`, `own_fault`; `none` is none of them" },
	{ "dns_grace", AT(DURATION, _destination, dns_grace_us), .initial = "1d", .max = 365 * DAY,
	  .doc = "How long a domain that existed before may be gone from the DNS until its mail "
	         "fails (5.1.2)" },
	{ "notice_lifetime", AT(DURATION, _destination, notice_lifetime_us), .initial = "2d", WAIT,
	  .doc = "The same for mail with the null sender" },
	{ "delay_notice", AT(DURATION, _destination, delay_notice_us), .initial = "4h",
	  .max = 365 * DAY,
	  .doc = "After how long the sender is told that a message is late (4.4.7); 0 is never" },
	{ "delay_notice_by", AT(CHOICE, _destination, delay_notice_by), .initial = "time",
	  .choices = "time forecast first",
	  .doc = "When that is: at its time, when the forecast says that the message will probably "
	         "expire, or whichever comes first" },
	{ "delay_digest", AT(DURATION, _destination, delay_digest_us), .initial = "1h",
	  .max = 30 * DAY,
	  .doc = "After a delay notice to a sender, how long further ones about the same domain "
	         "are "
	         "collected into one message; 0 is never" },
	{ "delivered_notice", AT(SWITCH, _destination, delivered_notice), .initial = "no",
	  .doc = "Whether a sender who was told of the delay is told that it was delivered after "
	         "all" },
	{ "connections", AT(NUMBER, _destination, connections), .initial = "20", .min = 1,
	  .max = 10000, .doc = "Connections to one site" },
	{ "rate", AT(STRING, _destination, rate), .check = check_rate,
	  .doc = "Messages to one site in a time, never exceeded; without it only what the site "
	         "itself permits is a limit",
	  .example = "500/h" },
	{ "messages_per_connection", AT(NUMBER, _destination, messages_per_connection),
	  .initial = "100", .min = 1, .max = MANY, .doc = "Then a connection is closed" },
	{ "recipients_per_message", AT(NUMBER, _destination, recipients_per_message),
	  .initial = "100", .min = 1, .max = 10000, .doc = "Recipients in one transaction" },
	{ "idle", AT(DURATION, _destination, idle_us), .initial = "5s", .max = US_PER_HOUR,
	  .doc = "A connection without work is closed after this time" },
	{ "probe", AT(DURATIONS, _destination, probe_us),
	  .count_offset = offsetof(struct config_destination, probe_count),
	  .initial = "15s 30s 1m 2m 5m", WAIT,
	  .doc = "Waits between the probes of a closed site; the last one repeats" },
	{ "failures_to_close", AT(NUMBER, _destination, failures_to_close), .initial = "1",
	  .min = 1, .max = 1000,
	  .doc = "Failures in a row that close a site with no open connection" },
	{ "route", AT(STRING, _destination, route), .check = check_route,
	  .doc = "Hosts to deliver to, separated by blanks, instead of the MX records",
	  .example = "\"smarthost.example.com:587\"" },
	{ "tls", AT(CHOICE, _destination, tls), .initial = "may", .choices = "none may must verify",
	  .doc = "Least security: may is TLS where it can be had, must is never plaintext, verify "
	         "also wants a valid certificate; mail that cannot have it waits (cause `tls`)" },
	{ "tls_names", AT(STRINGS, _destination, tls_names), .check = check_pattern,
	  .doc = "With `tls verify`: names of which the certificate must bear one; the host's own "
	         "name if none is given",
	  .example = "mx.example.com" },
};

#define KEYS(array) .keys = array, .key_count = COUNT(array)
#define IN_CONFIG(member)                          \
	.offset = offsetof(struct config, member), \
	.size_bytes = sizeof(((struct config *)NULL)->member)

static const struct schema_block blocks[] = {
	[BLOCK_TOP] = { "", KEYS(top_keys), .size_bytes = sizeof(struct config),
	                .doc = "Outside any block" },
	[BLOCK_LISTENER] = { "listener", "ADDRESS:PORT", check_endpoint,
	                     offsetof(struct config_listener, address),
	                     .size_bytes = sizeof(struct config_listener), KEYS(listener_keys),
	                     .doc = "An address where SMTP is spoken; several blocks may be given, "
	                            "without any it is 127.0.0.1:25" },
	[BLOCK_RECEIVE] = { "receive", IN_CONFIG(receive), KEYS(receive_keys),
	                    .doc = "Policy at the door: what clients may do" },
	[BLOCK_SPOOL] = { "spool", IN_CONFIG(spool), KEYS(spool_keys),
	                  .doc = "Where and how messages are kept" },
	[BLOCK_DROP] = { "drop", IN_CONFIG(drop), KEYS(drop_keys),
	                 .doc = "Mail from programs of this machine, by the command `sendmail`" },
	[BLOCK_DNS] = { "dns", IN_CONFIG(dns), KEYS(dns_keys), .doc = "How names are looked up" },
	[BLOCK_DELIVER] = { "deliver", IN_CONFIG(deliver), KEYS(deliver_keys),
	                    .doc = "How mail is sent to other servers" },
	[BLOCK_REPORT] = { "report", IN_CONFIG(report), KEYS(report_keys),
	                   .doc = "Notices to senders, and the event log" },
	[BLOCK_VAULT] = { "vault", IN_CONFIG(vault), KEYS(vault_keys),
	                  .doc = "Mail that expired or was cancelled, kept for `outlast resend`" },
	[BLOCK_ADMIN] = { "admin", IN_CONFIG(admin), KEYS(admin_keys), .doc = "The HTTP API" },
	[BLOCK_LOG] = { "log", IN_CONFIG(log), KEYS(log_keys),
	                .doc = "What the relay says about itself" },
	[BLOCK_DEFAULTS] = { "defaults", IN_CONFIG(defaults), KEYS(destination_keys),
	                     .doc = "For every destination that says nothing else" },
	[BLOCK_DESTINATION] = { "destination", "DOMAIN", check_pattern,
	                        offsetof(struct config_destination, pattern),
	                        .size_bytes = sizeof(struct config_destination),
	                        KEYS(destination_keys),
	                        .doc = "For one domain, or with *.DOMAIN for the domains below it; "
	                               "the same keys as `defaults`, which hold for what is not "
	                               "given. The exact name wins, then the longest pattern" },
	[BLOCK_DKIM] = { "dkim", "SELECTOR._domainkey.DOMAIN", check_dkim,
	                 offsetof(struct config_dkim, name),
	                 .size_bytes = sizeof(struct config_dkim), KEYS(dkim_keys),
	                 .doc = "A key that signs mail as it leaves; several blocks may be given, "
	                        "and a message has a signature of each that fits" },
	[BLOCK_ALARM] = { "alarm", "NAME", check_word, offsetof(struct config_alarm, name),
	                  .size_bytes = sizeof(struct config_alarm), KEYS(alarm_keys),
	                  .doc = "What is told when it happens, by a program, a web hook or a "
	                         "file, "
	                         "never by mail: one of `expiring`, `site_down`, `queue_age` and "
	                         "`disk_free`" },
	[BLOCK_PRESET] = { "preset", "NAME", check_word,
	                   offsetof(struct config_destination, pattern),
	                   .size_bytes = sizeof(struct config_destination), KEYS(destination_keys),
	                   .doc = "Values with a name, for the key `preset` of `defaults` and "
	                          "`destination`; the same keys as `defaults`" },
};

const struct schema_block *schema_block(enum schema_block_id id)
{
	return &blocks[id];
}

int schema_find_block(const char *name)
{
	for (int i = BLOCK_TOP + 1; i < BLOCK_COUNT; i++) {
		if (strcmp(blocks[i].name, name) == 0)
			return i;
	}
	return -1;
}

int schema_find_key(const struct schema_block *block, const char *name)
{
	for (int i = 0; i < block->key_count; i++) {
		if (strcmp(block->keys[i].name, name) == 0)
			return i;
	}
	return -1;
}

#define NAME_LENGTH_MAX 32

/* Single letters to add, drop or change to get from `a` to `b` (Levenshtein); large if too long. */
static int distance(const char *a, const char *b)
{
	int row[NAME_LENGTH_MAX + 1];
	int a_len = (int)strnlen(a, NAME_LENGTH_MAX + 1),
	    b_len = (int)strnlen(b, NAME_LENGTH_MAX + 1);

	if (a_len > NAME_LENGTH_MAX || b_len > NAME_LENGTH_MAX)
		return NAME_LENGTH_MAX;
	for (int j = 0; j <= b_len; j++)
		row[j] = j;
	for (int i = 1; i <= a_len; i++) {
		int diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= b_len; j++) {
			int change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

static void take_nearer(const char *candidate, const char *name, int *least, const char **nearest)
{
	int away = distance(candidate, name);

	if (away < *least) {
		*least = away;
		*nearest = candidate;
	}
}

const char *schema_nearest(const struct schema_block *block, const char *name)
{
	int least = (int)MIN(strlen(name) / 2, 3) + 1;
	const char *nearest = NULL;

	for (int i = 0; i < block->key_count; i++)
		take_nearer(block->keys[i].name, name, &least, &nearest);
	for (int i = BLOCK_TOP + 1; i < BLOCK_COUNT && block == &blocks[BLOCK_TOP]; i++)
		take_nearer(blocks[i].name, name, &least, &nearest);
	return nearest;
}
