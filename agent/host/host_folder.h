/* host_folder.h - a folder of facts taken on a server (docs/offline.md) as a host that can be looked at and not changed.
 *
 * Hostile input: whoever sends a folder may have written it by hand. Every file is bounded, links that leave the folder are refused,
 * and a member of the wrong kind is an error with its name. What the folder does not say is unknown, and is listed. */
#ifndef EVMEND_HOST_HOST_FOLDER_H
#define EVMEND_HOST_HOST_FOLDER_H

#include "host/host.h"
#include "limits.h"

#define HOST_FOLDER_LACKS 24

struct host_folder_about {
	bool by_hand;         /* no facts.json */
	char tool[80];        /* what wrote it; "" by hand */
	int64_t collected_at; /* us; by hand the newest file's time */
	const char *lacks[HOST_FOLDER_LACKS]; /* what the folder does not say, in words: "private keys" */
	size_t n_lacks;
	char errors[LIMIT_FOLDER_ERRORS][200]; /* what the collector could not read, in its own (cleaned) words */
	size_t n_errors;
	char *events[LIMIT_FOLDER_EVENTS]; /* paths of the logs in events/, sorted */
	size_t n_events;
};

/* Reads everything. name (NULL: none given): the server's FQDN or NetBIOS name; needed when the folder does not tell it, and an
 * error when it tells another. apply, undo and lock refuse (ERR_REFUSED). NULL and *e (ERR_IO what is wrong with which file;
 * ERR_USAGE what to add). */
struct host *host_folder_open(const char *folder, const char *name, const struct clock *clock, struct err *e);
/* Of a host that host_folder_open made; lives as long as it. */
const struct host_folder_about *host_folder_about(const struct host *h);

#endif
