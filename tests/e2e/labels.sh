#!/bin/bash
# Labels of a source: in each record that comes from it, in the route, in the names that a receiver puts it under; also in what heal says of
# a case that its events opened, before and after heal was killed.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

receiver=
trap 'if [ -n "$receiver" ]; then kill -KILL "$receiver" 2>/dev/null; fi; clean_up' EXIT
receive() {
	python3 tests/receivers/http_receiver.py bulk "$work/bulk" --index '(evmend-contoso-(exa[.]lab|evmend[.]test)|evmend-fabrikam-exb[.]lab|evmend-one-ex1[.]lab[.]example)' 2>>"$work/bulk.log" &
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
sed '/name: bulk/s/take: .*}/take: {kinds: [finding], labels: {tenant: contoso}}}/' "$work/config.yaml" >"$work/picky.yaml"
tested() { "$evmend" sink test "$1" -c "$work/$2.yaml" >"$work/out" 2>&1 && sed -n 's/.*\("labels":{[^}]*}\).*/\1/p' "$work/$1.ndjson" 2>/dev/null | sort -u >"$work/labels"; }
check "a test record has the labels of the route, and of its source" "$(cat "$work/out" "$work/labels")" \
	eval 'tested contoso config && test "$(cat "$work/labels")" = "\"labels\":{\"tenant\":\"contoso\",\"site\":\"muc=1\"}"'
check "none on which the sources differ" "$(cat "$work/out" "$work/labels")" \
	eval 'tested siem config && test "$(cat "$work/labels")" = "\"labels\":{\"tenant\":\"nobody\",\"from\":\"sink\"}"'
check "so it goes where the real ones go" "$(cat "$work/out" "$work/bulk/violations" 2>/dev/null)" tested bulk picky
rm -f "$work/siem.ndjson" "$work/contoso.ndjson"
check "the agent starts" "not up" start
{ event 4711 exa.lab; event 4712 exa.lab; echo "<Event>never ends</Evnt>"; event 4711 exa.lab; } >>"$work/in.xml"
{ event 4711 exb.lab; event 4712 exb.lab; } >>"$work/b/1.xml"
have() { [ "$(grep -c "\"kind\":\"$2\".*\"labels\":{$3}" "$work/$1.ndjson")" -eq "$4" ]; }
a='"tenant":"contoso","site":"muc=1","from":"sink"'
check "findings of one source" "$(cat "$work/siem.ndjson" | cut -c1-2000)" wait_for 20 have siem finding "$a" 3
check "findings of the other" "$(tail -n 3 "$work/siem.ndjson")" wait_for 20 have siem finding '"tenant":"fabrikam","from":"sink"' 2
check "a case" "$(grep '"case"' "$work/siem.ndjson")" wait_for 20 have siem case "$a" 1
check "a record that could not be read" "$(grep malformed "$work/siem.ndjson")" wait_for 20 have siem malformed "$a" 1
taken() { [ "$(wc -l <"$work/bulk/received")" -eq 8 ]; }
check "each under the name of its labels" "$(cat "$work/bulk/received" "$work/bulk/violations" 2>/dev/null)" wait_for 20 taken
check "and nothing under another" "$(head -n 3 "$work/bulk/violations" 2>/dev/null)" test ! -s "$work/bulk/violations"
check "a route takes what has its label" "$(cat "$work/contoso.ndjson" | cut -c1-300)" test "$(grep -c '"tenant":"contoso"' "$work/contoso.ndjson")" -eq 4
check "and nothing else" "$(cat "$work/contoso.ndjson" | cut -c1-300)" test "$(wc -l <"$work/contoso.ndjson")" -eq 4
check "the agent ends well" "code" stop

# A repair: two sources with different labels, the events come from one of them.
"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 || { not_ok "the lab" "$(cat "$work/init")"; exit 1; }
cp "$work/config.yaml" "$work/first.yaml"
cat >"$work/config.yaml" <<YAML
state_dir: state2
sources:
  - {name: other, path: in.xml, labels: {tenant: two}}
  - {name: log, path: lab/events.xml, labels: {tenant: one, site: 'm"uc'}}
hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab]}]
remedies: {exchange_backend: {mode: auto, settle: 1s}}
sinks:
  - {name: siem, kind: file, path: siem2.ndjson}
  - {name: one, kind: file, path: one.ndjson, take: {kinds: [case, refusal, repair, ledger], labels: {tenant: one}}}
  - {name: two, kind: file, path: two.ndjson, take: {kinds: [case, refusal, repair, ledger], labels: {tenant: two}}}
  - {name: cef, kind: file, path: one.cef, format: cef, take: {kinds: [repair], labels: {tenant: one}}}
  - {name: bulk, kind: elastic, url: "http://127.0.0.1:$(cat "$work/bulk/port")/", index: "evmend-{label.tenant}-{host}", take: {kinds: [refusal, repair]}}
