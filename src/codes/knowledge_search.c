/* Search by words, and what an unknown key may have meant. The whole base is some hundred entries:
 * every search reads all of it, in about a millisecond. */
#include "base/alloc.h"
#include "base/macros.h"
#include "codes/knowledge_own.h"
#include <ctype.h>
#include <string.h>

#define WORDS_MAX 12 /* of a query; the rest is ignored */
#define HITS_MAX  100
#define KEY_MAX   40

/* What a word counts by where it stands. */
enum { WEIGHT_KEY = 12, WEIGHT_SAYS = 6, WEIGHT_TITLE = 5, WEIGHT_TEXT = 2, WEIGHT_PHRASE = 20 };

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 128;
}

/* next_word - cuts the first word of letters, digits and inner dots off the front of `text`. */
static struct bytes next_word(struct bytes *text)
{
	size_t start = 0, end;

	while (start < text->len && !is_word_char(text->at[start]))
		start++;
	end = start;
	while (end < text->len &&
	       (is_word_char(text->at[end]) ||
	        (text->at[end] == '.' && end + 1 < text->len && is_word_char(text->at[end + 1]))))
		end++;
	struct bytes word = bytes_first(bytes_from(*text, start), end - start);
	*text = bytes_from(*text, end);
	return word;
}

/* 1 for the very word, less for a longer one that begins with it, 0 for another. */
static double word_fits(struct bytes word, struct bytes in)
{
	if (bytes_equal_nocase(word, in))
		return 1;
	return word.len >= 3 && bytes_starts_with_nocase(in, word) ? 0.7 : 0;
}

static double text_fits(struct bytes word, const char *text)
{
	struct bytes rest = bytes_of(text), found;
	double best = 0;

	while ((found = next_word(&rest)).len > 0)
		best = MAX(best, word_fits(word, found));
	return best;
}

static double list_fits(struct bytes word, const char *const *list)
{
	double best = 0;

	for (; *list; list++)
		best = MAX(best, text_fits(word, *list));
	return best;
}

static double entry_fits(struct bytes word, const struct knowledge_entry *entry)
{
	double best = WEIGHT_KEY * word_fits(word, bytes_of(entry->key));

	best = MAX(best, WEIGHT_KEY * list_fits(word, entry->aliases));
	best = MAX(best, WEIGHT_KEY * text_fits(word, entry->provider));
	best = MAX(best, WEIGHT_TITLE * text_fits(word, entry->title));
	best = MAX(best, WEIGHT_TITLE * text_fits(word, entry->category));
	for (const struct knowledge_section *section = knowledge_sections; section->heading;
	     section++)
		best = MAX(best,
		           (section->lines(entry) == entry->says ? WEIGHT_SAYS : WEIGHT_TEXT) *
		                   list_fits(word, section->lines(entry)));
	for (const struct knowledge_question *q = entry->questions; q->question; q++)
		best = MAX(best, WEIGHT_TEXT * text_fits(word, q->question));
	return best;
}

static bool has_phrase(const struct knowledge_entry *entry, struct bytes phrase)
{
	for (const char *const *says = entry->says; *says; says++)
		if (bytes_find_nocase(bytes_of(*says), phrase) >= 0)
			return true;
	return bytes_find_nocase(bytes_of(entry->title), phrase) >= 0;
}

struct hit {
	const struct knowledge_entry *entry;
	double score;
};

/* put_hit - inserts into the best `max`, in order; equal ones stay in the order of the table. */
static void put_hit(struct hit *hits, size_t *count, size_t max, struct hit hit)
{
	size_t at = *count;

	while (at > 0 && hits[at - 1].score < hit.score)
		at--;
	if (at >= max)
		return;
	if (*count < max)
		(*count)++;
	memmove(hits + at + 1, hits + at, (*count - at - 1) * sizeof *hits);
	hits[at] = hit;
}

/* How much a word tells: 1 if most entries have it, and one more for each time it is half as
 * common. */
static double rarity_of(size_t having)
{
	double rarity = 1;

	for (size_t n = 1 + having; n < knowledge_table_count; n *= 2)
		rarity++;
	return rarity;
}

