#!/bin/sh
# Packs the package, installs it in an empty project, and builds an app with it offline.
set -eu
cd "$(dirname "$0")/.."
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
tarball=$(npm pack --silent --pack-destination "$project" | tail -n 1)
cp -R testdata/apps/hello-node "$project/app"
cd "$project"
npm init --yes >/dev/null
npm install --no-audit --no-fund --silent "./$tarball"
npx lambda-pack --version
npx lambda-pack build app --base scratch --cmd index.handler --no-check --offline --to oci:image
node --input-type=module -e 'import { build } from "lambda-pack"; console.log(typeof build)'
