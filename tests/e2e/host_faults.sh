#!/bin/bash
# A host program that fails, hangs, dies, dies after it has acted, does half, or talks nonsense at the n-th call: the agent lives, the ledger is intact,
# nothing that existed is deleted, and at most one certificate is made. One that says done and did nothing is not believed.
# limit: 400
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

mkdir -p "$work/rules"
one() { # FAULT
	local fault=$1 w=$work/${1//:/-} n
	mkdir "$w"
	"$lab_bin" init "$w/lab" >"$w/init" 2>&1 && "$lab_bin" start "$w/lab" --daemon >>"$w/init" 2>&1 || { not_ok "$fault" "the lab: $(tail -n 1 "$w/init")"; return; }
	cat >"$w/config.yaml" <<YAML
state_dir: state
sources: [{name: log, kind: follow, path: lab/events.xml}]
hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $w/lab, --fault, '$fault']}]
remedies: {exchange_backend: {mode: auto, settle: 1s}}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {idle_after: 1s, diagnose_every: 0, step: 3s, repair: 20s}
YAML
	"$lab_bin" status "$w/lab" --json | grep -o '"thumbprint":"[0-9a-f]*","store":"MY"' | sort >"$w/before"
	"$evmend" run -c "$w/config.yaml" >"$work/log" 2>&1 </dev/null &
	agent=$!
	wait_for 10 is_up || not_ok "$fault" "the agent is not up"
	"$lab_bin" break "$w/lab" delete-certificate >/dev/null
	"$lab_bin" request "$w/lab" >/dev/null 2>&1
	"$lab_bin" status "$w/lab" --json | grep -o '"thumbprint":"[0-9a-f]*","store":"MY"' | sort >"$w/broken"
	# nothing known: no verdict, nothing done, and the log says why
	settled() { case $fault in *:apply:*) in_a_state ;; *) said "counts as unknown" ;; esac; }
	in_a_state() { "$evmend" cases --all --json -c "$w/config.yaml" 2>/dev/null | grep '"cause":"exchange-backend-certificate"' |
		grep -qE '"state":"(healed|advised|escalated|waiting-approval)"'; }
	wait_for 30 settled || { not_ok "$fault" "no end: $("$evmend" cases --all --json -c "$w/config.yaml" 2>&1 | cut -c1-200)"; }
	kill -TERM "$agent"
	wait "$agent"
	n=$?
	agent=
	"$lab_bin" status "$w/lab" --json | grep -o '"thumbprint":"[0-9a-f]*","store":"MY"' | sort >"$w/after"
	if [ "$n" -ne 0 ]; then not_ok "$fault" "the agent ended with $n"
	elif ! "$evmend" ledger verify -c "$w/config.yaml" >"$w/ledger" 2>&1; then not_ok "$fault" "$(cat "$w/ledger")"
	elif [ "$(comm -13 "$w/broken" "$w/after" | wc -l)" -gt 1 ]; then not_ok "$fault" "more than one certificate was made"
	elif [ "$(comm -23 "$w/broken" "$w/after" | wc -l)" -ne 0 ]; then not_ok "$fault" "a certificate has vanished"
	elif grep -q '"result":"healed"' "$w/siem.ndjson" && ! "$lab_bin" request "$w/lab" >/dev/null 2>&1; then not_ok "$fault" "healed, it says, and the back end does not answer"
	elif [[ $fault != *:apply:* ]] && grep -q repair-begin "$w/siem.ndjson"; then not_ok "$fault" "a repair began without facts"
	elif [[ $fault == lie:* ]] && ! grep -q '"result":"\(needs-person\|rolled-back\)"' "$w/siem.ndjson"; then not_ok "$fault" "the lie was believed"
	else ok "a host program that does $fault"
	fi
	"$lab_bin" stop "$w/lab" >/dev/null 2>&1
}
for fault in fail:apply:1 fail:apply:2 hang:apply:1 hang:observe:1 die:1 die:apply:2 die-after:apply:1 half:apply:1 half:apply:2 lie:apply:1 lie:apply:2 nonsense:1 nonsense:apply:2; do
	one $fault
done
exit $bad
