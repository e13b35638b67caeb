/* mapping.h - a format as a table: which of our members becomes which of theirs, as what, and how much of it. */
#ifndef EVMEND_SHIP_MAPPING_H
#define EVMEND_SHIP_MAPPING_H

#include "base/buf.h"
#include "ship/facts.h"

enum map_kinds { /* of records, bits */
	MAP_F = 1u << RECORD_FINDING,
	MAP_C = 1u << RECORD_CASE,
	MAP_N = 1u << RECORD_REFUSAL, /* no */
	MAP_R = 1u << RECORD_REPAIR,
	MAP_L = 1u << RECORD_LEDGER,
	MAP_A = 1u << RECORD_AGENT,
	MAP_E = 1u << RECORD_EVENT,
	MAP_OURS = MAP_F | MAP_C | MAP_N | MAP_R | MAP_L | MAP_A,
	MAP_HEAL = MAP_N | MAP_R | MAP_L, /* with a body */
	MAP_ALL = MAP_OURS | MAP_E,
};

enum map_as {
	AS_TEXT,
	AS_LIST,  /* of texts */
	AS_WORDS, /* a text with commas as a list */
	AS_INT,   /* also of a text, decimal or 0x... */
	AS_BOOL,
	AS_TIME,  /* 2018-03-13T21:02:11.114211Z */
	AS_MS,    /* milliseconds since 1970 UTC */
	AS_IP,    /* of either version; "::ffff:" is taken off, what is no address is left out */
	AS_IP4, AS_IP6,
	AS_PORT,  /* 1 to 65535 */
	AS_TREE,  /* an object or array as it is */
	AS_JSON,  /* an object or array, written as a text */
};

#define MAP_TEXT_MAX 32000 /* Lucene refuses a term of more than 32,766 bytes, and with it the whole document */
#define MAP_ITEMS_MAX 1000

/* How much there is room for. A record is written with the first room; each one after it leaves out more. */
struct map_room {
	size_t text;  /* bytes of one text */
	size_t items; /* of one list */
	bool core;    /* rows marked so only */
	bool cut;     /* something was cut or left out: the record has to say so */
};

struct json_out;
struct map_row;

/* Writes what no row can say, under that key. o is NULL: is there anything to write? */
typedef bool map_own(const struct facts *f, const struct map_row *r, struct map_room *room, struct json_out *o, const char *key);

struct map_row {
	unsigned kinds;    /* enum map_kinds */
	const char *to;    /* their name; in JSON each '.' is an object, and rows of one object stand together */
	const char *from;  /* our member, or: */
	const char *fixed; /* a text, or: */
	enum fact fact;
	enum map_as as;
	unsigned limit;    /* bytes of a text; 0: as many as the room has */
	unsigned sorts;    /* of events, enum event_sort; 0: any event */
	const char *label; /* CEF: what stands in "<to>Label" */
	map_own *own;      /* JSON, or: */
	int part;          /* which of the things that own writes */
	bool core;         /* stays when there is room for nothing else */
};

enum map_found { FOUND_NOTHING, FOUND_TEXT, FOUND_INT, FOUND_BOOL, FOUND_LIST };

struct map_value {
	enum map_found found;
	const char *s; /* text: n bytes, cut to what may be; NUL does not follow */
	size_t n;
	int64_t i;     /* number, boolean */
	const struct json *list;
	char own[64];
};

void map_value(const struct facts *f, const struct map_row *r, struct map_room *room, struct map_value *to);
/* The text of an item of a list, cut to what may be. */
const char *map_item(const struct json *list, size_t i, size_t limit, struct map_room *room, size_t *n);

/* How many of n bytes stand, with a limit of the row's own (0: none); tells the room when that is not all. */
size_t map_cut(const char *s, size_t n, size_t limit, struct map_room *room);

/* Rows as members of the object that is open. */
void map_json(const struct facts *f, const struct map_row *rows, size_t n, struct map_room *room, struct json_out *o);
/* A tree, its texts and lists cut. */
void map_tree(struct json_out *o, const char *key, const struct json *j, struct map_room *room);
map_own map_labels;    /* an object: NAME: VALUE */
map_own map_truncated; /* true, when something was cut: the last row */

/* A format of pairs on one line: before, key, equals, escaped value, after. */
struct map_flat {
	const char *before, *equals, *after;
	/* Adds s so that it can be told where it ends, as one line. */
	void (*text)(struct buf *to, const char *s, size_t n);
	const char *label; /* before a label's name, of which letters, digits and `also` are left */
	const char *also;
	const struct map_row *rows;
	size_t n;
};

/* The rows, then the labels. */
void map_pairs(const struct facts *f, const struct map_flat *how, struct map_room *room, struct buf *to);
/* Adds one pair, when s is not empty. */
void map_pair(const struct map_flat *how, const char *key, const char *s, size_t n, struct buf *to);
/* Adds the characters of s, each in `escaped` with a backslash before it; what could end a line, move a cursor or ring a bell becomes a blank:
 * C0, DEL, C1, U+2028, U+2029. */
void map_line(struct buf *to, const char *s, size_t n, const char *escaped);

typedef void map_write(const struct facts *f, struct map_room *room, struct buf *to);
/* Writes the record with as much room as max allows. */
void map_fit(const struct sink_config *c, const struct record_view *v, map_write *write, size_t max, struct buf *to);

/* The tables, for tests and documents. */
extern const struct map_row ecs_rows[], ocsf_rows[], otlp_rows[], chat_rows[];
extern const size_t ecs_rows_n, ocsf_rows_n, otlp_rows_n, chat_rows_n;
extern const struct map_flat cef_flat, leef_flat, rfc5424_flat;

#endif
