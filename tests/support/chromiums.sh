#!/bin/sh
# Download every version of Chromium that the system's Debian carries (that of its release and that
# of its security updates), unpacked beneath the folder $1; print where their programs are.
set -eu
folder=$1
mkdir -p "$folder"
cd "$folder"
apt-get update -qq >/dev/null 2>&1 || true
for version in $(apt-cache madison chromium | awk '{ print $3 }' | sort -u); do
  if [ ! -x "$version/usr/lib/chromium/chromium" ]; then
    echo "Downloading Chromium $version" >&2
    rm -rf "$version" && mkdir "$version"
    (
      cd "$version"
      apt-get download -qq "chromium=$version" "chromium-common=$version" >&2
      for package in *.deb; do dpkg-deb -x "$package" . && rm "$package"; done
    )
  fi
  echo "$folder/$version/usr/lib/chromium/chromium"
done
