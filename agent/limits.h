/* limits.h - every ceiling on input, memory and time, one a line, with its reason. */
/* gcc's own <limits.h> looks for the C library's with a quoted name and may find this file: it is sent on. */
#ifdef _GCC_NEXT_LIMITS_H
#include_next <limits.h>
#endif

#ifndef EVMEND_LIMITS_H
#define EVMEND_LIMITS_H

/* reading files */
#define LIMIT_YAML_BYTES (8u << 20)       /* a rule file of SigmaHQ is 4 kB; the longest list is 200 kB */
#define LIMIT_JSON_BYTES (4u << 20)       /* a host's answer: some 200 certificates */
#define LIMIT_DEPTH 64                    /* YAML and JSON: deeper is an attack on the stack */
#define LIMIT_INFLATE_MEMORY (80u << 20)  /* xz -9 asks for 65 MiB */
#define LIMIT_PATHS 100000                /* files of one folder */
#define LIMIT_FOLDERS 10000               /* below one folder; each is compared with all before it */

/* labels of sources and sinks */
#define LIMIT_LABEL_NAME 127              /* bytes; names of columns and indexes are made of it */
#define LIMIT_LABELS 4096                 /* of one source, as JSON: they stand in each of its records, and in each case */

/* receivers */
#define LIMIT_SYSLOG_FRAME 65536          /* syslog-ng takes no longer message unless told; rsyslog reads garbage behind one above 200,000 */

/* a folder of facts (docs/offline.md): whoever sent it may have made it by hand */
#define LIMIT_FOLDER_FACTS (8u << 20)     /* 256 certificates of 4 kB, base64, and as many probes with their leaves */
#define LIMIT_FOLDER_TEXT (4u << 20)      /* netsh writes some 1.5 kB a record */
#define LIMIT_FOLDER_CERTS 512            /* host.h keeps 256; the rest is counted, then refused */
#define LIMIT_FOLDER_CERT (64u << 10)     /* tls/x509.c takes no more */
#define LIMIT_FOLDER_PROBES 256           /* three doors, eight addresses, two versions, with and without a path: 96 */
#define LIMIT_FOLDER_ERRORS 32
#define LIMIT_FOLDER_EVENTS 64            /* log files; collect writes four */

/* events */
#define LIMIT_EVENT_BYTES (1u << 20)      /* Windows caps an event at 64 kB of UTF-16; rendered text may triple it */
#define LIMIT_XML_BYTES (8u << 20)        /* an event at its ceiling after cleaning: a lone CR becomes five bytes */
#define LIMIT_XML_NAMES 8192              /* names a parser keeps; real events have some 2,000, a hostile one makes them up */
#define LIMIT_XML_DEPTH 32                /* the deepest real UserData has 7 */
#define LIMIT_EVENT_FIELDS 2048           /* the most in 25,000 real events is 77 */
#define LIMIT_EVENT_DERIVED 256           /* of them made of others; what is more is left out, the event stays */
#define LIMIT_EVENT_TRACES 64             /* of these from bracketed text: any number fits one value */
#define LIMIT_TEXT_BYTES (1u << 20)       /* one pasted console text */
#define LIMIT_FIELD_NAMES 4096            /* names a decoder keeps for all its events; real logs have some 2,000 */
#define LIMIT_EXPANSION 5000              /* texts made of one value of a rule (placeholders, dashes): five dashes make 3,125 */
#define LIMIT_KINDS 200000                /* hosts x channels x ids that coverage keeps; a host has some 300 */
#define LIMIT_EXPANSION_BYTES (4u << 20)  /* of all those texts together; a command line has 32 kB */
#define LIMIT_RULE_STEPS 20000            /* that a condition adds by naming selections again: each use is asked anew */
#define LIMIT_PLACEHOLDERS 32             /* in one value */
#define LIMIT_TOLD 20                     /* wrong values of one list that are told one by one */
#define LIMIT_TUNE 20000                  /* marked findings that `rules tune` keeps with their fields: some 60 MB */
#define LIMIT_NAMES 60000                 /* field names that rules mention; ids are 16 bit */

/* what the agent keeps of computers, whose names are an event's say-so (configured ones are never given up) */
#define LIMIT_HOST_NAMES 65536            /* spellings: some 8 MB; those not heard for longest are forgotten */
#define LIMIT_HOSTS 20000                 /* with findings of the last day, cases, or something remembered; an idle one goes by itself */
#define LIMIT_HOSTS_SHARE 4               /* of caps.memory_mb, one part in so many for all that is kept of them */

/* receivers over HTTP */
#define LIMIT_HTTP_RECORD (8u << 20)      /* one record in a request; an event is at most 1 MB, and JSON may triple it */
#define LIMIT_HTTP_ANSWER (8u << 20)      /* a bulk answer about 5,000 records that all failed has some 2 MB */
#define LIMIT_RETRY_AFTER (INT64_C(3600) * 1000000) /* us; a receiver that says more is asked again after an hour */

/* regular expressions of rules: what they cost at most (rules/regex/regex.h) */
#define LIMIT_REGEX_BYTES 4096            /* the longest of SigmaHQ's has 210 */
#define LIMIT_REGEX_POSITIONS 2048        /* characters to match, repeats written out; .{1000,} has 1,000 */
#define LIMIT_REGEX_SETS 256              /* different characters and classes of one expression */
#define LIMIT_REGEX_KINDS 250             /* kinds of characters that they make; one byte, a few values mean something else */
#define LIMIT_REGEX_PLACES 16             /* different combinations of assertions in one set */
#define LIMIT_REGEX_CELLS 32768           /* of a table: 64 kB */
#define LIMIT_REGEX_WORK 256              /* words of 64 bits for each character without a table: 32 kB take some 8 ms then */

#endif
