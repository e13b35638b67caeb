#!/bin/bash
# 100,000 findings into files while the role that writes them is killed, the files are rotated by the agent and by others, and a disk is full:
# every one arrives, in whole lines; repeats are counted and printed.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
# a mount of our own, that goes with us
if [ -z "${EVMEND_OWN_MOUNTS:-}" ] && [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	EVMEND_OWN_MOUNTS=1 exec unshare -m tests/e2e/file_sink.sh
fi
. tests/lib/agent.bash

count=${EVMEND_RECORDS:-100000}
mkdir "$work/small"
mounted=
if [ -n "${EVMEND_OWN_MOUNTS:-}" ] && mount -t tmpfs -o size=8m evmend-test "$work/small" 2>/dev/null; then
	mounted=1
else
	skip "a full disk" "no file system can be mounted; tests/fault/ship has full disks too"
fi
rule 4711
configure
# so slowly that it lasts for all that happens to it
sed -i "s/path: siem.ndjson}/path: siem.ndjson, take: [finding], rate: $((count / 8)), rotate: {size: 3MB, compress: zstd}}/
/kind: file/a\\
  - {name: moved, kind: file, path: moved.ndjson, take: [finding], rate: $((count / 8))}\\
  - {name: small, kind: file, path: small/out.ndjson, take: [finding], rate: $((count / 8)), rotate: {size: 2MB}}" "$work/config.yaml"
: >"$work/in.xml"
expect "check opens them" 0 "small/out.ndjson" check
"$(dirname "$evmend")/tests/receivers/fill_spool" "$work/state" "$count" || not_ok "records are in the spool" "$?"
check "the agent starts" "not up" start

# Kills and rotations at moments of chance; main gives a role up that dies five times a minute
disturb() {
	for i in 1 2 3 4; do
		sleep "0.$((RANDOM % 900 + 100))"
		kill -KILL "$(pid_of ship)" 2>/dev/null && kills=$((kills + 1))
		sleep "0.$((RANDOM % 900 + 100))"
		mv "$work/moved.ndjson" "$work/moved.ndjson.$i" 2>/dev/null && kill -HUP "$agent"
	done
}
# How often what the files hold: lines, findings told apart by uid, lines that are no record.
tell() { # FILES...
	for f in "$@"; do
		case $f in *.zst) zstd -dcq "$f" ;; *.gz) gzip -dc "$f" ;; *) cat "$f" ;; esac
	done | awk '!/"kind":"finding"/ && /"kind":/ && /}$/ { next } # what the agent says of itself
		match($0, /"uid":"[0-9a-f]*"/) && RLENGTH == 72 && /^{.*}$/ { lines++; seen[substr($0, RSTART + 7, 64)] = 1; next } { bad++ }
		END { print lines + 0, length(seen), bad + 0 }'
}
kills=0
disturb
waiting() { sleep 0.4; "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | grep -o "\"name\":\"$1\",\"waiting\":[0-9]*" | sed 's/.*://'; }
all_of() { [ "$(waiting "$1")" = 0 ]; }
for sink in siem moved; do
	check "nothing waits for $sink" "$(waiting $sink) wait" wait_for 10 all_of $sink
done
if [ -n "$mounted" ]; then
	check "the full disk is told" "not said" wait_for 10 said "no space left"
	check "its records wait" "$(waiting small)" test "$(waiting small)" -gt 0
	mount -o remount,size=400m "$work/small"
fi
check "nothing waits for small" "$(waiting small) wait" wait_for 30 all_of small
packed() { [ "$(find "$work" -name 'siem.ndjson.*Z' | wc -l)" -le 1 ]; }
check "all old files but the newest are packed" "$(ls "$work")" wait_for 30 packed
stop
check "the agent ends well" "code $?" test $? -eq 0

for sink in siem moved small/out; do
	read -r lines uids wrong <<<"$(tell "$work/$sink".ndjson*)"
	echo "# ${sink%/out}: $count findings, $uids arrived, $((lines - uids)) repeats after $kills kills, $((count - uids)) lost"
	check "${sink%/out}: nothing is lost" "$uids of $count" test "$uids" -eq "$count"
	check "${sink%/out}: only whole lines" "$wrong others" test "$wrong" -eq 0
done
check "there was something to pack" "$(ls "$work")" test "$(find "$work" -name 'siem.ndjson.*.zst' | wc -l)" -ge 2
check "nothing half made is left" "$(ls "$work")" test -z "$(find "$work" -name '*.new')"
exit $bad
