#!/bin/bash
# A real Apache Kafka broker: killed with 100,000 records on their way; without TLS, with client certificates, with a password over TLS.
# limit: 600
cd "$(dirname "$0")/../../.." || exit 5
. tests/lib/agent.bash
. tests/receivers/real/get.bash
if ! get_kafka; then
	skip "Kafka" "$why"
	exit 0
fi
. tests/receivers/real/start.bash
. tests/receivers/real/flow.bash

check "Kafka starts" "$(tail -n 3 "$here/out")" start_kafka
echo agent-pw >"$here/password"
echo wrong >"$here/wrong"
chmod 600 "$here/password" "$here/wrong"
tls="ca: $here/pki/ca.pem"
both="$tls, cert: $here/pki/client.pem, key: $here/pki/client.key"
sinks "  - {name: kafka, kind: kafka, brokers: \"$url\", topic: \"evmend.{kind}\", compress: zstd}\n  - {name: tls, kind: kafka, brokers: \"$url_tls\", topic: tls, format: ecs, compress: lz4, tls: {$both}}\n  - {name: sasl, kind: kafka, brokers: \"$url_sasl\", topic: sasl, format: ocsf, tls: {$tls}, sasl: {mechanism: PLAIN, user: agent, password_file: $here/password}, take: [finding]}"
expect "check reaches all three" 0 "topic sasl is not there" check
end_receiver=crash_receiver
check "the agent starts" "$(tail -n 2 "$work/log")" start
arrives kafka start_kafka
read_topic() { kcat -C -b "$url" -t "$1" -o beginning -e -q -f '%s\n' 2>>"$here/out"; }
{ read_topic evmend.finding; read_topic evmend.agent; } >"$here/values"
same "Kafka has each record as it was sent, those of a host in order" kafka "$here/values"
for s in tls sasl; do
	done_too() { [ "$(status_of $s waiting)" = 0 ]; }
	check "$s: everything is acknowledged" "$(status_of $s trouble)" wait_for 120 done_too
	read_topic $s | python3 -c '
import json, sys
own = [json.loads(l) for l in sys.stdin]
uids = [d.get("finding_info", {}).get("uid") or d.get("evmend", {}).get("finding", {}).get("uid") for d in own]
uids = [u for u in uids if u]
print("%d messages, %d findings, %d repeats" % (len(own), len(set(uids)), len(uids) - len(set(uids))))
sys.exit(len(set(uids)) != int(sys.argv[1]))' "$(findings)" >"$here/$s"
	code=$?
	check "$s: every finding is there" "$(cat "$here/$s")" test "$code" -eq 0
	echo "# $s: $(cat "$here/$s")"
done
pace kafka 50000
stop
check "the agent ends well" "code $?" test $? -eq 0

# what does not fit is told with its reason
only() { # SINK-YAML: the only sink
	sed -i '/^  - {name: .*kind: kafka/d; /name: file/d' "$work/config.yaml"
	sed -i "s#^sinks:#&\n  - {name: k, kind: kafka, topic: t, $1}#" "$work/config.yaml"
}
only "brokers: \"$url_sasl\", tls: {$tls}, sasl: {mechanism: PLAIN, user: agent, password_file: $here/wrong}"
expect "a wrong password" 4 "uthentication failed" check
only "brokers: \"$url_tls\", tls: {$tls}"
expect "no client certificate" 4 "certificate" check
only "brokers: \"$url_sasl\", tls: {ca: $here/pki/client.pem}, sasl: {mechanism: PLAIN, user: agent, password_file: $here/password}"
expect "a certificate of nobody we know" 4 "certificate verify failed" check
only "brokers: \"127.0.0.1:${url_sasl#*:}\", tls: {$tls}, sasl: {mechanism: SCRAM-SHA-512, user: agent, password_file: $here/password}"
expect "a mechanism that the broker does not have" 4 "mechanism" check
exit $bad
