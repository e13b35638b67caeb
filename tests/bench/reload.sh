#!/bin/bash
# reload.sh RULES - what a change of the rules costs the role that reads events, which reads nothing meanwhile. Runs the agent with the
# rules of that folder and one more, lets it reload ten times, and says the processor time of each; then how long an event takes that comes
# with SIGHUP, and one that does not. EVMEND: the program.
rules=$(realpath "${1:?usage: tests/bench/reload.sh RULES}") || exit 5
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
rule 4711
configure
sed -i "s|^rules: .*|rules: [rules, $rules]|" "$work/config.yaml"
: >"$work/in.xml"
check "the agent starts" "not up" start
watch=$(pid_of watch)
ticks() { awk '{ print $14 + $15 }' "/proc/$watch/stat"; }
reloaded() { [ "$(grep -c 'configuration reloaded' "$work/log")" -ge "$1" ]; }
told() { # COMMAND...: ms from an event, and that command, to its finding
	local n begun
	n=$(findings)
	begun=$(date +%s%N)
	"$@"
	event 4711 >>"$work/in.xml"
	wait_for 30 has_findings $((n + 1))
	echo $((($(date +%s%N) - begun) / 1000000))
}
before=$(ticks)
for i in 1 2 3 4 5 6 7 8 9 10; do
	kill -HUP "$agent"
	wait_for 60 reloaded "$i" || not_ok "reload $i" "$(tail -n 1 "$work/log")"
done
after=$(ticks)
echo "processor time of a reload: $(((after - before) * 100 / $(getconf CLK_TCK))) ms"
for _ in 1 2 3; do
	echo "an event is told after $(told true) ms, with a reload after $(told kill -HUP "$agent") ms"
	sleep 1
done
stop || not_ok "the agent ends" "code $?"
exit $bad
