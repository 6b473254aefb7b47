#!/usr/bin/env bash
# Prepare a whole platform for this app: system packages, bench, Frappe, ERPNext, a site, the app, demo data.
#
# Every step looks first whether it is already done, so this can be repeated, and continues where it stopped.
# Frappe refuses root: the system's part needs root or sudo, all the rest runs as an ordinary user.
#
#   FRAPPE_BRANCH   version-15 (default), version-16, ...; ERPNEXT_BRANCH if it differs
#   FRAPPE_REPO     where to clone Frappe from, ERPNEXT_REPO likewise (default: GitHub)
#   DB              mariadb (default) or sqlite (Frappe 16)
#   FRAPPE_BENCH    the bench to use or make (default: ~frappe/frappe-bench, else ~/frappe-bench)
#   SITE            the site to make where the bench has none with ERPNext (default: crm.localhost)
#   ADMIN_PASSWORD  of that site's Administrator (default: admin)
#   DB_ROOT_USER, DB_ROOT_PASSWORD   who may create databases (default: an account made for this bench)
#   BENCH_USER      the ordinary user to make or use when run as root (default: frappe)
#   PYTHON_FOR_BENCH the interpreter for Frappe's environment (default: one that the branch supports)
source "$(dirname "$0")/say.sh"
export ROOT

FRAPPE_BRANCH="${FRAPPE_BRANCH:-version-15}"
ERPNEXT_BRANCH="${ERPNEXT_BRANCH:-$FRAPPE_BRANCH}"
FRAPPE_REPO="${FRAPPE_REPO:-https://github.com/frappe/frappe}"
ERPNEXT_REPO="${ERPNEXT_REPO:-https://github.com/frappe/erpnext}"
DB="${DB:-mariadb}"
SITE="${SITE:-crm.localhost}"
ADMIN_PASSWORD="${ADMIN_PASSWORD:-admin}"
BENCH_USER="${BENCH_USER:-frappe}"

main() {
	check_choices
	find_bench
	if [ "$(id -u)" = 0 ]; then
		ensure_user
		prepare_system
		continue_as_user
	elif [ "${SYSTEM_PREPARED:-}" != 1 ]; then
		prepare_system
	fi
	source "$ROOT/scripts/bench_user.sh"
	prepare_bench
}

check_choices() {
	case "$DB" in mariadb | sqlite) ;; *) die "DB=$DB is not supported." "Choose DB=mariadb or DB=sqlite." ;; esac
	if [ "$DB" = sqlite ] && [ "$FRAPPE_BRANCH" = version-15 ]; then
		die "Frappe 15 has no SQLite." "Choose FRAPPE_BRANCH=version-16, or leave DB at mariadb."
	fi
}

home_of() { getent passwd "$1" | cut -d: -f6 || true; } # empty for an unknown user
is_bench() { [ -x "$1/env/bin/python" ] && [ -d "$1/apps/frappe" ]; }

# Sets BENCH, and BENCH_USER to its owner where it exists.
find_bench() {
	local frappe_home own_home
	frappe_home="$(home_of frappe)"
	own_home="$HOME"
	if [ -n "${FRAPPE_BENCH:-}" ]; then
		BENCH="$(realpath -m "$FRAPPE_BENCH")"
	elif [ -n "$frappe_home" ] && is_bench "$frappe_home/frappe-bench"; then
		BENCH="$frappe_home/frappe-bench"
	elif [ "$(id -u)" != 0 ]; then
		BENCH="$own_home/frappe-bench"
	else
		BENCH="$(home_of "$BENCH_USER")"
		BENCH="${BENCH:-/home/$BENCH_USER}/frappe-bench"
	fi
	if is_bench "$BENCH" && [ ! -e "$BENCH.making" ]; then
		BENCH_USER="$(stat -c %U "$BENCH/sites")"
		[ "${SYSTEM_PREPARED:-}" = 1 ] || say "Using the bench in $BENCH, which belongs to $BENCH_USER"
		if [ "$(id -u)" != 0 ] && [ "$(id -un)" != "$BENCH_USER" ]; then
			die "You are $(id -un)." "Run as $BENCH_USER or as root, or choose another place: FRAPPE_BENCH=~/my-bench make bench"
		fi
	elif [ "${SYSTEM_PREPARED:-}" != 1 ]; then
		say "No bench in $BENCH: making one with Frappe $FRAPPE_BRANCH"
	fi
	export FRAPPE_BENCH="$BENCH"
}

