/* serve/api.h - the endpoints of the API, and what they share. Handlers run on the HTTP server's
 * threads and block. */
#pragma once
#include "serve/server.h"

typedef struct admin_response api_handler(struct server *server,
                                          const struct admin_request *request, const char *name);

/* `name` is what the path's {} stands for: a message id, a domain. */
api_handler api_list_messages, api_explain_message, api_act;
api_handler api_list_destinations, api_show_destination, api_suspend, api_resume;
api_handler api_status, api_show_config, api_reload;
api_handler api_forecast, api_incidents, api_alarms;
api_handler api_check, api_reputation;
api_handler api_trend, api_schedules, api_list_codes, api_show_code;
api_handler api_show_notice;
api_handler api_list_vault, api_resend, api_drop;
api_handler api_deadlines, api_undo, api_operations, api_compare_config;

/* The filter of a request, with the text that it points into. */
struct api_filter {
	struct filter filter;
	char problem[200]; /* not empty: it could not be read */
};

/* api_filter_read - from query parameters, or (when `object` is not NULL) from a JSON object's
 * members. The texts stay the request's. */
void api_filter_read(const struct admin_request *request, json_t *object, struct api_filter *out);

/* api_filter_has_addresses - it asks for sender or recipient, which only the disk knows. */
bool api_filter_has_addresses(const struct filter *filter);

/* api_message_matches - what the queue does not know: sender and recipients. */
bool api_message_matches(const struct filter *filter, const struct message *message);

/* api_origin - where the value of a key of `defaults` (pattern "") or of a destination is from:
 * "FILE:LINE", "default"; "" if there is no such key. */
json_t *api_origin(struct server *server, const char *pattern, const char *key);

/* api_config_acquire - the configuration in force; config_release it. */
const struct config *api_config_acquire(struct server *server);

/* api_addresses_match - whether the message on disk has the addresses that the filter asks for. */
bool api_addresses_match(struct server *server, const struct filter *filter, uint64_t id);

/* api_audit - writes what an operator did, and to how many recipients or messages, into the event
 * log. */
void api_audit(struct server *server, const struct admin_request *request, int64_t count);

/* api_subject - the message's Subject, unfolded and decoded; null if it has none. Its header
 * section has been read. */
json_t *api_subject(const struct message *message);

json_t *api_time(int64_t unix_us);               /* RFC 3339, or null for 0 */
json_t *api_bytes(struct bytes text);            /* a string; bytes that are no UTF-8 become '?' */
json_t *api_ledger(const struct ledger *ledger); /* {"host_down": seconds, ...}, without zeros */
json_t *api_outcome(const struct outcome *outcome);
