#!/bin/sh
# Debian's packages, where we may install them. For other scripts to source:
#
#   can_apt                    whether there is apt-get and we may be root, without a password
#   apt_update
#   apt_install PACKAGE ...

can_apt() { command -v apt-get >/dev/null 2>&1 && can_be_root; }

apt_update() { as_root apt-get -q -o DPkg::Lock::Timeout=120 update; }

apt_install() {
  as_root apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

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
