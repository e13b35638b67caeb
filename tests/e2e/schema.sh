#!/bin/bash
# docs/schema: our rules, the rules and configurations of the documentation and the example are valid; what is wrong is not, and the
# program says so too.
set -u
cd "$(dirname "$0")/../.." || exit 5
python=${PYTHON:-python3}
if ! "$python" -c 'import jsonschema, yaml' 2>/dev/null; then
	echo "skip the schemas: $python has no jsonschema and yaml; make setup installs python3-jsonschema and python3-yaml"
	exit 0
fi
for f in docs/rules.md docs/sigma.md docs/configuration.md; do
	awk -v to="$TMP/$(basename "$f" .md)" '/^```yaml$/ { n++; f = sprintf("%s-%02d.yml", to, n); next } /^```$/ { f = "" } f { print >f }' "$f"
done
for f in "$TMP"/configuration-*.yml; do grep -q '^state_dir:' "$f" || sed -i '1i state_dir: s' "$f"; done
"$python" tests/lib/schema.py "$EVMEND" "$TMP" || exit 1
