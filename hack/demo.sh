#!/usr/bin/env bash
# `npm run demo`: the story of a Service, on a real cluster that is taken down again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash hack/prepare.sh
exec node_modules/.bin/tsx hack/demo/index.ts "$@"
