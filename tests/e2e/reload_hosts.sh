#!/bin/bash
# A reload that puts the hosts in another order while a repair is under way: what is found meanwhile about one host becomes no case of another.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
host=ex1.lab.example other=ex2.lab.example
trap 'clean_up; "$lab_bin" stop "$work/lab2" >/dev/null 2>&1' EXIT
"$lab_bin" init "$work/lab" >"$work/init" && "$lab_bin" start "$work/lab" --daemon >>"$work/init" || not_ok "a lab starts" "$(cat "$work/init")"
"$lab_bin" init "$work/lab2" --name EX2 --fqdn $other >"$work/init2" && "$lab_bin" start "$work/lab2" --daemon >>"$work/init2" || not_ok "another one" "$(cat "$work/init2")"

write_config() { # the first host, the second
	cat >"$work/config.yaml" <<YAML
state_dir: state
sources:
  - {name: events, kind: follow, path: events.xml}
hosts:
  - $1
  - $2
remedies: {exchange_backend: {mode: auto, settle: 1s}}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {idle_after: 1s, diagnose_every: 0, step: 6s, repair: 40s}
YAML
}
# the first call of this step answers late
first="{name: $host, aliases: [EX1], command: [$lab_bin, host, $work/lab, --fault, 'delay:apply:1']}"
plain="{name: $host, aliases: [EX1], command: [$lab_bin, host, $work/lab]}"
second="{name: $other, aliases: [EX2], command: [$lab_bin, host, $work/lab2]}"
# forged HOST: events of a deleted certificate and of a dead endpoint, as of now
forged() {
	sed "s/[Ee][Xx]1\.cloud\.frankysweb\.de/$1/g; s/SystemTime='[^']*'/SystemTime='$(now)'/" tests/data/samples/stories/S-FORGED.xml >"$work/now.xml"
	cat "$work/now.xml" >>"$work/events.xml"
}
cases_of() { "$evmend" cases --all --json -c "$work/config.yaml" 2>/dev/null | grep '"cause":"exchange-backend-certificate"' | grep -c "\"host\":\"$1\""; }
has_case() { [ "$(cases_of "$1")" -ge 1 ]; }

write_config "$first" "$second"
: >"$work/events.xml"
"$lab_bin" break "$work/lab" unbind >/dev/null || not_ok "the lab breaks" "$?"
check "the agent starts" "not up" start
forged $host
begun() { grep -q '"what":"repair-begin"' "$work/siem.ndjson" 2>/dev/null; }
ended() { grep -q '"what":"repair-end"' "$work/siem.ndjson" 2>/dev/null; }
check "a repair begins" "$(tail -n 3 "$work/log")" wait_for 20 begun
write_config "$second" "$plain"
kill -HUP "$agent"
check "the other order is loaded" "$(tail -n 3 "$work/log")" wait_for 20 said "reloaded"
check "the repair is still under way" "it has ended" eval '! ended'
forged $other
check "its events are a case of their host" "$("$evmend" cases --all -c "$work/config.yaml")" wait_for 40 has_case $other
check "and of nobody else" "$("$evmend" cases --all -c "$work/config.yaml")" test "$(cases_of $host)" -eq 1
check "the repair ends" "$(tail -n 3 "$work/log")" wait_for 40 ended
check "well" "$(grep repair-end "$work/siem.ndjson")" grep -q '"result":"healed"' "$work/siem.ndjson"
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
