#!/bin/sh
# The browser that the tests open pages in. Run from the root of the checkout,
# after `sh envs/python.sh sync test`:
#
#   sh envs/browser.sh    find a Chromium or install it, once; say so in one line if it cannot be had
#
# Never fails: without a browser its tests are skipped.

set -u

log=.tools/browser-install.log

find_browser() { .venv/bin/python tests/chromium.py >/dev/null 2>&1; }

can_be_root() {
  if [ "$(id -u)" = 0 ]; then return 0; fi
  command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

if find_browser; then exit 0; fi
# A failed installation is not tried again by every run.
if [ ! -e .venv/.stamp-browser-none ] && command -v apt-get >/dev/null 2>&1 && can_be_root; then
  printf '%s\n' "Installing Chromium by apt-get ..."
  mkdir -p .tools
  {
    as_root apt-get -q -o DPkg::Lock::Timeout=120 update || true
    as_root apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends chromium
  } >>"$log" 2>&1 </dev/null
  if find_browser; then exit 0; fi
  : >.venv/.stamp-browser-none
fi
printf '%s\n' "There is no Chromium: install it (on Debian: chromium) to have the pages tested in it."
