#!/usr/bin/env bash
# Measures the server beside the floor (bench/floor/floor.c), in turn, and prints tables as those of
# docs/PERFORMANCE.md. Takes some ten minutes, two free CPUs, Linux and a C compiler.
#
#   scripts/performance.sh [ROUNDS]    pairs of runs for each row, 5 unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
seconds=2
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; rm -rf "$work"' EXIT

# The names of the figures are those of chat bench --json.
cpu=cpu_us_per_delivery
rate=deliveries_per_s
p99=p99_ms

say() { printf '%s\n' "$*" >&2; }

# pinned CPU COMMAND...: on one CPU, ahead of others if we may.
pinned() {
  local on=$1
  shift
  if [[ $(id -u) == 0 ]]; then set -- nice -n -20 "$@"; fi
  exec taskset -c "$on" "$@"
}

# start NAME COMMAND...: sets port_NAME and pid_NAME when it listens.
start() {
  local name=$1
  shift
  (pinned 0 "$@") >"$work/$name" 2>"$work/$name.err" &
  pids+=($!)
  printf -v "pid_$name" %s $!
  for ((i = 0; i < 300; i++)); do
    if grep -q listening "$work/$name"; then break; fi
    sleep 0.1
  done
  printf -v "port_$name" %s "$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/$name")"
}

# run NAME OPTION...: one run against a server, as JSON.
run() {
  local pid=pid_$1 port=port_$1
  shift
  (pinned 1 ./chat bench --port "${!port}" --pid "${!pid}" --runs 1 -t $seconds --json "$@") 2>/dev/null
}

field() { sed -n "s/^[^[]*\"$1\":\([-0-9.]*\).*/\1/p"; }

median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# row TITLE FIGURE FORMAT OPTION...: both in turn; the medians, and the ratio of the pairs.
row() {
  local title=$1 figure=$2 format=$3 other
  shift 3
  say "$title"
  rm -f "$work"/*.of
  run ours --warm-up 6 "$@" >/dev/null
  for ((i = 0; i < rounds; i++)); do
    for name in floor ours; do
      run $name --warm-up 2 "$@" >"$work/json"
      for other in "$figure" $cpu $rate; do
        field "$other" <"$work/json" >>"$work/$name.$other.of"
      done
    done
  done
  paste "$work/floor.$figure.of" "$work/ours.$figure.of" | awk '{print $2 / $1}' >"$work/ratio.of"
  printf "| %s | $format | $format | %.2f (%.2f to %.2f) | %.1f and %.1f |\n" "$title" \
    "$(median <"$work/floor.$figure.of")" "$(median <"$work/ours.$figure.of")" \
    "$(median <"$work/ratio.of")" "$(sort -g "$work/ratio.of" | head -1)" "$(sort -g "$work/ratio.of" | tail -1)" \
    "$(median <"$work/floor.$rate.of" | awk '{print $1 / 1e6}')" \
    "$(median <"$work/ours.$rate.of" | awk '{print $1 / 1e6}')"
}

./chat bench --version >&2
./chat server --version >&2
cc -O2 -o "$work/floor.bin" bench/floor/floor.c
start floor "$work/floor.bin" 0
start ours ./chat server --port 0 --loops 1 --max-connections 20000

echo '| workload | floor | this server | ratio, median (range) | million deliveries/s, floor and server |'
echo '|---|---|---|---|---|'
row '1 000 members, 10 senders, 16 outstanding each: µs of CPU a delivery' $cpu %.3f
row '1 000 members, 10 senders, 64 outstanding each: µs of CPU a delivery' $cpu %.3f -w 64
row '100 members, all senders: µs of CPU a delivery' $cpu %.3f -n 100 -s 100
row '10 000 members, 4 senders: µs of CPU a delivery' $cpu %.3f -n 10000 -s 4
row '1 000 members, 100 messages/s: p99 in ms' $p99 %.1f --rate 100
row '1 000 members, 16 KiB texts, 4 outstanding each: deliveries/s' $rate %.0f --text 16384 -w 4

kill "${pids[@]}"
pids=()
echo
echo '| 15 000 idle members | median | range |'
echo '|---|---|---|'
for ((i = 0; i < rounds; i++)); do
  say "15 000 idle members, $((i + 1)) of $rounds"
  start idle ./chat server --port 0 --loops 1 --max-connections 20000
  run idle -n 15000 -s 0 --warm-up 0 >"$work/json" || :
  kill "$pid_idle"
  wait "$pid_idle" 2>/dev/null || :
  for figure in idle_rss_mib idle_kib_per_member join_cpu_us; do
    field $figure <"$work/json" >>"$work/$figure.idle"
  done
done
while IFS=: read -r figure title; do
  printf '| %s | %.1f | %.1f to %.1f |\n' "$title" "$(median <"$work/$figure.idle")" \
    "$(sort -g "$work/$figure.idle" | head -1)" "$(sort -g "$work/$figure.idle" | tail -1)"
done <<'END'
idle_rss_mib:resident memory of the server, MiB
idle_kib_per_member:of it for each member, KiB
join_cpu_us:CPU a join, µs
END
