#!/usr/bin/env bash
# The scene: the packaged server, A listening and B sending, as three programs started by ./chat.
# Every step is waited for by its condition; every exit status must be 0; no log may hold an ERROR.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
deadline_seconds=${SCENE_DEADLINE_SECONDS:-30}
dir=$(mktemp -d)
pids=()

finish() {
  local status=$?
  exec 3>&- 4>&- || true
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
  exit "$status"
}
trap finish EXIT

step() { printf 'scene: %s\n' "$*"; }

fail() {
  printf 'scene: FAILED: %s\n' "$*" >&2
  for log in "$dir"/*.out "$dir"/*.err; do
    printf -- '--- %s\n' "${log##*/}" >&2
    cat "$log" >&2
  done
  exit 1
}

# until_true WHAT COMMAND...: polls the command until it succeeds or the deadline passes.
until_true() {
  local what=$1 end=$((SECONDS + deadline_seconds))
  shift
  until "$@"; do
    ((SECONDS < end)) || fail "$what: not within $deadline_seconds s"
    sleep 0.05
  done
}

# start NAME COMMAND...: in the background, its output in files, its input the pipe NAME.in.
start() {
  local name=$1
  shift
  : >"$dir/$name.out" # there is something to look at before the program has started
  "$@" >"$dir/$name.out" 2>"$dir/$name.err" <"$dir/$name.in" &
  pids+=("$!")
  eval "${name}_pid=$!"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# ends_well NAME PID: has ended, or will within the deadline, with status 0.
ends_well() {
  local status=0
  until_true "$1 ends" gone "$2"
  wait "$2" || status=$?
  ((status == 0)) || fail "$1 ended with status $status"
  step "$1 ended with status 0"
}

# Built here, so that no deadline below has to wait for a build.
"$root/chat" server --version >"$dir/build.out" 2>"$dir/build.err" || fail "the server does not start"
"$root/chat" client --version >>"$dir/build.out" 2>>"$dir/build.err" || fail "the client does not start"

mkfifo "$dir/server.in" "$dir/A.in" "$dir/B.in"
exec 5<>"$dir/server.in" # never written to: the server must not care about its stdin
start server "$root/chat" server --port 0
until_true 'the server says where it listens' grep -q '^listening on .*:[0-9][0-9]*$' "$dir/server.out"
address=$(sed -n 's/^listening on //p' "$dir/server.out")
host=${address%:*} port=${address##*:}
step "server is listening on $address"

exec 3<>"$dir/A.in"
start A "$root/chat" client --host "$host" --port "$port" --username A
echo who >&3 # answered once A has joined
until_true 'A is told who is here' grep -qw A "$dir/A.out"
step 'A has joined and listens'

exec 4<>"$dir/B.in"
start B "$root/chat" client --host "$host" --port "$port" --username B
until_true 'A is told that B joined' grep -q '\* B joined$' "$dir/A.out"
echo 'send hello from B' >&4
step 'B has joined and sent'

until_true 'A has the message' grep -q 'B: hello from B$' "$dir/A.out"
step 'A has the message'
echo leave >&4
ends_well B "$B_pid"
if grep -q 'hello from B' "$dir/B.out"; then fail 'B got its own message back'; fi
step 'B was not sent its own message'

echo leave >&3
ends_well A "$A_pid"
kill -TERM "$server_pid"
ends_well server "$server_pid"

if grep -l ERROR "$dir"/*.out "$dir"/*.err; then fail 'a log has an ERROR line'; fi
step 'no ERROR in any log'
