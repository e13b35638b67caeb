#!/bin/bash
# rules check: exit codes, the three forms and what --strict changes.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
is() { # is NAME GOT WANT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: '$2', not '$3'"; bad=1; fi
}
code() { "$EVMEND" rules check "$@" >"$TMP/out" 2>"$TMP/err"; echo $?; }
sed 's/ #!.*//' tests/data/lint/fields.yml | awk '/^---$/ { exit } { print }' >"$TMP/warns.yml"

is "a warning alone ends with 0" "$(code "$TMP/warns.yml")" 0
is "it says file, line, column, what to write and which check" \
	"$(grep -c "warns.yml:7:9: warning: .*add 'Provider_Name: ...' \[no-provider\]$" "$TMP/out")" 1
is "with --strict it ends with 2" "$(code --strict "$TMP/warns.yml")" 2
is "--quiet leaves warnings out" "$(code --quiet "$TMP/warns.yml"; grep -c warning: "$TMP/out")" "0
0"
is "an error ends with 2" "$(code tests/data/lint/syntax.yml)" 2
is "a broken file has its line" "$(grep -c '^tests/data/lint/syntax.yml:4:[0-9]*: error: .*\[yaml-syntax\]$' "$TMP/out")" 1
is "our own rules are strictly clean" "$(code --strict rules/exchange)" 0
is "JSON is lines" "$(code --json "$TMP/warns.yml"; grep -c '^{"v":1,"kind":"\(rule-problem\|summary\)".*}$' "$TMP/out")" "0
2"
is "SARIF is one document" "$(code --sarif "$TMP/warns.yml"; grep -c '^{"$schema":.*"version":"2.1.0".*"ruleId":"no-provider".*}$' "$TMP/out")" "0
1"
# what may lie in a folder that others write to: nothing hangs, each folder is read once, and it is told
mkdir "$TMP/odd" "$TMP/odd/sub"
cp rules/exchange/hop-trust-failed.yml "$TMP/odd/sub/"
mkfifo "$TMP/odd/pipe.yml"
ln -s .. "$TMP/odd/sub/up"
ln -s /nowhere "$TMP/odd/gone.yml"
is "pipes, circles and dangling links do not stop it" "$(timeout 20 "$EVMEND" rules check "$TMP/odd" >"$TMP/out" 2>&1; echo $?)" 2
is "the pipe is told" "$(grep -c 'odd/pipe.yml:1:1: error: cannot be read: it is a pipe, ' "$TMP/out")" 1
is "the circle is told, and walked once" "$(grep -c 'odd/sub/up:1:1: warning: is the folder .*/odd again; it is read once' "$TMP/out")" 1
is "the dangling link is told" "$(grep -c 'odd/gone.yml:1:1: error: is a link that leads nowhere' "$TMP/out")" 1
is "the rule beside them is loaded once" "$(tail -n 1 "$TMP/out" | grep -c '^1 rules\{0,1\} loaded, 2 refused')" 1
is "a pipe that is named is read" "$(timeout 20 "$EVMEND" rules check <(cat "$TMP/warns.yml") >/dev/null; echo $?)" 0
is "a rule with many faults is told in one run" "$(code tests/data/lint/many.yml; sed -n '$p' "$TMP/out")" "2
0 rules loaded, 3 refused; 31 errors, 1 warning"
is "an option of another word" "$(code --junit "$TMP/x" rules/exchange; grep -c "option of rules test; rules check has none" "$TMP/err")" "3
1"
is "--rules beside PATH is refused with what to write" "$(code -r rules "$TMP/warns.yml"; grep -c "write: evmend rules check rules" "$TMP/err")" "3
1"
mkdir "$TMP/capitals" && cp "$TMP/warns.yml" "$TMP/capitals/RULE.YML"
is "a file of capitals is read" "$(code "$TMP/capitals"; tail -n 1 "$TMP/out")" "0
1 rule loaded, 0 refused; 0 errors, 1 warning"
: >"$TMP/empty.yml"
is "an empty file is told" "$(code "$TMP/empty.yml"; grep -c "empty.yml:1:1: warning: the file is empty" "$TMP/out")" "0
1"
printf '\357\273\277' | cat - "$TMP/warns.yml" >"$TMP/mark.yml"
is "a byte order mark is no fault" "$(code "$TMP/mark.yml"; grep -c "mark.yml:7:9: warning: .*no-provider" "$TMP/out")" "0
1"
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$TMP/warns.yml"; } >"$TMP/wide.yml"
is "UTF-16 is refused with what to do" "$(code "$TMP/wide.yml"; grep -c "is UTF-16; save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)" "$TMP/out")" "2
1"
is "not both forms" "$(code --json --sarif "$TMP/warns.yml")" 3
exit $bad
