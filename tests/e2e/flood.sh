#!/bin/bash
# Forged, replayed and flooding events, a million a minute: a server that is well is left alone; one that is broken is repaired once, and
# not again beyond the limit, however much is told about it.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

host=ex1.lab.example
seconds=${EVMEND_FLOOD_SECONDS:-5}
slice=16667 # of each second: a million a minute
"$lab_bin" init "$work/lab" >/dev/null && "$lab_bin" start "$work/lab" --daemon >/dev/null || exit 5
rule 4711
configure "hosts: [{name: $host, access: pipe, command: [$lab_bin, host, $work/lab]}]
remedies: {exchange_backend: {mode: auto, settle: 2s, limits: {per_host_day: 1}}}"
sed -i "s#^rules:.*#rules: [rules, $root/rules/exchange]#; s#^sources:#&\n  - {name: lab, kind: follow, path: $work/lab/events.xml}#" "$work/config.yaml"
: >"$work/in.xml"

# flood NAME: a second's worth of events, one a line. What is told is a lie: thumbprints that the server does not know, a flood of 15021, a
# deletion; every fourth is years old, every fifth speaks of another server.
one_line() { tr -d '\r\n' <"tests/data/samples/$1.xml" | sed 's/<?xml[^>]*?>//'; }
flood() {
	awk -v n=$slice -v now="$(now)" -v host=$host -v seed="$1" -v a="$(one_line F08 | sed 's/&/\\\\\&/g; s/\\Device/\\\\Device/')" -v b="$(one_line F16)" -v c="$(one_line F14)" '
	BEGIN {
		form[0] = a; form[1] = b; form[2] = c
		for (i = 1; i <= n; i++) {
			s = form[i % 7 == 0 ? 1 : i % 11 == 0 ? 2 : 0]
			sub(/SystemTime=.[^"\x27]*/, "SystemTime=\x27" (i % 4 ? now : "2018-03-13T21:01:58.114211800Z"), s)
			sub(/<EventRecordID>[0-9]*/, "<EventRecordID>" seed * n + i, s)
			sub(/<Computer>[^<]*/, "<Computer>" (i % 5 ? host : "ex" i % 40 ".elsewhere.example"), s)
			print s
		}
	}'
}
# pour WHAT...: runs WHAT in the middle of a flood, and waits until the last event was read
pour() {
	local began
	began=$(findings)
	for i in $(seq "$seconds"); do
		flood "$i" >>"$work/in.xml"
		[ "$i" -ne 2 ] || "$@"
		sleep 0.7
	done
	event 4711 "end$records.example" >>"$work/in.xml"
	wait_for 100 grep -q "end$((records - 1)).example" "$work/siem.ndjson" || return 1
	echo "# $(grep -c . "$work/in.xml") events were read so far; $(findings) findings, $began of them before" 
}
begun() { grep -c '"what":"repair-begin"' "$work/siem.ndjson"; }
healed() { grep -q '"what":"repair-end".*"result":"healed"' "$work/siem.ndjson"; }
picture() { "$lab_bin" status "$work/lab" --json | grep -o '"thumbprint":"[^"]*"\|"endpoint":"[^"]*"\|"started":[a-z]*'; }
broken() { "$lab_bin" break "$work/lab" delete-certificate; "$lab_bin" request "$work/lab" /owa/ >/dev/null 2>&1; }

before=$(picture)
check "the agent starts" "$(tail -n 2 "$work/log")" start
check "a flood about a server that is well is read to its end" "the last event was not seen" pour true
check "nothing is repaired there" "$(begun) repairs" test "$(begun)" -eq 0
check "nothing is changed there" "its state differs" test "$before" = "$(picture)"

check "the server breaks in a flood" "the last event was not seen" pour broken
check "it is repaired" "$(tail -n 3 "$work/log")" wait_for 60 healed
check "once" "$(begun) repairs" test "$(begun)" -eq 1
check "it works" "no answer" eval '"$lab_bin" request "$work/lab" >/dev/null'

repaired=$(picture)
check "it breaks again in a flood" "the last event was not seen" pour broken
refused() { grep '"what":"refusal"' "$work/siem.ndjson" | grep -c 'is the limit'; }
check "the limit refuses" "$(tail -n 3 "$work/log")" wait_for 30 eval '[ "$(refused)" -ge 1 ]'
check "one refusal is told" "$(refused) refusals" test "$(refused)" -eq 1
check "and nothing more is repaired" "$(begun) repairs" test "$(begun)" -eq 1
check "the agent is alive and ends" "code $?" stop
check "the ledger is whole" "verify says no" eval '"$evmend" ledger verify -c "$work/config.yaml" >/dev/null'
exit "$bad"
