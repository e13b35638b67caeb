#!/bin/bash
# rules test: what passes, what fails and how it is told, in text, JSON and JUnit XML.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
is() { # is NAME GOT WANT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: '$2', not '$3'"; bad=1; fi
}
rules=$TMP/rules
mkdir -p "$rules/tests/stopped"
cat >"$rules/stopped.yml" <<'X'
title: Stopped
id: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3d21
name: stopped
level: low
logsource: {product: windows, service: system}
detection:
    selection: {EventID: 7036, param2: stopped}
    condition: selection
---
title: Stopped twice
id: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3d22
name: stopped-twice
level: low
correlation: {type: event_count, rules: stopped, timespan: 1m, group-by: host, condition: {gte: 2}}
X
event() { # event ID PARAM2 SECOND
	printf "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager'/><EventID>%s</EventID><TimeCreated SystemTime='2026-01-31T10:00:%02dZ'/><EventRecordID>%s</EventRecordID><Channel>System</Channel><Computer>EX1</Computer></System><EventData><Data Name='param2'>%s</Data></EventData></Event>\n" "$1" "$3" "$3" "$2"
}
cp -r "$rules/tests/stopped" "$rules/tests/stopped-twice"
(event 7036 stopped 1) >"$rules/tests/stopped/match.xml"
(event 7036 running 1) >"$rules/tests/stopped/nomatch.xml"
(event 7036 stopped 1; event 7036 running 2; event 7036 stopped 3) >"$rules/tests/stopped/count-2.xml"
(event 7036 stopped 1; event 7036 stopped 2) >"$rules/tests/stopped-twice/count-1.xml"
(event 7036 stopped 1) >"$rules/tests/stopped-twice/count-0-once.xml"
code() { "$EVMEND" rules test "$rules" "$@" >"$TMP/out" 2>"$TMP/err"; echo $?; }
is "all as they must be" "$(code --junit "$TMP/j.xml")" 0
is "the sum" "$(tail -n 1 "$TMP/out")" "2 rules passed, 0 failed, 0 untested, 0 refused; 5 files"
is "JUnit counts the files" "$(grep -c '<testcase classname="stopped[a-z-]*" name="[a-z0-9-]*.xml"/>' "$TMP/j.xml")" 5
is "JUnit is XML" "$(xmllint --noout "$TMP/j.xml" 2>&1)" ""

mkdir "$rules/tests/zz"
(event 7036 stopped 1) | tee "$rules/tests/stopped/foo.xml" >"$rules/tests/match.xml"
: >"$rules/tests/stopped/match-3.evtx"
: >"$rules/tests/stopped/README"
is "what looks like a test and is none ends with 2" "$(code -q --junit "$TMP/j.xml")" 2
is "a wrong name is told" "$(grep -c '/tests/stopped/foo.xml is not run: tests are named match' "$TMP/err")" 1
is "a wrong ending too" "$(grep -c '/tests/stopped/match-3.evtx is not run: ' "$TMP/err")" 1
is "a test of no rule" "$(grep -c '/tests/match.xml is not run: ' "$TMP/err")" 1
is "the folder of no rule" "$(grep -c '/tests/zz is for no rule that is loaded from ' "$TMP/err")" 1
is "nothing else, and the sum has them" "$(wc -l <"$TMP/err") $(tail -n 1 "$TMP/out")" "4 2 rules passed, 0 failed, 0 untested, 0 refused; 5 files; 4 stray"
is "JUnit has them" "$(grep -c '<failure message="is not run: \|<failure message="is for no rule' "$TMP/j.xml")" 4
rm -r "$rules/tests/zz" "$rules/tests/match.xml" "$rules/tests/stopped/foo.xml" "$rules/tests/stopped/match-3.evtx"

(event 7036 running 1) >"$rules/tests/stopped/match-2.xml"
(event 7036 stopped 1) >"$rules/tests/stopped/nomatch-2.xml"
mv "$rules/tests/stopped/count-2.xml" "$rules/tests/stopped/count-3.xml"
mv "$rules/tests/stopped-twice/count-1.xml" "$rules/tests/stopped-twice/match.xml"
rm "$rules/tests/stopped-twice/count-0-once.xml"
printf 'title: Bad <rule>\nid: x\n' >"$rules/refused.yml"
is "failures end with 2" "$(code --junit "$TMP/j.xml")" 2
is "an event that must match tells why it does not" \
	"$(grep -A 8 'match-2.xml: matched 0 of 1 events' "$TMP/out" | grep -c "> no     param2: 'stopped'   the event has 'running'")" 1
is "an event that must not match is explained" "$(grep -A 1 'nomatch-2.xml: matched 1 events, and must match none' "$TMP/out" | tail -n 1)" \
	"event 1 of the file (event id 7036) matches:"
is "a count" "$(grep -c 'count-3.xml: matched 2 events, and must match 3' "$TMP/out")" 1
is "a rule without both kinds is untested" "$(grep -c '^untested stopped-twice' "$TMP/out")" 1
is "a refused rule is told" "$(grep -c 'refused.yml:1:1: ' "$TMP/err")" 1
is "the sum of failures" "$(tail -n 1 "$TMP/out")" "0 rules passed, 1 failed, 1 untested, 1 refused; 6 files"
is "JUnit has each failure" "$(grep -c '<failure message=' "$TMP/j.xml") $(grep -o '<testsuite .*failures="[0-9]*"' "$TMP/j.xml" | grep -o '[0-9]*"$')" '5 5"'
is "JUnit is still XML" "$(xmllint --noout "$TMP/j.xml" 2>&1)" ""
is "JSON has the explanation" "$(code --json; grep -c '"test":"match-2.xml","result":"failed",.*"explanation":"event 1' "$TMP/out")" "2
1"
is "a file that cannot be written" "$(code --junit "$TMP/none/j.xml")" 4
exit $bad
