#!/bin/bash
# For every fault of the lab (tests/lab/faults.tsv): `diagnose` on the live lab and `diagnose --from` the folder of facts that the lab
# writes say the same verdict, facts, notes, plan and plan id. So does the folder with its facts.json in UTF-16. And without facts.json, made
# by hand so to speak, it says less, but nothing else: each fact that it knows is as on the live lab.
#
#   tests/e2e/offline.sh [WORD]     only rows that contain WORD
# limit: 400
cd "$(dirname "$0")/../.." || exit 5
set -u
export LC_ALL=C
evmend=${EVMEND:-build/evmend} lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
export EVMEND=$evmend EVMEND_LAB=$lab_bin
host=ex1.lab.example

member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
# all that a diagnosis says, but when it was, where from, whether that is the configured host, and what a policy would say; PowerShell's
# times count milliseconds
substance() { sed 's/{"name":"is_configured_host"[^}]*},//; s/"not_before":"[^"]*"//g; s/\(:[0-9][0-9]\.[0-9]\{3\}\)[0-9]\{3\}Z/\1000Z/g; s/"policy":{[^}]*}//; s/"from":{.*"errors":\[[^]]*\]},//; s/"time":"[^"]*",//; s/"configured":"[^"]*"//; s/,*}$//' "$1"; }

known() { grep -o '"name":"[a-z0-9_]*","value":"\(yes\|no\)"' "$1" | sort; }

# ---- one row: FAULT OPTIONS HOST-OPTIONS FOLDER-OF-A-FRESH-LAB SCRATCH ----
if [ "${1:-}" = --row ]; then
	fault=$2 options=${3#-} given=${4#-} w=$6
	name="$fault $3 $4"
	mkdir -p "$w" && cp -r "$5" "$w/lab" || exit 5
	trap '"$lab_bin" stop "$w/lab" >/dev/null 2>&1; rm -rf "$w"' EXIT
	[[ $options == *-* ]] && options=-$options
	without=
	[[ $given == *-without\ * ]] && without=${given#*-without }
	command="$lab_bin, host, $w/lab"
	[ -n "$without" ] && command="$command, '--without', '$without'"
	cat >"$w/config.yaml" <<YAML
state_dir: $w/state
hosts: [{name: $host, aliases: [EX1], command: [$command]}]
YAML
	"$lab_bin" start "$w/lab" --daemon >"$w/said" 2>&1 &&
		{ [ "$fault" = none ] || "$lab_bin" break "$w/lab" "$fault" $options >"$w/said" 2>&1; } ||
		{ echo "not ok $name: $(tail -n 1 "$w/said")"; exit 0; }
	"$lab_bin" request "$w/lab" >/dev/null 2>&1
	"$evmend" diagnose "$host" -c "$w/config.yaml" --events "$w/lab/events.xml" --json >"$w/live" 2>"$w/live.err"
	live=$?
	"$lab_bin" collect "$w/lab" "$w/facts" ${without:+--without "$without"} >"$w/said" 2>&1 ||
		{ echo "not ok $name: no folder: $(tail -n 1 "$w/said")"; exit 0; }
	"$evmend" diagnose --from "$w/facts" --json >"$w/folder" 2>"$w/folder.err"
	offline=$?
	{ printf '\xff\xfe'; tail -c +4 "$w/facts/facts.json" | iconv -f UTF-8 -t UTF-16LE; } >"$w/wide" && mv "$w/wide" "$w/facts/facts.json"
	"$evmend" diagnose --from "$w/facts" --json >"$w/folder16" 2>"$w/folder16.err"
	late=
	[ "$fault" != none ] || late=$("$evmend" diagnose --from "$w/facts" --at 2099-01-01 --json | grep -o '"verdict":{"name":"[A-Z_]*"')
	rm "$w/facts/facts.json"
	"$evmend" diagnose --from "$w/facts" --host "$host" --json >"$w/hand" 2>"$w/hand.err"
	hand=$?
	verdict=$(grep -o '"verdict":{"name":"[A-Z_]*"' "$w/live" | cut -d'"' -f6)
	plan=$(grep -o '"plan":{"id":"[0-9a-f]*"' "$w/live" | cut -d'"' -f6)
	if [ -z "$verdict" ] || [ ${#plan} -ne 64 ]; then
		echo "not ok $name: live: $(tail -n 1 "$w/live.err")"
	elif [ "$live" -ne "$offline" ]; then
		echo "not ok $name: exit code $live live and $offline from the folder: $(tail -n 1 "$w/folder.err")"
	elif ! grep -q "\"verdict\":{\"name\":\"$verdict\"" "$w/folder"; then
		echo "not ok $name: $verdict live, $(grep -o '"verdict":{"name":"[A-Z_]*"' "$w/folder" | cut -d'"' -f6) from the folder"
	elif ! grep -q "\"plan\":{\"id\":\"$plan\"" "$w/folder"; then
		echo "not ok $name: another plan id: $(diff <(substance "$w/live" | tr '{,' '\n\n') <(substance "$w/folder" | tr '{,' '\n\n') | head -n 4 | tr '\n' ' ')"
	elif [ "$(substance "$w/live")" != "$(substance "$w/folder")" ]; then
		echo "not ok $name: $(diff <(substance "$w/live" | tr '{,' '\n\n') <(substance "$w/folder" | tr '{,' '\n\n') | head -n 4 | tr '\n' ' ')"
	elif ! cmp -s "$w/folder" "$w/folder16"; then
		echo "not ok $name: in UTF-16: $(tail -n 1 "$w/folder16.err")"
	elif [ "$fault" = none ] && [ "$late" != '"verdict":{"name":"BE_CERT_EXPIRED"' ]; then
		echo "not ok $name: as of 2099: $late"
	elif [ $hand -gt 1 ]; then
		echo "not ok $name: by hand: $(tail -n 1 "$w/hand.err")"
	elif [ -n "$(comm -13 <(known "$w/live") <(known "$w/hand"))" ]; then
		echo "not ok $name: by hand, other facts: $(comm -13 <(known "$w/live") <(known "$w/hand") | tr '\n' ' ')"
	else
		echo "ok $name: $verdict, plan ${plan:0:12}, live and from the folder"
	fi
	exit 0
fi

work=$(mktemp -d "${TMP:-/tmp}/offline.XXXXXX") || exit 5
# what happens during a repair is nothing to a diagnosis: these columns only repeat a row
grep -v '^#' tests/lab/faults.tsv | grep -F -- "${1:-}" | awk -F'\t' -v OFS='\t' '{ h = $12; if (h !~ /^--without/) h = "-"; print $1, $2, h }' |
	sort -u >"$work/rows"
# two labs with ports of their own, and half of the rows for each
for half in 0 1; do
	"$lab_bin" init "$work/fresh$half" >"$work/said$half" 2>&1 || { echo "not ok init: $(tail -n 1 "$work/said$half")"; exit 1; }
done
for half in 0 1; do
	awk -v half=$half 'NR % 2 == half' "$work/rows" | while IFS=$'\t' read -r fault options given; do
		bash "$0" --row "$fault" "$options" "$given" "$work/fresh$half" "$work/row$half" </dev/null
	done >"$work/results$half" &
done
wait
cat "$work"/results[01]
[ "$(cat "$work"/results[01] | grep -cE '^(not )?ok ')" -eq "$(wc -l <"$work/rows")" ] || { echo "not ok rows: not all of them ended"; exit 1; }
! grep -q '^not ok ' "$work"/results[01]
