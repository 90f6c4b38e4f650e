/* simulate/scene_read.h - what the readers of a world file's blocks share. Known only to scene_*.c.
 */
#pragma once
#include "config/syntax.h"
#include "simulate/scene.h"

struct reading {
	struct scene *scene;
	struct problems *problems;
	bool is_bad;
	size_t periods; /* of all hosts, so far */
};

/* What a keyword's function gets to work with; `block` is what the statement stands in. */
struct setting {
	struct reading *reading;
	const struct syntax_entry *entry;
	void *block;
	int what; /* the keyword's own constant */
};

struct keyword {
	const char *name;
	const char *wants;
	int least, most; /* values */
	bool (*set)(const struct setting *setting);
	int what;
};

/* The blocks "at 3h { ... }" of a host or domain, in order of time. */
struct change {
	int64_t at_us;
	int order; /* in the file: stays so where the times are equal */
	const struct syntax_entry *block;
};

/* scene_complain - says what is wrong with an entry. */
void scene_complain(struct reading *reading, const struct syntax_entry *entry, const char *text);

/* scene_number, scene_duration - the nth value; false if it is none or too large. */
bool scene_number(const struct setting *setting, int nth, int64_t most, int64_t *value_out);
bool scene_duration(const struct setting *setting, int nth, int64_t *us_out);

/* scene_apply - finds the entry's keyword and lets it change `block`. */
void scene_apply(struct reading *reading, const struct syntax_entry *entry,
                 const struct keyword *keywords, void *block);

/* scene_apply_all - the same for what stands in a block, but for its changes. */
void scene_apply_all(struct reading *reading, const struct syntax_entry *block,
                     const struct keyword *keywords, void *draft);

/* scene_list_changes - the "at" blocks in order of time; in the arena. */
struct change *scene_list_changes(struct reading *reading, const struct syntax_entry *block,
                                  int *count_out);

/* scene_read_host, scene_read_domain, scene_read_traffic - fill one from its block. */
void scene_read_host(struct reading *reading, const struct syntax_entry *block,
                     struct scene_host *host);
void scene_read_domain(struct reading *reading, const struct syntax_entry *block,
                       struct scene_domain *domain);
void scene_read_traffic(struct reading *reading, const struct syntax_entry *block,
                        struct scene_traffic *traffic);
