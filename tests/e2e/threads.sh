#!/bin/bash
# A scan says the same whatever --threads is: XML, UTF-16, gzip, standard input, console texts, log rows, and all that is malformed.
set -u
cd "$(dirname "$0")/../.." || exit 5
work=$(mktemp -d "${TMP:-/tmp}/threads.XXXXXX") || exit 5
trap 'rm -rf "$work"' EXIT
evmend=${EVMEND:-build/evmend}
bad=0

mkdir "$work/logs"
# enough for many portions
for _ in $(seq 60); do cat tests/data/samples/stories/*.xml tests/data/bad/torn.xml; done >"$work/logs/big.xml"
iconv -f utf-8 -t utf-16le "$work/logs/big.xml" >"$work/logs/utf16.xml"
gzip -c "$work/logs/big.xml" >"$work/logs/big.xml.gz"
cp tests/data/samples/console_en.txt tests/data/samples/*.LOG tests/data/bad/*.xml "$work/logs/"
printf 'PK\003\004 no log at all' >"$work/logs/archive.zip"

scan() { # scan THREADS ARGUMENTS...
	"$evmend" scan --threads "$1" -r rules/exchange -t rules --at 2018-03-14T00:00:00Z "${@:2}" 2>&1 </dev/null | sed -E 's/"seconds":[0-9.]+//; s/[0-9.]+ s$//'
}
same() { # same NAME ARGUMENTS...
	scan 1 "${@:2}" >"$work/one.out"
	local lines
	lines=$(wc -l <"$work/one.out")
	for n in 2 3; do
		scan "$n" "${@:2}" >"$work/many.out"
		if [ "$lines" -gt 3 ] && cmp -s "$work/one.out" "$work/many.out"; then
			echo "ok $1, $n threads: $lines lines"
		else
			diff "$work/one.out" "$work/many.out" | head -n 5 | sed 's/^/# /'
			echo "not ok $1, $n threads: another answer than one thread gives"
			bad=1
		fi
	done
}
same "XML with torn events, JSON" --json "$work/logs/big.xml"
same "XML with torn events, for people" "$work/logs/big.xml"
same "UTF-16" --json "$work/logs/utf16.xml"
same gzip --json "$work/logs/big.xml.gz"
same "a folder of every form" --json "$work/logs"
same "some of the time" --json --since 2018-03-13T21:00:00Z "$work/logs/big.xml"

for n in 1 2; do
	"$evmend" scan --json --threads $n -r rules/exchange -t rules - <"$work/logs/big.xml" 2>&1 | sed -E 's/"seconds":[0-9.]+//' >"$work/stdin.$n"
done
if [ -s "$work/stdin.1" ] && cmp -s "$work/stdin.1" "$work/stdin.2"; then
	echo "ok standard input"
else
	echo "not ok standard input: two threads say something else than one"
	bad=1
fi
exit $bad
