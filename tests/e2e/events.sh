#!/bin/bash
# Events of a source as records of their own: all of them, or those of a filter.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

rule 4711
mkdir "$work/b"
cat >"$work/config.yaml" <<YAML
state_dir: state
rules: [rules]
tables: $root/rules
sources:
  - {name: a, path: in.xml, forward: all, labels: {tenant: contoso}}
  - {name: b, path: b, forward: {ids: [4700, 4711], channels: application, providers: [Tester, Other]}}
  - {name: c, path: c.xml}
sinks:
  - {name: events, kind: file, path: events.ndjson, take: event}
  - {name: siem, kind: file, path: siem.ndjson, take: finding}
times: {idle_after: 1s, diagnose_every: 0}
YAML
expect "check takes it" 0 "" check
check "the agent starts" "not up" start
{
	event 4711 exa.lab
	event 1 exa.lab | sed 's|<Data Name|<Data>one \&amp; "two"</Data><Data Name|; s|</EventData>|<Data>three</Data></EventData>|'
} >>"$work/in.xml"
{ event 4711 exb.lab; event 4712 exb.lab; event 4700 exb.lab; event 4700 exb.lab | sed 's/Tester/Somebody/'; } >>"$work/b/1.xml"
event 4711 exc.lab >>"$work/c.xml"
events() { [ "$(wc -l <"$work/events.ndjson")" -eq "$1" ] && [ "$(grep -c '"kind":"event"' "$work/events.ndjson")" -eq "$1" ]; }
check "what was asked for is sent on" "$(cat "$work/events.ndjson")" wait_for 20 events 4
check "with its labels" "$(head -n 2 "$work/events.ndjson")" test "$(grep -c '"host":"exa.lab".*"labels":{"tenant":"contoso"}' "$work/events.ndjson")" -eq 2
has() { grep -qF -- "$1" "$work/events.ndjson"; }
check "with what the event has" "$(cat "$work/events.ndjson")" has '"channel":"Application","provider":"Tester","event_id":1,"record_id":2,"level":2,"source":"'
check "a name that comes twice is a list" "$(cat "$work/events.ndjson")" has '"system":{},"fields":{"Data":["one & \"two\"","three"],"Text":"hello"}'
check "findings go on as before" "$(findings)" wait_for 10 has_findings 3
check "the agent ends well" "code" stop
sed -i 's/forward: all/forward: some/' "$work/config.yaml"
expect "a word that it is not" 3 'forward is `all`' check
sed -i 's/forward: some/forward: {ids: []}/' "$work/config.yaml"
expect "a filter without a condition" 3 'sends every event on' check
exit $bad
