#!/bin/bash
# Hostile values in every format of syslog, through the parsers of real log servers: line ends, pipes, equals signs, tabs, quotes, brackets,
# NUL, 60 KB, broken UTF-8 and escape sequences come out as they went in, or as docs/formats.md says, and never as a second record.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/syslog_servers.bash

if ! have_rsyslog; then
	skip "hostile values over syslog" "rsyslogd or its driver gtls is not installed (Debian: rsyslog, rsyslog-gnutls)"
	exit 0
fi
ca ca
certificate server siem.contoso.example ca 30
certificate agent agent-01.contoso.example ca 30

# --- the copied configurations, and what else reads a message ---
sinks=
# sink NAME HEADING PORT the agent's side of that heading
sink() {
	sinks="$sinks$(sink_here "$2" "$3" | sed "s#- name: .*#- name: $1#; /^    take:/d; /^    labels:/d")
    $4
"
}
label='labels: {hostile: "a|b=c\td\"e\\f]g\x0bh\e[31m\u2028i"}'
zeros=$(printf '%030000d' 0)
big="${label%\}}, big: \"$zeros\"}" # once in the structured data and once in MSG: a frame of more than 60 KB
port; json=$port
copied rsyslog rsyslog | here $json >"$work/$json.conf"
sed -i "s#^module(load=\"imtcp\")#&\nmodule(load=\"mmpstrucdata\")\ntemplate(name=\"data\" type=\"string\" string=\"%\$!%\\\\n\")#
	s#^ruleset(name=\"evmend\") {#& action(type=\"mmpstrucdata\") action(type=\"omfile\" file=\"$work/$json.data\" template=\"data\")#" "$work/$json.conf"
check "rsyslog starts" "$(tail -n 2 "$work/$json.log" 2>/dev/null)" rsyslogd_on $json
sink rsyslog rsyslog $json "$big"
port; cef=$port
copied rsyslog "Microsoft Sentinel" | here $cef >"$work/$cef.conf"
check "rsyslog for CEF starts" "$(tail -n 2 "$work/$cef.log" 2>/dev/null)" rsyslogd_on $cef
sink cef "Microsoft Sentinel" $cef "$label"
port; leef=$port
cat >"$work/$leef.conf" <<CONF
global(workDirectory="$work/spool/$leef" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" port="$leef" address="127.0.0.1")
template(name="leef" type="string" string="%syslogtag%%msg%\n")
template(name="line" type="string" string="%structured-data%\n")
if \$rawmsg contains "LEEF:2.0|" then { action(type="omfile" file="$work/$leef.leef" template="leef") }
else { action(type="omfile" file="$work/$leef.short" template="line") }
CONF
check "rsyslog with a frame of 8 KB starts" "$(tail -n 2 "$work/$leef.log" 2>/dev/null)" rsyslogd_on $leef
sink leef "IBM QRadar" $leef "$label"
sinks="$sinks  - {name: short, kind: syslog, address: \"127.0.0.1:$leef\", $big}
"
servers=3
if have_syslog_ng; then
	port; ng=$port
	copied syslog-ng syslog-ng | here $ng >"$work/$ng.conf"
	cat >>"$work/$ng.conf" <<CONF
destination d_data { file("$work/$ng.data" template("\$(format-json --scope sdata)\n")); };
log { source(s_evmend); destination(d_data); };
CONF
	check "syslog-ng starts" "$(tail -n 2 "$work/$ng.log" 2>/dev/null)" syslog_ng_on $ng
	sink syslog-ng rsyslog $ng "$big"
	servers=4
else
	skip "hostile values to syslog-ng" "$syslog_ng holds none; scripts/setup.sh says why"
fi

# --- the values ---
rule 4711
sed -i 's#^title: .*#title: "pipe|equals=tab\\tquote\\"back\\\\slash]bracket \\e[31m line\\nend\\\\"#' "$work/rules/r4711.yml"
configure
{
	sed '/^sinks:/,$d' "$work/config.yaml"
	printf 'sinks:\n  - {name: json, kind: file, path: siem.ndjson, %s}\n  - {name: file-cef, kind: file, format: cef, path: siem.cef, %s}\n  - {name: file-leef, kind: file, format: leef, path: siem.leef, %s}\n' \
		"$big" "$label" "$label"
	printf '%s' "$sinks"
	sed -n '/^times:/,$p' "$work/config.yaml"
} >"$work/new"
mv "$work/new" "$work/config.yaml"
python3 - >>"$work/in.xml" <<'PY'
import sys
for v in (b"a\\nb\\\\n", b"\xe2\x80\xa8\xe2\x80\xa9 lines", b"pipe|equals=semi;colon", b"tab\tcr\rvt\x0b", b"'quotes\" &quot; </script>", b"\x1b[31mred\x1b[0m", b"\xff\xfe\xc3( no UTF-8",
          b"\xed\xa0\x80 surrogate", b"<13>1 - - - - - - second", b"12 <13>1 - x y z - - octets", b"]]> %s %n ${jndi:x} {{7*7}} $(id)", b"\xf0\x9f\x94\xa5" * 40, b"9" * 60000, b"\x00nul"):
    sys.stdout.buffer.write(b"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><a></b>" + v + b"</System></Event>\n")
PY
for _ in 1 2 3; do event 4711 >>"$work/in.xml"; done
waits() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | grep -o '"waiting":[1-9][0-9]*' | head -n 1; }
all_out() { has_findings 3 && [ "$(grep -c '"kind":"malformed"' "$work/siem.ndjson")" -ge 14 ] && [ -z "$(waits)" ]; }
check "the agent starts" "not up" start
check "everything is confirmed" "$(waits) $(wc -l <"$work/siem.ndjson")" wait_for 30 all_out
stop
check "the agent ends well" "code $?" test $? -eq 0
for p in "${receivers[@]}"; do kill -TERM "$p"; done
wait

# --- what they read ---
same() { # NAME HOW REFERENCE RECEIVED
	if python3 tests/lib/syslog_compare.py "$2" "$3" "$4" >"$work/compared" 2>&1; then
		ok "$1"
		sed 's/^/# /' "$work/compared"
	else
		not_ok "$1" "$(tail -n 3 "$work/compared" | cut -c1-700)"
	fi
}
same "rsyslog: MSG" json "$work/siem.ndjson" "$work/$json.ndjson"
same "rsyslog: structured data" data "$work/siem.ndjson" "$work/$json.data"
same "rsyslog: CEF" lines "$work/siem.cef" "$work/$cef.cef"
same "rsyslog: LEEF, framed by line ends" lines "$work/siem.leef" "$work/$leef.leef"
same "rsyslog: frames of 8 KB" short "$work/siem.ndjson" "$work/$leef.short"
if [ $servers = 4 ]; then
	same "syslog-ng: MSG" json "$work/siem.ndjson" "$work/$ng.ndjson"
	same "syslog-ng: structured data" data "$work/siem.ndjson" "$work/$ng.data"
fi
exit $bad
