#!/bin/sh
# The browser that the tests open pages in. Run from the root of the checkout,
# after `sh envs/python.sh sync test`:
#
#   sh envs/browser.sh    find a Chromium or install it, once; say so in one line if it cannot be had
#
# Never fails: without a browser its tests are skipped.

set -u

. envs/apt.sh

log=.tools/browser-install.log

find_browser() { .venv/bin/python tests/chromium.py >/dev/null 2>&1; }

if find_browser; then exit 0; fi
# A failed installation is not tried again by every run.
if [ ! -e .venv/.stamp-browser-none ] && can_apt; then
  printf '%s\n' "Installing Chromium by apt-get ..."
  mkdir -p .tools
  {
    apt_update || true
    apt_install chromium
  } >>"$log" 2>&1 </dev/null
  if find_browser; then exit 0; fi
  : >.venv/.stamp-browser-none
fi
printf '%s\n' "There is no Chromium: install it (on Debian: chromium) to have the pages tested in it."
