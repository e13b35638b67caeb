#!/bin/bash
# Syslog over TLS to real log servers with the configurations that docs/sinks.md tells people to copy: whom they let in, whom we trust, and
# that nobody counts a record as delivered that a receiver threw away because it refused us late.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/syslog_servers.bash

if ! have_rsyslog; then
	skip "syslog over TLS" "rsyslogd or its driver gtls is not installed (Debian: rsyslog, rsyslog-gnutls)"
	exit 0
fi
ca ca
ca otherca
certificate server siem.contoso.example ca 30
certificate expired-server siem.contoso.example ca -1
certificate agent agent-01.contoso.example ca 30
certificate other agent-02.contoso.example ca 30
certificate rogue agent-01.contoso.example otherca 30
certificate expired agent-01.contoso.example ca -1

port; rsyslog=$port
copied rsyslog rsyslog | here $rsyslog >"$work/$rsyslog.conf"
check "rsyslog starts with the copied configuration" "$(tail -n 2 "$work/$rsyslog.log" 2>/dev/null)" rsyslogd_on $rsyslog
port; late=$port
sed "s#server\.\(pem\|key\)#expired-server.\1#; s#$rsyslog#$late#g" "$work/$rsyslog.conf" >"$work/$late.conf"
check "another with an expired certificate, too" "$(tail -n 2 "$work/$late.log" 2>/dev/null)" rsyslogd_on $late
servers=rsyslog
if have_syslog_ng; then
	port; ng=$port
	copied syslog-ng syslog-ng | here $ng >"$work/$ng.conf"
	check "syslog-ng starts with the copied configuration" "$(tail -n 2 "$work/$ng.log" 2>/dev/null)" syslog_ng_on $ng
	servers="rsyslog ng"
else
	skip "syslog over TLS to syslog-ng" "$syslog_ng holds none; scripts/setup.sh says why"
fi

# one NAME PORT TLS [TIMEOUT]: a configuration with this sink alone
one() {
	mkdir -p "$work/$1"
	printf 'state_dir: state\nsinks:\n  - {name: s, kind: syslog, address: "127.0.0.1:%s", tls: {%s}, timeout: %s}\n' "$2" "$3" "${4:-10s}" >"$work/$1/config.yaml"
	"$evmend" sink test s -c "$work/$1/config.yaml" >"$work/$1/out" 2>&1 &
	echo $! >"$work/$1/pid"
	"$evmend" check -c "$work/$1/config.yaml" >"$work/$1/check" 2>&1 &
	echo $! >"$work/$1/check.pid"
}
own() { echo "cert: $pki/$1.pem, key: $pki/$1.key"; }
trust="ca: $pki/ca.pem, name: siem.contoso.example"
for s in $servers; do
	one "$s-right" "${!s}" "$trust, $(own agent)"
	one "$s-other-name" "${!s}" "$trust, $(own other)"
	one "$s-no-certificate" "${!s}" "$trust"
	one "$s-foreign-ca" "${!s}" "$trust, $(own rogue)"
	one "$s-expired" "${!s}" "$trust, $(own expired)"
done
one their-name $rsyslog "ca: $pki/ca.pem, name: other.contoso.example, $(own agent)"
one their-ca $rsyslog "ca: $pki/otherca.pem, name: siem.contoso.example, $(own agent)"
one their-expired $late "$trust, $(own agent)"
pin=$(pin_of server)
one pinned $rsyslog "verify: false, pin: $pin, $(own agent)"
one pinned-other $rsyslog "$trust, pin: ${pin//[0-7]/8}, $(own agent)"
one no-files $rsyslog "ca: $pki/no.pem"
port
one nobody $port "$trust"
port; plain=$port
copied rsyslog "Microsoft Sentinel" | here $plain >"$work/$plain.conf"
check "a third without TLS, too" "$(tail -n 2 "$work/$plain.log" 2>/dev/null)" rsyslogd_on $plain
one no-tls $plain "$trust" 3s

# is NAME CODE WORDS [WORDS OF CHECK]: what `sink test` and `check` make of it
is() {
	local n=$1 code checked
	wait "$(cat "$work/$n/pid")"
	code=$?
	wait "$(cat "$work/$n/check.pid")"
	checked=$?
	if [ "$code" -eq "$2" ] && [ $((checked > 0)) -eq $((code > 0)) ] && grep -qE -- "$3" "$work/$n/out" && grep -qE -- "${4:-$3}" "$work/$n/check"; then
		ok "certificates: $n"
	else
		not_ok "certificates: $n" "codes $code and $checked, expected $2 and '$3': $(tail -n 1 "$work/$n/out") / $(grep -E 'problem|s:' "$work/$n/check")"
	fi
}
refused='refuses us with alert|if it refuses us'
for s in $servers; do
	is "$s-right" 0 '^accepted' 'TLSv1.3, /CN=siem'
	for n in other-name no-certificate foreign-ca expired; do is "$s-$n" 4 "$refused"; done
done
is their-name 4 'for other.contoso.example: hostname mismatch; .*tls.name'
is their-ca 4 'unable to get local issuer certificate; .*tls.ca'
is their-expired 4 'certificate has expired; it must be renewed'
is pinned 0 '^accepted' 'TLSv1.3, /CN=siem'
is pinned-other 4 'not the one of tls.pin'
is no-files 4 'no.pem .tls.ca. holds no certificate to trust: no such file'
is nobody 4 'refused .111.; nobody listens there'
is no-tls 4 'does it speak TLS there'
lines() { cat "$work/$1.ndjson" 2>/dev/null | wc -l; }
stored() { [ "$(lines "$1")" -eq "$2" ]; }
check "rsyslog stored what the right ones sent, and nothing else" "$(lines $rsyslog) lines of 12" wait_for 30 stored $rsyslog 12
[ "$servers" = rsyslog ] || check "and syslog-ng" "$(lines "$ng") lines of 6" wait_for 30 stored "$ng" 6
exit $bad
