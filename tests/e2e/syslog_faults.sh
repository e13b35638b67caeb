#!/bin/bash
# 100,000 findings over syslog, plain and with TLS, to real log servers: one is killed, one is frozen, one is frozen and then killed, two have
# a full disk, one is behind something that resets connections. What arrived, what is lost, what came again and in which order is counted from
# what they wrote. Syslog has no acknowledgement: what a receiver had taken and not written is lost with it, but for the tail that is sent again.
# limit: 400
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/syslog_servers.bash
RECORDS=${RECORDS:-100000}

if ! have_rsyslog; then
	skip "syslog and faults" "rsyslogd or its driver gtls is not installed (Debian: rsyslog, rsyslog-gnutls)"
	exit 0
fi
ca ca
certificate server siem.contoso.example ca 30
certificate agent agent-01.contoso.example ca 30

# --- the receivers: of each fault one, with a port for TCP and one for TLS ---
faults="killed frozen frozen-killed resetting"
disk=$work/disk
mkdir "$disk"
if mount -t tmpfs -o size=5m evmend-test "$disk" 2>/dev/null; then
	trap 'for p in "${receivers[@]}"; do kill -KILL "$p" 2>/dev/null; done; wait "${receivers[@]}" 2>/dev/null; umount -l "$disk"; clean_up' EXIT
	faults="$faults full"
else
	skip "a full disk" "a file system of its own cannot be mounted here"
fi
have_syslog_ng || skip "a full disk under syslog-ng" "$syslog_ng holds none; scripts/setup.sh says why"
declare -A at pid
flows=
for f in $faults; do
	flows="$flows $f.tcp"
	[ "$f" = full ] || flows="$flows $f.tls" # what rsyslog loses of one is enough to see
	port; at[$f.tcp]=$port
	port; at[$f.tls]=$port
	to=$work/$f
	[ "$f" = full ] && to=$disk/full
	cat >"$work/${at[$f.tls]}.conf" <<CONF
global(maxMessageSize="64k" workDirectory="$work/spool/${at[$f.tls]}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="$pki/ca.pem"
	defaultNetstreamDriverCertFile="$pki/server.pem" defaultNetstreamDriverKeyFile="$pki/server.key")
module(load="imtcp")
template(name="uid" type="string" string="%hostname% %structured-data:1:85%\n")
input(type="imtcp" port="${at[$f.tcp]}" address="127.0.0.1" ruleset="tcp" streamDriver.name="ptcp" streamDriver.mode="0")
input(type="imtcp" port="${at[$f.tls]}" address="127.0.0.1" ruleset="tls" streamDriver.name="gtls" streamDriver.mode="1"
	streamDriver.authMode="x509/name" permittedPeer=["agent-01.contoso.example"])
ruleset(name="tcp") { action(type="omfile" file="$to.tcp" template="uid" action.resumeRetryCount="-1" action.resumeInterval="1") }
ruleset(name="tls") { action(type="omfile" file="$to.tls" template="uid" action.resumeRetryCount="-1" action.resumeInterval="1") }
CONF
	check "a receiver to be $f starts" "$(tail -n 2 "$work/${at[$f.tls]}.log" 2>/dev/null)" rsyslogd_on "${at[$f.tls]}"
	pid[$f]=$receiver
done
if [ -n "${faults##*full*}" ] || ! have_syslog_ng; then :; else
	# syslog-ng waits for room when flow-control is said; rsyslog says "message lost" and goes on
	f=full-ng
	port; at[$f.tcp]=$port
	port; at[$f.tls]=$port
	cat >"$work/${at[$f.tls]}.conf" <<CONF
options { keep-hostname(yes); use-dns(no); stats-freq(0); time-reopen(1); };
source tcp { syslog(ip("127.0.0.1") port(${at[$f.tcp]}) transport("tcp")); };
source tls { syslog(ip("127.0.0.1") port(${at[$f.tls]}) transport("tls") tls(key-file("$pki/server.key") cert-file("$pki/server.pem") ca-file("$pki/ca.pem")
	peer-verify(required-trusted) trusted-dn("*CN=agent-01.contoso.example*"))); };
destination tcp { file("$disk/$f.tcp" template("\${HOST} [finding@32473 uid=\"\${.SDATA.finding@32473.uid}\"\n")); };
destination tls { file("$disk/$f.tls" template("\${HOST} [finding@32473 uid=\"\${.SDATA.finding@32473.uid}\"\n")); };
log { source(tcp); destination(tcp); flags(flow-control); };
log { source(tls); destination(tls); flags(flow-control); };
CONF
	check "a syslog-ng to be full starts" "$(tail -n 2 "$work/${at[$f.tls]}.log" 2>/dev/null)" syslog_ng_on "${at[$f.tls]}"
	pid[$f]=$receiver
	faults="$faults $f"
	flows="$flows $f.tcp $f.tls"
