#!/usr/bin/env bash
# Prepare .venv with this checkout and the named extras: scripts/venv.sh cli test
# Does nothing when it is up to date. PYTHON chooses the interpreter, VENV another place.
source "$(dirname "$0")/say.sh"

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
	for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
		if [ -n "$candidate" ] && is_new_enough "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	die "Python 3.10 or newer is needed and none was found." \
		"Debian or Ubuntu: sudo apt-get install python3 python3-venv; or say where it is: PYTHON=/path/to/python3 make ..."
}

make_venv() {
	local python="$1"
	say "Making a virtual environment in ${VENV#"$ROOT"/} with $("$python" --version)"
	rm -rf "$VENV"
	if "$python" -m venv "$VENV" >/dev/null 2>&1; then return; fi
	rm -rf "$VENV"
	if command -v uv >/dev/null && uv venv --quiet --seed --python "$python" "$VENV"; then return; fi
	if "$python" -m virtualenv --quiet "$VENV" 2>/dev/null; then return; fi
	rm -rf "$VENV"
	die "$python cannot make virtual environments." "Debian or Ubuntu: sudo apt-get install python3-venv"
}

# two makes at once must not install into one another
mkdir -p "$(dirname "$VENV")"
exec 9>"$VENV.lock"
if command -v flock >/dev/null; then flock 9; fi

[ -x "$VENV/bin/python" ] && is_new_enough "$VENV/bin/python" || make_venv "$(find_python)"

stamp="$VENV/installed"
extras="$({ cat "$stamp.extras" 2>/dev/null || true; printf '%s\n' "$@"; } | sort -u | paste -sd, -)"
wanted="$(cksum <"$ROOT/pyproject.toml") $ROOT $extras"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
	say "Installing this checkout with [$extras] into ${VENV#"$ROOT"/}"
	"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$ROOT[$extras]" ||
		die "pip could not install the packages above." "Is a package index reachable? Behind a mirror: PIP_INDEX_URL=https://... make ..."
	tr ',' '\n' <<<"$extras" >"$stamp.extras"
	echo "$wanted" >"$stamp"
fi
