/* codes/scan.h - many patterns looked for in one pass (Vectorscan, the free line of Hyperscan; why:
 * docs/design/0012-classifier.md). What is compiled never changes and may be used by any thread. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"

struct hs_database;

#define SCAN_SLOTS_MAX 1000
#define SCAN_PAIRS_MAX 300
#define SCAN_NEAR      48 /* at most so many bytes between the ends of a pair's halves */

struct scan_pattern {
	const char *expression; /* PCRE without back references and lookaround */
	int slot;               /* whose it is, below SCAN_SLOTS_MAX */
	uint8_t bit;            /* 1, 2 or 4 */
	int pair, side;         /* side 1 or 2: half of that pair; 0: stands alone */
	const char *file;       /* and line: where it stands */
	int line;
};

/* scan_compile - ERR_INVALID names the line of a pattern that is none. The caller owns the
 * database. */
int scan_compile(const struct scan_pattern *patterns, int count, struct hs_database **database_out,
                 struct err *err);
void scan_destroy(struct hs_database *database); /* takes NULL */

/* scan_save, scan_restore - a database as bytes, which any machine with the same version of the
 * library can use. The caller frees `*bytes_out` with free(). Restoring returns ERR_INVALID for
 * bytes of another version. */
int scan_save(const struct hs_database *database, char **bytes_out, size_t *size_out,
              struct err *err);
int scan_restore(struct bytes bytes, struct hs_database **database_out);

/* scan_text - sets in `seen[slot]` the bits of all patterns, and of all pairs near each other in
 * either order, that are in `text` (at most 65,535 bytes). `seen` is cleared by the caller. */
void scan_text(const struct hs_database *database, struct bytes text, uint8_t *seen);
