# flow.bash - what the scripts with real receivers share: many findings and hostile values through the agent, into the receiver and into a
# file, and the comparison of both. Sourced last. RECORDS: how many findings (100000).
RECORDS=${RECORDS:-100000}

# sinks YAML: the agent with a source, a rule that matches each event, and these sinks beside the file that is the reference
sinks() {
	rule 4711
	echo 'evmend: {budget: 100000/1d}' >>"$work/rules/r4711.yml"
	configure
	sed -i "/name: siem/d" "$work/config.yaml"
	sed -i "s#^sinks:#&\n  - {name: file, kind: file, path: siem.ndjson}\n$1#" "$work/config.yaml"
	: >"$work/in.xml"
}
status_of() { sleep 0.2; "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | python3 -c '
import json, sys
print(next(s for s in json.load(sys.stdin)["sinks"] if s["name"] == sys.argv[1])[sys.argv[2]])' "$1" "$2" 2>/dev/null; }
delivered() { # SINK: the file has all findings, and nothing waits
	[ "$(grep -c '"kind":"finding"' "$work/siem.ndjson")" -ge "$records" ] && [ "$(status_of "$1" waiting)" = 0 ]
}
acknowledged() { [ "$(status_of "$1" acknowledged || echo 0)" -ge "$2" ]; }
# arrives SINK: half of it, the receiver is killed and comes back by the command of $2, the role ship is killed, the other half. Prints times
arrives() {
	local sink=$1 again=$2 t0 t1
	t0=$(date +%s.%N)
	many $((RECORDS / 2))
	hostile
	check "some arrive" "$(status_of "$sink" acknowledged)" wait_for 60 acknowledged "$sink" $((RECORDS / 20))
	$end_receiver
	echo "# the receiver was ended when $(status_of "$sink" acknowledged) records were acknowledged"
	many $((RECORDS - records))
	sleep 2
	check "while it is away the file gets them all the same" "$(findings)" wait_for 60 has_findings "$RECORDS"
	kill -KILL "$(pid_of ship)"
	check "it comes back" "not up" "$again"
	check "everything is acknowledged" "$(status_of "$sink" waiting) wait: $(status_of "$sink" trouble)" wait_for 120 delivered "$sink"
	t1=$(date +%s.%N)
	echo "# $(awk -v n="$RECORDS" -v a="$t0" -v b="$t1" 'BEGIN { printf "%d records in %.1f s, with the outage", n, b - a }')"
}
same() { # NAME KIND [ARGUMENTS]: what the receiver has is what the file has
	local name=$1
	shift
	if python3 "$real/compare.py" "$work/siem.ndjson" "$@" >"$work/compared" 2>&1; then
		ok "$name"
		sed 's/^/# /' "$work/compared"
	else
		not_ok "$name" "$(head -n 3 "$work/compared" | cut -c1-400)"
	fi
}
# pace SINK N: as fast as it goes without any fault; records a second
pace() {
	local sink=$1 n=$2 t0 t1
	t0=$(date +%s.%N)
	many "$n"
	check "without faults, too" "$(status_of "$sink" waiting) wait" wait_for 120 delivered "$sink"
	t1=$(date +%s.%N)
	echo "# $(awk -v n="$n" -v a="$t0" -v b="$t1" 'BEGIN { printf "%d records in %.1f s without faults, %d a second", n, b - a, n / (b - a) }') (load $(cut -d" " -f1 /proc/loadavg))"
}
