#!/usr/bin/env bash
# Runs the curl block in the README's section "The sandbox", and checks the response to each line.
# Usage: tests/sandbox_by_curl.sh PROGRAM
set -euo pipefail
program=$1
root=$(dirname "$0")/..
command -v curl >/dev/null || { echo "curl is not installed" >&2; exit 1; }

exec 3< <(exec "$program" --port 0 2>/dev/null)
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true' EXIT
read -r line <&3
url=${line#listening on }

# Puts this sandbox's address into the block, and has curl print the status after each response.
block=$(sed -n '/^## The sandbox/,/^## /p' "$root/README.md" | sed -n '/^```sh$/,/^```$/p' | sed '/^```/d')
block=${block/http:\/\/127.0.0.1:8080/$url}
answers=$(bash -c "curl() { command curl -sS -w ' %{http_code}\n' \"\$@\"; }; $block")
printf '%s\n' "$answers"

step=0
expect() {
    step=$((step + 1))
    grep -qE -- "$1" <<<"$(sed -n "${step}p" <<<"$answers")" || { echo "answer $step is not /$1/" >&2; exit 1; }
}
expect '"us-ca.proxymesh.com:31280".* 200$'
expect '"username":"crawler-1".* 200$'
expect '"monthly_bandwidth_limit":5[,}].* 200$'
expect ' 200$'
expect '"monthly_bandwidth":1.5[,}].* 200$'
for _ in 1 2 3 4; do expect ' 401$'; done
expect 'Banned.* 401$'
expect ' 200$'
expect '"us-ca.proxymesh.com:31280".* 200$'
[ "$(wc -l <<<"$answers")" = "$step" ] || { echo "more answers than expected" >&2; exit 1; }
echo "$step passed, 0 failed"
