#!/bin/bash
# fuzz.sh - runs the fuzz targets; `make fuzz` and `make fuzz-check` build them and call this.
#
#   scripts/fuzz.sh can                    is libFuzzer there? Code 1 and "skip fuzz: why" when not
#   scripts/fuzz.sh run SECONDS TARGET...  each so long; an input that shows a bug becomes a case in tests/fuzz/found/TARGET/
#   scripts/fuzz.sh planted TARGET...      the targets with a bug planted: the seeds must not show it, 60 s of fuzzing must
#
# One line for each target: executions, covered edges, seconds. Code 1 when a bug was found (run) or was not (planted). The inputs that
# reached something new are kept in BUILD/corpus/TARGET for the next time. BUILD: where the programs are (build/fuzz).
set -u
cd "$(dirname "$0")/.." || exit 5
build=${BUILD:-build/fuzz}
slowest=20 # seconds for one input: a rule may not cost more, however it is made; sanitizers and a busy machine included
planted_seconds=60
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 LC_ALL=C.UTF-8 TZ=UTC

# fuzz PROGRAM TARGET CORPUS SECONDS FOUND: log on stdout
fuzz() {
	"$1" -max_total_time="$4" -timeout=$slowest -rss_limit_mb=2048 -max_len=8192 -dict=tests/fuzz/sigma.dict -print_final_stats=1 \
		-artifact_prefix="$5/" "$3" "tests/fuzz/seeds/$2" 2>&1
}
stat_of() { sed -n "s/^stat::$2: *//p" "$1" | tail -n 1; }
edges_of() { sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$1" | tail -n 1; }
runs_of() { # a crash ends without statistics
	local n
	n=$(stat_of "$1" number_of_executed_units)
	[ -n "$n" ] || n=$(sed -n 's/^#\([0-9]*\)[[:space:]].*/\1/p' "$1" | tail -n 1)
	echo "${n:-0}"
}

can() {
	if ! command -v clang-14 >/dev/null; then
		echo "skip fuzz: clang-14 is not there"
		return 1
	fi
	if [ ! -e "$(clang-14 -print-file-name=libclang_rt.fuzzer-x86_64.a)" ] && [ ! -e "$(clang-14 -print-runtime-dir)/libclang_rt.fuzzer-$(uname -m).a" ]; then
		echo "skip fuzz: libFuzzer of clang-14 is not there (package libclang-rt-14-dev)"
		return 1
	fi
}

run() {
	local seconds=$1 failed=0 name log start code found
	shift
	for name in "$@"; do
		found=tests/fuzz/found/$name
		log=$build/fuzz_$name.log
		mkdir -p "$build/corpus/$name" "$found"
		start=$SECONDS
		fuzz "$build/fuzz/$name" "$name" "$build/corpus/$name" "$seconds" "$found" >"$log"
		code=$?
		rmdir "$found" 2>/dev/null
		echo "fuzz $name: $(runs_of "$log") executions, $(edges_of "$log") edges, $((SECONDS - start)) s"
		if [ $code -ne 0 ]; then
			failed=1
			grep -avE '^(Dictionary|\tNEW_FUNC|#[0-9]|INFO|NEW_FUNC|stat::)' "$log" | head -n 40
			echo "FAILED fuzz $name: $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1) ($log)"
		fi
	done
	return $failed
}

planted() {
	local failed=0 name log start tmp
	tmp=$(mktemp -d) || return 5
	for name in "$@"; do
		log=$build/planted_$name.log
		mkdir -p "$tmp/$name"
		if ! "$build/planted/$name" -runs=0 -artifact_prefix="$tmp/" "tests/fuzz/seeds/$name" >"$log" 2>&1; then
			echo "FAILED planted $name: a seed shows it already; that proves nothing ($log)"
			failed=1
			continue
		fi
		start=$SECONDS
		if fuzz "$build/planted/$name" "$name" "$tmp/$name" $planted_seconds "$tmp" >"$log"; then
			echo "FAILED planted $name: not found within $planted_seconds s, $(runs_of "$log") executions, $(edges_of "$log") edges ($log)"
			failed=1
		else
			echo "planted $name: found after $((SECONDS - start)) s, $(runs_of "$log") executions, $(edges_of "$log") edges"
		fi
	done
	rm -rf "$tmp"
	return $failed
}

case ${1:-} in
can) can ;;
run | planted) "$@" ;;
*) echo "scripts/fuzz.sh: can, run SECONDS TARGET... or planted TARGET..." >&2; exit 3 ;;
esac
