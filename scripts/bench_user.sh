# Sourced by bench.sh: what the ordinary user does. BENCH, SITE, DB and the rest are set there.

export PATH="$HOME/.local/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1
# files cloned here may belong to another user; asked of git for this run only
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

prepare_bench() {
	ensure_bench
	start_redis
	ensure_erpnext
	ensure_app
	build_assets
	ensure_site
	ensure_company
	install_app
	load_demo_data
	say "Ready: site $SITE in $BENCH"
	note "make desk    starts it and prints address and login"
	note "make test    runs every test, the browser's too"
}

ensure_tools() {
	local cli="$HOME/.local/share/frappe-bench-cli" node_major=18
	mkdir -p "$HOME/.local/bin"
	case "$FRAPPE_BRANCH" in version-15*) ;; *) node_major=24 ;; esac
	if [ "$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')" -lt "$node_major" ] 2>/dev/null; then
		say "Getting Node $node_major for $USER"
		npm install --silent --global --prefix "$HOME/.local" "node@$node_major"
	fi
	if ! command -v yarn >/dev/null; then
		say "Getting yarn for $USER"
		npm install --silent --global --prefix "$HOME/.local" yarn@1
	fi
	if ! command -v bench >/dev/null || ! command -v uv >/dev/null; then
		say "Getting the bench command for $USER"
		python3 -m venv "$cli"
		"$cli/bin/pip" install --quiet frappe-bench uv 'setuptools<81'
		ln -sf "$cli/bin/bench" "$cli/bin/uv" "$cli/bin/uvx" "$HOME/.local/bin/"
	fi
}

# A Python that this branch supports: the system's if it will do, else a version that uv fetches.
python_for_frappe() {
	if [ -n "${PYTHON_FOR_BENCH:-}" ]; then
		echo "$PYTHON_FOR_BENCH"
		return
	fi
	case "$FRAPPE_BRANCH" in
	version-15*)
		if /usr/bin/python3 -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null; then
			echo /usr/bin/python3
		else
			echo 3.12
		fi
		;;
	*) echo 3.14 ;;
	esac
}

ensure_bench() {
	if [ -e "$BENCH.making" ]; then
		note "An earlier attempt did not finish: starting $BENCH afresh"
		rm -rf "$BENCH" "$BENCH.making"
	fi
	if ! is_bench "$BENCH"; then
		[ ! -e "$BENCH" ] || die "$BENCH is there but is no bench." "Remove it, or choose another place: FRAPPE_BENCH=... make bench"
		ensure_tools
		say "Cloning and installing Frappe $FRAPPE_BRANCH (some minutes)"
		touch "$BENCH.making"
		bench init --frappe-path "$FRAPPE_REPO" --frappe-branch "$FRAPPE_BRANCH" --python "$(python_for_frappe)" \
			--skip-assets --no-backups "$BENCH"
		is_bench "$BENCH" || die "bench init ended without a bench in $BENCH; its messages are above."
		give_own_ports
		remember_database_account
		rm "$BENCH.making"
	elif [[ "${DB_ROOT_USER:-}" = frappe_bench* ]]; then
		remember_database_account
	fi
	cd "$BENCH"
	command -v bench >/dev/null || ensure_tools
}

# Frappe itself reads these names.
remember_database_account() {
	[ -n "${DB_ROOT_PASSWORD:-}" ] || return 0
	(
		cd "$BENCH"
		set_config root_login "\"${DB_ROOT_USER:-root}\""
		set_config root_password "\"$DB_ROOT_PASSWORD\""
		chmod 600 sites/common_site_config.json
	)
}

# Another bench on this machine may hold the usual ports.
give_own_ports() {
	local shift=0
	while port_is_open $((8000 + shift)) || port_is_open $((11000 + shift)) || port_is_open $((13000 + shift)); do
		shift=$((shift + 1))
	done
	[ "$shift" -gt 0 ] || return 0
	note "Ports of another bench are in use: taking 80$(printf %02d "$shift") and so on"
	(
		cd "$BENCH"
		set_config webserver_port $((8000 + shift))
		set_config socketio_port $((9000 + shift))
		set_config redis_queue "\"redis://127.0.0.1:$((11000 + shift))\""
		set_config redis_cache "\"redis://127.0.0.1:$((13000 + shift))\""
		set_config redis_socketio "\"redis://127.0.0.1:$((13000 + shift))\""
		bench setup redis
		rm -f Procfile
		bench setup procfile
	)
}

# set_config NAME JSON_VALUE in common_site_config.json
set_config() {
	python3 - "$1" "$2" <<-'PYTHON'
		import json, sys
		path = "sites/common_site_config.json"
		config = json.load(open(path))
		config[sys.argv[1]] = json.loads(sys.argv[2])
		json.dump(config, open(path, "w"), indent=1)
	PYTHON
}

get_config() {
	python3 -c 'import json, sys; print(json.load(open("sites/common_site_config.json")).get(sys.argv[1]) or "")' "$1"
}

STARTED_REDIS=()
stop_redis() { for port in "${STARTED_REDIS[@]}"; do redis-cli -p "$port" shutdown nosave >/dev/null 2>&1 || true; done; }

