# Sourced by the shell scripts here: how they speak, and where they are.
set -eEuo pipefail
trap 'printf "\nerror: %s stopped at line %s: %s\n" "$(basename "$0")" "$LINENO" "$BASH_COMMAND" >&2' ERR

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="${VENV:-$ROOT/.venv}"

say() { printf '\n=== %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
	printf '\nerror: %s\n' "$1" >&2
	shift
	for line in "$@"; do printf '       %s\n' "$line" >&2; done
	exit 1
}
