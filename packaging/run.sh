#!/usr/bin/env bash
# Installs what Soli needs, then opens its demo; without a display, separates the demo into ./soli-demo instead.
set -euo pipefail
# shellcheck source=setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

find_python
install_system "${RUN_PACKAGES[@]}"
install_python ""

# Asking Qt itself is the one sure answer: a DISPLAY may be set and dead, or refuse this user.
reason="no DISPLAY or WAYLAND_DISPLAY is set"
if [[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]]; then
  if answer="$("$PYTHON_BIN" -c 'from PySide6.QtGui import QGuiApplication; QGuiApplication([])' 2>&1)"; then
    exec "$PYTHON_BIN" -m soli demo
  fi
  reason="Qt cannot open it: $(grep -m 1 . <<<"$answer" || true)"
fi

say "There is no display here ($reason)."
say "Separating the demo without a window; the stems and a picture of the piano roll go to $PWD/soli-demo"
exec "$PYTHON_BIN" -m soli demo --headless -o ./soli-demo
