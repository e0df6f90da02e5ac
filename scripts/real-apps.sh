#!/bin/bash
# Builds real apps with the product, pushes them to Debian's docker-registry, checks and invokes them there, and
# writes docs/tested-with.md. Takes many minutes, and needs npm, a compiler and scripts/setup-components.sh.
# usage: scripts/real-apps.sh [APP...]
set -euo pipefail
cd "$(dirname "$0")/.."
npm run build --silent
exec node --import tsx scripts/real-apps/main.ts "$@"
