#!/bin/bash
# What a person decides, and when the agent may decide by itself: windows, holds with an end, an approval of one plan alone.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 || { not_ok "the lab" "$(cat "$work/init")"; exit 1; }
mkdir -p "$work/rules"
day=$(date -u -d '+2 days' +%a | tr '[:upper:]' '[:lower:]')
opens=$(date -u -d '+2 days' +%F)T00:00:00
cat >"$work/config.yaml" <<YAML
state_dir: state
sources:
  - {name: log, kind: follow, path: lab/events.xml}
hosts: [{name: ex1.lab.example, aliases: [EX1], group: dag1, command: [$lab_bin, host, $work/lab]}]
remedies:
  exchange_backend:
    mode: auto
    settle: 1s
    windows: [{days: [$day], from: "00:00", to: "24:00", zone: UTC}]
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {idle_after: 1s, diagnose_every: 0, approval: 10m}
YAML
told() { grep -F '"kind":"refusal"' "$work/siem.ndjson" 2>/dev/null | grep -qF -- "$1"; }
recorded() { ev ledger --json && out "$1"; }

expect "check says when a window opens" 0 "window: $day 00:00 to 24:00 UTC: opens $opens" check
check "the agent starts" "not up" start
"$lab_bin" break "$work/lab" delete-certificate >/dev/null
"$lab_bin" request "$work/lab" >/dev/null 2>&1
check "outside its window it refuses, and says until when" "$(tail -n 1 "$work/log")" wait_for 30 told "\"reason\":\"window\""
check "with the next opening" "$(grep refusal "$work/siem.ndjson" | cut -c1-300)" told "\"not_before\":\"$opens.000000Z\""
id=$("$evmend" cases --json -c "$work/config.yaml" | sed -n 's/.*"id":\([0-9]*\).*/\1/p' | head -n 1)
expect "an approval of another plan is refused" 6 "not 0123456789ab" approve "$id" --plan 0123456789ab
expect "and of a plan that is hardly named" 6 "at least 8 digits" approve "$id" --plan 01

ev hold --for 3s --reason "a short one"
check "a hold with an end says when that is" "$(cat "$work/out")" out "nothing is changed until 20"
expect "a hold has one end" 3 "either --for or --until" hold --for 1h --until 2099-01-01 --reason x
expect "its end lies ahead" 3 "must lie ahead" hold --until 2001-01-01 --reason x
expect "--for is a time" 3 "such as 90m" hold --for soon --reason x
check "the hold ends by itself, and the ledger says so" "$(tail -n 3 "$work/log")" wait_for 20 recorded '"hold":"ended"'

ev approve "$id"
check "an approval shows the plan" "$(cat "$work/out")" eval 'out "Plan " && out "  1. " && out "undo: " && out "is approved, once"'
repaired() { grep -q '"what":"repair-end"' "$work/siem.ndjson"; }
check "and counts outside a window" "$(tail -n 1 "$work/log")" wait_for 40 repaired
check "the window was told once" "$(grep -c refusal "$work/siem.ndjson")" eval '[ "$(grep -F "\"kind\":\"refusal\"" "$work/siem.ndjson" | grep -cF "\"reason\":\"window\"")" -eq 1 ]'
closed() { ev close "$id" --reason "a test"; }
check "the case is closed" "$(cat "$work/out")" wait_for 10 closed
expect "a closed case has nothing to approve" 6 "closed" approve "$id"
stop || not_ok "the agent ends" "code $?"

expect "a hold with an end, without an agent" 0 "nothing is changed until 2099-01-01T00:00:00" hold ex1.lab.example --until 2099-01-01 --reason "long"
check "the agent starts again" "not up" start
ev status --json
check "and knows until when" "$(cut -c1-300 "$work/out")" out "held until 2099-01-01T00:00:00"
stop
exit $bad
