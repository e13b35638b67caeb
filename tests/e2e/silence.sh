#!/bin/bash
# A person silences a rule: its findings are counted and not told, over restarts too; when the silence ends, one record has the count.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

rule 4711
rule 4712
rule 4713
sed -i 's/^level: low/name: tester-says-4711\n&/' "$work/rules/r4711.yml"
printf 'evmend: {shadow: true}\n' >>"$work/rules/r4713.yml"
configure
: >"$work/in.xml"
feed() { event "$@" >>"$work/in.xml"; }
lines() { cat "$work"/siem.ndjson* 2>/dev/null | grep '"kind":"finding"' | grep -c -- "$1"; }
# The last event of each round is one that nobody silences: when it was told, the ones before it were looked at.
round() {
	local had
	had=$(lines -000000004712)
	feed 4712
	wait_for 20 eval "[ \$(lines -000000004712) -gt $had ]"
}
held() { "$evmend" silence list --json -c "$work/config.yaml" | sed -n 's/.*"held":\([0-9]*\).*/\1/p' | head -n 1; }
is_held() { [ "$(held)" = "$1" ]; }

expect "silence list before any agent ran" 4 "no agent has run" silence list
check "the agent starts" "not up" start
expect "nothing is silenced" 0 "nothing is silenced" silence list
expect "a silence needs an end" 3 "until when?" silence tester-says-4711 --why "a test"
expect "a silence needs a reason" 3 "why?" silence tester-says-4711 --for 1h
expect "a year is the most" 3 "at most" silence tester-says-4711 --for 800d --why "a test"
expect "in either way" 3 "within a year" silence tester-says-4711 --until 2099-01-01 --why "a test"
expect "the end lies ahead" 3 "must lie ahead" silence tester-says-4711 --until 2001-01-01 --why "a test"
expect "a rule that is none" 3 "did you mean 'tester-says-4711'" silence tester-says-471 --for 1h --why "a test"
expect "a rule on trial says nothing anyway" 3 "on trial" silence 00000000-0000-4000-8000-000000004713 --for 1h --why "a test"
expect "a field without a value" 3 "NAME=VALUE" silence tester-says-4711 --for 1h --why "a test" --field Text
expect "silence" 0 "is not told until" silence tester-says-4711 --for 2h --why "planned work" --who Jo --field 'Text=H?LL*'
expect "the same again is not made" 3 "silence 1 is the same: until 20" silence tester-says-4711 --for 4h --why "more" --field 'Text=H?LL*'
expect "silence of one host" 0 "is not told until" silence 00000000-0000-4000-8000-000000004712 --host quiet.example --for 2h --why "patch day"
feed 4711
feed 4711
feed 4712 quiet.example
feed 4713
check "the agent reads on" "$(tail -n 1 "$work/log")" round
check "what is silenced is not told" "$(lines -000000004711) findings" test "$(lines -000000004711)" -eq 0
check "nor of the host" "$(lines quiet.example) findings" test "$(lines quiet.example)" -eq 0
check "it is counted" "$(held)" wait_for 10 is_held 2
expect "status shows it" 0 "silenced: Tester says 4711 until" status
check "with its count and reason" "$(cat "$work/out")" eval 'out "2 held back: planned work"'
check "and what a rule on trial saw" "$(cat "$work/out")" out "Tester says 4713, 1 on trial"
expect "status --json" 0 '"shadow":1' status --json
expect "and what is kept of correlations" 0 'correlations: 0 groups in' status
check "and of computers" "$(cat "$work/out")" grep -q 'computers: [1-9][0-9]* known in [0-9]* kB, 0 given up, 0 matches without room' "$work/out"
expect "the same for programs" 0 '"hosts_evicted":0,"hosts_refused":0}' status --json
check "with the rest" "$(cat "$work/out")" grep -q '"counts":{"events":[1-9].*"groups":0,.*"groups_evicted":0,"coarser":0,"missing_field":0,"hosts":[1-9]' "$work/out"
expect "the list has who" 0 "Jo (uid" silence list
expect "the ledger has it" 0 "planned work" ledger
stop || not_ok "the agent ends" "code $?"
expect "a silence without an agent" 0 "no agent runs" silence 00000000-0000-4000-8000-000000004711 --for 3s --why "short"
feed 4711
check "the agent starts again" "not up" start
check "and reads on" "$(tail -n 1 "$work/log")" round
check "the silence outlived the agent" "$(lines -000000004711) findings" test "$(lines -000000004711)" -eq 0
check "with its count" "$(held)" wait_for 10 is_held 3
kill -KILL "$(pid_of watch)"
feed 4711
check "a killed watch reads on" "$(tail -n 1 "$work/log")" round
check "and knows the silence" "$(lines -000000004711) findings" test "$(lines -000000004711)" -eq 0
ended() { cat "$work"/siem.ndjson* | grep '"kind":"silence-ended"' | grep -q "\"silence\":$1,.*\"count\":$2"; }
check "one that is over ends by itself" "$(grep silence-ended "$work/siem.ndjson")" wait_for 20 ended 3 0
expect "end" 0 "has ended" silence end 1
check "one record tells what it held back" "$(grep silence-ended "$work/siem.ndjson")" wait_for 10 ended 1 4
expect "a silence that is none" 3 "there is no silence 1" silence end 1
feed 4711 loud.example
check "after the end findings are told again" "$(tail -n 1 "$work/log")" wait_for 20 eval '[ "$(lines -000000004711)" -eq 1 ]'
ev ledger --json
check "the ledger has each begin and end" "$(grep -c '"kind":"silence"' "$work/out")" test "$(grep -c '"kind":"silence"' "$work/out")" -eq 5
expect "ledger verify" 0 "" ledger verify
check "each end was told once" "$(grep -c silence-ended "$work/siem.ndjson")" test "$(cat "$work"/siem.ndjson* | grep -c silence-ended)" -eq 2
# a budget: two a day, the rest as a count
sed -i 's/^level: low/&\nevmend: {budget: 2\/1d}/' "$work/rules/r4711.yml"
kill -HUP "$agent"
check "rules are read again" "$(tail -n 1 "$work/log")" wait_for 10 said reloaded
for _ in 1 2 3 4; do feed 4711 noisy.example; done
check "the agent reads on after that" "$(tail -n 1 "$work/log")" round
check "so many are told each by itself as the budget has" "$(lines noisy.example)" test "$(lines noisy.example)" -eq 2
over() { ev status && out "Tester says 4711, 2 over the budget"; }
check "status shows the rest" "$(cat "$work/out")" wait_for 10 over
stop || not_ok "the agent ends again" "code $?"
exit $bad
