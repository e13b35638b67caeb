#!/bin/bash
# What the rule engine says about itself on real events: coverage, cost, tune.
# limit: 120
set -u
cd "$(dirname "$0")/../.." || exit 5
evmend=${EVMEND:-build/evmend}
work=$(mktemp -d "${TMP:-/tmp}/tools.XXXXXX") || exit 5
trap 'rm -rf "$work"' EXIT
bad=0
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok $name"
	else
		sed 's/^/# /' "$work/log" | tail -n 10
		echo "not ok $name"
		bad=1
	fi
}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# coverage: what fires can fire
"$evmend" rules coverage --all --json tests/data/samples >"$work/coverage" 2>"$work/err"
check "coverage ends well" test $? -eq 0
grep '"why":"can-fire"' "$work/coverage" | sed 's/.*"host":"\([^"]*\)","rule":{"id":"[^"]*","name":"\([^"]*\)".*/\1 \2/' | tr '[:upper:]' '[:lower:]' | LC_ALL=C sort -u >"$work/can"
"$evmend" scan --json tests/data/samples 2>/dev/null | grep '"kind":"finding"' |
	sed 's/.*"reported_by":"\([^"]*\)".*"rule":{"id":"[^"]*","name":"\([^"]*\)".*/\1 \2/' | tr '[:upper:]' '[:lower:]' | LC_ALL=C sort -u >"$work/fired"
check "the samples fire" test "$(wc -l <"$work/fired")" -gt 20
check "every rule that fires on a host can fire there" test -z "$(LC_ALL=C comm -23 "$work/fired" "$work/can")"
check "and not every rule can" grep -q '"why":"channel-never-seen"' "$work/coverage"
check "the summary counts" grep -q '"kind":"summary","events":[1-9][0-9]*,"hosts":3,' "$work/coverage"
"$evmend" rules coverage tests/data/samples >"$work/coverage" 2>"$work/err"
check "people see what is missing" grep -q 'channel never seen: Security' "$work/coverage"
check "in a few lines" test "$(wc -l <"$work/coverage")" -lt 45
check "the sum stands first" eval 'head -n 1 "$work/coverage" | grep -q "^[1-9][0-9]* events of 3 hosts: "'
check "an event is one of a channel" grep -q 'event never seen: EventID [0-9, ]* of [A-Z]' "$work/coverage"
host=$(sed -n '3s/  .*//p' "$work/coverage")
"$evmend" rules coverage --host "$host" tests/data/samples >"$work/coverage" 2>"$work/err"
check "one host has each rule with its title" eval '[ "$(grep -c "^$host  " "$work/coverage")" -eq 1 ] && grep -q "^RULE  *TITLE  *MISSING" "$work/coverage" && [ "$(wc -l <"$work/coverage")" -gt 100 ]'
"$evmend" rules coverage --host nobody tests/data/samples >"$work/coverage" 2>"$work/err"
check "a host that sent nothing is told" test $? -eq 3
"$evmend" rules coverage >"$work/coverage" 2>&1
check "coverage needs files" test $? -eq 3

# cost: who is asked, who holds, who is on trial
trial=(--rules tests/cases/scan-shadow/rules tests/data/samples/F01.xml)
"$evmend" rules cost --json "${trial[@]}" >"$work/cost" 2>"$work/err"
check "cost ends well" test $? -eq 0
check "each rule has its hits" test "$(grep -c '"kind":"rule-cost".*"asked":1,"held":1,' "$work/cost")" -eq 2
check "one is on trial" grep -q '"rule":{[^}]*"name":"on-trial",.*"shadow":true' "$work/cost"
check "the summary counts what it matched" grep -q '"kind":"summary","events":1,"rules":2,"rules_asked":2,.*"shadow":1,' "$work/cost"
"$evmend" rules cost "${trial[@]}" >"$work/cost" 2>"$work/err"
check "people see a table" grep -q '1 matches of rules on trial' "$work/cost"
"$evmend" rules cost tests/data/samples --json >"$work/cost" 2>"$work/err"
check "nothing holds that was not asked" test -z "$(grep '"asked":0,"held":[1-9]' "$work/cost")"

# tune: a filter from marked findings, proved
mkdir "$work/rules"
cat >"$work/rules/r.yml" <<'YAML'
title: A service from a user's folder
id: 11111111-2222-4333-8444-555555555555
name: service-from-user-folder
logsource: {product: windows, service: system}
detection:
    selection:
        EventID: 7045
        ImagePath|contains: '\Users\'
    condition: selection
