/* tests/unit/queue/desk.h - a queue on a table: give it events by hand, look at what it wants. */
#pragma once
#include "base/units.h"
#include "queue/queue.h"

struct desk {
	struct config *config;
	struct queue *queue;
	struct actions actions; /* of the last step that desk_* made */
	int64_t now_us;
	struct arena *arena;
	uint64_t next_id;
};

void desk_open(struct desk *desk, const char *config_text);
void desk_close(struct desk *desk);

/* desk_restart - a new queue from the given records. */
void desk_restart(struct desk *desk);
void desk_load(struct desk *desk, const struct message *message, struct bytes state);
void desk_load_note(struct desk *desk, uint64_t key, struct bytes note);

/* desk_message - a message to the recipients in `to`, separated by blanks; not added yet. */
struct message *desk_message(struct desk *desk, const char *sender, const char *to);
void desk_add(struct desk *desk, struct message *message); /* and gives its reference away */
uint64_t desk_send(struct desk *desk, const char *to);     /* both; returns the id */

/* desk_route - answers the look-up: "mx.test" as its only host, for an hour. */
void desk_route(struct desk *desk, const char *domain, const char *host);
void desk_no_route(struct desk *desk, const char *domain, enum route_result result);

/* desk_done - answers job `job` with the same outcome for all its recipients. */
void desk_done(struct desk *desk, uint64_t job, struct outcome outcome);
void desk_notice_done(struct desk *desk, uint64_t number, bool is_done);
void desk_command(struct desk *desk, enum command_kind kind, uint64_t id, const char *domain);
void desk_step(struct desk *desk, const struct event *event);

/* desk_wait - lets time pass, with every timer on the way; the actions of all steps are kept. */
void desk_wait(struct desk *desk, int64_t us);

int desk_count(const struct desk *desk, enum action_kind kind);
const struct action *desk_find(const struct desk *desk, enum action_kind kind); /* the last one */
uint64_t desk_job(const struct desk *desk); /* number of the last ACTION_DELIVER; 0: none */
int desk_logged(const struct desk *desk, enum log_kind kind);
struct recipient_view desk_view(struct desk *desk, uint64_t id, uint32_t recipient);
struct site_view desk_site(struct desk *desk, const char *domain);
struct bytes desk_kept(struct desk *desk, struct bytes data); /* a copy that stays */

/* Outcomes. */
struct outcome outcome_delivered(void);
struct outcome outcome_deferred(enum cause cause);
struct outcome outcome_failed(void);
struct outcome outcome_site(enum cause cause);
