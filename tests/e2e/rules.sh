#!/bin/bash
# Our rules load without a word, pass the tests beside them, and every rule that docs/rules.md and docs/sigma.md show loads.
set -u
cd "$(dirname "$0")/../.." || exit 5
work=$(mktemp -d "${TMP:-/tmp}/rules.XXXXXX") || exit 5
trap 'rm -rf "$work"' EXIT
evmend=${EVMEND:-build/evmend}
bad=0
say() { # say CODE NAME LOG
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		sed 's/^/# /' "$3" | tail -n 20
		echo "not ok $2: ended with $1"
		bad=1
	fi
}

"$evmend" rules check rules/exchange >"$work/check" 2>&1
say $? "rules check rules/exchange" "$work/check"
"$evmend" rules test rules/exchange >"$work/test" 2>&1
say $? "rules test rules/exchange" "$work/test"
n=$(ls rules/exchange/*.yml | wc -l)
if [ "$n" -ge 30 ]; then echo "ok rules/exchange has $n rules"; else echo "not ok rules/exchange has $n rules, 30 are promised"; bad=1; fi

for doc in rules sigma; do
	awk -v to="$work/$doc" '/^```yaml$/ { n++; f = sprintf("%s-%02d.yml", to, n); next } /^```$/ { f = "" } f { print >f }' "docs/$doc.md"
	blocks=$(ls "$work/$doc"-*.yml 2>/dev/null | wc -l)
	if [ "$blocks" -eq "$(grep -c '^```yaml$' "docs/$doc.md")" ] && [ "$blocks" -gt 0 ]; then
		echo "ok docs/$doc.md has $blocks examples"
	else
		echo "not ok docs/$doc.md: $blocks examples were cut out"
		bad=1
	fi
	for f in "$work/$doc"-*.yml; do
		"$evmend" rules check "$f" >"$work/log" 2>&1
		say $? "docs/$doc.md example $(basename "$f" .yml)" "$work/log"
	done
done
# placeholders.yml counts at the top of the folder; deeper it is told, and is no rule
mkdir -p "$work/own/sub"
cat >"$work/own/rule.yml" <<'RULE'
title: T
id: 00000000-0000-4000-8000-00000000000a
level: low
logsource: {product: windows, category: process_creation}
detection: {s: {User|expand: '%Administrators%'}, condition: s}
RULE
echo 'Administrators: [alice]' >"$work/own/sub/placeholders.yml"
if "$evmend" rules check "$work/own" >"$work/log" 2>&1 || ! grep -q 'is not defined' "$work/log" || ! grep -q 'move it there' "$work/log"; then
	echo "not ok placeholders.yml below the top is told"
	bad=1
else
	echo "ok placeholders.yml below the top is told"
fi
mv "$work/own/sub/placeholders.yml" "$work/own/"
"$evmend" rules check "$work/own" >"$work/log" 2>&1
say $? "placeholders.yml at the top" "$work/log"
# people paste commands: nothing that an event says may stand in one, but for the host, which is checked for its letters
for f in rules/exchange/*.yml; do
	tr '\n' ' ' <"$f" | grep -oE '`[^`]*`' | grep -E '\{[A-Z]'
done >"$work/log" 2>&1
if [ -s "$work/log" ]; then
	say 1 "commands in hints hold no value of an event" "$work/log"
else
	echo "ok commands in hints hold no value of an event"
fi
# the proof that this can fail: a typing error in our own key is refused, with its line
sed 's/^    cause:/    couse:/' rules/exchange/backend-endpoint-dead.yml >"$work/typo.yml"
if "$evmend" rules check "$work/typo.yml" >"$work/log" 2>&1; then
	echo "not ok a rule with a typing error was taken"
	bad=1
elif grep -q 'typo.yml:[0-9]*' "$work/log" && grep -q couse "$work/log"; then
	echo "ok a rule with a typing error is refused with its line"
else
	sed 's/^/# /' "$work/log"
	echo "not ok a rule with a typing error is refused without saying where"
	bad=1
fi
exit $bad