/* add_word - adds what the word is worth for each entry to `scores`, and to `matched` where it is
 * found at all. */
static void add_word(struct bytes word, double *scores, size_t *matched)
{
	double *fits = alloc(knowledge_table_count * sizeof *fits);
	size_t having = 0;

	for (size_t i = 0; i < knowledge_table_count; i++) {
		fits[i] = entry_fits(word, &knowledge_table[i]);
		having += fits[i] > 0;
	}
	for (size_t i = 0; i < knowledge_table_count; i++) {
		scores[i] += fits[i] * rarity_of(having);
		matched[i] += fits[i] > 0;
	}
	alloc_free(fits);
}

static double weigh(const struct knowledge_entry *entry, double score, double share,
                    struct bytes words)
{
	score *= share * share;
	if (share == 1 && bytes_find_char(words, ' ') > 0 && has_phrase(entry, words))
		score = score * 2 + WEIGHT_PHRASE;
	return score;
}

static size_t copy_hits(const struct hit *hits, size_t count, const struct knowledge_entry **found)
{
	for (size_t i = 0; i < count; i++)
		found[i] = hits[i].entry;
	return count;
}

size_t knowledge_search(struct bytes words, const struct knowledge_entry **found, size_t max)
{
	double *scores = alloc_zeroed(knowledge_table_count * sizeof *scores);
	size_t *matched = alloc_zeroed(knowledge_table_count * sizeof *matched);
	struct bytes rest = words, word;
	size_t word_count = 0, count = 0;
	struct hit hits[HITS_MAX];

	while (word_count < WORDS_MAX && (word = next_word(&rest)).len > 0) {
		add_word(word, scores, matched);
		word_count++;
	}
	for (size_t i = 0; i < knowledge_table_count; i++) {
		const struct knowledge_entry *entry = &knowledge_table[i];
		double share = matched[i] ? (double)matched[i] / (double)word_count : 0;

		if (matched[i])
			put_hit(hits, &count, MIN(max, HITS_MAX),
			        (struct hit){ entry,
			                      weigh(entry, scores[i], share, bytes_trim(words)) });
	}
	alloc_free(scores);
	alloc_free(matched);
	return copy_hits(hits, count, found);
}

/* How many letters must change, come or go to make `a` of `b` (Levenshtein), in any case. */
static int distance(struct bytes a, struct bytes b)
{
	int row[KEY_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= a.len; i++) {
		int diagonal = row[0];

		row[0] = (int)i;
		for (size_t j = 1; j <= b.len; j++) {
			int change = diagonal +
			             (char_lower(a.at[i - 1]) != char_lower(b.at[j - 1]));

			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.len];
}

/* How near a name is, 0 if too far: dots do not count, and neither first nor last letters more. */
static double nearness(struct bytes key, struct bytes name)
{
	struct bytes plain = { 0 };
	char copy[KEY_MAX];
	int changes;

	if (name.len > KEY_MAX)
		return 0;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] != '.')
			copy[plain.len++] = name.at[i];
	plain.at = copy;
	if (bytes_equal_nocase(key, plain))
		return KEY_MAX;
	changes = distance(key, name);
	if (changes > MAX(1, (int)key.len / 3))
		return 0;
	return KEY_MAX - 2 * changes - (char_lower(key.at[0]) != char_lower(name.at[0]));
}

size_t knowledge_nearest(struct bytes key, const struct knowledge_entry **found, size_t max)
{
	struct hit hits[HITS_MAX];
	size_t count = 0;

	key = bytes_trim(key);
	if (key.len == 0 || key.len > KEY_MAX)
		return 0;
	for (size_t i = 0; i < knowledge_table_count; i++) {
		const struct knowledge_entry *entry = &knowledge_table[i];
		double best = nearness(key, bytes_of(entry->key));

		for (const char *const *alias = entry->aliases; *alias; alias++)
			best = MAX(best, nearness(key, bytes_of(*alias)));
		if (best > 0)
			put_hit(hits, &count, MIN(max, HITS_MAX), (struct hit){ entry, best });
	}
	return copy_hits(hits, count, found);
}
