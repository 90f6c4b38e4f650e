#include "codes/scan.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/macros.h"
#include <hs/hs.h>
#include <pthread.h>

/* Room to work in, one for each thread; it grows with the largest database that it met. */
struct desk {
	const struct hs_database *database;
	hs_scratch_t *scratch;
};

static pthread_key_t desk_key;
static pthread_once_t desk_once = PTHREAD_ONCE_INIT;

static void desk_destroy(void *desk)
{
	hs_free_scratch(((struct desk *)desk)->scratch);
	alloc_free(desk);
}

static void desk_prepare(void)
{
	ASSERT(pthread_key_create(&desk_key, desk_destroy) == 0);
}

static hs_scratch_t *desk_for(const struct hs_database *database)
{
	struct desk *desk;

	pthread_once(&desk_once, desk_prepare);
	desk = pthread_getspecific(desk_key);
	if (!desk) {
		desk = alloc_zeroed(sizeof *desk);
		pthread_setspecific(desk_key, desk);
	}
	if (desk->database != database)
		ASSERT(hs_alloc_scratch(database, &desk->scratch) == HS_SUCCESS);
	desk->database = database;
	return desk->scratch;
}

static unsigned id_of(const struct scan_pattern *pattern)
{
	return (unsigned)pattern->pair << 15 | (unsigned)pattern->slot << 5 |
	       (unsigned)pattern->bit << 2 | (unsigned)pattern->side;
}

int scan_compile(const struct scan_pattern *patterns, int count, struct hs_database **database_out,
                 struct err *err)
{
	/* For every processor that the library runs on, not only for this one. */
	const hs_platform_info_t platform = { .tune = HS_TUNE_FAMILY_GENERIC };
	const char **expressions = alloc_zeroed((size_t)count * sizeof *expressions);
	unsigned *flags = alloc_zeroed((size_t)count * sizeof *flags);
	unsigned *ids = alloc_zeroed((size_t)count * sizeof *ids);
	hs_compile_error_t *problem = NULL;
	int result = 0;

	for (int i = 0; i < count; i++) {
		expressions[i] = patterns[i].expression;
		flags[i] = HS_FLAG_DOTALL;
		/* Of a half, every place counts. */
		flags[i] |= patterns[i].side == 0 ? HS_FLAG_SINGLEMATCH : 0;
		ids[i] = id_of(&patterns[i]);
	}
	if (hs_compile_multi(expressions, flags, ids, (unsigned)count, HS_MODE_BLOCK, &platform,
	                     database_out, &problem) != HS_SUCCESS) {
		const struct scan_pattern *bad = &patterns[MAX(problem->expression, 0)];

		result = err_set(err, ERR_INVALID, "%s:%d: %s", bad->file, bad->line,
		                 problem->message);
		hs_free_compile_error(problem);
	}
	alloc_free(expressions);
	alloc_free(flags);
	alloc_free(ids);
	return result;
}

int scan_save(const struct hs_database *database, char **bytes_out, size_t *size_out,
              struct err *err)
{
	if (hs_serialize_database(database, bytes_out, size_out) != HS_SUCCESS)
		return err_set(err, ERR_INVALID, "the patterns cannot be saved");
	return 0;
}

int scan_restore(struct bytes bytes, struct hs_database **database_out)
{
	if (bytes.len == 0 ||
	    hs_deserialize_database(bytes.at, bytes.len, database_out) != HS_SUCCESS)
		return ERR_INVALID;
	return 0;
}

void scan_destroy(struct hs_database *database)
{
	hs_free_database(database);
}

/* What one scan has met. */
struct marks {
	uint8_t *seen;
	uint16_t ends[SCAN_PAIRS_MAX][2]; /* where each half was last; 0: nowhere yet */
};

/* Matches come in the order of their ends. */
static int mark(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                void *context)
{
	struct marks *marks = context;
	unsigned side = id & 3, bit = id >> 2 & 7, slot = id >> 5 & 1023;
	uint16_t *ends = marks->ends[id >> 15];

	(void)from;
	(void)flags;
	if (side > 0) {
		unsigned other = ends[2 - side];

		ends[side - 1] = (uint16_t)to;
		if (other == 0 || to - other > SCAN_NEAR)
			return 0;
	}
	marks->seen[slot] = (uint8_t)(marks->seen[slot] | bit);
	return 0;
}

void scan_text(const struct hs_database *database, struct bytes text, uint8_t *seen)
{
	struct marks marks = { .seen = seen };
	hs_error_t result = hs_scan(database, text.at ? text.at : "", (unsigned)text.len, 0,
	                            desk_for(database), mark, &marks);

	ASSERT(result == HS_SUCCESS && text.len <= UINT16_MAX);
}