# Installing apps queues jobs. What is started here is stopped at the end; `make desk` starts its own.
start_redis() {
	trap stop_redis EXIT
	for kind in cache queue; do
		local port
		port="$(get_config "redis_$kind")"
		port="${port##*:}"
		if ! port_is_open "$port"; then
			redis-server "config/redis_$kind.conf" --daemonize yes >/dev/null
			STARTED_REDIS+=("$port")
		fi
	done
}

# A step that ends in the middle leaves something that looks like its result. begun NAME marks it until it is done;
# was_left NAME is true where an earlier attempt did not get that far.
begun() { touch "config/$1.making"; }
done_with() { rm -f "config/$1.making"; }
was_left() { [ -e "config/$1.making" ]; }

ensure_erpnext() {
	if was_left erpnext; then
		note "An earlier attempt did not finish ERPNext: fetching it afresh"
		rm -rf apps/erpnext
	fi
	if [ ! -d apps/erpnext ]; then
		say "Cloning and installing ERPNext $ERPNEXT_BRANCH"
		begun erpnext
		bench get-app --skip-assets --branch "$ERPNEXT_BRANCH" erpnext "$ERPNEXT_REPO"
		env/bin/python -c 'import erpnext' || die "bench get-app ended without ERPNext; its messages are above."
		done_with erpnext
	fi
}

ensure_app() {
	local present=apps/crm_retention
	if [ ! -e "$present" ]; then
		say "Linking this app into the bench, from $ROOT"
		ln -sfn "$ROOT" "$present"
	elif [ "$(realpath "$present")" != "$(realpath "$ROOT")" ]; then
		note "The bench has the app already, from $(realpath "$present"): leaving it"
	fi
	if ! env/bin/python -c 'import crm_retention' 2>/dev/null ||
		[ -n "$(env/bin/python "$ROOT/scripts/missing_requirements.py" "$present/pyproject.toml")" ]; then
		install_editable "$present"
	fi
	if ! grep -qx crm_retention sites/apps.txt; then
		sed -i -e '$a\' sites/apps.txt # end the last line before adding one
		echo crm_retention >>sites/apps.txt
	fi
}

install_editable() {
	if command -v uv >/dev/null; then
		uv pip install --quiet --python env/bin/python --editable "$1"
	else
		env/bin/python -m pip install --quiet --editable "$1"
	fi
}

# With --production, because a build that fails without it ends as if it had not.
build_assets() {
	if was_left assets || ! assets_are_whole; then
		say "Building the desk (some minutes)"
		begun assets
		bench build --production
	else
		begun assets
		bench build --production --app crm_retention >/dev/null
	fi
	assets_are_whole || die "bench build ended, and some of what it should have built is not there; its messages are above."
	done_with assets
}

# Whether what every page of the desk needs is there. (The list of what was built also names what earlier versions had.)
assets_are_whole() {
	python3 - <<-'PYTHON'
		import json, pathlib, sys
		sites = pathlib.Path("sites")
		try:
		    built = json.loads((sites / "assets/assets.json").read_text())
		    needed = [built[name] for name in ("desk.bundle.js", "desk.bundle.css", "erpnext.bundle.js")]
		except (OSError, ValueError, KeyError):
		    sys.exit(1)
		sys.exit(not all((sites / path.lstrip("/")).exists() for path in needed))
	PYTHON
}

# has_app SITE APP. Read to the end: `grep -q` on a pipe would make bench fail on what it still has to write.
has_app() {
	local apps
	apps="$(bench --site "$1" list-apps 2>/dev/null)" && grep -q "^$2\b" <<<"$apps"
}

ensure_site() {
	local default_site
	default_site="$(get_config default_site)"
	if [ -n "$default_site" ] && [ -d "sites/$default_site" ] && has_app "$default_site" erpnext; then
		SITE="$default_site"
		note "Using the bench's default site, $SITE"
	elif [ -d "sites/$SITE" ] && has_app "$SITE" erpnext; then
		note "Using the site $SITE"
	elif [ -d "sites/$SITE" ] && [ ! -e "sites/$SITE.making" ]; then
		die "The site $SITE is there, but without ERPNext." "Choose another name: SITE=retention.localhost make bench"
	else
		make_site
	fi
}

make_site() {
	say "Making the site $SITE with ERPNext (some minutes)"
	local options=(--force --admin-password "$ADMIN_PASSWORD" --install-app erpnext)
	if [ "$DB" = sqlite ]; then
		options+=(--db-type sqlite)
	else
		options+=(--mariadb-user-host-login-scope '%' 
			--db-root-username "${DB_ROOT_USER:-$(get_config root_login)}"
			--db-root-password "${DB_ROOT_PASSWORD:-$(get_config root_password)}")
	fi
	touch "sites/$SITE.making" # an attempt that does not finish is made afresh, no other site ever is
	bench new-site "$SITE" "${options[@]}"
	rm "sites/$SITE.making"
	bench use "$SITE"
	bench --site "$SITE" enable-scheduler
}

ensure_company() {
	(cd sites && ../env/bin/python "$ROOT/scripts/benchkit/setup_wizard.py" "$SITE")
}

install_app() {
	if ! has_app "$SITE" crm_retention; then
		say "Installing CRM Retention on $SITE"
		bench --site "$SITE" install-app crm_retention
	else
		bench --site "$SITE" migrate
	fi
}

load_demo_data() {
	say "Loading demo data and scoring it"
	bench --site "$SITE" retention demo-data
	bench --site "$SITE" retention run
}
