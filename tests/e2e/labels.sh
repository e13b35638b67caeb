#!/bin/bash
# Labels of a source: in each record that comes from it, in the route, in the names that a receiver puts it under.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

receiver=
trap 'if [ -n "$receiver" ]; then kill -KILL "$receiver" 2>/dev/null; fi; clean_up' EXIT
receive() {
	python3 tests/receivers/http_receiver.py bulk "$work/bulk" --index '(evmend-contoso-exa[.]lab|evmend-fabrikam-exb[.]lab)' 2>>"$work/bulk.log" &
	receiver=$!
	wait_for 10 test -s "$work/bulk/port"
}
check "a stand-in for bulk listens" "$(tail -n 2 "$work/bulk.log")" receive
rule 4711
rule 4712
printf 'evmend:\n  cause: exchange-tls-configuration\n  hint: "{host} says so"\n' >>"$work/rules/r4712.yml"
mkdir "$work/b"
cat >"$work/config.yaml" <<YAML
state_dir: state
rules: [rules]
tables: $root/rules
sources:
  - {name: a, path: in.xml, labels: {tenant: contoso, site: "muc=1"}}
  - {name: b, path: b, labels: {tenant: fabrikam}}
sinks:
  - {name: siem, kind: file, path: siem.ndjson, labels: {tenant: nobody, from: sink}}
  - {name: contoso, kind: file, path: contoso.ndjson, take: {kinds: [finding, case], labels: {tenant: contoso}}}
  - {name: bulk, kind: elastic, url: "http://127.0.0.1:$(cat "$work/bulk/port")/", index: "evmend-{label.tenant}-{host}", take: [finding, case]}
times: {idle_after: 1s, diagnose_every: 0}
YAML
expect "check takes the labels" 0 "" check
check "the agent starts" "not up" start
{ event 4711 exa.lab; event 4712 exa.lab; echo "<Event>never ends</Evnt>"; event 4711 exa.lab; } >>"$work/in.xml"
{ event 4711 exb.lab; event 4712 exb.lab; } >>"$work/b/1.xml"
have() { [ "$(grep -c "\"kind\":\"$2\".*\"labels\":{$3}" "$work/$1.ndjson")" -eq "$4" ]; }
a='"tenant":"contoso","site":"muc=1","from":"sink"'
check "findings of one source" "$(cat "$work/siem.ndjson" | cut -c1-2000)" wait_for 20 have siem finding "$a" 3
check "findings of the other" "$(tail -n 3 "$work/siem.ndjson")" wait_for 20 have siem finding '"tenant":"fabrikam","from":"sink"' 2
check "a case" "$(grep '"case"' "$work/siem.ndjson")" wait_for 20 have siem case "$a" 1
check "a record that could not be read" "$(grep malformed "$work/siem.ndjson")" wait_for 20 have siem malformed "$a" 1
taken() { [ "$(wc -l <"$work/bulk/received")" -eq 7 ]; }
check "each under the name of its labels" "$(cat "$work/bulk/received" "$work/bulk/violations" 2>/dev/null)" wait_for 20 taken
check "and nothing under another" "$(head -n 3 "$work/bulk/violations" 2>/dev/null)" test ! -s "$work/bulk/violations"
check "a route takes what has its label" "$(cat "$work/contoso.ndjson" | cut -c1-300)" test "$(grep -c '"tenant":"contoso"' "$work/contoso.ndjson")" -eq 4
check "and nothing else" "$(cat "$work/contoso.ndjson" | cut -c1-300)" test "$(wc -l <"$work/contoso.ndjson")" -eq 4
check "the agent ends well" "code" stop
sed -i 's/muc=1/"a\\nb"/; s/""/"/g' "$work/config.yaml"
expect "a label of two lines is refused" 3 "line end" check
exit $bad
