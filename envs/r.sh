#!/bin/sh
# The reference engine: an R that has lme4 and lmerTest, and rpy2 in .venv to
# reach it. Run from the root of the checkout, after `sh envs/python.sh sync`:
#
#   sh envs/r.sh          find R or install it, once; say so in one line if it cannot be had
#   sh envs/r.sh again    forget an earlier failure and try again
#
# Never fails: without R the study still runs, only without its audit.
# The R in use is written to .venv/.r, where `envs/python.sh run` reads it.

set -u

. envs/apt.sh

say() { printf '%s\n' "$*"; }
without() {
  rm -f .venv/.r .venv/.stamp-r
  say "$1 The study runs without it, unaudited."
  exit 0
}

log=.tools/r-install.log
here=$PWD

loads() { # an R that can load what the audit needs
  [ -n "$1" ] && [ -x "$1" ] &&
    R_HOME='' "$1" --no-save --no-restore --no-echo \
      -e 'for (p in c("lme4", "lmerTest")) suppressMessages(library(p, character.only = TRUE))' \
      </dev/null >/dev/null 2>&1
}

find_r() {
  for r in "$(command -v R 2>/dev/null || true)" "$here/.renv/bin/R" "$@"; do
    if loads "$r"; then return 0; fi
  done
  r=
  return 1
}

r_by_apt() {
  can_apt || return 1
  say "Installing R with lme4 and lmerTest by apt-get ..."
  {
    apt_update || true
    apt_install r-base-core r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-clubsandwich ||
      apt_install r-base-core r-cran-lme4 r-cran-lmertest
  } >>"$log" 2>&1 </dev/null
  find_r /usr/bin/R
}

r_by_conda() {
  for conda in micromamba mamba conda; do
    command -v "$conda" >/dev/null 2>&1 || continue
    say "Installing R with lme4 and lmerTest by $conda into .renv ..."
    rm -rf .renv
    case $conda in
      micromamba) set -- create ;;
      *) set -- env create ;;
    esac
    if CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true "$conda" "$@" --quiet \
      --prefix "$here/.renv" --file envs/environment.yaml >>"$log" 2>&1 </dev/null && find_r; then
      return 0
    fi
  done
  return 1
}

rpy2() {
  sh envs/python.sh sync lme4 >>"$log" 2>&1 </dev/null &&
    sh envs/python.sh run -c 'from rpy2.robjects.packages import importr
for name in ("lme4", "lmerTest"):
    importr(name)' >>"$log" 2>&1 </dev/null
}

want=$({ printf '%s\n' "$here"; cat envs/requirements-lme4.txt envs/environment.yaml; } | cksum)

if [ "${1:-}" = again ]; then rm -f .venv/.stamp-r .venv/.stamp-r-none; fi

# Nothing to do: R was found before, is still there, and so is rpy2.
if [ "$(cat .venv/.stamp-r 2>/dev/null)" = "$want" ] && [ -x "$(cat .venv/.r 2>/dev/null)" ]; then
  exit 0
fi

mkdir -p .tools
missing="The reference engine needs R with the packages lme4 and lmerTest: install them (on Debian: r-cran-lme4 r-cran-lmertest) and run make again."
if ! find_r; then
  # A failed installation is not tried again by every run; `make r` does.
  if [ "$(cat .venv/.stamp-r-none 2>/dev/null)" = "$want" ]; then without "$missing"; fi
  if ! r_by_apt && ! r_by_conda; then
    printf '%s\n' "$want" >.venv/.stamp-r-none
    without "$missing"
  fi
fi

say "Installing rpy2, the bridge to R, into .venv ..."
printf '%s\n' "$r" >.venv/.r
if ! rpy2; then
  without "R is here, but rpy2, the bridge to it, could not be installed (details in $log)."
fi
printf '%s\n' "$want" >.venv/.stamp-r
