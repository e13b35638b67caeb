#!/bin/bash
# rules WORD --json: every line of every word is as docs/schema/rules_output.schema.json says, and every kind of line is seen.
set -u
cd "$(dirname "$0")/../.." || exit 5
python=${PYTHON:-python3}
if ! "$python" -c 'import jsonschema' 2>/dev/null; then
	echo "skip the JSON of rules: $python has no jsonschema; make setup installs python3-jsonschema"
	exit 0
fi
event() { # event RECORD IMAGE USER
	printf "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/><EventID>1</EventID><TimeCreated SystemTime='2026-01-31T10:00:%02dZ'/><EventRecordID>%s</EventRecordID><Channel>System</Channel><Computer>EX1</Computer></System><EventData><Data Name='Image'>%s</Data><Data Name='User'>%s</Data></EventData></Event>\n" \
		"$1" "$1" "$2" "$3"
}
r=$TMP/r
mkdir -p "$r/tests/one" "$r/tests/two"
printf 'title: One\nid: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3f01\nname: one\nlevel: low\nlogsource: {product: windows}\ndetection: {s: {Image: a}, condition: s}\n' >"$r/one.yml"
printf 'title: Two\nlogsource: {service: nowhere}\ndetection: {s: {Image: b, Port|exists: true}, condition: not s}\n' >"$r/two.yml"
printf 'title: Three\nname: three\ncorrelation: {type: event_count, rules: [one], group-by: [User], timespan: 1h, condition: {gte: 2}}\n' >"$r/three.yml"
event 1 a ann >"$r/tests/one/match.xml"
event 1 a ann >"$r/tests/one/nomatch.xml"
{ event 1 a ann; event 2 a bob; event 3 a ann; event 4 b bob; } >"$TMP/e.xml"
{ event 1 a ann; event 2 a bob; event 3 a ann; event 4 b bob; event 5 a bob; } >"$TMP/f.xml"
mkdir "$TMP/bad"
printf 'title: Bad\nlogsource: {prodct: windows}\n' >"$TMP/bad/bad.yml"
printf 'x: [\n' >"$TMP/bad/broken.yml"
run() { "$EVMEND" rules "$@" --json >>"$TMP/lines" 2>/dev/null; }
run list -r "$r"
run check "$r" "$TMP/bad" tests/data/lint/many.yml
run explain one -r "$r"
run explain three -r "$r"
run explain one -r "$r" --event "$TMP/e.xml"
run explain three -r "$r" --event "$TMP/e.xml"
run explain three -r "$r" --event "$r/tests/one/match.xml"
run explain bad -r "$TMP/bad"
run test "$r"
run cost -r "$r" --all "$TMP/e.xml"
run coverage -r "$r" "$TMP/e.xml"
run coverage -r "$r" --all "$TMP/e.xml"
event 9 a eve >"$TMP/false.xml"
run tune one -r "$r" --false "$TMP/false.xml" --events "$TMP/f.xml" || run tune one -r "$r" --false "$TMP/false.xml"
"$python" - "$TMP/lines" <<'PY'
import json, sys
import jsonschema
schema = json.load(open("docs/schema/rules_output.schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
kinds = {k["properties"]["kind"]["const"]: jsonschema.Draft7Validator({**k, "definitions": schema["definitions"]}) for k in schema["oneOf"]}
seen, bad = {}, []
for text in open(sys.argv[1]):
    line = json.loads(text)
    seen[line["kind"]] = seen.get(line["kind"], 0) + 1
    if line["kind"] not in kinds:
        bad.append(f"no kind '{line['kind']}' in the schema: {text[:200]}")
        continue
    bad += [f"{line['kind']}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in kinds[line["kind"]].iter_errors(line)]
print(f"ok {sum(seen.values())} lines are as the schema says" if not bad else f"not ok lines are as the schema says: {bad[0]} (and {len(bad) - 1} more)")
missing = sorted(set(kinds) - set(seen))
print("ok every kind was seen" if not missing else f"not ok every kind was seen: not {', '.join(missing)}")
empty = [t[:200] for t in open(sys.argv[1]) if '":""' in t]
print("ok what is absent is null" if not empty else f"not ok what is absent is null: {empty[0]}")
readme = open("README.md").read().split("### Output")[1]
lost = [k for k in kinds if k not in readme]
print("ok README.md names every kind" if not lost else f"not ok README.md names every kind: not {', '.join(lost)}")
sys.exit(bool(bad or missing or empty or lost))
PY
exit $?
