#!/bin/bash
# rules list: each filter alone, filters together, and what is no level.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
is() { # is NAME GOT WANT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: '$2', not '$3'"; bad=1; fi
}
rule() { # rule NAME LEVEL STATUS LOGSOURCE TAGS
	printf 'title: %s\nid: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3e0%s\nname: %s\nlevel: %s\nstatus: %s\nlogsource: {%s}\ntags: [%s]\ndetection: {s: {A: b}, condition: s}\n---\n' \
		"$1" "$n" "$1" "$2" "$3" "$4" "$5"
	n=$((n + 1))
}
n=1
{
	rule low-system low stable "product: windows, service: system" attack.t1059
	rule high-process high test "product: windows, category: process_creation" "attack.t1059.001, attack.execution"
	rule critical-security critical test "product: windows, service: Security" attack.t10591
	printf 'title: Many\nname: many\nlevel: high\nid: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3e09\ncorrelation: {type: event_count, rules: low-system, timespan: 1m, condition: {gte: 2}}\n'
} >"$TMP/r.yml"
names() { "$EVMEND" rules list -r "$TMP/r.yml" --json "$@" 2>/dev/null | sed 's/.*"name":"\([^"]*\)".*/\1/' | tr '\n' ' '; }
is "all" "$(names)" "low-system high-process critical-security many "
is "--level is a minimum" "$(names --level high)" "high-process critical-security many "
is "--tag takes those below it" "$(names --tag ATTACK.T1059)" "low-system high-process "
is "each --tag must be there" "$(names --tag attack.t1059 --tag attack.execution)" "high-process "
is "--category" "$(names --category process_creation)" "high-process "
is "--service, case apart" "$(names --service security)" "critical-security "
is "--product" "$(names --product windows)" "low-system high-process critical-security "
is "--status" "$(names --status test)" "high-process critical-security "
is "--kind" "$(names --kind correlation)" "many "
is "filters together" "$(names --level high --status test --service security)" "critical-security "
is "the table" "$("$EVMEND" rules list -r "$TMP/r.yml" --level critical 2>/dev/null | sed 's/  */ /g')" "Level Type Rule Source Cause Then Title
critical event critical-security Security critical-security"
says() { "$EVMEND" rules list -r "$TMP/r.yml" "$@" 2>&1 >/dev/null | head -n 1; }
is "a status that no rule has" "$(says --status nope)" "no rule has the status 'nope'; the rules have stable, test"
is "a category that is nearly one" "$(says --category proces_creation)" "no rule has the category 'proces_creation'; did you mean 'process_creation'?"
is "filters that exclude each other are no typing error" "$(says --status stable --category process_creation)" "0 of 4 rules"
"$EVMEND" rules list -r "$TMP/r.yml" --sarif >/dev/null 2>"$TMP/err"
is "an option of another word" "$? $(grep -c "option of rules check; rules list has none" "$TMP/err")" "3 1"
"$EVMEND" rules list --level hihg >/dev/null 2>"$TMP/err"
is "a level that is none" "$? $(grep -c "not 'hihg'" "$TMP/err")" "3 1"
exit $bad
