#!/bin/bash
# The commands that docs/rules.md gives for pre-commit and CI, run as they stand there, on good rules and on a bad one.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
sed -n "/^## Before a commit/,\$p" docs/rules.md | sed -n "s/^ *\(entry:\|- run:\|-\) \(evmend .*\)/\2/p" | sort -u >"$TMP/commands"
if [ "$(wc -l <"$TMP/commands")" -ge 4 ]; then echo "ok the page has commands"; else echo "not ok the page has commands: $(cat "$TMP/commands")"; exit 1; fi
mkdir "$TMP/bin"
ln -s "$(realpath "$EVMEND")" "$TMP/bin/evmend"
cp -r rules/exchange "$TMP/rules"
export PATH=$TMP/bin:$PATH
cd "$TMP" || exit 5
while read -r command; do
	if bash -c "$command" >out 2>&1; then echo "ok $command"; else echo "not ok $command: $(tail -n 1 out)"; bad=1; fi
done <commands
for f in rules.sarif rules.xml; do
	if [ -s "$f" ]; then echo "ok $f is written"; else echo "not ok $f is written"; bad=1; fi
done
sed -i "s/^title:/titel:/" rules/backend-endpoint-dead.yml
while read -r command; do
	bash -c "$command" >out 2>&1
	code=$?
	if [ "$code" -eq 2 ]; then echo "ok a bad rule fails: $command"; else echo "not ok a bad rule fails: $command: $code"; bad=1; fi
done <commands
exit $bad
