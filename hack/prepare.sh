#!/usr/bin/env bash
# What `npm run demo` and `npm test` need before any TypeScript can run: the stated prerequisites,
# and the npm packages of the lock file. Everything else installs itself from hack/lab.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "ancho: $1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "the lab needs Linux (network namespaces); this is $(uname -s). Run it in a Linux VM."
[ "$(id -u)" = 0 ] || fail "the lab makes network namespaces and mounts: run this as root, for example with sudo."
command -v go >/dev/null || fail "Go is missing: the lab builds Kubernetes from source. Install Go 1.25 or newer and put it on PATH."
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old: 20.19 or newer is needed."

stamp=node_modules/.ancho-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo "ancho: installing npm packages (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