times: {idle_after: 1s, diagnose_every: 0}
YAML
told() { [ "$(grep "\"kind\":\"$1\"" "$work/siem2.ndjson" | grep -c "$2")" -ge 1 ]; }
check "the agent starts with a lab" "not up" start
expect "nothing is changed meanwhile" 0 "nothing is changed" hold EX1 --reason "a test"
"$lab_bin" break "$work/lab" delete-certificate >/dev/null
"$lab_bin" request "$work/lab" >/dev/null 2>&1
check "a repair is refused" "$(tail -n 2 "$work/siem2.ndjson" | cut -c1-300)" wait_for 20 told refusal hold
kill -KILL "$(sed -n 's/^heal //p' "$work/state2/pids")"
let_go() { ev hold EX1 --off; }
check "the hold ends behind a heal that was killed" "$(tail -n 2 "$work/out")" wait_for 20 let_go
check "then it is repaired" "$(tail -n 1 "$work/log")" wait_for 40 told repair repair-end
check "and the case has ended" "$(grep '"case"' "$work/siem2.ndjson" | tail -n 1 | cut -c1-300)" wait_for 40 told case '"state":"healed"'
stop || not_ok "the agent with a lab ends" "code $?"
mine='"labels":{"tenant":"one","site":"m\"uc"}'
without() { grep -E '"kind":"(case|refusal|repair|ledger)"' "$work/siem2.ndjson" | grep -vF -- "$mine" | grep -v '"hold":"on"'; }
check "all that heal says of the case has the labels of its source" "$(without | head -n 2 | cut -c1-300)" test -z "$(without)"
for kind in case refusal repair ledger; do
	all=$(grep "\"kind\":\"$kind\"" "$work/siem2.ndjson" | grep -cF -- "$mine")
	check "$all of kind $kind take the route of a label" "$(grep -c "\"kind\":\"$kind\"" "$work/one.ndjson")" \
		test "$all" -gt 0 -a "$(grep -c "\"kind\":\"$kind\"" "$work/one.ndjson")" -eq "$all"
done
check "and none that of another" "$(head -n 1 "$work/two.ndjson" | cut -c1-300)" test ! -s "$work/two.ndjson"
check "a format of columns has them" "$(head -n 1 "$work/one.cef")" test "$(grep -c 'evmendLabeltenant=one' "$work/one.cef")" -ge 2
check "and so has the name of an index" "$(cat "$work/bulk/received" "$work/bulk/violations" 2>/dev/null | tail -n 4)" \
	eval 'test "$(wc -l <"$work/bulk/received")" -ge 11 && test ! -s "$work/bulk/violations"'

cp "$work/first.yaml" "$work/config.yaml"
sed -i 's/muc=1/"a\\nb"/; s/""/"/g' "$work/config.yaml"
expect "a label of two lines is refused" 3 "line end" check
exit $bad
