#include "queue/incident.h"
#include "base/alloc.h"
#include "base/macros.h"
#include <string.h>

void incidents_deinit(struct incidents *incidents)
{
	alloc_free(incidents->items);
	*incidents = (struct incidents){ 0 };
}

struct incident *incidents_current(const struct incidents *incidents)
{
	struct incident *last = incidents->count ? &incidents->items[incidents->count - 1] : NULL;

	return last && last->end_us == 0 ? last : NULL;
}

static struct incident *append(struct incidents *incidents)
{
	if (!incidents->items)
		incidents->items = alloc_zeroed(INCIDENTS_MAX * sizeof *incidents->items);
	if (incidents->count == INCIDENTS_MAX) {
		memmove(incidents->items, incidents->items + 1,
		        (INCIDENTS_MAX - 1) * sizeof *incidents->items);
		incidents->count--;
	}
	return &incidents->items[incidents->count++];
}

struct incident *incidents_begin(struct incidents *incidents, enum incident_kind kind,
                                 enum cause cause, int64_t now_us)
{
	struct incident *incident = incidents_current(incidents);

	if (incident)
		return incident;
	if (kind == INCIDENT_RELAPSE && incidents->count > 0) {
		incident = &incidents->items[incidents->count - 1];
		if (now_us - incident->end_us <= RELAPSE_US) {
			incident->end_us = 0;
			return incident;
		}
	}
	incident = append(incidents);
	*incident = (struct incident){ .start_us = now_us, .cause = cause };
	return incident;
}

void incidents_end(struct incidents *incidents, int64_t now_us)
{
	struct incident *incident = incidents_current(incidents);

	if (incident)
		incident->end_us = MAX(now_us, incident->start_us + 1);
}

void incidents_hurt(const struct incidents *incidents, uint64_t count)
{
	struct incident *incident = incidents_current(incidents);

	if (incident)
		incident->hurt = (uint32_t)MIN(incident->hurt + count, UINT32_MAX);
}

void incidents_expire(const struct incidents *incidents)
{
	struct incident *incident = incidents_current(incidents);

	if (incident && incident->expired < incident->hurt)
		incident->expired++;
}

void incidents_recover(const struct incidents *incidents, int64_t arrived_us)
{
	struct incident *last = incidents->count ? &incidents->items[incidents->count - 1] : NULL;

	if (last && last->end_us > arrived_us && last->recovered + last->expired < last->hurt)
		last->recovered++;
}

int incidents_odds_percent(const struct incidents *incidents, int64_t within_us, int64_t now_us)
{
	const struct incident *current = incidents_current(incidents);
	int64_t age_us = current ? now_us - current->start_us : 0;
	int longer = 0, over = 0;

	for (int i = 0; i < incidents->count; i++) {
		int64_t length_us = incidents->items[i].end_us - incidents->items[i].start_us;

		if (incidents->items[i].end_us == 0 || length_us < age_us)
			continue;
		longer++;
		over += length_us - age_us <= within_us;
	}
	return longer > 0 ? over * 100 / longer : -1;
}

void incidents_encode(const struct incidents *incidents, struct buffer *out)
{
	buffer_put_u8(out, incidents->count);
	for (int i = 0; i < incidents->count; i++) {
		const struct incident *incident = &incidents->items[i];

		buffer_put_u64(out, (uint64_t)incident->start_us);
		buffer_put_u64(out, (uint64_t)incident->end_us);
		buffer_put_u8(out, (uint8_t)incident->cause);
		buffer_put_u32(out, incident->hurt);
		buffer_put_u32(out, incident->expired);
		buffer_put_u32(out, incident->recovered);
	}
}

static bool is_legal(const struct incident *incident, bool is_last)
{
	if (incident->start_us < 0 || incident->cause >= CAUSE_COUNT)
		return false;
	return incident->end_us == 0 ? is_last : incident->end_us > incident->start_us;
}

bool incidents_decode(struct reader *in, struct incidents *incidents_out)
{
	uint8_t count = reader_u8(in);

	*incidents_out = (struct incidents){ 0 };
	if (count > INCIDENTS_MAX)
		return false;
	for (uint8_t i = 0; i < count; i++) {
		struct incident *incident = append(incidents_out);

		incident->start_us = (int64_t)reader_u64(in);
		incident->end_us = (int64_t)reader_u64(in);
		incident->cause = (enum cause)reader_u8(in);
		incident->hurt = reader_u32(in);
		incident->expired = reader_u32(in);
		incident->recovered = reader_u32(in);
		if (in->is_short || !is_legal(incident, i + 1 == count)) {
			incidents_deinit(incidents_out);
			return false;
		}
	}
	return !in->is_short;
}
