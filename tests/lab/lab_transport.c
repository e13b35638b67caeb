/* lab_transport.c - what the SMTP services notice about certificates: 12014 to 12016, 12018, 12023, 12024.
 *
 * They look when the store changes and say each thing once, since Windows suppresses repeats. */
#include <stdio.h>
#include <string.h>

#include "lab/server.h"
#include "os/os.h"

/* Exchange's own search: by name, with a key that opens, RSA, for servers and for signing. Expired ones are found as well. */
static const struct store_cert *certificate_for(const char *fqdn, const struct store_cert *c, size_t n)
{
	const struct store_cert *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct cert_info *x = &c[i].cert.info;

		if (cert_has_name(x, fqdn) && is_usable(&c[i]) && x->key == KEY_RSA && x->server_auth && x->digital_signature &&
		    (!found || x->not_after > found->cert.info.not_after))
			found = &c[i];
	}
	return found;
}

static const struct store_cert *by_thumbprint(const struct store_cert *c, size_t n, const uint8_t thumbprint[20])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(c[i].cert.info.thumbprint, thumbprint, 20) == 0)
			return &c[i];
	return NULL;
}

/* The internal transport certificate is named in the directory; when the store lacks it another is taken, or one made in memory. */
static void look_for_itc(struct server *s, const struct lab_state *st, const struct store_cert *own)
{
	struct event_args a = {.thumb = st->is.itc};
	uint8_t ephemeral[20];

	if (own) {
		a.thumb2 = own->cert.info.thumbprint;
	} else {
		os_random(ephemeral, sizeof ephemeral);
		a.thumb2 = ephemeral;
	}
	lab_event(s->lab, own ? EV_12023 : EV_12024, &a);
}

/* Says it when it has become so, and once. */
static bool news(bool is, bool *said)
{
	bool say = is && !*said;

	*said = is;
	return say;
}

void transport_look(struct server *s, const struct lab_state *st)
{
	struct store_cert *all;
	size_t n = store_list(s->lab, "MY", &all);
	int64_t now = clock_wall(&s->lab->clock);
	const struct store_cert *own = certificate_for(s->lab->fqdn, all, n), *itc = by_thumbprint(all, n, st->is.itc);
	int64_t left = own ? own->cert.info.not_after - now : 0;
	char name[96];

	snprintf(name, sizeof name, "Default Frontend %s", s->lab->name);
	if (news(st->is.itc_known && !itc, &s->said_itc))
		look_for_itc(s, st, own);
	if (news(itc && itc->cert.info.not_after < now, &s->said_itc_expired))
		lab_event(s->lab, EV_12015, &(struct event_args){.cert = &itc->cert.info});
	if (news(!own, &s->said_12014))
		lab_event(s->lab, EV_12014, &(struct event_args){.fqdn = s->lab->fqdn, .connector = name});
	if (news(own && left < 0, &s->said_expired))
		lab_event(s->lab, EV_12016, &(struct event_args){.cert = &own->cert.info});
	if (news(own && left >= 0 && left < 90 * US_DAY, &s->said_12018))
		lab_event(s->lab, EV_12018, &(struct event_args){.cert = &own->cert.info});
	if (news(st->connector[0] && !certificate_for(st->connector, all, n), &s->said_connector))
		lab_event(s->lab, EV_12014, &(struct event_args){.fqdn = st->connector, .connector = "Relay (LAB)"});
	store_free(all, n);
}