fi
port; tcp=$port
port; tls=$port
python3 tests/receivers/resetting_proxy.py 8000000 30000000 "$tcp:${at[resetting.tcp]}" "$tls:${at[resetting.tls]}" >"$work/resets" 2>&1 &
proxy=$!
receivers+=($proxy)
at[resetting.tcp]=$tcp at[resetting.tls]=$tls

rule 4711
echo 'evmend: {budget: 100000/1d}' >>"$work/rules/r4711.yml"
configure
sinks=
for f in $flows; do
	tls=
	[ "${f#*.}" = tls ] && tls=", tls: {ca: $pki/ca.pem, name: siem.contoso.example, cert: $pki/agent.pem, key: $pki/agent.key}"
	sinks="$sinks  - {name: $f, kind: syslog, address: \"127.0.0.1:${at[$f]}\", take: [finding]$tls}\n"
done
sed -i "/kind: file/a\\
${sinks%\\n}" "$work/config.yaml"
file_of() { # FLOW
	case $1 in full*) echo "$disk/$1" ;; *) echo "$work/$1" ;; esac
}
every() { # N: each sink has brought so many
	local f
	for f in $flows; do
		[ "$(cat "$(file_of "$f")" 2>/dev/null | wc -l)" -ge "$1" ] || return 1
	done
}
# of all sinks as "NAME WAITING ACKNOWLEDGED TROUBLE"
states() {
	"$evmend" status --json -c "$work/config.yaml" 2>/dev/null | python3 -c '
import json, sys
for s in json.load(sys.stdin)["sinks"]:
	print(s["name"], s["waiting"], s["acknowledged"], s.get("trouble", "-"))'
}
nothing_waits() {
	sleep 0.5
	states >"$work/states" && [ -s "$work/states" ] && ! awk '$2 != 0' "$work/states" | grep -q .
}

# again FAULT: starts a receiver that was killed
again() {
	wait "${pid[$1]}" 2>/dev/null
	check "the one that was $1 starts again" "$(tail -n 2 "$work/${at[$1.tls]}.log")" rsyslogd_on "${at[$1.tls]}"
	pid[$1]=$receiver
}

# --- the run ---
t0=$SECONDS
many $((RECORDS / 5))
check "the agent starts" "not up" start
check "each receiver gets some" "$(states)" wait_for 60 every $((RECORDS / 20))
kill -KILL "${pid[killed]}"
kill -STOP "${pid[frozen]}" "${pid[frozen-killed]}"
echo "# after $((SECONDS - t0)) s: killed and frozen"
many $((RECORDS - records))
sleep 2
again killed
check "meanwhile the file gets them all" "$(findings)" wait_for 90 has_findings "$RECORDS"
echo "# after $((SECONDS - t0)) s: the file has all; SINK WAITING ACKNOWLEDGED TROUBLE:"
states | sed 's/^/# /'
kill -KILL "${pid[frozen-killed]}"
kill -CONT "${pid[frozen]}"
again frozen-killed
case $faults in *full*) mount -o remount,size=200m "$disk" ;; esac
check "everything is confirmed" "see $work/states" wait_for 90 nothing_waits
echo "# after $((SECONDS - t0)) s: everything is confirmed"
stop
check "the agent ends well" "code $?" test $? -eq 0
for f in $faults; do kill -TERM "${pid[$f]}"; done
for f in $faults; do wait "${pid[$f]}" 2>/dev/null; done
kill -TERM $proxy
wait $proxy
echo "# $(cat "$work/resets")"

# --- what arrived ---
args=()
for f in $flows; do args+=("$f=$(file_of "$f")"); done
python3 tests/lib/syslog_arrived.py "$work/siem.ndjson" "${args[@]}" >"$work/arrived" 2>&1
# rsyslog 8.2302 takes messages that it cannot write, and says for each that it is lost: so many may be missing, and no more.
given_up() { grep -c "^rsyslogd: action 'action-[0-9]-builtin:omfile' .*message lost" "$work/${at[full.tls]}.log"; } # one server, named by its second port
[ -n "${faults##*full*}" ] || echo "# rsyslog says of $(given_up) messages that they are lost for want of room"
while IFS= read -r line; do
	name=${line%%:*}
	lost=$(sed -n 's/.* \([0-9]*\) lost.*/\1/p' <<<"$line")
	may=0
	# and what it was writing when the disk was full, one line of it torn, it counts as written: mostly one, once 66, which are two buffers of 4 KB
	[ "$name" = full.tcp ] && may=$(($(given_up) + 100 * $(sed -n 's/.* \([0-9]*\) torn.*/\1/p' <<<"$line")))
	if [[ $line == "$name: $RECORDS records"*" 0 out of order"*" 0 never sent" ]] && [ "$lost" -le "$may" ]; then
		ok "$name: in the order of each host, lost is nothing that was not given up"
	else
		not_ok "$name: in the order of each host, lost is nothing that was not given up" "$line"
	fi
	echo "# $line"
done <"$work/arrived"
echo "# after $((SECONDS - t0)) s: compared"
exit $bad
