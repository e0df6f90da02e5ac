#!/bin/bash
# Installs AWS's runtime interface client for Node from npm, which compiles it here (a minute; needs cmake, g++ and Node's headers).
# usage: runtime-client.sh DIRECTORY
# Afterwards DIRECTORY/node_modules has it, and DIRECTORY is complete when it holds `done`. Two at once are safe: the second waits, then finds the work done.
set -euo pipefail

out=${1:?usage: runtime-client.sh DIRECTORY}
mkdir -p "$out"
exec 9>"$out/lock"
flock -w 500 9
[ ! -e "$out/done" ] || exit 0
# Headers that came with Node are taken before those that node-gyp would download.
headers=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ ! -e "$headers/include/node/node.h" ] || export npm_config_nodedir="$headers"
echo '{"private": true}' >"$out/package.json"
npm install --prefix "$out" --no-audit --no-fund --foreground-scripts aws-lambda-ric@4.0.2 >"$out/log" 2>&1 || {
  tail -n 40 "$out/log" >&2
  exit 1
}
touch "$out/done"