ensure_user() {
	[ "$BENCH_USER" != root ] || die "Frappe refuses to run as root." "Choose an ordinary user: BENCH_USER=frappe make bench"
	if ! id "$BENCH_USER" >/dev/null 2>&1; then
		say "Making the ordinary user $BENCH_USER"
		useradd --create-home --shell /bin/bash "$BENCH_USER"
	fi
	mkdir -p "$(dirname "$BENCH")"
	runuser -u "$BENCH_USER" -- test -w "$(dirname "$BENCH")" ||
		die "$BENCH_USER may not write in $(dirname "$BENCH")." "Choose another place: FRAPPE_BENCH=/home/$BENCH_USER/frappe-bench make bench"
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

node_is_new_enough() {
	local major
	major="$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')"
	[ "${major:-0}" -ge 18 ]
}

prepare_system() {
	command -v apt-get >/dev/null || {
		note "Not a Debian or Ubuntu system: leaving system packages, MariaDB and Redis to you."
		return
	}
	local needed=(git curl ca-certificates build-essential pkg-config python3-dev python3-venv redis-server
		libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 libffi-dev libssl-dev)
	local useful=(chromium fonts-noto-cjk wkhtmltopdf) # browser tests, Chinese text in them, PDF
	if [ "$DB" = mariadb ]; then
		needed+=(mariadb-client libmariadb-dev)
		port_is_open 3306 || needed+=(mariadb-server) # a container may serve it
	fi
	if ! node_is_new_enough; then needed+=(nodejs npm); elif ! command -v npm >/dev/null; then needed+=(npm); fi
	install_packages "${needed[@]}" -- "${useful[@]}"
	if [ "$DB" = mariadb ]; then prepare_mariadb; fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
can_be_had() { [[ "$(apt-cache policy "$1" 2>/dev/null)" =~ Candidate:\ [^\(] ]]; }

# install_packages NEEDED... -- USEFUL...: the useful ones only where this release has them
install_packages() {
	local missing=() useful=0 wanted=()
	for package in "$@"; do
		if [ "$package" != -- ] && ! is_installed "$package"; then missing+=("$package"); fi
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	as_root apt-get update -qq
	for package in "$@"; do
		if [ "$package" = -- ]; then
			useful=1
		elif ! is_installed "$package" && { [ "$useful" = 0 ] || can_be_had "$package"; }; then
			wanted+=("$package")
		fi
	done
	[ "${#wanted[@]}" -gt 0 ] || return 0
	say "Installing system packages: ${wanted[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
		apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null ||
		die "apt-get could not install the packages above."
}

mariadb_as_root() { as_root mariadb --batch --skip-column-names "$@"; }

# The same for every attempt at this bench, and another for every other, in another root on the same server too.
account_of_bench() { printf 'frappe_bench_%s' "$(printf '%s' "$(hostname) $(stat -c %d:%i /) $BENCH" | cksum | cut -d' ' -f1)"; }

prepare_mariadb() {
	if ! port_is_open 3306; then
		say "Starting MariaDB"
		as_root service mariadb start >/dev/null || die "MariaDB does not start." "See /var/log/mysql, or journalctl -u mariadb"
	fi
	if [ -n "${DB_ROOT_PASSWORD:-}" ] || grep -q '"root_password"' "$BENCH/sites/common_site_config.json" 2>/dev/null; then
		return # who may create databases is known
	fi
	if MYSQL_PWD=root mariadb --host=127.0.0.1 --user=root -e 'SELECT 1' >/dev/null 2>&1; then
		export DB_ROOT_USER=root DB_ROOT_PASSWORD=root
		return
	fi
	# An account of its own: root keeps logging in the way this machine has it, and so does every other bench.
	DB_ROOT_USER="$(account_of_bench)"
	DB_ROOT_PASSWORD="$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n')"
	export DB_ROOT_USER DB_ROOT_PASSWORD
	say "Making the MariaDB account $DB_ROOT_USER, which may create databases for sites"
	mariadb_as_root -e "CREATE OR REPLACE USER '$DB_ROOT_USER'@'localhost' IDENTIFIED BY '$DB_ROOT_PASSWORD';
		GRANT ALL ON *.* TO '$DB_ROOT_USER'@'localhost' WITH GRANT OPTION;" ||
		die "MariaDB lets nobody in." "Say who may create databases: DB_ROOT_USER=... DB_ROOT_PASSWORD=... make bench"
}

# Start again as the ordinary user, from a checkout that this user can read.
continue_as_user() {
	local home source_root="$ROOT"
	home="$(home_of "$BENCH_USER")"
	if ! runuser -u "$BENCH_USER" -- test -r "$ROOT/scripts/bench.sh" -a -x "$ROOT"; then
		source_root="$home/.local/share/crm_retention/checkout"
		say "$BENCH_USER cannot read $ROOT: using a clone in $source_root"
		rm -rf "$source_root"
		runuser -u "$BENCH_USER" -- mkdir -p "$(dirname "$source_root")"
		git -c safe.directory="$ROOT" clone --quiet --no-hardlinks "$ROOT" "$source_root"
		chown -R "$BENCH_USER:" "$source_root"
	fi
	cd "$source_root"
	exec runuser -u "$BENCH_USER" -- env -u XDG_RUNTIME_DIR -u XDG_CONFIG_HOME -u XDG_CACHE_HOME \
		HOME="$home" USER="$BENCH_USER" LOGNAME="$BENCH_USER" SYSTEM_PREPARED=1 "$source_root/scripts/bench.sh"
}

main "$@"
