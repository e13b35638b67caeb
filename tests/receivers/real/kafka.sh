#!/bin/bash
# A real Apache Kafka broker: killed with 100,000 records on their way; without TLS, with client certificates, with a password over TLS.
# limit: 900
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
# frozen, longer than a request may take
kill -STOP "$receiver"
many 20000
check "while it is frozen the file gets them all the same" "$(findings)" wait_for 120 has_findings "$records"
sleep 6
echo "# frozen with $(status_of kafka waiting) records waiting"
kill -CONT "$receiver"
check "after that everything is acknowledged" "$(status_of kafka waiting) wait: $(status_of kafka trouble)" wait_for 120 delivered kafka
pace kafka 20000
{ read_topic evmend.finding; read_topic evmend.agent; } >"$here/values"
same "Kafka has each record as it was sent, those of a host in order, after the frost too" kafka "$here/values"
stop
check "the agent ends well" "code $?" test $? -eq 0

only() { # SINK-YAML: the only sink, over an empty spool
	sed -i '/^sinks:/,$d; s/^state_dir: .*/state_dir: state2/' "$work/config.yaml"
	printf 'sinks:\n  - {name: k, kind: kafka, %s}\n' "$1" >>"$work/config.yaml"
}

# a topic that takes less than the sink sends: exactly what is too large is refused, whatever shared its batches, and the order stays
check "a topic with a limit is made" "$(tail -n 3 "$here/out")" kafka_topic small max.message.bytes=20000
only "brokers: \"$url\", topic: small, take: [finding]"
: >"$work/in.xml"
mkdir "$work/state2" && "$(dirname "$evmend")/tests/receivers/fill_spool" "$work/state2" 3000 300 || not_ok "records are in the spool" "$?"
check "the agent starts again" "$(tail -n 2 "$work/log")" start
settled() { [ "$(status_of k waiting)" = 0 ]; }
check "every batch is too large for that topic, and all has an outcome" "$(status_of k waiting) wait: $(status_of k trouble)" wait_for 120 settled
check "what is too large alone is a dead letter, nothing else" "$(status_of k dead) dead" test "$(status_of k dead)" -eq 10
stop
kcat -C -b "$url" -t small -o beginning -e -q -f '%p %o %k %h %s\n' 2>>"$here/out" | python3 tests/receivers/kafka_seen.py 3000 300 >"$here/seen"
code=${PIPESTATUS[1]}
check "everything else is there, those of a host in order" "$(head -n 3 "$here/seen")" test "$code" -eq 0
echo "# $(head -n 1 "$here/seen")"

# the configuration of docs/sinks.md, word for word but for paths and the broker
sed -i '/^sinks:/,$d' "$work/config.yaml"
awk '/^## Apache Kafka/ { here = 1 } here && /^```yaml/ { on = 1; next } on && /^```/ { exit } on' docs/sinks.md |
	sed "s#brokers: .*#brokers: [\"$url_sasl\"]#; s#/etc/evmend/ca.pem#$here/pki/ca.pem#; s#/etc/evmend/kafka-password#$here/password#" >>"$work/config.yaml"
expect "check with the text of docs/sinks.md" 0 "1 broker, topics evmend.{kind}" check
expect "sink test with the text of docs/sinks.md" 0 "accepted" sink test kafka

# what does not fit is told with its reason
only "topic: t, brokers: \"$url_sasl\", tls: {$tls}, sasl: {mechanism: PLAIN, user: agent, password_file: $here/wrong}"
expect "a wrong password" 4 "uthentication failed" check
expect "and what to do about it" 4 "look at sasl: mechanism, user and password_file" check
expect "sink test says the same" 4 "look at sasl" sink test k
only "topic: t, brokers: \"$url_tls\", tls: {$tls}"
expect "no client certificate" 4 "certificate" check
only "topic: t, brokers: \"$url_sasl\", tls: {ca: $here/pki/client.pem}, sasl: {mechanism: PLAIN, user: agent, password_file: $here/password}"
expect "a certificate of nobody we know" 4 "certificate verify failed" check
password="user: agent, password_file: $here/password"
only "topic: t, brokers: \"$url_sasl\", tls: {$tls}, sasl: {mechanism: SCRAM-SHA-256, $password}"
expect "a mechanism that the broker does not have" 4 "mechanism" check
only "topic: t, brokers: \"$url_sasl\", tls: {$tls}, sasl: {mechanism: SCRAM-SHA-512, user: scram, password_file: $here/password}"
if kcat -V | grep -qE 'librdkafka (1\.|2\.[0-5]\.|2\.6\.0)'; then
	expect "SCRAM with Kafka 4 and an old library: said what stands in the way" 4 "cannot do SCRAM with Kafka 4" check
else
	expect "SCRAM" 0 "1 broker" check
fi
only "topic: t, brokers: \"127.0.0.1:1\""
expect "nobody listens" 4 "Connection refused; look at brokers" check
only "topic: t, brokers: \"nosuch.invalid:9092\""
expect "a name that is none" 4 "look at the names in brokers" check
only "topic: t, brokers: \"$url_tls\""
expect "no TLS towards a port with TLS" 4 "look at brokers: is that a port without TLS?" check
only "topic: t, brokers: \"$url\", tls: {$tls}"
expect "TLS towards a port without" 4 "tls" check
crash_receiver
check "a broker that makes no topics by itself" "$(tail -n 3 "$here/out")" start_kafka auto.create.topics.enable=false
only "topic: t, brokers: \"$url\""
sed -i 's/topic: t,/topic: nosuch,/' "$work/config.yaml"
expect "check: a topic that is not there" 0 "topic nosuch is not there, or not shown to our user: make it" check
expect "sink test: a topic that is not there" 4 "make the topic" sink test k --wait 60s
exit $bad
