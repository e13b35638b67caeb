# start.bash - starts the real receivers on 127.0.0.1 and ends them: start_NAME sets $url (and $token) and waits until it answers.
#
# Sourced after tests/lib/agent.bash and get.bash. $receiver is the process; crash_receiver ends it with SIGKILL, and start_NAME again
# starts it over the same data.
receiver=
url=
here=$work/receiver
mkdir -p "$here"
: >"$here/out"
: >"$work/log"
port_of() { echo $((20000 + RANDOM % 12000)); } # below the ports of outgoing connections
crash_receiver() {
	[ -n "$receiver" ] || return 0
	kill -KILL "$receiver" 2>/dev/null
	wait "$receiver" 2>/dev/null
	receiver=
}
clean_up_receiver() { crash_receiver; clean_up; }
trap clean_up_receiver EXIT
alive_and() { kill -0 "$receiver" 2>/dev/null || return 0; "$@"; } # a dead one need not be waited for
came_up() { # SECONDS NAME COMMAND...
	local seconds=$1 name=$2 t0=$SECONDS
	shift 2
	if wait_for "$seconds" alive_and "$@" && "$@"; then
		echo "# $name answers after $((SECONDS - t0)) s"
		return 0
	fi
	tail -n 20 "$here/out" >&2
	return 1
}

# a certificate authority and a server's certificate for 127.0.0.1, in $here/pki
make_pki() {
	local d=$here/pki
	[ -d "$d" ] && return
	mkdir "$d"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$d/ca.key" -out "$d/ca.pem" -days 30 -subj "/O=evmend/CN=test CA" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout "$d/server.key" -out "$d/server.csr" -subj "/CN=localhost" 2>/dev/null
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >"$d/ext"
	openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 30 -extfile "$d/ext" -out "$d/server.pem" 2>/dev/null
}

