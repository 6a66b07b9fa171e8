#!/usr/bin/env bash
# Measures what ./chat client costs before the first word, in a terminal of its own:
#   startup.sh [RUNS [COMMAND...]]
# It prints the time from Enter to the prompt, CPU time and resident memory until there, and the CPU
# time of five idle seconds in the last run. COMMAND replaces ./chat client, to compare other options of Java. Needs
# util-linux (script).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-11}
shift || true
[ $# -gt 0 ] || set -- "$root/chat" client
dir=$(mktemp -d)
server_pid=
trap '[ -z "$server_pid" ] || kill "$server_pid"; rm -rf "$dir"' EXIT

"$root/chat" client --version >/dev/null
mkfifo "$dir/listening"
"$root/chat" server --port 0 >"$dir/listening" 2>/dev/null &
server_pid=$!
exec 4<"$dir/listening"
read -r line <&4
port=${line##*:}

micros() { echo "${EPOCHREALTIME/./}"; }
median() { sort -n "$1" | awk '{v[NR] = $1} END {printf "%d (%d to %d)", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
# Milliseconds of CPU that a process has used.
cpu() { awk -v tick="$(getconf CLK_TCK)" '{print ($14 + $15) * 1000 / tick}' "/proc/$1/stat"; }

command='stty rows 24 cols 80; exec'
for word in "$@"; do command+=" $(printf %q "$word")"; done
for ((run = 1; run <= runs; run++)); do
  began=$(micros)
  coproc terminal { exec script -qfec "$command --port $port -u ann" /dev/null; }
  terminal_pid_kept=$terminal_PID
  shown=
  until [[ $shown == *'ann> '* ]]; do
    IFS= read -r -d ' ' -t 20 part <&"${terminal[0]}" || { echo "no prompt: $shown" >&2; exit 1; }
    shown+="$part "
  done
  echo $((($(micros) - began) / 1000)) >>"$dir/millis"
  pid=$(pgrep -f -- "--port $port -u ann\$" | while read -r p; do
    [[ $(readlink "/proc/$p/exe") != */java ]] || echo "$p"
  done | head -n 1)
  cpu "$pid" >>"$dir/cpu"
  awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status" >>"$dir/mib"
  if ((run == runs)); then
    before=$(cpu "$pid")
    sleep 5
    idle=$(($(cpu "$pid") - before))
  fi
  printf 'leave\r' >&"${terminal[1]}"
  wait "$terminal_pid_kept" || true
done
printf 'prompt after %s ms, CPU %s ms, resident %s MiB, idle for 5 s: CPU %d ms\n' \
  "$(median "$dir/millis")" "$(median "$dir/cpu")" "$(median "$dir/mib")" "$idle"
