#!/bin/bash
# lint.sh - the house rules, each a function that prints the places where it is broken; then clang-tidy and cppcheck.
#
#   scripts/lint.sh              all rules, with a test of each rule that it can fail; clang's analyzer looks at so much of each function
#   scripts/lint.sh --deep       it looks as far as it can: twenty times the time
#   scripts/lint.sh --quick      without clang-tidy and cppcheck
#
# Prints "ok RULE" or the places and "not ok RULE: how many". The self-test of a rule is the folder tests/lint/RULE: a tree that
# breaks just that rule. Needs a finished build for what only objects show (no mutable globals).
set -u
shopt -s nullglob globstar
cd "$(dirname "$0")/.." || exit 5
build=${BUILD:-build}
CC=${CC:-gcc}
quick= depth=4000
[ "${1:-}" = --quick ] && quick=1
[ "${1:-}" = --deep ] && depth=225000 # its own

bares=$(mktemp -d) || exit 5
trap 'rm -rf "$bares"' EXIT
# C text without comments and without the insides of strings; lines stay where they are. Several rules ask for it: it is made once.
bare() {
	local kept=$bares/${1//\//,}
	[ -f "$kept" ] || make_bare "$1" >"$kept"
	cat "$kept"
}
make_bare() {
	awk '
	BEGIN { in_comment = 0 }
	{
		line = $0; out = ""; n = length(line); quote = ""
		for (i = 1; i <= n; i++) {
			c = substr(line, i, 1); d = substr(line, i, 2)
			if (in_comment) { if (d == "*/") { in_comment = 0; i++ } continue }
			if (quote != "") {
				if (c == "\\") i++
				else if (c == quote) { quote = ""; out = out c }
				continue
			}
			if (d == "/*") { in_comment = 1; i++; continue }
			if (d == "//") break
			if (c == "\"" || c == "\x27") quote = c
			out = out c
		}
		print out
	}' "$1"
}
# hits FILE REGEX TEXT: where the bare text of a file matches
hits() {
	local kept=$bares/${1//\//,} n rest
	[ -f "$kept" ] || make_bare "$1" >"$kept"
	grep -nE "$2" "$kept" | while IFS=: read -r n rest; do echo "$1:$n: $3"; done
}

# one path a line; nothing for nothing
list() { [ $# -eq 0 ] || printf "%s\n" "$@"; }
agent_files() { list "$1"/agent/**/*.c "$1"/agent/**/*.h; }
c_files() { list "$1"/agent/**/*.c "$1"/tests/lab/*.c "$1"/tests/lib/*.c; }

# --- the rules; $1 is the root of the tree ---

# What a room may include, beside itself and limits.h.
may_include() {
	case $1 in
	os) echo "" ;;
	base) echo "os" ;;
	tls | store | source) echo "base os" ;;
	event) echo "tls base os" ;;
	rules) echo "event tls base os" ;;
	correlate) echo "rules event tls base os" ;;
	cases) echo "correlate rules event tls base os" ;;
	host) echo "tls base os" ;;
	heal) echo "host cases correlate rules event store tls base os" ;;
	remedies) echo "heal host cases correlate rules event store tls base os" ;;
	ship) echo "cases correlate rules event store tls base os" ;;
	proc) echo "ship remedies heal host source cases correlate rules event store tls base os" ;;
	cli) echo "proc ship remedies heal host source cases correlate rules event store tls base os" ;;
	main) echo "cli" ;;
	*) echo "?" ;;
	esac
}
rule_includes() {
	agent_files "$1" | while read -r f; do
		room=${f#"$1"/agent/}
		case $room in main.c) room=main ;; limits.h) continue ;; *) room=${room%%/*} ;; esac
		allowed=" $room $(may_include "$room") "
		grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$f" | while IFS=: read -r n line; do
			what=${line#*\"} what=${what%%\"*}
			[ "$what" = limits.h ] && continue
			case $what in
			*/*) target=${what%%/*} ;;
			*) echo "$f:$n: include \"$what\" with its room in front"; continue ;;
			esac
			[[ $allowed == *" $target "* ]] || echo "$f:$n: the room $room may not include $what"
		done
	done
}
rule_libraries() {
	agent_files "$1" | while read -r f; do
		short=${f#"$1"/agent/}
		grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' "$f" | while IFS=: read -r n line; do
			what=${line#*<} what=${what%%>*}
			case $what in
			libxml/*) home='base/xml*.c' ;;
			yaml.h) home='base/yaml*.c' ;;
			jansson.h) home='base/json*.c' ;;
			zlib.h | lzma.h | zstd.h) home='base/compress*.c' ;;
			openssl/*) home='tls/*' ;;
			sqlite3.h) home='store/*' ;;
			curl/*) home='ship/http.c' ;;
			librdkafka/*) home='ship/*kafka*' ;;
			seccomp.h | linux/*) home='os/linux/*' ;;
			hs.h | hs/* | pcre*.h) home='rules/regex*.c' ;;
			*) continue ;;
			esac
			# shellcheck disable=SC2053
			[[ $short == $home ]] || echo "$f:$n: <$what> belongs to $home alone"
		done
	done
}
rule_file_length() {
	{ c_files "$1"; list "$1"/agent/**/*.h; } | xargs -r -n 100 wc -l | while read -r n f; do
		case $f in
		total) ;;
		*.h) [ "$n" -le 200 ] || echo "$f: $n lines, a header has at most 200" ;;
		*) [ "$n" -le 600 ] || echo "$f: $n lines, at most 600" ;;
		esac
	done
}
rule_function_length() {
	c_files "$1" | xargs -r awk '
		FNR == 1 { start = 0 }
		/^\{/ { start = FNR }
		/^\}[[:space:]]*$/ && start { n = FNR - start + 2; if (n > 80) print FILENAME ":" start - 1 ": a function of " n " lines, at most 80"; start = 0 }'
}
rule_ops() {
	agent_files "$1" | while read -r f; do
		bare "$f" | awk -v f="$f" '
		/^struct [a-z_0-9]+_ops \{/ { inside = NR; n = 0 }
		inside { n += gsub(/\(\*/, "&") }
		/^\};/ { if (inside && n > 8) print f ":" inside ": " n " operations, at most 8"; inside = 0 }'
	done
}
rule_clocks() {
	agent_files "$1" | grep -v "/agent/base/clock.c$" | while read -r f; do
		hits "$f" '(^|[^A-Za-z0-9_])(time|clock|gettimeofday|clock_gettime|clock_nanosleep|nanosleep|usleep|sleep|timespec_get|ftime)[[:space:]]*\(' \
			"only base/clock.c reads or waits on clocks" |
			while IFS= read -r hit; do # members and prototypes of ops named sleep are calls on a table, not on the system
				n=$(cut -d: -f2 <<<"$hit")
				sed -n "${n}p" "$f" | grep -qE '(->|\.|\(\*)(sleep|time|clock)\b' || echo "$hit"
			done
	done
}
rule_windows() {
	agent_files "$1" | grep -v "/agent/os/" | while read -r f; do
		hits "$f" '(_WIN32|_WIN64|__linux__|__APPLE__)' "what depends on the system lives in os/"
	done
}
# Objects tell: a variable in .data or .bss can change. Constant tables with pointers lie in .data.rel.ro.
rule_globals() {
	local objects=("$1"/obj/agent/**/*.o)
	[ "$1" = "$build" ] || { # a self-test: compile its sources here
		local f tmp
		tmp=$(mktemp -d)
		for f in "$1"/agent/**/*.c; do
			$CC -std=c11 -fPIE -O0 -iquote "$1/agent" -c -o "$tmp/$(basename "$f").o" "$f" || echo "$f: does not compile"
		done
		objects=("$tmp"/*.o)
	}
	[ ${#objects[@]} -gt 0 ] || echo "$1: there are no objects; build first"
	list "${objects[@]}" | grep -v '/agent/main\.o$' | xargs -r objdump -t | awk '
		/:     file format / { o = $0; sub(/:     file format .*/, "", o) }
		/ O (\.data|\.bss|\.tdata|\.tbss|\*COM\*|\.data\.[^r][^ ]*|\.bss\.[^ ]*)[ \t]/ { print o ": the variable " $NF " can change; only main.c may have such" }'
	[ -n "${tmp:-}" ] && rm -rf "$tmp"
}
rule_opening() {
	{ c_files "$1"; list "$1"/agent/**/*.h; } | while read -r f; do
		base=${f##*/}
		read -r line <"$f"
		[[ $line == *"/* $base - "* ]] || case $base in
		*.h) echo "$f:1: does not open with \"/* $base - what it is\"" ;;
		*) echo "$f:1: does not open with \"/* $base - why it exists\"" ;;
		esac
	done
}
rule_banned() {
	{ agent_files "$1"; list "$1"/tests/lab/*.c "$1"/tests/lib/*.c; } | while read -r f; do
		hits "$f" '(^|[^A-Za-z0-9_>.])(system|popen|strcpy|strcat|sprintf|vsprintf|gets|alloca|rand|srand|random|tmpnam|mktemp|strtok|atoi|atol|setjmp|execlp|execvp|strncat)[[:space:]]*\(' \
			"this function is banned"
	done
}
# uthash with its own hash is open to floods: only the macros that take our seeded value
rule_hashing() {
	agent_files "$1" | while read -r f; do
		hits "$f" '(^|[^A-Z_])HASH_(ADD|FIND|REPLACE)(_(STR|INT|PTR|KEYPTR|INORDER|KEYPTR_INORDER|STR_INORDER))?[[:space:]]*\(' "only HASH_..._BYHASHVALUE with hash_bytes()"
	done
}
rule_layout() {
	{ agent_files "$1"; list "$1"/tests/**/*.c "$1"/tests/**/*.h; } | grep -v "^$1/tests/lint/" | sort -u | xargs -r awk '
		FNR == 1 { most = FILENAME ~ /\/tests\/(unit|fault)\// ? 180 : 150 } # tables of examples
		/[ \t]+$/ { print FILENAME ":" FNR ": blanks at the end of the line" }
		/^    / { print FILENAME ":" FNR ": indent with tabs" }
		{ l = $0; gsub(/\t/, "    ", l); if (length(l) > most) print FILENAME ":" FNR ": " length(l) " columns" }
		/\r/ { print FILENAME ":" FNR ": a carriage return" }'
}
# a bug that is planted on purpose stays in the fuzz targets
rule_planted() {
	{ agent_files "$1"; list "$1"/tests/lab/*.c; } | xargs -r grep -nHE 'EVMEND_PLANTED_BUG|PLANTED\(|lib/fuzz\.h' | sed 's|^\([^:]*:[0-9]*\):.*|\1: a planted bug belongs to tests/fuzz alone|'
}
# nobody outside the lab's folder knows the lab
rule_lab() {
	agent_files "$1" | xargs -r grep -nHE '#[[:space:]]*include[[:space:]]*"(tests/|lab/|\.\./)' | sed 's|^\([^:]*:[0-9]*\):.*|\1: the agent includes nothing of the tests|'
}

rules="includes libraries file_length function_length ops clocks windows globals opening banned hashing layout lab planted"
failed=0
for rule in $rules; do
	root=.
	[ "$rule" = globals ] && root=$build
	found=$("rule_$rule" "$root")
	if [ -n "$found" ]; then
		echo "$found" >&2
		echo "not ok $rule: $(wc -l <<<"$found") places, the first: $(head -n 1 <<<"$found")"
		failed=1
	else
		echo "ok $rule"
	fi
	# a rule that cannot fail is none
	if [ ! -d "tests/lint/$rule" ]; then
		echo "not ok $rule can fail: there is no tests/lint/$rule"
		failed=1
	elif [ -z "$("rule_$rule" "tests/lint/$rule" 2>&1)" ]; then
		echo "not ok $rule can fail: tests/lint/$rule breaks it, and it says nothing"
		failed=1
	else
		echo "ok $rule can fail"
	fi
done
scripts/lint_powershell.sh || failed=1
[ -n "$quick" ] && exit $failed

# --- the tools ---
flags="-std=c11 -D_GNU_SOURCE -iquote agent -iquote tests $(pkg-config --cflags libxml-2.0 yaml-0.1 jansson openssl sqlite3 zlib liblzma libzstd libcurl rdkafka)"
sources=(agent/**/*.c tests/lab/*.c tests/lib/*.c)
tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
if [ -z "$tidy" ]; then
	echo "not ok clang-tidy: it is not installed; make setup installs it"
	failed=1
else
	stamps=$build/lint
	mkdir -p "$stamps"
	export tidy flags stamps depth
	# a file is looked at again only when it, a header or the choice of checks has changed, or deeper
	tidy_one() {
		local f=$1 sum stamp said
		stamp=$stamps/${f//\//.}
		# shellcheck disable=SC2086
		sum=$({ cat "$f" .clang-tidy; gcc -MM -MT x $flags "$f" 2>/dev/null | tr -d '\\' | tr ' ' '\n' | grep '\.h$' | sort -u | xargs -r cat; } | sha256sum | cut -d " " -f 1)
		local seen= seen_depth=0
		read -r seen seen_depth 2>/dev/null <"$stamp"
		[ "$seen" = "$sum" ] && [ "$seen_depth" -ge "$depth" ] && return 0
		# shellcheck disable=SC2086
		said=$("$tidy" --quiet --warnings-as-errors='*' "$f" -- $flags -Xclang -analyzer-config -Xclang "max-nodes=$depth" 2>/dev/null) && {
			echo "$sum $depth" >"$stamp"
			return 0
		}
		grep -E '(warning|error):' <<<"$said"
	}
	export -f tidy_one
	found=$(printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" nice -n 10 bash -c 'tidy_one "$1"' tidy_one)
	found=$(sort -u <<<"$found" | sed '/^$/d')
	if [ -n "$found" ]; then
		echo "$found" >&2
		echo "not ok clang-tidy: $(wc -l <<<"$found") findings, the first: $(head -n 1 <<<"$found")"
		failed=1
	else
		echo "ok clang-tidy"
	fi
	# shellcheck disable=SC2086
	if "$tidy" --quiet --warnings-as-errors='*' tests/lint/clang-tidy/bad.c -- $flags >/dev/null 2>&1; then
		echo "not ok clang-tidy can fail: tests/lint/clang-tidy/bad.c passes"
		failed=1
	else
		echo "ok clang-tidy can fail"
	fi
fi
if ! command -v cppcheck >/dev/null; then
	echo "not ok cppcheck: it is not installed; make setup installs it"
	failed=1
else
	check=(nice -n 10 cppcheck --quiet --enable=warning,performance,portability --inline-suppr --std=c11 --error-exitcode=1 --template='{file}:{line}: {id}: {message}'
		--library=scripts/cppcheck.cfg --suppressions-list=scripts/cppcheck.suppressions --max-configs=1 -D_GNU_SOURCE -D__GNUC__ -Iagent -Itests)
	mkdir -p "$build/lint/cppcheck"
	if found=$("${check[@]}" --cppcheck-build-dir="$build/lint/cppcheck" -j "$(nproc)" "${sources[@]}" 2>&1); then
		echo "ok cppcheck"
	else
		echo "$found" >&2
		echo "not ok cppcheck: the first: $(head -n 1 <<<"$found")"
		failed=1
	fi
	if "${check[@]}" tests/lint/cppcheck/bad.c >/dev/null 2>&1; then
		echo "not ok cppcheck can fail: tests/lint/cppcheck/bad.c passes"
		failed=1
	else
		echo "ok cppcheck can fail"
	fi
fi
exit $failed
