#!/bin/sh
# deploy/bootstrap.sh local|dev: makes .venv from requirements/local.txt or requirements/dev.txt.
# Wants sh and some Python 3. Brings uv into .tools where there is none; never downloads a Python.
set -eu

cd "$(dirname "$0")/.."
wanted=${1:-local}

say() { printf '%s\n' "$@" >&2; }
fail() { say "$@"; exit 1; }

sum() { cksum <"requirements/$1.txt"; }
stamp() { printf '.venv/chatsite-%s.stamp' "$1"; }

installed() { # installed local|dev: this very lock file is what .venv holds
    [ -f "$(stamp "$1")" ] && [ "$(cat "$(stamp "$1")")" = "$(sum "$1")" ]
}

suits() { # suits PROGRAM: runs, and is a Python that the locked packages have wheels for
    "$1" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 15))' >/dev/null 2>&1
}

candidates() {
    [ -z "${PYTHON:-}" ] || printf '%s\n' "$PYTHON"
    printf '%s\n' python3 python3.13 python3.12 python3.14
    home=${HOME:-/nonexistent}
    for version in 13 12 14; do
        for folder in "${PYENV_ROOT:-$home/.pyenv}/versions/3.$version".* \
            "$home/.local/share/uv/python/cpython-3.$version".* /opt/python3."$version"; do
            [ -x "$folder/bin/python3" ] && printf '%s\n' "$folder/bin/python3"
        done
    done
    ! usable_uv uv || uv python find --no-python-downloads '>=3.12,<3.15' 2>/dev/null || true
}

find_python() {
    candidates | while read -r candidate; do
        if suits "$candidate"; then
            "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)'
            break
        fi
    done
}

usable_uv() { "$1" pip sync --help >/dev/null 2>&1; }

bring_uv() { # prints the uv to use
    for candidate in uv .tools/uv/bin/uv "${HOME:-/nonexistent}/.local/bin/uv"; do
        if usable_uv "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "Bringing uv, the installer, into .tools/uv"
    rm -rf .tools/uv
    mkdir -p .tools
    "$python" -m venv .tools/uv >&2 || fail \
        "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
    .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r requirements/uv.txt >&2 || fail \
        "uv could not be installed; the lines above say why. Is there a network, or a package mirror set for pip?"
    printf '%s\n' .tools/uv/bin/uv
}

sync() { # sync local|dev
    if ! suits .venv/bin/python; then
        rm -rf .venv
        "$uv" venv --quiet --no-python-downloads --python "$python" .venv
    fi
    rm -f .venv/chatsite-*.stamp
    say "Installing requirements/$1.txt into .venv"
    VIRTUAL_ENV=$PWD/.venv "$uv" pip sync --quiet --no-build --require-hashes \
        "requirements/$1.txt" || fail \
        "The packages could not be installed; the lines above say why. 'make $2' goes on where it stopped."
    sum "$1" >"$(stamp "$1")"
}

case $wanted in
    local) goal=run ;;
    dev) goal=test ;;
    *) fail "usage: deploy/bootstrap.sh local|dev" ;;
esac

if suits .venv/bin/python; then
    if installed dev || { [ "$wanted" = local ] && installed local; }; then
        exit 0
    fi
    # dev holds all of local, so who has it keeps it.
    [ ! -f "$(stamp dev)" ] || wanted=dev
fi

python=$(find_python)
[ -n "$python" ] || fail \
    "chatsite needs Python 3.12, 3.13 or 3.14, and none of them was found." \
    "Install one, then run this again:" \
    "  Debian, Ubuntu  apt install python3.13 python3.13-venv  (where the release has it)" \
    "  macOS           brew install python@3.13" \
    "  anywhere        pyenv install 3.13, or uv python install 3.13" \
    "One in an unusual place can be named: PYTHON=/path/to/python3.13 make $goal"
say "Using $("$python" --version) from $python"
uv=$(bring_uv)
sync "$wanted" "$goal"
