#!/bin/bash
# repair_time.sh [RUNS] - how long an administrator would have waited: from the first event 15021 on disk to a proven repair, in auto mode.
#
# Each run is a fresh lab and a fresh agent; the certificate is deleted with its key, and a client knocks once. The time is that of the
# first 15021 in the lab's log, and of the proof in the ledger; the settle time comes after it and is not counted. Prints the median and the
# 99th percentile; fails only when a run is not repaired. `make repair-time RUNS=100`.
set -u
cd "$(dirname "$0")/.." || exit 5
runs=${1:-100}
evmend=${EVMEND:-build/evmend} lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
root=$PWD work=$(mktemp -d "${TMPDIR:-/tmp}/evmend-time.XXXXXX") || exit 4
agent=''
clean_up() {
	[ -z "$agent" ] || { kill -KILL "$agent"; wait "$agent"; } 2>/dev/null
	[ ! -d "$work/lab" ] || "$lab_bin" stop "$work/lab" >/dev/null 2>&1
	rm -rf "${work:?}"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

cat >"$work/config.yaml" <<YAML
state_dir: state
rules: [$root/rules/exchange]
tables: $root/rules
sources: [{name: lab, kind: follow, path: lab/events.xml}]
hosts: [{name: ex1.lab.example, access: pipe, command: [$lab_bin, host, $work/lab]}]
remedies: {exchange_backend: {mode: auto, settle: 1s}}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {diagnose_every: 0}
YAML
fail() {
	echo "repair_time: run $1: $2" >&2
	tail -n 5 "$work/log" >&2
	exit 1
}
# until COMMAND...: at most 20 s
until_it() {
	for _ in $(seq 400); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}
is_up() { grep -q 'all roles are up' "$work/log"; }
proven() { "$evmend" ledger -c "$work/config.yaml" --json 2>/dev/null | grep '"kind":"verify"\|"what":"verify"' >"$work/proof"; }
# microseconds of 2026-01-02T03:04:05.678901Z
micros() { echo $(($(date -u -d "${1%%.*}Z" +%s) * 1000000 + 10#$(printf '%s000000' "${1#*.}" | tr -dc 0-9 | cut -c1-6))); }

one() {
	rm -rf "${work:?}/lab" "${work:?}/state" "$work/siem.ndjson"
	"$lab_bin" init "$work/lab" >/dev/null && "$lab_bin" start "$work/lab" --daemon >/dev/null || fail "$1" "the lab does not start"
	"$evmend" run -c "$work/config.yaml" >"$work/log" 2>&1 </dev/null &
	agent=$!
	until_it is_up || fail "$1" "the agent does not start"
	"$lab_bin" break "$work/lab" delete-certificate >/dev/null || fail "$1" "the lab does not break"
	"$lab_bin" request "$work/lab" /owa/ >/dev/null 2>&1
	until_it proven || fail "$1" "no proof within 20 s"
	first=$(tr '\n' ' ' <"$work/lab/events.xml" | grep -o '<EventID[^>]*>15021<.*' | head -n 1 | grep -o 'SystemTime=.[0-9T:.-]*' | head -n 1 | cut -c13-)
	last=$(grep -o '"time":"[^"]*' "$work/proof" | head -n 1 | cut -c9-)
	[ -n "$first" ] && [ -n "$last" ] || fail "$1" "no time of the event or of the proof"
	echo $((($(micros "$last") - $(micros "$first")) / 1000)) >>"$work/times"
	kill -TERM "$agent"
	wait "$agent"
	agent=''
	"$lab_bin" stop "$work/lab" >/dev/null
}

: >"$work/times"
for i in $(seq "$runs"); do
	one "$i"
	[ -t 2 ] && printf '\r%d of %d' "$i" "$runs" >&2
done
[ -t 2 ] && printf '\r\033[K' >&2
sort -n "$work/times" | awk '{t[NR] = $1} END {
	printf "first 15021 on disk to proven repair, %d runs: median %d ms, 99th percentile %d ms, slowest %d ms\n",
		NR, t[int((NR + 1) / 2)], t[int(NR * 0.99 + 0.999)], t[NR] }'
