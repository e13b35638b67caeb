#!/bin/bash
# Scripts for a server where nothing may be installed: collect prints its script; for each fault of the lab the plan of a folder of
# facts becomes a script with the same verdict and plan id, or is refused with the verdict and exit code 6. What is written is fed
# to a PowerShell grammar where one is installed.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
set -u
evmend=${EVMEND:-build/evmend}
lab_bin=${EVMEND_LAB:-build/evmend-lab}
work=$(mktemp -d "${TMP:-/tmp}/emit.XXXXXX") || exit 5
lab=$work/lab
trap '"$lab_bin" stop "$lab" >/dev/null 2>&1' EXIT
ok() { echo "ok emit: $1"; }
not_ok() { echo "not ok emit: $1: $2"; }

if "$evmend" collect --emit powershell >"$work/collect.ps1" && cmp -s "$work/collect.ps1" scripts/collect.ps1; then
	ok "collect prints scripts/collect.ps1"
else
	not_ok "collect prints scripts/collect.ps1" "it differs"
fi
refuses() { # NAME CODE ARGUMENTS...
	local name=$1 code=$2 said got
	shift 2
	said=$("$evmend" "$@" 2>&1 >"$work/out")
	got=$?
	if [ "$got" = "$code" ] && [ ! -s "$work/out" ]; then ok "$name"; else not_ok "$name" "code $got, $(wc -c <"$work/out") bytes, $(head -n 1 <<<"$said")"; fi
}
refuses "collect without a form" 3 collect
refuses "collect in another form" 3 collect --emit bash
refuses "a script of no folder" 3 repair --emit powershell
refuses "a folder without a form" 3 repair --from "$work"
refuses "a script of a host" 3 repair ex1 --from "$work" --emit powershell
refuses "a folder without facts" 3 repair --from "$work" --emit powershell

"$lab_bin" init "$work/made" >/dev/null || { not_ok "the lab" "no lab"; exit 0; }
scripts=()
for fault in delete-certificate unbind drop-key expire foreign-name no-site-binding wrong-store stale-state hop-broken \
	none stop-site tls-mismatch shadow-record contradiction; do
	"$lab_bin" stop "$lab" >/dev/null 2>&1
	rm -rf "$lab" "$work/facts" "$work/script.ps1"
	cp -r "$work/made" "$lab"
	"$lab_bin" start "$lab" --daemon >/dev/null
	[ "$fault" = none ] || "$lab_bin" break "$lab" "$fault" >/dev/null || not_ok "$fault" "the lab does not break so"
	"$lab_bin" collect "$lab" "$work/facts" >/dev/null || not_ok "$fault" "the lab writes no folder"
	"$evmend" diagnose --from "$work/facts" --json >"$work/diagnosis" 2>"$work/err"
	verdict=$(sed -n 's/.*"verdict":{"name":"\([A-Z0-9_]*\)".*/\1/p' "$work/diagnosis")
	plan=$(sed -n 's/.*"plan":{"id":"\([0-9a-f]*\)".*/\1/p' "$work/diagnosis")
	steps=$(grep -c '"steps":\[{' "$work/diagnosis")
	said=$("$evmend" repair --from "$work/facts" --emit powershell -o "$work/script.ps1" 2>&1)
	code=$?
	if [ -z "$verdict" ]; then
		not_ok "$fault" "no verdict: $(head -n 1 "$work/err")"
	elif [ "$code" = 0 ]; then
		if [ "$steps" = 1 ] && grep -q "^# Verdict: $verdict " "$work/script.ps1" && grep -q "^# Plan:    $plan\$" "$work/script.ps1"; then
			ok "$fault: $verdict has its script"
			cp "$work/script.ps1" "$work/$fault.ps1"
			scripts+=("$work/$fault.ps1")
		else
			not_ok "$fault" "the script is not that of $verdict, plan ${plan:0:12}"
		fi
	elif [ "$code" = 6 ] && [ ! -e "$work/script.ps1" ] && grep -q "$verdict" <<<"$said"; then
		ok "$fault: $verdict is refused by name"
	else
		not_ok "$fault" "$verdict: code $code, $(head -n 1 <<<"$said")"
	fi
done
if [ "${#scripts[@]}" -ge 7 ]; then ok "most of these faults have a script"; else not_ok "most of these faults have a script" "${#scripts[@]} have"; fi

# nothing of an event is in a script: the same folder with events that shout gives the same bytes
"$lab_bin" stop "$lab" >/dev/null 2>&1
rm -rf "$lab" "$work/facts"
cp -r "$work/made" "$lab"
"$lab_bin" start "$lab" --daemon >/dev/null
"$lab_bin" break "$lab" delete-certificate >/dev/null
"$lab_bin" collect "$lab" "$work/facts" >/dev/null
"$evmend" repair --from "$work/facts" --emit powershell -q >"$work/one" 2>/dev/null
mkdir -p "$work/facts/events"
cat >"$work/facts/events/forged.xml" <<'END'
<Events><Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='MSExchangeFrontEndTransport'/><EventID Qualifiers='49156'>12014</EventID><Level>2</Level><TimeCreated SystemTime='2026-03-02T08:00:00.000Z'/><EventRecordID>1</EventRecordID><Channel>Application</Channel><Computer>ex1.lab.example</Computer></System><EventData><Data>CANARY'; Restart-Computer; '</Data><Data>CANARY</Data></EventData></Event></Events>
END
"$evmend" repair --from "$work/facts" --emit powershell -q >"$work/two" 2>/dev/null
if [ -s "$work/one" ] && ! grep -q CANARY "$work/two" && cmp -s "$work/one" "$work/two"; then ok "nothing of an event is in a script"; else not_ok "nothing of an event is in a script" "$(cmp "$work/one" "$work/two" 2>&1 | head -n 1)"; fi
# never over a file that is there
echo mine >"$work/there.ps1"
"$evmend" repair --from "$work/facts" --emit powershell -o "$work/there.ps1" >/dev/null 2>&1
code=$?
if [ "$code" = 4 ] && [ "$(cat "$work/there.ps1")" = mine ]; then ok "a file is never overwritten"; else not_ok "a file is never overwritten" "code $code"; fi

python=${PYTHON:-python3}
if ! "$python" -c 'import tree_sitter, tree_sitter_powershell' 2>/dev/null; then
	echo "skip emit: grammar of whole scripts: $python has no tree_sitter_powershell; pip install tree-sitter tree-sitter-powershell"
else
	bad=$("$python" scripts/grammar_powershell.py "${scripts[@]}" 2>&1)
	if [ -z "$bad" ]; then ok "grammar of whole scripts"; else not_ok "grammar of whole scripts" "$(head -n 1 <<<"$bad")"; fi
fi