level: medium
YAML
records=0
service() { # SERVICE PATH COMPUTER
	records=$((records + 1))
	printf '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Service Control Manager"/><EventID>7045</EventID><TimeCreated SystemTime="2026-01-02T03:04:%02dZ"/><EventRecordID>%d</EventRecordID><Channel>System</Channel><Computer>%s</Computer></System><EventData><Data Name="ServiceName">%s</Data><Data Name="ImagePath">%s</Data></EventData></Event>\n' "$records" "$records" "$3" "$1" "$2"
}
{ service Backup 'C:\Users\Public\bk*\agent.exe' ex1; service Backup 'C:\Users\Public\bk*\agent.exe' ex2; } >"$work/false.xml"
{ service Evil 'C:\Users\Public\bk1\agent.exe' ex1; service Backup 'C:\Users\joe\x.exe' ex2; } >"$work/true.xml"
cat "$work/false.xml" "$work/true.xml" >"$work/all.xml"
scan() { "$evmend" scan --json --rules "$work/rules" "$@" 2>/dev/null | grep '"kind":"finding"'; }
tune() { "$evmend" rules tune service-from-user-folder --rules "$work/rules" "$@" >"$work/out" 2>"$work/err"; }
tune --false "$work/false.xml" --true "$work/true.xml"
check "tune proposes a filter" test $? -eq 0
check "it says what it proved" grep -q 'all 2 marked as false are gone, none of 2 marked as true is' "$work/out"
mkdir "$work/with"
cp "$work/rules/r.yml" "$work/with"
cp "$work/out" "$work/with/filter.yml"
check "rules check takes it" "$evmend" rules check "$work/with"
"$evmend" scan --json --rules "$work/with" "$work/all.xml" 2>/dev/null | grep '"kind":"finding"' >"$work/left"
check "a scan with it finds what is true alone" test "$(grep -c '"record_id":[34],' "$work/left") $(wc -l <"$work/left")" = "2 2"
scan "$work/false.xml" >"$work/false.ndjson"
cp "$work/out" "$work/first"
tune --false "$work/false.ndjson" --events "$work/all.xml"
check "findings as they were written do as well" cmp <(tail -n +2 "$work/first") <(tail -n +2 "$work/out")
scan "$work/all.xml" | sed 's/^{/{"mark":"false",/; 3,4s/"mark":"false"/"mark":"true"/' >"$work/marks.ndjson"
tune --marks "$work/marks.ndjson" --events "$work/all.xml" --json
check "and marked ones" grep -q '"kind":"filter".*"false":2,"false_gone":2,"true":2,"true_gone":0,' "$work/out"
uid=$(head -n 1 "$work/false.ndjson" | member uid)
tune --false "$uid" --events "$work/all.xml"
check "one that nothing tells apart from a true one but its host" grep -q "Computer: 'ex1'" "$work/out"
tune --false "$work/false.ndjson" --events "$work/true.xml"
check "marks without their events are refused" test $? -eq 3
tune --false "$work/true.xml" --true "$work/all.xml"
check "one mark for each event" test $? -eq 3
check "it is named" grep -q 'event 7045 of 2026-01-02T03:04:0[34].*Z, record [34], is marked as false and as true' "$work/err"
cat "$work/all.xml" "$work/false.xml" >"$work/archive.xml" # holds some events twice, and those that are false as well
tune --false "$work/false.xml" --events "$work/archive.xml"
check "what is said to be false is, also where an archive holds it" test $? -eq 0
check "each event counts once" grep -q 'Proved on 4 findings: all 2 marked as false are gone, none of 2 that count as true is' "$work/out"
check "and the filter is the same" cmp <(tail -n +2 "$work/first") <(tail -n +2 "$work/out")
tune --false "$uid" --true "$uid" --events "$work/all.xml"
check "a uid that is said to be both is refused" grep -q 'is marked as false and as true' "$work/err"
for name in 'A service from a user'"'s folder" 11111111 r.yml "$work/rules/r.yml"; do
	"$evmend" rules tune "$name" --rules "$work/rules" --false "$work/false.xml" --true "$work/true.xml" >"$work/out" 2>"$work/err"
	check "the rule is found by $name" cmp "$work/first" "$work/out"
done
"$evmend" rules tune "$work/rules/r.yml" --false "$work/false.xml" --true "$work/true.xml" >"$work/out" 2>"$work/err"
check "a rule of no folder is tuned alone" cmp "$work/first" "$work/out"
tune --false abc --events "$work/all.xml"
check "a uid that is too short is told" grep -q "'abc' is no file, and a uid has 12 to 64 digits" "$work/err"
sed 's/<EventRecordID>./&9/' "$work/false.xml" >"$work/same.xml"
tune --false "$work/false.xml" --true "$work/same.xml"
check "where nothing differs there is no filter" test $? -eq 2
check "and it says so" grep -q 'no filter: what all 2 false findings have in common, 2 of the true ones have too' "$work/err"
exit $bad
