#!/bin/sh
# The Python side of the environment. Run from the root of the checkout:
#
#   sh envs/python.sh sync          .venv holds exactly envs/requirements.txt and this project
#   sh envs/python.sh sync test     ... and envs/requirements-test.txt
#   sh envs/python.sh sync lme4     ... and envs/requirements-lme4.txt, for envs/r.sh
#   sh envs/python.sh lock          write the three lists anew from pyproject.toml
#   sh envs/python.sh run ARGS...   .venv/bin/python ARGS..., with the R that envs/r.sh found
#   sh envs/python.sh uv ARGS...    uv ARGS..., installed into .tools if it is nowhere
#
# A step that has nothing to do says nothing.

set -eu

. envs/apt.sh

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# A home folder that cannot be written (some containers) must not stop the study.
if [ ! -w "${HOME:-/nonexistent}" ]; then
  : "${UV_CACHE_DIR:=$PWD/.tools/cache/uv}" "${XDG_CACHE_HOME:=$PWD/.tools/cache}"
  : "${XDG_CONFIG_HOME:=$PWD/.tools/config}"
  export UV_CACHE_DIR XDG_CACHE_HOME XDG_CONFIG_HOME
fi

# Trust what this machine trusts, as pip does: behind a proxy that signs for
# others, the certificates that come with uv are not enough.
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
  /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
  if [ -s "$bundle" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
    # One setting under its older and its newer name.
    : "${UV_NATIVE_TLS:=true}" "${UV_SYSTEM_CERTS:=true}"
    export UV_NATIVE_TLS UV_SYSTEM_CERTS
    break
  fi
done

# ---- uv ---------------------------------------------------------------------

find_uv() {
  for uv in "$(command -v uv 2>/dev/null || true)" "${HOME:-}/.local/bin/uv" \
    .tools/bin/uv .tools/uv/bin/uv .tools/uv-venv/bin/uv; do
    if [ -x "$uv" ] && "$uv" --version >/dev/null 2>&1; then
      return 0
    fi
  done
  return 1
}

uv_by_pip() { python3 -m pip install --upgrade --target .tools/uv 'uv>=0.8' && find_uv; }
uv_by_venv() {
  python3 -m venv --clear .tools/uv-venv &&
    .tools/uv-venv/bin/python -m pip install 'uv>=0.8' && find_uv
}
uv_by_apt() {
  can_apt || return 1
  apt_update || true
  apt_install ca-certificates python3 python3-venv python3-pip && { uv_by_pip || uv_by_venv; }
}
uv_by_script() {
  if command -v curl; then
    curl -LsSf --retry 2 --connect-timeout 20 -o .tools/uv-install.sh https://astral.sh/uv/install.sh
  else
    wget -q -T 20 -O .tools/uv-install.sh https://astral.sh/uv/install.sh
  fi && UV_UNMANAGED_INSTALL="$PWD/.tools/bin" sh .tools/uv-install.sh && find_uv
}

need_uv() {
  if find_uv; then return 0; fi
  say "Installing uv into .tools ..." >&2
  mkdir -p .tools
  for way in uv_by_pip uv_by_venv uv_by_apt uv_by_script; do
    if $way >>.tools/uv-install.log 2>&1 </dev/null; then return 0; fi
  done
  die "uv is not here and could not be installed (details in .tools/uv-install.log): install it from https://docs.astral.sh/uv/ and run make again."
}

# ---- .venv ------------------------------------------------------------------

# What an environment was made from: any change here means making it again.
# The folder is part of it, because a moved environment points to the old place.
print_of() { { printf '%s\n' "$PWD"; cat pyproject.toml "$@"; } | cksum; }
is_stamped() { [ -f ".venv/$1" ] && [ "$(cat ".venv/$1")" = "$2" ]; }

sync_study() {
  want=$(print_of envs/requirements.txt)
  if is_stamped .stamp-study "$want" && .venv/bin/python -c '' >/dev/null 2>&1; then return 0; fi
  need_uv
  say "Installing Python packages into .venv ..."
  rm -f .venv/.stamp-*
  # Kept when it works, so that a changed list only changes what differs.
  if ! { .venv/bin/python -c '' && [ "$(cat .venv/.place)" = "$PWD" ]; } >/dev/null 2>&1; then
    # Not all packages have wheels for 3.14 yet; UV_PYTHON chooses another.
    UV_PYTHON=${UV_PYTHON:->=3.11,<3.14} "$uv" venv --quiet --clear .venv ||
      die "uv could not make .venv: it needs Python 3.11, 3.12 or 3.13."
    printf '%s\n' "$PWD" >.venv/.place
  fi
  "$uv" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode \
    envs/requirements.txt
  "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
  printf '%s\n' "$want" >.venv/.stamp-study
}

sync_test() {
  want=$(print_of envs/requirements.txt envs/requirements-test.txt)
  if is_stamped .stamp-test "$want"; then return 0; fi
  need_uv
  say "Installing the test tools into .venv ..."
  "$uv" pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode \
    --requirements envs/requirements-test.txt
  printf '%s\n' "$want" >.venv/.stamp-test
}

# No C compiler or R headers wanted: rpy2 can do without (its ABI mode).
sync_lme4() {
  need_uv
  RPY2_CFFI_MODE=ABI "$uv" pip install --quiet --python .venv/bin/python --require-hashes \
    --compile-bytecode --requirements envs/requirements-lme4.txt
}

# ---- lists ------------------------------------------------------------------

compile() {
  out=$1
  shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
    --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
    "$@" --output-file "$out"
}

# The pins of the optional dependency alone, without those of the study.
lme4_pins() {
  "$uv" run --quiet --no-project --python '>=3.11' python -c '
import tomllib
with open("pyproject.toml", "rb") as f:
    print(*tomllib.load(f)["project"]["optional-dependencies"]["lme4"], sep="\n")'
}

lock() {
  need_uv
  say "Resolving envs/requirements*.txt ..."
  compile envs/requirements.txt ${UPGRADE:+--upgrade} --group build pyproject.toml
  compile envs/requirements-test.txt ${UPGRADE:+--upgrade} --constraints envs/requirements.txt --group test
  lme4_pins | compile envs/requirements-lme4.txt ${UPGRADE:+--upgrade} --constraints envs/requirements.txt -
}

# ---- run --------------------------------------------------------------------

run() {
  unset PYTHONHOME PYTHONPATH MAKEFLAGS MFLAGS MAKELEVEL
  bin=$PWD/.venv/bin
  r=$(cat .venv/.r 2>/dev/null || true)
  if [ -n "$r" ] && [ -x "$r" ]; then
    if [ "$(command -v R || true)" != "$r" ]; then PATH=$(dirname "$r"):$PATH; fi
    R_HOME=$(R_HOME='' "$r" RHOME)
    export R_HOME
  fi
  VIRTUAL_ENV=$PWD/.venv PATH=$bin:$PATH RPY2_CFFI_MODE=${RPY2_CFFI_MODE:-ABI}
  export VIRTUAL_ENV PATH RPY2_CFFI_MODE
  exec "$bin/python" "$@"
}

case ${1:-} in
  sync)
    sync_study
    case ${2:-} in
      test) sync_test ;;
      lme4) sync_lme4 ;;
    esac
    ;;
  lock) lock ;;
  uv)
    shift
    need_uv
    exec "$uv" "$@"
    ;;
  run)
    shift
    run "$@"
    ;;
  *) die "usage: sh envs/python.sh sync [test|lme4] | lock | run ARGS... | uv ARGS..." ;;
esac
