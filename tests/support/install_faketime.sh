#!/bin/sh
# Install libfaketime for the fault tests where it is missing and we may (root, apt-get).
# Never fails: without it, the scenario of wrong clocks says that it needs it.
set -- /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib/faketime/libfaketimeMT.so.1
for library; do [ -e "$library" ] && exit 0; done
[ "$(id -u)" = 0 ] || exit 0
command -v apt-get >/dev/null 2>&1 || exit 0
echo "Installing libfaketime for the fault tests"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends libfaketime >/dev/null 2>&1; }
install || { apt-get update -qq >/dev/null 2>&1 && install; } ||
  echo "libfaketime could not be installed; the scenario of wrong clocks will say so"
exit 0
