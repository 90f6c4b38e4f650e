#include "model/outcome.h"
#include "base/macros.h"
#include <stdio.h>

static const char *const result_names[] = { "none", "delivered", "deferred", "failed" };

static const char *const phase_names[PHASE_COUNT] = {
	[PHASE_NONE] = "none",         [PHASE_DNS] = "dns",      [PHASE_CONNECT] = "connect",
	[PHASE_GREETING] = "greeting", [PHASE_EHLO] = "EHLO",    [PHASE_STARTTLS] = "STARTTLS",
	[PHASE_AUTH] = "AUTH",         [PHASE_MAIL] = "MAIL",    [PHASE_RCPT] = "RCPT",
	[PHASE_DATA] = "DATA",         [PHASE_BODY] = "content", [PHASE_DOT] = "end of data",
	[PHASE_RSET] = "RSET",
};

const char *result_name(enum result result)
{
	return result_names[result];
}

const char *phase_name(enum phase phase)
{
	return phase_names[phase];
}

/* Standards 1.7: what stands for a basic code that came without an enhanced one. */
static const char *status_of_code(int code)
{
	static const struct {
		int code;
		const char *status;
	} usual[] = {
		{ 421, "4.3.2" },  { 450, "4.2.0" }, { 451, "4.3.0" }, { 452, "4.3.1" },
		{ 500, "5.5.2" },  { 501, "5.5.4" }, { 503, "5.5.1" }, { 521, "5.3.2" },
		{ 530, "5.7.0" },  { 535, "5.7.8" }, { 550, "5.0.0" }, { 551, "5.1.6" },
		{ 552, "5.3.4" },  { 553, "5.1.3" }, { 554, "5.0.0" }, { 555, "5.5.4" },
		{ 556, "5.1.10" },
	};

	for (size_t i = 0; i < COUNT(usual); i++)
		if (usual[i].code == code)
			return usual[i].status;
	return code >= 500 ? "5.0.0" : "4.0.0";
}

void outcome_status(const struct outcome *outcome, char text_out[16])
{
	int wanted_class = outcome->result == RESULT_FAILED ? 5 : 4;

	if (outcome->result == RESULT_DELIVERED)
		wanted_class = 2;
	if (outcome->class == wanted_class)
		snprintf(text_out, 16, "%d.%d.%d", outcome->class % 10, outcome->subject % 1000,
		         outcome->detail % 1000);
	else if (outcome->result == RESULT_DELIVERED)
		snprintf(text_out, 16, "2.0.0");
	else if (outcome->code / 100 == wanted_class)
		snprintf(text_out, 16, "%s", status_of_code(outcome->code));
	else if (outcome->result == RESULT_FAILED)
		snprintf(text_out, 16, "5.0.0");
	else
		snprintf(text_out, 16, "%s", cause_status(outcome->cause));
}
