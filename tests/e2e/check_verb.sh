#!/bin/bash
# `evmend check` names each thing that would go wrong, says what to do, and changes nothing; run refuses what check refuses.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

says() { # NAME CODE TEXT [VERB]
	"$evmend" "${4:-check}" -c "$work/config.yaml" >"$work/out" 2>&1
	local code=$?
	check "$1" "code $code: $(tail -n 1 "$work/out" | cut -c1-200)" eval '[ '$code' -eq '"$2"' ] && grep -qF -- "$text" "$work/out"'
}
with() { text=$3; says "$1" "$2" "$3" "${4:-check}"; }

rule 4711
"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 || { not_ok "the lab" "$(cat "$work/init")"; exit 1; }
event 4711 >"$work/in.xml"
hosts="hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab]}]"
configure "$hosts"
with "all is well" 0 "ex1.lab.example (EX1), a LAB"
check "and nothing was written to the receiver" "there is a file" test ! -e "$work/siem.ndjson"
check "--json is one object a line" "$("$evmend" check --json -c "$work/config.yaml" | head -n 1)" \
	eval '[ "$("$evmend" check --json -c "$work/config.yaml" | grep -vc "^{\"v\":1,\"kind\":\"check\",.*}$")" -eq 0 ]'

configure "$hosts
sinkz: []"
with "an unknown key" 3 "did you mean 'sinks'?"
with "and run refuses it too" 3 "did you mean 'sinks'?" run
with "with its line" 3 "config.yaml:11:1" run
configure "hosts: [{name: ex2.lab.example, command: [$lab_bin, host, $work/lab]}]"
with "a program that answers for another server" 3 "neither the name nor an alias"
configure "hosts: [{name: ex1.lab.example, command: [$work/none]}]"
with "a host program that is not there" 4 "$work/none"
for kind in hang die nonsense; do
	configure "hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab, --fault, '$kind:1']}]"
	with "a host program that does: $kind" 4 "problem"
done
configure "$hosts"
sed -i 's/path: in.xml/path: none.xml/; s/kind: follow/kind: file/' "$work/config.yaml"
with "a log that is not there" 4 "none.xml cannot be read"
configure "$hosts"
sed -i "s|path: siem.ndjson|path: nowhere/siem.ndjson|" "$work/config.yaml"
with "a receiver's folder that is not there" 4 "nowhere/siem.ndjson"
configure "$hosts"
sed -i 's|{name: siem, kind: file, path: siem.ndjson}|{name: siem, kind: syslog, address: "127.0.0.1:9"}|' "$work/config.yaml"
with "a syslog receiver that is not there" 4 "refused"
configure "$hosts"
sed -i "s|path: siem.ndjson|path: ./state/../in.xml|" "$work/config.yaml"
with "a receiver that is what the agent reads" 3 "which is read by the source 'log'; it would read"
with "and run refuses it too" 3 "which is read by the source 'log'" run
ln -s in.xml "$work/link.xml"
sed -i "s|path: ./state/../in.xml|path: link.xml|" "$work/config.yaml"
with "also by a link" 3 "which is read by the source 'log'"
with "and run refuses that too" 3 "which is read by the source 'log'" run
sed -i "s|path: link.xml|path: state/siem.ndjson|" "$work/config.yaml"
with "a receiver in the agent's own folder" 3 "is in state_dir"
configure "$hosts"
sed -i "/kind: file/a\\  - {name: again, kind: file, path: ./siem.ndjson}" "$work/config.yaml"
with "two receivers with one file" 3 "which is that of the sink 'siem'; give each a file of its own"
with "and run refuses them too" 3 "which is that of the sink 'siem'" run
configure "$hosts"
sed -i 's|path: siem.ndjson}|path: siem.ndjson, labels: {site: m}, take: {kinds: [finding, event], labels: {tennant: a, tenant: b}}}|
	/kind: file/a\  - {name: bulk, kind: elastic, url: "http://127.0.0.1:9", index: "x-{label.site}-{label.tenant}"}
	s|path: in.xml|path: in.xml, labels: {tenant: a}|' "$work/config.yaml"
with "events that no source sends" 4 "siem: takes events, and no source has \`forward\`"
with "a label that no source has" 4 "siem: takes records with the label tennant: a, and no source has it"
with "a label that no source has with that text" 4 "siem: takes records with the label tenant: b"
with "a name that follows a label that there is not" 4 "bulk: index has {label.site}, and neither"
check "and nothing else is noted" "$(grep ^note "$work/out")" test "$(grep -c ^note "$work/out")" -eq 4
sed -i 's|, take: {kinds.*}}}|}|; s|{label.site}|{host}|; s|labels: {tenant: a}|labels: {tenant: a}, forward: all|' "$work/config.yaml"
with "none is noted where all is there" 4 "127.0.0.1"
check "indeed" "$(grep ^note "$work/out")" test "$(grep -c ^note "$work/out")" -eq 0
configure "$hosts"
sed -i 's|path: siem.ndjson}|path: siem.ndjson, take: {causes: [nonsense]}}|' "$work/config.yaml"
with "a cause that is none" 3 "there is no cause 'nonsense'; there are exchange-backend-certificate"
configure "$hosts"
sed -i "s|state_dir: state|state_dir: /proc/evmend|" "$work/config.yaml"
with "a state folder that cannot be made" 4 "cannot be written"
with "and run says so as well" 4 "/proc/evmend" run
configure "$hosts"
sed 's/Provider_Name/Provider_Name|startwith/' "$work/rules/r4711.yml" >"$work/rules/typo.yml"
with "a rule with a typing error, with its line" 2 "typo.yml:"
rm "$work/config.yaml"
with "a configuration that is not there" 3 "config.yaml"
with "and run says so too" 3 "config.yaml" run
exit $bad
