# shellcheck shell=bash
# Shared by the lab's programs: where things are kept, how a long step reports itself,
# and how a thing is found again by what it was made from. Sourced, never run.

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # for those who source this
project=$(dirname "$lab")
cache=${TENANT_OPERATOR_CACHE:-$HOME/.cache/tenant-operator}
export PATH="$cache/bin:$PATH"
# A proxy that this machine may need for the registries must not be asked for the lab's own addresses.
export no_proxy="${no_proxy:+$no_proxy,}127.0.0.1,localhost,10.244.0.0/16,10.96.0.0/16,.example.com"; export NO_PROXY=$no_proxy
shopt -s inherit_errexit
exec 9>&2   # what a person reads goes here, also from inside a step whose own output goes to a file

say() { echo "lab: $*" >&9; }
die() { say "$*"; exit 1; }

# timed DONE CMD...: runs CMD with its output in a file, says how long it took, or shows the end of what went wrong.
timed() {
  local done=$1 log started=$SECONDS; shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null &   # not as a condition itself: that would switch errexit off inside a function
  if wait $!; then
    say "$done in $((SECONDS - started)) s"; rm -f "$log"
  else
    tail -n 40 "$log" | cut -c1-500 >&9
    die "failed after $((SECONDS - started)) s, all of its output is in $log: $*"
  fi
}

# await SECONDS WHAT CMD...: until CMD succeeds, or the time is over.
await() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$end" ] || die "no $what in time"
    sleep 0.1
  done
}

# key_of WORD...: twelve hex digits that change with the words, and with names, modes and content of those that are files or folders.
key_of() {
  local word
  for word; do
    if [ -e "$word" ]; then
      (cd "$(dirname "$word")" && find "$(basename "$word")" -name __pycache__ -prune -o -type f -printf '%m %p\0' | LC_ALL=C sort -z |
        while IFS= read -r -d '' file; do echo "${file% *} $(sha256sum <"${file#* }") ${file#* }"; done)
    else
      printf '%s\n' "$word"
    fi
  done | sha256sum | cut -c1-12
}

# prune STEM CURRENT: forgets what an older input made, unless something used it within a day (another branch may).
prune() { find "$(dirname "$1")" -maxdepth 1 -name "$(basename "$1")-????????????*" ! -name "$(basename "$2")" -mmin +1440 -exec rm -rf {} +; }

# tool NAME: the built binary itself, its key in its name.
tool() { readlink -e "$cache/bin/$1" || die "no $1 in $cache/bin: run lab/build first"; }

# pip_venv: a virtual environment with pip, made of Debian's own Python.
pip_venv() {
  [ -x "$cache/venv/bin/pip" ] || /usr/bin/python3 -m venv --clear "$cache/venv"
  echo "$cache/venv"
}
