#!/bin/bash
# Rules change under a running agent: with a signal and without, for the better and the worse. What is worse never takes over.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

rule 4711
rule 4712
cat >"$work/rules/many.yml" <<'YAML'
title: Three times
name: three-times
level: high
id: 00000000-0000-4000-8000-000000009000
correlation: {type: event_count, rules: [00000000-0000-4000-8000-000000004712], timespan: 10m, group-by: [Text], condition: {gte: 3}, generate: true}
YAML
configure
: >"$work/in.xml"
feed() { event "$@" >>"$work/in.xml"; }
lines() { cat "$work"/siem.ndjson* 2>/dev/null | grep '"kind":"finding"' | grep -c -- "$1"; }
count() { grep -cF -- "$1" "$work/log"; }
loads=0 refusals=0
loaded() { [ "$(count 'rules reloaded')" -gt "$loads" ]; }
refused() { [ "$(count 'reload refused, the rules')" -gt "$refusals" ]; }
takes() { # NAME: without a signal
	check "$1" "$(tail -n 2 "$work/log")" wait_for 15 loaded
	loads=$(count 'rules reloaded')
}
refuses() {
	check "$1" "$(tail -n 2 "$work/log")" wait_for 15 refused
	refusals=$(count 'reload refused, the rules')
}
tells() { # ID NAME: an event of that id is a finding
	local had
	had=$(lines "00000000$1")
	feed "$1"
	check "$2" "no new finding of $1" wait_for 15 eval "[ \$(lines 00000000$1) -gt $had ]"
}
replace() { cp "$work/new" "$work/$1.tmp" && mv "$work/$1.tmp" "$work/$1"; } # as editors do

check "the agent starts" "not up" start
expect "status shows the set" 0 "rules: 3, loaded 20" status
tells 4712 "the rules work"

# windows outlive a change of other rules, and a killed watch
rule 4713
takes "a new rule, without a signal"
tells 4713 "it works"
tells 4712 "the second of three"
kill -KILL "$(pid_of watch)"
tells 4712 "the third, behind a change of the rules and a death"
check "the correlation counts over both" "$(lines three-times) findings" wait_for 15 eval '[ "$(lines 000000009000)" -eq 1 ]'

sed 's/EventID: 4713/EventID: 4714/' "$work/rules/r4713.yml" >"$work/new"
replace rules/r4713.yml
takes "a rule that an editor replaced by rename"
feed 4714
check "says what it says now" "no finding" wait_for 15 eval '[ "$(lines 000000004713)" -eq 2 ]'

# worse: refused, told, and the old one works
sed -i 's/condition: selection/condition: selektion/' "$work/rules/r4713.yml"
refuses "a rule that is broken"
expect "status says where and why" 0 "r4713.yml:" status
check "and that it was refused" "$(cat "$work/out")" out "changed rules were refused 20"
check "with the set that goes on" "$(cat "$work/out")" out "rules: 4, loaded"
expect "for programs too" 0 '"refused":{"time":"20' status --json
expect "and for Nagios" 1 "changed rules are refused" status --check
feed 4714
check "the rule of before goes on" "no finding" wait_for 15 eval '[ "$(lines 000000004713)" -eq 3 ]'
kill -HUP "$agent"
refuses "with a signal it is refused too"
check "the receivers are opened anew" "$(tail -n 3 "$work/log")" wait_for 10 eval 'sed "1,/reload refused; the rules/d" "$work/log" | grep -q "receivers opened again"'
check "and nobody says that anything was reloaded" "$(tail -n 3 "$work/log")" eval '! sed "1,/reload refused; the rules/d" "$work/log" | grep -q reloaded'
cp "$work/new" "$work/rules/r4713.yml"
takes "it is mended"
ev status
check "and status says nothing of it any more" "$(cat "$work/out")" eval '! out "were refused"'

echo "title: [broken" >"$work/rules/also.yml"
rule 4715
takes "a file that never was good stops nobody"
check "it is told" "not told" said "also.yml:"
expect "and counted" 0 "1 problems in their files" status
tells 4715 "the rest of that set works"
rm "$work/rules/also.yml"
takes "and goes"

rm "$work/rules/r4712.yml"
refuses "a rule is deleted that a correlation needs"
check "the correlation is named" "$(tail -n 2 "$work/log")" eval 'grep "reload refused" "$work/log" | tail -n 1 | grep -q many.yml:'
tells 4712 "the deleted rule goes on meanwhile"
rm "$work/rules/many.yml"
takes "both are deleted"
check "what was open of the correlation is counted" "$(tail -n 1 "$work/log")" said "dropped_correlations=1"

mv "$work/rules" "$work/away"
mkdir "$work/rules"
refuses "an empty folder"
check "it says what is wrong" "$(tail -n 1 "$work/log")" said "no rule is left"
rmdir "$work/rules"
refuses "no folder"
tells 4711 "the old rules go on"
cp -r "$work/away" "$work/fresh"
rm "$work/fresh/r4713.yml"
mv "$work/fresh" "$work/rules"
takes "a folder that comes by rename"
tells 4711 "its rules work"

printf 'placeholders:\n  nobody: [hello]\n' >"$work/rules/placeholders.yml"
takes "placeholders are looked at"
stop || not_ok "the agent ends" "code $?"
exit $bad
