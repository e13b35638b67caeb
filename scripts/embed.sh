#!/bin/bash
# embed.sh - files as C, so that the program carries its scripts wherever it is copied: scripts/embed.sh FILE... > scripts.c
set -eu
cat <<'END'
/* scripts.c - made by scripts/embed.sh from the files that it names; change those. */
#include "cli/scripts.h"

END
i=0
for f in "$@"; do
	printf 'static const char text_%d[] = {' "$i"
	od -An -v -tx1 "$f" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	printf '0};\n'
	i=$((i + 1))
done
echo 'const struct script scripts[] = {'
i=0
for f in "$@"; do
	printf '\t{"%s", text_%d},\n' "$(basename "$f")" "$i"
	i=$((i + 1))
done
printf '\t{(const char *)0, (const char *)0},\n};\n'
