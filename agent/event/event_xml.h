/* event_xml.h - one <Event> element to fields. Private to event/. Field names: event.h. */
#ifndef EVMEND_EVENT_EVENT_XML_H
#define EVMEND_EVENT_EVENT_XML_H

#include "base/err.h"
#include "event/event.h"
#include "event/event_build.h"

struct event_xml;

struct event_xml *event_xml_new(struct event_build *b);
void event_xml_free(struct event_xml *x);
/* Parses one cleaned slice into the bench (already started) and the members of ev. The caller finishes the event. -1 and *e: not
 * well-formed, refused (DOCTYPE, entity), no <System>, or too many fields. ev->time is left alone when there is none (EVENT_NO_TIME). */
int event_xml_read(struct event_xml *x, const char *text, size_t n, struct event *ev, struct err *e);

#endif
