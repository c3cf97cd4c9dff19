#!/usr/bin/env bash
# `npm test`: everything. The last line says how many checks passed and failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash hack/prepare.sh
exec node_modules/.bin/tsx hack/test/index.ts "$@"
