#include "base/macros.h"
#include "config/instance.h"
#include "config/presets.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct whole *whole_of(const struct config *config)
{
	return CONTAINER_OF((struct config *)config, struct whole, config);
}

static struct whole *create(const char *name)
{
	struct arena *arena = arena_create(16384);
	struct whole *whole = arena_alloc(arena, sizeof *whole);

	whole->arena = arena;
	atomic_init(&whole->references, 1);
	whole->config.path = arena_printf(arena, "%s", name);
	whole->config.defaults.pattern = arena_printf(arena, "%s", "");
	return whole;
}

static int finish(struct whole *whole, struct syntax *syntax, const struct syntax_entry *entries,
                  struct config **config_out)
{
	const struct syntax_entry *presets = syntax_read_text(syntax, "presets",
	                                                      bytes_of(presets_text()));

	whole_build(whole, entries, presets, syntax->problems);
	if (syntax->problems->count > 0) {
		config_release(&whole->config);
		return ERR_INVALID;
	}
	*config_out = &whole->config;
	return 0;
}

int config_load(const char *path, struct config **config_out, struct buffer *problems_out)
{
	struct problems problems = { .out = problems_out };
	struct syntax syntax = { .problems = &problems };
	struct whole *whole;

	if (access(path, R_OK) < 0) {
		problems_add(&problems, (struct place){ path, 0 }, "", "cannot read it: %s",
		             strerror(errno));
		return ERR_SYSTEM;
	}
	whole = create(path);
	syntax.arena = whole->arena;
	return finish(whole, &syntax, syntax_read_file(&syntax, path), config_out);
}

int config_parse(const char *name, struct bytes text, struct config **config_out,
                 struct buffer *problems_out)
{
	struct problems problems = { .out = problems_out };
	struct whole *whole = create(name);
	struct syntax syntax = { .arena = whole->arena, .problems = &problems };

	if (text.len > SYNTAX_FILE_BYTES_MAX) {
		problems_add(&problems, (struct place){ name, 0 }, "", "more than %d bytes",
		             SYNTAX_FILE_BYTES_MAX);
		config_release(&whole->config);
		return ERR_INVALID;
	}
	return finish(whole, &syntax, syntax_read_text(&syntax, whole->config.path, text),
	              config_out);
}

struct config *config_acquire(const struct config *config)
{
	struct whole *whole = whole_of(config);

	atomic_fetch_add_explicit(&whole->references, 1, memory_order_relaxed);
	return &whole->config;
}

void config_release(const struct config *config)
{
	struct whole *whole;

	if (!config)
		return;
	whole = whole_of(config);
	if (atomic_fetch_sub_explicit(&whole->references, 1, memory_order_acq_rel) > 1)
		return;
	hash_deinit(&whole->destinations);
	arena_destroy(whole->arena);
}

/* "*.example.com" holds for what is below example.com: so the longest pattern is the one that is
 * left when the fewest labels are taken away. */
const struct config_destination *config_destination_of(const struct config *config,
                                                       struct bytes domain)
{
	const struct whole *whole = whole_of(config);
	const struct config_destination *found = whole_find(whole, domain);
	char pattern[260] = "*.";

	while (!found && domain.at) {
		bytes_split(&domain, '.');
		if (domain.len == 0 || domain.len > sizeof pattern - 2)
			continue;
		memcpy(pattern + 2, domain.at, domain.len);
		found = whole_find(whole, (struct bytes){ pattern, domain.len + 2 });
	}
	return found ? found : &config->defaults;
}
