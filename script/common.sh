# Shared by the scripts here and by the launcher. Sourced, with `root` set to the repository.
# shellcheck shell=bash

: "${root:?}"
# shellcheck disable=SC2034
build_flags=(-c release -Xswiftc -enable-testing)

say() { printf '%s\n' "$*" >&2; }

fail() {
  printf 'reverie: %s\n' "$*" >&2
  exit 1
}

cannot_write() {
  fail "cannot write in $root, where the build goes. Make it writable, or clone Reverie into a" \
    "folder of your own."
}

free_mb_in() { df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'; }

# A log on a full disk is empty, so the disk is asked too.
disk_full() { [ "$(free_mb_in "$1")" -lt 20 ]; }

# hidden LOG WHAT COMMAND…: runs the command with its output in LOG behind one progress line
# (none if WHAT is empty), and returns its status.
hidden() {
  local log=$1 what=$2 status=0 child done_of
  shift 2
  if [ -z "$what" ]; then
    "$@" >"$log" 2>&1 </dev/null || status=$?
  elif [ -t 2 ]; then
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    # shellcheck disable=SC2064
    trap "kill $child 2>/dev/null; printf '\n' >&2; exit 130" INT TERM
    local start=$SECONDS
    while kill -0 "$child" 2>/dev/null; do
      done_of=$(tail -c 400 "$log" 2>/dev/null | grep -aoE '\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
      printf '\r\033[K%s … %s %d s' "$what" "$done_of" $((SECONDS - start)) >&2
      sleep 0.5
    done
    wait "$child" || status=$?
    trap - INT TERM
    printf '\r\033[K' >&2
    [ $status -ne 0 ] || say "$what: done in $((SECONDS - start)) s"
  else
    say "$what …"
    "$@" >"$log" 2>&1 </dev/null || status=$?
  fi
  return $status
}

# build WHAT ARGUMENTS…: swift build in the one configuration that everything here shares.
build() {
  local what=$1 log
  shift
  mkdir -p "$root/.build" 2>/dev/null || cannot_write
  log=$root/.build/reverie-build.log
  hidden "$log" "$what" swift build --package-path "$root" "${build_flags[@]}" "$@" && return
  say "--- the end of $log"
  if grep -aq 'error:' "$log"; then
    grep -a 'error:' "$log" | awk '!seen[$0]++' | tail -n 12 >&2
  else
    tail -n 12 "$log" >&2
  fi
  say '---'
  if disk_full "$root" || grep -aq 'No space left on device' "$log"; then
    fail "the disk is full. Free about 2 GB in $root and run the same command again."
  fi
  fail "the build failed (whole log: $log). Mend what it names and run the same command again."
}
