#include "check/reputation_json.h"

static json_t *json_text(struct bytes text)
{
	json_t *value = json_stringn(text.at ? text.at : "", text.len);

	return value ? value : json_string("(not UTF-8)");
}

static json_t *areas_json(const struct judgement *judgement)
{
	json_t *areas = json_array();

	for (enum area area = 0; area < AREAS; area++)
		json_array_append_new(areas,
		                      json_pack("{s:s, s:b, s:i, s:i}", "area", area_key(area),
		                                "judged", judgement->is_judged[area], "points",
		                                judgement->points[area], "of", area_points(area)));
	return areas;
}

static json_t *findings_json(const struct judgement *judgement)
{
	json_t *findings = json_array();

	for (int i = 0; i < judgement->count; i++) {
		const struct finding *finding = &judgement->findings[i];
		json_t *one = json_pack("{s:s, s:s, s:s, s:i}", "area", area_key(finding->area),
		                        "name", finding->name, "severity",
		                        severity_name(finding->severity), "lost", finding->lost);

		json_object_set_new(one, "text", json_text(bytes_of(finding->text)));
		json_object_set_new(one, "advice",
		                    finding->advice ? json_text(bytes_of(finding->advice))
		                                    : json_null());
		json_array_append_new(findings, one);
	}
	return findings;
}

static json_t *spf_json(const struct reputation *facts)
{
	json_t *addresses = json_array();

	for (int i = 0; i < facts->subject.address_count; i++) {
		const struct spf_verdict *spf = &facts->addresses[i].spf;
		json_t *one = json_pack("{s:s, s:s, s:i}", "address", facts->addresses[i].text,
		                        "result", spf_result_name(spf->result), "lookups",
		                        spf->lookups);

		json_object_set_new(one, "by", json_text(spf->by));
		json_object_set_new(one, "explanation", json_text(spf->explanation));
		json_array_append_new(addresses, one);
	}
	return json_pack("{s:o, s:i, s:i, s:o}", "record", json_text(facts->spf_record.text),
	                 "lookups", facts->spf_survey.lookups, "void_lookups",
	                 facts->spf_survey.void_lookups, "addresses", addresses);
}

static json_t *selectors_json(const struct reputation *facts)
{
	json_t *selectors = json_array();

	for (int i = 0; i < facts->selector_count; i++) {
		const struct reputation_selector *selector = &facts->selectors[i];
		json_t *one;

		if (selector->record.count == 0)
			continue;
		one = json_pack("{s:o, s:b, s:s, s:i, s:o}", "selector", json_text(selector->name),
		                "guessed", facts->are_selectors_guessed, "kind",
		                key_kind_name(selector->key.kind), "bits", selector->key.bits,
		                "record", json_text(selector->record.text));
		json_array_append_new(selectors, one);
	}
	return selectors;
}

static json_t *listings_json(const struct reputation *facts)
{
	json_t *listings = json_array();

	for (int i = 0; i < facts->listing_count; i++) {
		const struct reputation_listing *listing = &facts->listings[i];

		json_array_append_new(listings, json_pack("{s:s, s:s, s:s, s:o, s:b}", "zone",
		                                          listing->zone->zone, "object",
		                                          listing->object, "codes", listing->codes,
		                                          "reason", json_text(listing->reason),
		                                          "major", listing->zone->is_major));
	}
	return listings;
}

static json_t *hosts_json(const struct reputation *facts)
{
	json_t *hosts = json_array();

	for (int i = 0; i < facts->host_count; i++)
		json_array_append_new(hosts, json_text(facts->hosts[i].name));
	return hosts;
}

static json_t *dmarc_json(const struct reputation *facts)
{
	return json_pack("{s:o, s:o}", "domain", json_text(facts->dmarc_domain), "record",
	                 json_text(facts->dmarc_record.text));
}

json_t *reputation_json(const struct reputation *facts, const struct judgement *judgement)
{
	json_t *all = json_pack("{s:o, s:s, s:i, s:i}", "domain", json_text(facts->subject.domain),
	                        "verdict", verdict_name(judgement->verdict), "score",
	                        judgement->score, "judged_points", judgement->judged_points);

	json_object_set_new(all, "areas", areas_json(judgement));
	json_object_set_new(all, "findings", findings_json(judgement));
	json_object_set_new(all, "spf", spf_json(facts));
	json_object_set_new(all, "selectors", selectors_json(facts));
	json_object_set_new(all, "dmarc", dmarc_json(facts));
	json_object_set_new(all, "mx", hosts_json(facts));
	json_object_set_new(all, "listings", listings_json(facts));
	json_object_set_new(all, "questions", json_integer(facts->question_count));
	json_object_set_new(all, "cut", json_boolean(facts->is_cut));
	return all;
}
