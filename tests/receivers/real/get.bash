# get.bash - real receivers by their package coordinates, with the ordinary clients (mvn, go), into a folder outside the tree.
#
# Why: a stand-in shows what we believe of a receiver, a real one what is so. Each get_NAME leaves the thing in the cache and returns 0, or
# returns 1 with the reason in $why; a second call finds what is there. What is downloaded is checked by its client: Maven against the
# repository's checksums, Go against the checksum database and go.sum. Sourced by the scripts beside it.
cache=${EVMEND_RECEIVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/evmend-receivers}
real=$root/tests/receivers/real
why=

opensearch_version=2.19.3
victoria_version=v1.121.0 # the last tree of this module that holds VictoriaLogs and is served
kafka_version=4.1.0
collector_version=v0.130.0
# of this manifest and these sums alone
collector=otelcol-$collector_version-$(cat "$real"/otelcol/* | sha256sum | cut -c1-8)

needs() { # PROGRAM...
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null || { why="$p is not installed"; return 1; }
	done
	mkdir -p "$cache" || { why="$cache cannot be made"; return 1; }
}
# once NAME COMMAND...: the command makes $cache/NAME by way of $cache/NAME.new; the log of a failure is kept beside it
once() {
	local name=$1
	shift
	[ -e "$cache/$name" ] && return 0
	(
		exec 9>"$cache/lock" && flock 9 || exit 1
		[ -e "$cache/$name" ] && exit 0
		rm -rf "$cache/$name.new" && "$@" "$cache/$name.new" >"$cache/$name.log" 2>&1 9>&- && mv "$cache/$name.new" "$cache/$name"
	) && return 0
	why="$name cannot be had: $(grep -vE '^\s*$' "$cache/$name.log" | tail -n 1 | cut -c1-200) ($cache/$name.log)"
	return 1
}

make_opensearch() {
	nice -n 10 mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dmdep.useBaseVersion=true \
		-Dartifact="org.opensearch.distribution.integ-test-zip:opensearch:$opensearch_version:zip" -DoutputDirectory="$1.d" &&
		mv "$1.d/opensearch-$opensearch_version.zip" "$1" && rmdir "$1.d"
}
get_opensearch() { needs java mvn python3 setpriv && once "opensearch-$opensearch_version.zip" make_opensearch; }

# There is no distribution to be had by coordinates: the jars of the broker and of its tools
make_kafka() {
	mkdir "$1" && cat >"$1/pom.xml" <<POM || return 1
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>evmend.test</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
POM
	nice -n 10 mvn -q -B -f "$1/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$1/libs"
}
get_kafka() { needs java mvn kcat python3 openssl && once "kafka-$kafka_version" make_kafka; }

# the module's own go.mod replaces others, which `go install` refuses: built from a copy
make_victorialogs() {
	local tree=$1.d module=github.com/VictoriaMetrics/VictoriaMetrics from
	export GOFLAGS="-buildvcs=false -p=1"
	from=$(cd "$cache" && go mod download -json "$module@$victoria_version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') && [ -n "$from" ] || return 1
	rm -rf "$tree" && cp -r "$from" "$tree" && chmod -R u+w "$tree" && (cd "$tree" && nice -n 10 go build -trimpath -mod=mod -o "$1" ./app/victoria-logs) || return 1
	rm -rf "$tree"
}
get_victorialogs() { needs go && once "victoria-logs-$victoria_version" make_victorialogs; }

# Its go.mod and go.sum are the project's: docs/sinks.md says where the sums are from.
make_collector() {
	local tree=$1.d
	export GOFLAGS="-buildvcs=false -p=1" CGO_ENABLED=0
	rm -rf "$tree" && mkdir "$tree" && cp "$real/otelcol/manifest.yaml" "$tree/" || return 1
	(cd "$tree" && GOBIN=$tree/bin nice -n 10 go install "go.opentelemetry.io/collector/cmd/builder@$collector_version" &&
		bin/builder --config manifest.yaml --skip-get-modules --skip-compilation &&
		cp "$real/otelcol/go.mod" "$real/otelcol/go.sum" out/ && cd out &&
		nice -n 10 go build -trimpath -ldflags="-s -w" -o "$1" .) || return 1
	rm -rf "$tree"
}
get_collector() { needs go && once "$collector" make_collector; }
