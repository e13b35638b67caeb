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
grep '"why":"can-fire"' "$work/coverage" | sed 's/.*"host":"\([^"]*\)","rule":"\([^"]*\)".*/\1 \2/' | tr '[:upper:]' '[:lower:]' | LC_ALL=C sort -u >"$work/can"
"$evmend" scan --json tests/data/samples 2>/dev/null | grep '"kind":"finding"' |
	sed 's/.*"reported_by":"\([^"]*\)".*"rule":{"id":"[^"]*","name":"\([^"]*\)".*/\1 \2/' | tr '[:upper:]' '[:lower:]' | LC_ALL=C sort -u >"$work/fired"
check "the samples fire" test "$(wc -l <"$work/fired")" -gt 20
check "every rule that fires on a host can fire there" test -z "$(LC_ALL=C comm -23 "$work/fired" "$work/can")"
check "and not every rule can" grep -q '"why":"channel-never-seen"' "$work/coverage"
check "the summary counts" grep -q '"kind":"summary","events":[1-9][0-9]*,"hosts":3,' "$work/coverage"
"$evmend" rules coverage tests/data/samples >"$work/coverage" 2>"$work/err"
check "people see what is missing" grep -q 'channel never seen: Security' "$work/coverage"
check "in a few lines" test "$(wc -l <"$work/coverage")" -lt 45
"$evmend" rules coverage >"$work/coverage" 2>&1
check "coverage needs files" test $? -eq 3

# cost: who is asked, who holds, who is on trial
trial=(--rules tests/cases/scan-shadow/rules tests/data/samples/F01.xml)
"$evmend" rules cost --json "${trial[@]}" >"$work/cost" 2>"$work/err"
check "cost ends well" test $? -eq 0
check "each rule has its hits" test "$(grep -c '"kind":"rule-cost".*"asked":1,"held":1,' "$work/cost")" -eq 2
check "one is on trial" grep -q '"rule":"on-trial".*"shadow":true' "$work/cost"
check "the summary counts what it matched" grep -q '"kind":"summary","events":1,"rules":2,"rules_asked":2,.*"shadow":1,' "$work/cost"
"$evmend" rules cost "${trial[@]}" >"$work/cost" 2>"$work/err"
check "people see a table" grep -q '1 matches of rules on trial' "$work/cost"
"$evmend" rules cost tests/data/samples --json >"$work/cost" 2>"$work/err"
check "nothing holds that was not asked" test -z "$(grep '"asked":0,"held":[1-9]' "$work/cost")"
exit $bad
