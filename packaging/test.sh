#!/usr/bin/env bash
# Everything that guards Soli: style, types, the direction of imports, then the tests (GUI offscreen, journeys under Xvfb).
set -euo pipefail
# shellcheck source=setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

find_python
install_system "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
install_python dev
cd "$ROOT"

# The tests get a home of their own: no settings, no session bus, no display and no sound server of this user.
scratch="$(mktemp -d)"
chmod 700 "$scratch"
trap 'rm -rf "$scratch"' EXIT
mkdir -m 700 "$scratch"/{runtime,config,data,cache,state}
unset DISPLAY WAYLAND_DISPLAY PULSE_SERVER
export QT_QPA_PLATFORM=offscreen DBUS_SESSION_BUS_ADDRESS=disabled: XDG_RUNTIME_DIR="$scratch/runtime"
export XDG_CONFIG_HOME="$scratch/config" XDG_DATA_HOME="$scratch/data" XDG_CACHE_HOME="$scratch/cache" XDG_STATE_HOME="$scratch/state"

failed=()
check() {
  say "== $*"
  "$VENV/bin/$1" "${@:2}" || failed+=("$*")
}
check ruff check .
check ruff format --check .
check mypy --strict
check lint-imports --no-logo

export SOLI_EXAMPLES=same
# pytest makes every warning an error in its own process; this reaches the programs that the tests start.
export PYTHONWARNINGS=error::RuntimeWarning
if (($#)); then
  check pytest "$@"
else
  # Two at a time; what listens to the sound or takes the time needs the machine for itself.
  check pytest -n 2 --dist loadfile --ignore=tests/playback --ignore=tests/benchmarks
  check pytest tests/playback tests/benchmarks
fi

if ((${#failed[@]})); then
  printf 'soli: failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
