#!/usr/bin/env bash
# Prepares the machine for `make test`. Go brings everything that the tests need today: databases, servers and the
# sandbox run inside the test processes. What needs a Debian package later is installed here when we may (root and
# apt-get); tests that lack it skip by name, and .ci/run fails on every skip.
set -euo pipefail

command -v go >/dev/null || { echo "Go is not installed; see https://go.dev/dl (go.mod says which version)" >&2; exit 1; }

packages=() # Debian packages that tests need
if ((${#packages[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  apt-get install -y --no-install-recommends "${packages[@]}"
fi
