#!/bin/sh
# Installs what the real tests run against, from Debian's or Ubuntu's own packages. Safe to run again.
set -eu

packages="
  docker-registry skopeo umoci buildah runc bubblewrap iproute2 oci-image-tool
  mmdebstrap apache2-utils busybox-static binutils chromium
  cmake g++ make
  qemu-user libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross
  bundler ruby python3-poetry
  libarchive-tools tar python3 python3-pip openssl pigz time ca-certificates
"

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"

missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "all components are installed"
  exit 0
fi
echo "installing:$missing"

# Package servers are now and then away for a moment: five tries, with longer and longer waits.
again() {
  try=1
  until "$@"; do
    [ "$try" -lt 5 ] || return 1
    echo "attempt $try failed: $*" >&2
    sleep $((try * 5))
    try=$((try + 1))
  done
}

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

again apt update
# shellcheck disable=SC2086 # one word for each package
again apt install -y --no-install-recommends $missing
