#!/usr/bin/env bash
# Prepares the machine for `make test`. Go brings nearly everything: databases, servers and the sandbox run inside the
# test processes. What needs a Debian package is installed here when we may (root and apt-get); tests that lack it skip
# by name, and .ci/run fails on every skip.
set -euo pipefail

command -v go >/dev/null || { echo "Go is not installed; see https://go.dev/dl (go.mod says which version)" >&2; exit 1; }

packages=() # Debian packages that tests need
need() { command -v "$1" >/dev/null || packages+=("$2"); }
need node nodejs # test/editor talks to the language server that authors use
need npm npm
need chromium chromium # test/browser does what people do in the console
need prometheus prometheus # a real rule fires through a real Alertmanager into serve
need prometheus-alertmanager prometheus-alertmanager
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need initdb postgresql # the tests of the database start one of their own
if ((${#packages[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  # The programs are wanted, not the services that Debian would start with them.
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
fi

# Node modules are pinned by a lock file and live outside the repository, in a folder named after the lock.
if command -v npm >/dev/null; then
  for room in editor browser; do
    lock="$(dirname "$0")/$room/package-lock.json"
    sum=$(node -e 'console.log(require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex").slice(0, 12))' "$lock")
    dir="${XDG_CACHE_HOME:-$HOME/.cache}/tourniquet-test/$room-$sum"
    if [[ ! -e $dir/ready ]]; then
      mkdir -p "$dir"
      cp "$lock" "$(dirname "$lock")/package.json" "$dir/"
      (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
      touch "$dir/ready"
    fi
  done
fi
