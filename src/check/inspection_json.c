#include "check/inspection_json.h"
#include "base/units.h"

static json_t *json_text(struct bytes text)
{
	json_t *value = json_stringn(text.at ? text.at : "", text.len);

	return value ? value : json_string("(not UTF-8)");
}

static json_t *date_json(int64_t at_us)
{
	struct buffer text = { 0 };
	json_t *value;

	date_format_iso(&text, at_us);
	value = json_text(buffer_bytes(&text));
	buffer_deinit(&text);
	return value;
}

static json_t *certificate_json(const struct tls_certificate *certificate)
{
	json_t *names = json_array();

	for (int i = 0; i < certificate->name_count; i++)
		json_array_append_new(names, json_text(bytes_of(certificate->names[i])));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:b}", "subject",
	                 json_text(bytes_of(certificate->subject)), "issuer",
	                 json_text(bytes_of(certificate->issuer)), "key", certificate->key,
	                 "not_after", date_json(certificate->not_after_us), "names", names,
	                 "self_signed", (int)certificate->is_self_signed);
}

static json_t *tls_json(const struct inspection_server *server)
{
	static const char *const words[] = { [STARTTLS_NOT_OFFERED] = "not offered",
		                             [STARTTLS_REFUSED] = "refused",
		                             [STARTTLS_FAILED] = "failed",
		                             [STARTTLS_WORKS] = "works" };
	json_t *tls = json_pack("{s:s, s:o}", "starttls", words[server->starttls], "text",
	                        json_text(bytes_of(server->starttls_text)));

	if (server->starttls != STARTTLS_WORKS)
		return tls;
	json_object_set_new(tls, "protocol", json_string(server->protocol));
	json_object_set_new(tls, "cipher", json_string(server->cipher));
	json_object_set_new(tls, "bits", json_integer(server->cipher_bits));
	json_object_set_new(tls, "verdict", json_string(tls_verdict_name(server->verdict)));
	json_object_set_new(tls, "by_tlsa", json_boolean(server->has_tlsa));
	if (server->has_certificate)
		json_object_set_new(tls, "certificate", certificate_json(&server->certificate));
	return tls;
}

static json_t *servers_json(const struct inspection *facts, int host)
{
	static const char *const stages[] = { "nothing", "connect", "greeting", "EHLO",
		                              "MAIL",    "RCPT",    "done" };
	json_t *list = json_array();

	for (int i = 0; i < facts->server_count; i++) {
		const struct inspection_server *server = &facts->servers[i];
		json_t *one;

		if (server->host != host)
			continue;
		one = json_pack("{s:s, s:s, s:b, s:s, s:i, s:I, s:I}", "address",
		                server->address_text, "source", server->source_text, "takes_mail",
		                server->stage == STAGE_DONE, "stage", stages[server->stage], "code",
		                server->code, "connect_ms",
		                (json_int_t)(server->connect_us / US_PER_MS), "took_ms",
		                (json_int_t)(server->took_us / US_PER_MS));
		json_object_set_new(one, "text", json_text(bytes_of(server->text)));
		json_object_set_new(one, "banner", json_text(bytes_of(server->banner)));
		json_object_set_new(one, "extensions", json_text(bytes_of(server->extensions)));
		json_object_set_new(one, "size_max", json_integer((json_int_t)server->size_max));
		json_object_set_new(one, "tls", tls_json(server));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *hosts_json(const struct inspection *facts)
{
	json_t *list = json_array();

	for (int i = 0; i < facts->host_count; i++) {
		const struct inspection_host *host = &facts->hosts[i];

		json_array_append_new(
			list,
			json_pack("{s:o, s:i, s:s, s:b, s:b, s:i, s:o}", "host",
		                  json_text(host->name), "preference", host->preference, "dns",
		                  dns_status_name(host->status), "secure", (int)host->is_secure,
		                  "in_sts_policy", (int)host->is_in_policy, "tlsa",
		                  host->tlsa_count, "servers", servers_json(facts, i)));
	}
	return list;
}

static json_t *findings_json(const struct inspection_judgement *judgement)
{
	static const char *const severities[] = { "fine", "note", "warning", "broken" };
	json_t *list = json_array();

	for (int i = 0; i < judgement->count; i++) {
		const struct inspection_finding *finding = &judgement->findings[i];
		json_t *one = json_pack("{s:s, s:s, s:o, s:o}", "name", finding->name, "severity",
		                        severities[finding->severity], "where",
		                        json_text(bytes_of(finding->where)), "text",
		                        json_text(bytes_of(finding->text)));

		json_object_set_new(one, "advice",
		                    finding->advice ? json_text(bytes_of(finding->advice))
		                                    : json_null());
		json_array_append_new(list, one);
	}
	return list;
}

json_t *inspection_json(const struct inspection *facts,
                        const struct inspection_judgement *judgement)
{
	json_t *all = json_pack(
		"{s:o, s:o, s:s, s:s, s:s, s:b}", "domain", json_text(facts->subject->domain),
		"recipient", json_text(facts->subject->recipient), "accepts_mail",
		inspection_verdict_name(judgement->verdict), "why", judgement->sentence, "mx",
		dns_status_name(facts->mx_status), "secure", (int)facts->is_mx_secure);

	json_object_set_new(all, "findings", findings_json(judgement));
	json_object_set_new(all, "hosts", hosts_json(facts));
	json_object_set_new(all, "sts",
	                    facts->sts.is_fetched
	                            ? json_string(sts_mode_name(facts->sts.policy.mode))
	                            : json_null());
	json_object_set_new(all, "took_ms", json_integer(facts->took_us / US_PER_MS));
	return all;
}
