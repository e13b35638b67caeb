#!/bin/bash
# What scan says beside its findings: what a rule is tagged with, rules that are refused, files without any event.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
is() { # is NAME GOT WANT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: '$2', not '$3'"; bad=1; fi
}
mkdir "$TMP/rules"
cat >"$TMP/rules/r.yml" <<'Y'
title: A stopped service
id: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3f01
name: stopped
tags: [attack.t1489, attack.impact]
logsource: {product: windows, service: system}
detection: {s: {EventID: 7036}, condition: s}
level: low
Y
cat >"$TMP/one.xml" <<'X'
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager'/><EventID>7036</EventID><TimeCreated SystemTime='2026-01-31T10:00:00Z'/><EventRecordID>1</EventRecordID><Channel>System</Channel><Computer>EX1</Computer></System><EventData><Data Name='param1'>Print Spooler</Data></EventData></Event>
X
scan() { "$EVMEND" scan --rules "$TMP/rules" "$@" 2>"$TMP/err"; }
is "a finding carries the tags of its rule" \
	"$(scan --json "$TMP/one.xml" | grep -c '"title":"A stopped service","tags":\["attack.t1489","attack.impact"\]},"cause":null')" 1
is "the summary counts refused rules" "$(scan --json "$TMP/one.xml" | grep -c '"rules":1,"refused":0,')" 1
echo 'title: broken' >"$TMP/rules/broken.yml"
is "one that is" "$(scan --json "$TMP/one.xml" | grep -c '"rules":1,"refused":1,')" 1
is "for people" "$(scan "$TMP/one.xml" | grep -c ', 1 rule, 1 refused, ')" 1
is "and why" "$(grep -c '^[^ ]*broken.yml:1:1: ' "$TMP/err")" 1
scan --quiet "$TMP/one.xml" >/dev/null
is "--quiet hides why, not that" "$(cat "$TMP/err")" "refused rules: 1; 'evmend rules check' tells why"
rm "$TMP/rules/broken.yml"
scan --quiet "$TMP/one.xml" >/dev/null
is "and says nothing where nothing is refused" "$(cat "$TMP/err")" ""
silent() { scan "$1" >"$TMP/out"; echo "$? $(cat "$TMP/err")"; }
reads="evmend reads Event XML, console text and HttpProxy logs"
printf ' {"EventID": 7036}\n' >"$TMP/e.json"
printf 'time,id\n1,7036\n' >"$TMP/e.csv"
: >"$TMP/e.txt"
is "JSON is named" "$(silent "$TMP/e.json")" "4 no event recognised in $TMP/e.json: it looks like JSON, which is not read; export the log as XML: wevtutil qe System /f:xml"
is "a table is told" "$(silent "$TMP/e.csv")" "0 no event recognised in $TMP/e.csv; $reads"
is "an empty file is told" "$(silent "$TMP/e.txt")" "0 no event recognised in $TMP/e.txt; $reads"
is "a file with an event is not" "$(silent "$TMP/one.xml")" "1 "
mkdir "$TMP/mixed"
cp "$TMP/one.xml" "$TMP/e.json" "$TMP/mixed/"
is "JSON beside events is told, and no failure" "$(silent "$TMP/mixed" | cut -d: -f1)" "1 no event recognised in $TMP/mixed/e.json"
is "nor with threads" "$(scan --threads 2 "$TMP/one.xml" >/dev/null; cat "$TMP/err")" ""
mkdir "$TMP/logs"
cp "$TMP/one.xml" "$TMP/logs/"
mkfifo "$TMP/logs/pipe.xml"
ln -s ../logs "$TMP/logs/again"
is "a pipe in a folder is told and not waited for" "$(timeout 20 "$EVMEND" scan --rules "$TMP/rules" "$TMP/logs" >"$TMP/out" 2>"$TMP/err"; echo $?)" 4
is "by its name" "$(grep -c "logs/pipe.xml cannot be opened: it is a pipe, " "$TMP/err")" 1
is "a folder is read once, whatever leads to it" "$(grep -c '^1 event, ' "$TMP/out") $(grep -c 'logs/again is the folder .*/logs again' "$TMP/err")" "1 1"
is "a pipe that is named is read" "$(scan <(cat "$TMP/one.xml") >/dev/null; echo $?)" 1
# NUMBER events of every third as many hosts: the table has a row for each
hosts() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System>" \
		"<Provider Name=\"P\"/><EventID>7036</EventID><TimeCreated SystemTime=\"2026-01-31T10:%02d:00Z\"/><EventRecordID>%d</EventRecordID>" \
		"<Channel>System</Channel><Computer>h%d.example</Computer></System></Event>\n", i % 60, i, i % (n / 3) }' >"$TMP/hosts.xml"
}
hosts 900
is "findings of one rule and host are one row" "$(scan "$TMP/hosts.xml" | grep -c '^low  *3  ')" 300
hosts 120000
is "many hosts cost no more than sorting" "$( (ulimit -t $((5 * ${EVMEND_TEST_SLOW:-1})); scan "$TMP/hosts.xml") | grep -c '^low  *3  ')" 40000
exit $bad
