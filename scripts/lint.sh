#!/usr/bin/env bash
# Style, formatting and types: every check runs, and any that fails fails the whole.
source "$(dirname "$0")/say.sh"
cd "$ROOT"
bin="$VENV/bin"
failed=0

say "ruff: style"
"$bin/ruff" check . || failed=1
say "ruff: formatting"
"$bin/ruff" format --check . || failed=1
say "mypy: types of the engine"
"$bin/mypy" || failed=1

[ "$failed" = 0 ] || die "Something above is to be put right; \`make format\` does what can be done by itself."