# It refuses to run as root: then as nobody, who may pass through our folders and owns its own
start_opensearch() {
	local os=$here/opensearch as=() java
	java=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
	if [ ! -d "$os" ]; then
		mkdir "$os.d" && python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$cache/opensearch-$opensearch_version.zip" "$os.d" || return 1
		mv "$os.d"/opensearch-* "$os" && chmod +x "$os"/bin/*
		port=$(port_of)
		cat >"$os/config/opensearch.yml" <<YAML
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 12000))
discovery.type: single-node
path.data: $os/data
path.logs: $os/logs
cluster.routing.allocation.disk.threshold_enabled: false
YAML
		[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$os"
		[ "$(id -u)" -ne 0 ] || chmod o+x "$TMP" "$work" "$here"
	fi
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	url=http://127.0.0.1:$port
	rm -f "$os/data/nodes/0/node.lock"
	(cd "$os" && exec "${as[@]}" env -i PATH="$PATH" HOME="$os" OPENSEARCH_JAVA_HOME="$java" OPENSEARCH_JAVA_OPTS="-Xms512m -Xmx512m" bin/opensearch) >>"$here/out" 2>&1 &
	receiver=$!
	came_up 180 "OpenSearch $opensearch_version" curl -sf "$url/_cluster/health?wait_for_status=yellow&timeout=20s" -o "$here/health"
}

start_victorialogs() {
	port=${port:-$(port_of)}
	url=http://127.0.0.1:$port/insert/elasticsearch
	"$cache/victoria-logs-$victoria_version" -storageDataPath="$here/data" -httpListenAddr="127.0.0.1:$port" -retentionPeriod=10y -futureRetention=10y >>"$here/out" 2>&1 &
	receiver=$!
	came_up 20 "VictoriaLogs $victoria_version" curl -sf "http://127.0.0.1:$port/health" -o "$here/health"
}

# Splunk's event collector with acknowledgement, TLS and a token; what comes is a line of $here/hec.jsonl
start_collector() {
	port=${port:-$(port_of)}
	make_pki
	token=5a1d6d2e-hec-token
	url=https://127.0.0.1:$port
	cat >"$here/collector.yaml" <<YAML
extensions:
  health_check: {endpoint: "127.0.0.1:$((port + 1))"}
  ack: {}
  bearertokenauth/hec: {scheme: Splunk, token: $token}
receivers:
  splunk_hec:
    endpoint: 127.0.0.1:$port
    auth: {authenticator: bearertokenauth/hec}
    ack: {extension: ack, path: /services/collector/ack}
    tls: {cert_file: $here/pki/server.pem, key_file: $here/pki/server.key}
exporters:
  file/hec: {path: $here/hec.jsonl, rotation: {max_megabytes: 4096}} # with rotation each line is written at once
service:
  extensions: [health_check, ack, bearertokenauth/hec]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs/hec: {receivers: [splunk_hec], exporters: [file/hec]}
YAML
	"$cache/$collector" --config "$here/collector.yaml" >>"$here/out" 2>&1 &
	receiver=$!
	came_up 20 "OpenTelemetry Collector $collector_version" curl -sf "http://127.0.0.1:$((port + 1))" -o "$here/health"
}

# A single node that is its own controller. $url: without TLS; $url_tls: with TLS and client certificates; $url_sasl: TLS and a password.
# The arguments are settings of this start: NAME=VALUE
start_kafka() {
	local s over=() k=$here/kafka java=(java -Xms256m -Xmx512m -cp "$cache/kafka-$kafka_version/libs/*" -Dlog4j2.configurationFile="$here/kafka/log4j2.xml")
	if [ ! -d "$k" ]; then
		mkdir "$k" && make_pki
		openssl req -newkey rsa:2048 -nodes -keyout "$here/pki/client.key" -out "$here/pki/client.csr" -subj "/O=evmend/CN=agent" 2>/dev/null
		openssl x509 -req -in "$here/pki/client.csr" -CA "$here/pki/ca.pem" -CAkey "$here/pki/ca.key" -CAcreateserial -days 30 -out "$here/pki/client.pem" 2>/dev/null
		cat "$here/pki/server.key" "$here/pki/server.pem" >"$k/store.pem"
		port=$(port_of)
		cat >"$k/log4j2.xml" <<XML
<Configuration><Appenders><Console name="c"><PatternLayout pattern="%d %p %m%n"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="c"/></Root></Loggers></Configuration>
XML
		cat >"$k/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
num.partitions=4
controller.quorum.voters=1@127.0.0.1:$((port + 3))
listeners=PLAINTEXT://127.0.0.1:$port,SSL://127.0.0.1:$((port + 1)),SASL_SSL://127.0.0.1:$((port + 2)),CONTROLLER://127.0.0.1:$((port + 3))
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SSL://localhost:$((port + 1)),SASL_SSL://localhost:$((port + 2))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=$k/store.pem
ssl.truststore.type=PEM
ssl.truststore.location=$here/pki/ca.pem
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_agent="agent-pw";
log.dirs=$k/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
PROPERTIES
		"${java[@]}" kafka.tools.StorageTool format -t AAAAAAAAQAAAAAAAAAAAAA -c "$k/server.properties" \
			--add-scram 'SCRAM-SHA-512=[name=scram,password=agent-pw]' >>"$here/out" 2>&1 || return 1
	fi
	url=127.0.0.1:$port url_tls=localhost:$((port + 1)) url_sasl=localhost:$((port + 2))
	for s in "$@"; do over+=(--override "$s"); done
	"${java[@]}" kafka.Kafka "$k/server.properties" "${over[@]}" >>"$here/out" 2>&1 &
	receiver=$!
	came_up 60 "Kafka $kafka_version" kafka_answers
}
# kafka_topic NAME [SETTING]: made by the broker's own tool
kafka_topic() {
	java -Xmx256m -cp "$cache/kafka-$kafka_version/libs/*" org.apache.kafka.tools.TopicCommand --bootstrap-server "$url" --create --topic "$1" \
		--partitions 2 ${2:+--config "$2"} >>"$here/out" 2>&1
}
kafka_answers() { kcat -b "$url" -L -m 1 >/dev/null 2>&1; }

# OTLP over HTTP with TLS and a token; what comes is a line of $here/otlp.jsonl for each request
start_otlp() {
	port=${port:-$(port_of)}
	make_pki
	token=5a1d6d2e-otlp-token
	url=https://127.0.0.1:$port
	cat >"$here/collector.yaml" <<YAML
extensions:
  health_check: {endpoint: "127.0.0.1:$((port + 1))"}
  bearertokenauth/otlp: {scheme: Bearer, token: $token}
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:$port
        auth: {authenticator: bearertokenauth/otlp}
        tls: {cert_file: $here/pki/server.pem, key_file: $here/pki/server.key}
exporters:
  file/otlp: {path: $here/otlp.jsonl, rotation: {max_megabytes: 4096}} # with rotation each line is written at once
service:
  extensions: [health_check, bearertokenauth/otlp]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs/otlp: {receivers: [otlp], exporters: [file/otlp]}
YAML
	"$cache/$collector" --config "$here/collector.yaml" >>"$here/out" 2>&1 &
	receiver=$!
	came_up 20 "OpenTelemetry Collector $collector_version" curl -sf "http://127.0.0.1:$((port + 1))" -o "$here/health"
}
