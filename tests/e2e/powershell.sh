#!/bin/bash
# What our PowerShell decides, run on recorded output and on a server of Python (tests/powershell): there is no Windows here, so an
# evaluator of the part of the language that the scripts use stands in. Needs a grammar from PyPI; skipped with the reason without it.
cd "$(dirname "$0")/../.." || exit 5
python=${PYTHON:-python3}
if ! "$python" -c 'import tree_sitter, tree_sitter_powershell' 2>/dev/null; then
	echo "skip PowerShell's decisions: $python has no tree_sitter_powershell; pip install tree-sitter tree-sitter-powershell"
	exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
code=0
"$python" tests/powershell/decisions.py || code=1
"$python" tests/powershell/collected.py || code=1

# host.ps1 at the end of a pipe: evmend diagnoses and repairs through the script's own steps, and undoes
evmend=${EVMEND:-build/evmend}
work=$(mktemp -d "${TMP:-/tmp}/host.XXXXXX") || exit 5
echo '{"record": null, "said": []}' >"$work/state.json"
cat >"$work/config.yaml" <<END
state_dir: $work/state
hosts:
  - name: ex1.contoso.example
    aliases: [EX1]
    access: pipe
    command: [$(command -v "$python"), -B, $PWD/tests/powershell/host_end.py, $work/state.json]
remedies:
  exchange_backend:
    mode: approve
    settle: 1s
END
try() { # NAME CODE TEXT COMMAND...
	local name=$1 wanted=$2 text=$3 said got
	shift 3
	said=$("$@" 2>&1)
	got=$?
	if [ "$got" = "$wanted" ] && grep -q -- "$text" <<<"$said"; then echo "ok host.ps1: $name"; else
		echo "not ok host.ps1: $name: code $got, $(tail -n 1 <<<"$said")"
		code=1
	fi
}
try "what is wrong" 1 "SSL_RECORD_MISSING" "$evmend" diagnose ex1.contoso.example -c "$work/config.yaml"
try "nothing is done without a yes" 6 "person decides" "$evmend" repair ex1.contoso.example -c "$work/config.yaml"
try "nothing was done" 0 '"said": \[\]' cat "$work/state.json"
try "the repair heals" 0 "^healed: " "$evmend" repair ex1.contoso.example --yes -c "$work/config.yaml"
try "one netsh command, for 444" 0 '"said": \["netsh http add sslcert ipport=0.0.0.0:444 certhash=[0-9a-f]* appid={[0-9a-f-]*} certstorename=MY"\]' cat "$work/state.json"
try "all is well" 0 "HEALTHY_NOW" "$evmend" diagnose ex1.contoso.example -c "$work/config.yaml"
[ "$code" = 0 ] && rm -rf "$work"
exit $code
