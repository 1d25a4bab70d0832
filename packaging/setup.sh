# The set-up that run.sh and test.sh share; sourced, never run by itself.
# Leaves the working directory alone and sets:
#   ROOT    the checkout        PYTHON_BIN    the interpreter of ROOT/.venv
# shellcheck shell=bash disable=SC2034

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$ROOT/.venv"
PYTHON_BIN="$VENV/bin/python"

# What Qt, its X11 platform and PortAudio load at run time, and the fonts that hold the transport symbols.
RUN_PACKAGES=(
  libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0
  libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxkbcommon-x11-0 libxcb-shape0
  libportaudio2
  fonts-dejavu-core fonts-noto-core
)
# An X server with a window manager, a hand on the mouse, a camera, and a sound card in software.
TEST_PACKAGES=(
  xvfb matchbox-window-manager xdotool imagemagick
  pulseaudio pulseaudio-utils libasound2-plugins
)

say() { printf '%s\n' "$*"; }
fail() {
  printf 'soli: %s\n' "$*" >&2
  exit 1
}

# retry COMMAND...: three attempts, because mirrors and networks have bad moments.
retry() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    if ((attempt < 3)); then
      say "  attempt $attempt failed, trying again" >&2
      sleep $((attempt * 5))
    fi
  done
  return 1
}

# The newest-enough Python: $PYTHON when it is set, else python3, else a versioned one beside it.
find_python() {
  local candidate version=""
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    command -v -- "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      BASE_PYTHON="$(command -v -- "$candidate")"
      return 0
    fi
    version="${version:-$("$candidate" -c 'import platform; print(platform.python_version())' 2>/dev/null)}"
    [[ -n "${PYTHON:-}" ]] && break
  done
  if [[ -n "$version" ]]; then
    fail "Soli needs Python 3.11 or newer and found $version; install a newer one, or name it with PYTHON=/path/to/python."
  fi
  fail "Soli needs Python 3.11 or newer and found none; install it, or name it with PYTHON=/path/to/python."
}

# is_installed PACKAGE: the name as such, or as Debian 13 and Ubuntu 24.04 renamed it for 64-bit time.
is_installed() {
  local states
  # dpkg-query fails when it does not know one of the two names, which says nothing of the other.
  states="$(dpkg-query -W -f '[${db:Status-Status}]' "$1" "$1t64" 2>/dev/null || true)"
  [[ "$states" == *'[installed]'* ]]
}

# install_system PACKAGE...: by apt, with sudo where needed, and only what is missing.
install_system() {
  local package missing=() privilege=()
  if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    say "This is not Debian or Ubuntu: the system libraries are taken as they are (see the README)."
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  if [[ "$(id -u)" != 0 ]]; then
    command -v sudo >/dev/null 2>&1 ||
      fail "system packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
    privilege=(sudo)
  fi
  say "Installing system packages: ${missing[*]}"
  # Retries and waiting for another apt are bounded, so that a run ends.
  local apt=(${privilege[@]+"${privilege[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
    -o Acquire::Retries=3 -o Acquire::http::Timeout=60 -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
  # A list that cannot be refreshed may still name every package, so only a failing install is the end.
  retry "${apt[@]}" update || say "  the package lists could not be refreshed, going on with the old ones" >&2
  retry "${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt could not install ${missing[*]}; see its message above."
}

# install_python EXTRA...: Soli and its packages into .venv, once for each state of pyproject.toml.
install_python() {
  local extras="$1" stamp wanted
  stamp="$VENV/.installed-${extras:-run}"
  # An environment knows its own path and its interpreter: a moved checkout or a new Python needs a new one.
  wanted="$({ printf '%s\n' "$VENV" "$BASE_PYTHON" && "$BASE_PYTHON" -V && cat "$ROOT/pyproject.toml"; } | sha256sum | cut -d ' ' -f 1)"
  if [[ -f "$stamp" && "$(<"$stamp")" == "$wanted" ]] && "$PYTHON_BIN" -c '' 2>/dev/null; then
    return 0
  fi

  if ! "$BASE_PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    install_system "python$("$BASE_PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  fi
  say "Installing the Python packages into .venv (some minutes the first time)"
  rm -f "$VENV"/.installed-*
  "$BASE_PYTHON" -m venv --clear "$VENV" || fail "Python could not make the environment $VENV; see its message above."
  retry "$PYTHON_BIN" -m pip install --quiet --no-input --disable-pip-version-check --retries 3 --timeout 60 \
    --editable "$ROOT${extras:+[$extras]}" || fail "pip could not install the Python packages; see its message above."
  # Compiled once for this machine here, so that the first decomposition need not wait.
  "$PYTHON_BIN" -c 'from soli.decompose.preparing import prepare; prepare()' || fail "Soli cannot run here; see the message above."
  printf '%s' "$wanted" >"$VENV/.installed-run"
  printf '%s' "$wanted" >"$stamp"
}
