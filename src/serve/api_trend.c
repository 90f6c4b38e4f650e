/* How the queue went: one array per number, as a chart wants them. */
#include "base/units.h"
#include "serve/api.h"
#include "serve/trend.h"
#include <string.h>

static const char *const span_names[TREND_SPANS] = { [TREND_HOUR] = "1h", [TREND_DAY] = "24h" };

struct answer {
	struct keeper *keeper;
	enum trend_span span;
	json_t *at, *accepted, *delivered, *failed, *expired;
	json_t *by_cause[CAUSE_COUNT];
	bool has_cause[CAUSE_COUNT]; /* it was ever seen */
};

static void append(json_t *list, uint64_t number)
{
	json_array_append_new(list, json_integer((json_int_t)number));
}

static void add_point(void *arg, const struct trend_point *point)
{
	struct answer *answer = arg;

	append(answer->at, (uint64_t)(point->at_us / US_PER_SECOND));
	append(answer->accepted, point->accepted);
	append(answer->delivered, point->delivered);
	append(answer->failed, point->failed);
	append(answer->expired, point->expired);
	for (int i = 0; i < CAUSE_COUNT; i++) {
		append(answer->by_cause[i], point->by_cause[i]);
		answer->has_cause[i] |= point->by_cause[i] > 0;
	}
}

static void take_trend(void *arg, struct queue *queue, struct actions *actions)
{
	struct answer *answer = arg;

	(void)queue;
	(void)actions;
	trend_each(keeper_trend(answer->keeper), answer->span, add_point, answer);
}

static json_t *causes_json(struct answer *answer)
{
	json_t *causes = json_object();

	for (int i = 0; i < CAUSE_COUNT; i++) {
		if (answer->has_cause[i])
			json_object_set(causes, cause_name((enum cause)i), answer->by_cause[i]);
		json_decref(answer->by_cause[i]);
	}
	return causes;
}

struct admin_response api_trend(struct server *server, const struct admin_request *request,
                                const char *name)
{
	const char *span = admin_query(request, "span");
	struct answer answer = { .keeper = server->keeper };

	(void)name;
	while (span && answer.span < TREND_SPANS && strcmp(span_names[answer.span], span) != 0)
		answer.span++;
	if (answer.span == TREND_SPANS)
		return admin_problem(400, "span: \"%.50s\" is none: 1h or 24h", span);
	answer.at = json_array();
	answer.accepted = json_array();
	answer.delivered = json_array();
	answer.failed = json_array();
	answer.expired = json_array();
	for (int i = 0; i < CAUSE_COUNT; i++)
		answer.by_cause[i] = json_array();
	keeper_ask(server->keeper, take_trend, &answer);
	return (struct admin_response){
		.status = 200,
		.body = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "step_seconds",
		                  (json_int_t)(trend_step_us(answer.span) / US_PER_SECOND), "at",
		                  answer.at, "accepted", answer.accepted, "delivered",
		                  answer.delivered, "failed", answer.failed, "expired",
		                  answer.expired, "causes", causes_json(&answer))
	};
}
