#!/bin/bash
# A person and the agent: status, cases, approve, close, hold, explain - with an agent and without one.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 || { not_ok "the lab" "$(cat "$work/init")"; exit 1; }
mkdir -p "$work/rules"
cat >"$work/config.yaml" <<YAML
state_dir: state
sources:
  - {name: log, kind: follow, path: lab/events.xml}
hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab]}]
remedies: {exchange_backend: {mode: approve, settle: 1s}}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {idle_after: 1s, diagnose_every: 0, approval: 10m}
YAML
state_is() { ev cases --all --json && out "\"state\":\"$1\""; }

expect "cases before any agent ran" 4 "no agent has run" cases
expect "status without an agent" 0 "No agent runs" status
expect "status --check without an agent is critical" 2 "EVMEND CRITICAL" status --check
expect "sink test without an agent writes into the file" 0 "accepted" sink test siem
check "one record of each kind, marked" "$(cat "$work/siem.ndjson")" test "$(grep -c '"test":true' "$work/siem.ndjson")" -eq 6
rm -f "$work/siem.ndjson"
expect "sink knows one word" 3 "no word of sink" sink tset siem
check "the agent starts" "not up" start
expect "sink test leaves the file to the agent that writes it" 6 "an agent runs and writes" sink test siem
expect "status of a running agent" 0 "An agent runs" status
expect "status --json" 0 '"running":true' status --json
expect "status --check" 0 "EVMEND OK" status --check
expect "no case" 0 "no case is open" cases

"$lab_bin" break "$work/lab" delete-certificate >/dev/null
"$lab_bin" request "$work/lab" >/dev/null 2>&1
check "a case waits for an approval" "$(tail -n 1 "$work/log")" wait_for 20 state_is waiting-approval
id=$("$evmend" cases --json -c "$work/config.yaml" | sed -n 's/.*"id":\([0-9]*\).*/\1/p' | head -n 1)
expect "cases lists it" 0 "waiting-approval" cases
expect "case shows the very command" 0 "evmend approve $id" case "$id"
expect "status --check warns" 1 "EVMEND WARNING" status --check
expect "a case that is none" 3 "there is no case" case 99
expect "a word that is none" 3 "is no case" case ninety
expect "approve of a case that is none" 3 "there is no case" approve 99
expect "hold needs a reason" 3 "--reason" hold
expect "hold" 0 "nothing is changed" hold ex1.lab.example --reason "a test"
expect "hold of an unknown host" 3 "is not configured" hold ex9.lab.example --reason "a test"
expect "approve while held" 0 "approved" approve "$id"
sleep 3
check "while held nothing is repaired" "$(grep -c repair-begin "$work/siem.ndjson")" eval '! grep -q repair-begin "$work/siem.ndjson"'
expect "the hold ends" 0 "ended" hold ex1.lab.example --off
repaired() { grep -q '"what":"repair-end"' "$work/siem.ndjson"; }
check "then the approved plan is carried out" "$(tail -n 1 "$work/log")" wait_for 40 repaired
check "and the lab works" "it does not" eval '"$lab_bin" request "$work/lab" >"$work/request" 2>&1'
expect "explain shows the finding" 0 "  finding  " explain "$id" --full
check "explain tells of approval, intent, outcome, proof" "$(grep -c ledger "$work/out")" \
	eval 'out "  approval  " && out "  intent  " && out "  outcome  " && out "  verify  " && out "  repair-end  "'
expect "explain --json" 0 '"kind":"explain"' explain "$id" --json
expect "close needs a reason" 3 "--reason" close "$id"
stop || not_ok "the agent ends" "code $?"
expect "ledger verify" 0 "" ledger verify
expect "hold without an agent" 0 "no agent runs" hold --reason "overnight"
check "the agent starts again" "not up" start
ev status --json
check "and knows of the hold" "$(cut -c1-300 "$work/out")" out overnight
stop
exit $bad
