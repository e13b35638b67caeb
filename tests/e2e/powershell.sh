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
exit $code
