#!/usr/bin/env bash
# Takes the figures of docs/PERFORMANCE.md and writes them there, tables and plots, between its marks.
# The server is measured beside the floor (bench/floor/floor.c) and beside those of Redis, NATS, Mosquitto
# and ngircd that are installed. Needs two free CPUs, Linux and a C compiler; all of it takes 28 minutes.
#
#   scripts/performance.sh [-r ROUNDS] [PART...]
#
# Parts: floor long redis loops idle plots, and if asked for transports and shared. ROUNDS are pairs of runs a row, 5
# unless told otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=5
if [[ ${1:-} == -r ]]; then
  rounds=$2
  shift 2
fi
parts=${*:-floor long redis loops idle plots}
page=docs/PERFORMANCE.md
plots=docs/plots
work=$(mktemp -d)
declare -A pid port
trap 'stop_all; rm -rf "$work"' EXIT

say() { printf '%4d s  %s\n' $SECONDS "$*" >&2; }

stop() {
  kill "${pid[$1]}" 2>/dev/null || :
  wait "${pid[$1]}" 2>/dev/null || :
  unset "pid[$1]"
}

stop_all() { for name in "${!pid[@]}"; do stop "$name"; done; }

# pinned CPUS COMMAND...: there, and ahead of others if we may.
pinned() {
  local on=$1
  shift
  if [[ $(id -u) == 0 ]]; then set -- nice -n -20 "$@"; fi
  exec taskset -c "$on" "$@"
}

# launch NAME CPUS COMMAND...: in the background.
launch() {
  local name=$1
  shift
  (pinned "$@") >"$work/$name.out" 2>&1 &
  pid[$name]=$!
}

# start NAME CPUS COMMAND...: a server that says where it listens.
start() {
  launch "$@"
  for ((i = 0; i < 300; i++)); do
    if grep -q '^listening' "$work/$1.out"; then break; fi
    sleep 0.1
  done
  port[$1]=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$work/$1.out")
}

# start_ours NAME CPUS OPTION...
start_ours() {
  local name=$1 on=$2
  shift 2
  start "$name" "$on" ./chat server --port 0 --max-connections 20000 "$@"
}

floor() { start floor 0 "$work/floor.bin" 0; }

# peer NAME: false if it is not installed, or does not start.
peer() {
  local at=$((7100 + RANDOM % 800)) binary
  port[$1]=$at
  case $1 in
    redis) set -- redis redis-server --bind 127.0.0.1 --port $at --save '' --appendonly no --maxclients 20000 \
      --client-output-buffer-limit 'pubsub 0 0 0' ;;
    nats) set -- nats nats-server -a 127.0.0.1 -p $at ;;
    mqtt)
      printf '%s\n' "listener $at 127.0.0.1" 'allow_anonymous true' 'set_tcp_nodelay true' \
        'max_queued_messages 0' >"$work/mqtt.conf"
      set -- mqtt mosquitto -c "$work/mqtt.conf" ;;
    irc)
      printf '%s\n' '[Global]' 'Name = irc.bench' 'Info = bench' 'Listen = 127.0.0.1' "Ports = $at" \
        'ServerGID = nogroup' 'ServerUID = nobody' '[Limits]' 'MaxConnections = 0' 'MaxConnectionsIP = 0' \
        'MaxJoins = 0' 'MaxPenaltyTime = 0' 'PingTimeout = 600' '[Options]' 'DNS = no' 'Ident = no' \
        'PAM = no' >"$work/irc.conf"
      chmod 755 "$work"
      set -- irc ngircd -n -f "$work/irc.conf" ;;
  esac
  binary=$(PATH=$PATH:/usr/sbin command -v "$2") || return 1
  launch "$1" 0 "$binary" "${@:3}"
  for ((i = 0; i < 50; i++)); do
    if (: </dev/tcp/127.0.0.1/$at) 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  stop "$1"
  return 1
}

# run NAME CPUS OPTION...: one run against a server, as JSON; false if it could not be done.
run() {
  local name=$1 on=$2 dialect=()
  shift 2
  case $name in redis | nats | mqtt | irc) dialect=(--peer "$name") ;; esac
  [[ " $* " == *' -t '* || " $* " == *' --messages '* ]] || set -- -t 2 "$@"
  [[ " $* " == *' --warm-up '* ]] || set -- --warm-up 1 "$@"
  (pinned "$on" timeout 60 ./chat bench --port "${port[$name]}" --pid "${pid[$name]}" --runs 1 --json \
    "${dialect[@]}" "$@") 2>/dev/null
}

field() { sed -n "s/^[^[]*\"$1\":\([-0-9.]*\).*/\1/p"; }

# of ROW NAME FIGURE: one value a run.
of() { field "$3" <"$work/$1.$2.json"; }

median() { sort -g | awk '{v[NR] = $1} END {if (NR) print v[int((NR + 1) / 2)]}'; }

# take ROW FIRST SECOND CPUS OPTION...: both in turn, a run each a round. Of a round in which one fails
# nothing is kept: the rest would be compared with what is not its neighbour.
take() {
  local row=$1 first=$2 second=$3 on=$4 name
  shift 4
  say "$row: $first and $second, $*"
  : >"$work/$row.$first.json"
  : >"$work/$row.$second.json"
  for ((r = 0; r < rounds; r++)); do
    for name in "$first" "$second"; do
      if ! run "$name" "$on" "$@" >"$work/run.$name"; then
        say "$row: $name failed"
        continue 2
      fi
    done
    for name in "$first" "$second"; do cat "$work/run.$name" >>"$work/$row.$name.json"; done
  done
}

# line ROW FIRST SECOND FIGURE SCALE FORMAT TITLE BAR: medians, the ratio of the pairs, and how many they are.
line() {
  local row=$1 first=$2 second=$3 figure=$4 scale=$5 format=$6
  paste <(of "$row" "$first" "$figure") <(of "$row" "$second" "$figure") |
    awk 'NF == 2 && $1 > 0 {print $2 / $1}' | sort -g >"$work/ratios"
  printf "| %s | $format | $format | **%.2f** (%.2f to %.2f), %d pairs | %s |\n" "$7" \
    "$(of "$row" "$first" "$figure" | median | awk -v s="$scale" '{print $1 / s}')" \
    "$(of "$row" "$second" "$figure" | median | awk -v s="$scale" '{print $1 / s}')" \
    "$(median <"$work/ratios")" "$(head -n 1 "$work/ratios")" "$(tail -n 1 "$work/ratios")" "$(wc -l <"$work/ratios")" "$8"
}

# insert PART: puts stdin into the page, between its marks.
insert() {
  cat >"$work/insert"
  awk -v part="$1" -v from="$work/insert" '
    $0 == "<!-- figures: " part " -->" {print; while ((getline text < from) > 0) print text; skip = 1; next}
    skip && $0 == "<!-- end -->" {skip = 0}
    !skip' "$page" >"$work/page"
  cat "$work/page" >"$page"
}

# plot FILE TITLE X Y: stdin is lines of "series x y"; both axes are logarithmic.
plot() {
  awk -v title="$2" -v xname="$3" -v yname="$4" -f scripts/plot.awk >"$plots/$1.svg"
}

measure_floor() {
  floor
  start_ours ours 0 --loops 1
  run ours 1 --warm-up 4 >/dev/null || :
  take w16 floor ours 1
  take w64 floor ours 1 -w 64
  take all floor ours 1 -n 100 -s 100
  take many floor ours 1 -n 10000 -s 4
  take calm floor ours 1 --rate 100
  stop floor
  stop ours
  {
    echo
    echo '| workload | floor | this server | ratio, median (range) | bar |'
    echo '|---|---|---|---|---|'
    line w16 floor ours cpu_us_per_delivery 1 %.3f \
      '1 000 members, 10 senders, 16 outstanding each: µs of CPU a delivery' '≤ 1.2'
    line w16 floor ours deliveries_per_s 1e6 %.1f 'the same: million deliveries/s' ''
    line w64 floor ours cpu_us_per_delivery 1 %.3f '64 outstanding each: µs of CPU a delivery' '≤ 1.2'
    line w64 floor ours deliveries_per_s 1e6 %.1f 'the same: million deliveries/s' ''
    line all floor ours cpu_us_per_delivery 1 %.3f '100 members, all send: µs of CPU a delivery' '≤ 1.5'
    line many floor ours cpu_us_per_delivery 1 %.3f '10 000 members, 4 senders: µs of CPU a delivery' '≤ 1.5'
    line calm floor ours p99_ms 1 %.1f '1 000 members, 100 messages/s: p99 in ms' '≤ 1.5'
    line calm floor ours cpu_us_per_delivery 1 %.2f 'the same: µs of CPU a delivery' '≤ 1.25'
    echo
  } | insert floor
}

# Two runs of one server differ by half here, by where the memory lies: more of them, and longer.
measure_long() {
  local name options=(--text 16384 -w 4 -t 4)
  floor
  start_ours ours 0 --loops 1
  start_ours free 0 --loops 1 --send-buffer 0
  for name in floor ours free; do run $name 1 --warm-up 4 "${options[@]}" >/dev/null || :; done
  rounds=$((4 * rounds + 1)) take free floor free 1 "${options[@]}"
  rounds=$((4 * rounds + 1)) take long floor ours 1 "${options[@]}"
  for name in floor ours free; do stop $name; done
  {
    echo
    echo '| 1 000 members, 10 senders, 16 KiB texts, 4 outstanding each: GiB/s | floor | this server | ratio, median (range) | bar |'
    echo '|---|---|---|---|---|'
    line free floor free deliveries_per_s 61035 %.2f '`--send-buffer 0`: as the floor' '≥ 0.8'
    line long floor ours deliveries_per_s 61035 %.2f 'the default, 128 KiB' '≥ 0.8'
    echo
  } | insert long
}

measure_redis() {
  if ! peer redis; then
    say 'no Redis'
    return
  fi
  start_ours ours 0 --loops 1
  run ours 1 --warm-up 4 >/dev/null || :
  take redis redis ours 1
  stop redis
  stop ours
  {
    echo
    echo '| 1 000 members, 10 senders, 16 outstanding each | Redis | this server | ratio, median (range) | bar |'
    echo '|---|---|---|---|---|'
    line redis redis ours deliveries_per_s 1e6 %.1f 'million deliveries/s' '≥ 2'
    line redis redis ours cpu_us_per_delivery 1 %.3f 'µs of CPU a delivery' ''
    echo
  } | insert redis
}

# Not pinned: both CPUs are the server's, because the audience needs but a fifth of one.
measure_loops() {
  local name options=(-n 10 --no-spin)
  if [[ $(id -u) != 0 ]]; then
    say 'loops: the audience must be root'
    return
  fi
  cc -O2 -o "$work/audience" bench/floor/audience.c
  for name in one two; do
    start_ours $name 0,1 --loops "$([[ $name == one ]] && echo 1 || echo 2)"
    start $name.audience 0,1 "$work/audience" "${port[$name]}" 490
    for ((r = 0; r < 6; r++)); do run $name 0,1 "${options[@]}" >/dev/null || :; done
  done
  rounds=$((3 * rounds)) take loops16 one two 0,1 "${options[@]}"
  rounds=$((3 * rounds)) take loops64 one two 0,1 -w 64 "${options[@]}"
  for name in one two; do
    stop $name.audience
    say "loops: $name: the audience $(tail -n 1 "$work/$name.audience.out")"
    stop $name
  done
  {
    echo
    echo '| 500 members, 10 senders | one loop | two loops | ratio, median (range) | bar |'
    echo '|---|---|---|---|---|'
    line loops16 one two messages_per_s 1e3 %.1f '16 outstanding each: thousand messages/s' '> 1'
    line loops16 one two cpu_cores 1 %.2f 'the same: cores in use' ''
    line loops64 one two messages_per_s 1e3 %.1f '64 outstanding each: thousand messages/s' '> 1'
    line loops64 one two cpu_cores 1 %.2f 'the same: cores in use' ''
    echo
  } | insert loops
}

measure_transports() {
  local other
  start_ours epoll 0 --loops 1 --transport epoll
  run epoll 1 --warm-up 4 >/dev/null || :
  {
    echo
    echo '| 1 000 members, 10 senders, 16 outstanding each: µs of CPU a delivery | epoll | this one | ratio, median (range) | |'
    echo '|---|---|---|---|---|'
    for other in io_uring nio; do
      start_ours $other 0 --loops 1 --transport $other
      if grep -q "transport $other" "$work/$other.out"; then
        run $other 1 --warm-up 4 >/dev/null || :
        take $other epoll $other 1
        line $other epoll $other cpu_us_per_delivery 1 %.3f $other ''
      fi
      stop $other
    done
    echo
  } >"$work/transports"
  stop epoll
  insert transports <"$work/transports"
}

measure_idle() {
  local figure title
  : >"$work/idle.ours.json"
  for ((r = 0; r < rounds; r++)); do
    say "15 000 idle members, $((r + 1)) of $rounds"
    start_ours ours 0 --loops 1
    run ours 1 -n 15000 -s 0 --warm-up 0 >>"$work/idle.ours.json" || say 'idle: failed'
    stop ours
  done
  {
    echo
    echo '| 15 000 idle members | median | range | bar |'
    echo '|---|---|---|---|'
    while IFS=: read -r figure title bar; do
      of idle ours "$figure" | sort -g >"$work/values"
      printf '| %s | %.1f | %.1f to %.1f, %d runs | %s |\n' "$title" "$(median <"$work/values")" \
        "$(head -n 1 "$work/values")" "$(tail -n 1 "$work/values")" "$(wc -l <"$work/values")" "$bar"
    done <<'END'
idle_rss_mib:resident memory of the server, MiB:≤ 160
idle_kib_per_member:of it for each member, KiB:≤ 4
join_cpu_us:CPU a join, everybody being told, µs:≤ 500
END
    echo
  } | insert idle
}

# point FILE SERIES X FIGURE JSON
point() { printf '%s %s %s\n' "$2" "$3" "$(field "$4" <"$5")" | awk 'NF == 3 && $3 > 0' >>"$work/$1.points"; }

measure_plots() {
  local name members rate titles=()
  mkdir -p $plots
  : >"$work/throughput.points"
  : >"$work/latency.points"
  : >"$work/memory.points"
  floor
  start_ours ours 0 --loops 1
  run ours 1 --warm-up 4 >/dev/null || :
  for name in floor ours; do
    for members in 100 300 1000 3000 10000; do
      say "plots: $name, $members members"
      run $name 1 -n $members -t 1 >"$work/json" || continue
      point throughput $name $members deliveries_per_s "$work/json"
    done
    for rate in 10 100 1000 3000; do
      say "plots: $name, $rate messages/s"
      run $name 1 --rate $rate >"$work/json" || continue
      point latency $name $rate p99_ms "$work/json"
    done
    stop $name
  done
  for members in 100 1000 5000 15000; do
    say "plots: memory of $members members"
    floor
    start_ours ours 0 --loops 1
    for name in floor ours; do
      run $name 1 -n $members -s 0 --warm-up 0 >"$work/json" || :
      point memory $name $members idle_rss_mib "$work/json"
      stop $name
    done
  done
  for name in redis nats mqtt irc; do
    for members in 100 300 1000; do
      if ! peer $name; then
        say "no $name"
        break
      fi
      say "plots: $name, $members members"
      if run $name 1 -n $members -t 1 >"$work/json"; then
        point throughput $name $members deliveries_per_s "$work/json"
        point memory $name $members idle_rss_mib "$work/json"
      fi
      if [[ $members == 1000 ]]; then
        for rate in 10 100 1000; do
          say "plots: $name, $rate messages/s"
          run $name 1 --rate $rate -t 1 >"$work/json" || break
          point latency $name $rate p99_ms "$work/json"
          if awk "BEGIN {exit !($(field p99_ms <"$work/json") > 200)}"; then break; fi
        done
      fi
      stop $name
    done
  done
  named <"$work/throughput.points" | plot throughput 'Deliveries a second, saturated' 'members, 10 of them send' 'deliveries/s'
  named <"$work/latency.points" | plot latency 'Latency p99 in a room of 1 000' 'messages/s' 'ms'
  named <"$work/memory.points" | plot memory 'Resident memory with everybody idle' 'members' 'MiB'
}

# cost NAME TITLE FACTOR: what the runs found for a delivery, as median and range, times the receivers.
cost() {
  of cost "$1" cpu_us_per_delivery | awk -v f="$3" '{print $1 * f}' | sort -g >"$work/values"
  printf '| %s | %.0f | %.0f to %.0f |\n' "$2" "$(median <"$work/values")" "$(head -n 1 "$work/values")" \
    "$(tail -n 1 "$work/values")"
}

# Not pinned: one server or two, their Redis and the generator share the CPUs.
measure_shared() {
  local at=$((7100 + RANDOM % 800)) shared
  if ! command -v redis-server >/dev/null; then
    say 'no Redis'
    return
  fi
  launch store 0,1 redis-server --bind 127.0.0.1 --port $at --dir "$work" --save '' --appendonly yes
  until (: </dev/tcp/127.0.0.1/$at) 2>/dev/null; do sleep 0.1; done
  shared="--loops 1 --redis redis://127.0.0.1:$at --redis-prefix"
  start_ours alone 0,1 --loops 1
  start_ours one 0,1 $shared one
  start_ours left 0,1 $shared two
  start_ours right 0,1 $shared two
  port[both]=${port[left]},${port[right]}
  pid[both]=${pid[left]},${pid[right]}
  port[calm]=${port[one]} pid[calm]=${pid[store]}
  port[busy]=${port[one]} pid[busy]=${pid[store]}
  for name in alone one both; do run $name 0,1 --warm-up 4 --no-spin >/dev/null || :; done
  take few alone one 0,1 -n 100 --rate 100 --no-spin
  take many alone one 0,1 --rate 100 --no-spin
  take one alone one 0,1 --no-spin
  take two one both 0,1 --no-spin
  : >"$work/cost.calm.json"
  : >"$work/cost.busy.json"
  for ((r = 0; r < rounds; r++)); do
    say "cost for Redis, $((r + 1)) of $rounds"
    run calm 0,1 -n 100 --rate 100 -t 10 --no-spin >>"$work/cost.calm.json" || say 'cost: calm failed'
    run busy 0,1 -n 100 --rate 2000 -t 4 --no-spin >>"$work/cost.busy.json" || say 'cost: busy failed'
  done
  unset 'pid[both]' 'pid[calm]' 'pid[busy]'
  for name in alone one left right store; do stop $name; done
  {
    echo
    echo '| 10 senders | alone | over Redis | ratio, median (range) | |'
    echo '|---|---|---|---|---|'
    line few alone one p50_ms 1 %.2f '100 members, 100 messages/s: p50 in ms' ''
    line few alone one p99_ms 1 %.2f 'the same: p99 in ms' ''
    line many alone one p50_ms 1 %.2f '1 000 members, 100 messages/s: p50 in ms' ''
    line many alone one p99_ms 1 %.2f 'the same: p99 in ms' ''
    line one alone one deliveries_per_s 1e6 %.2f '1 000 members, 16 outstanding each: million deliveries/s' ''
    echo
    echo '| 1 000 members, 10 senders, 16 outstanding each | one server | two | ratio, median (range) | |'
    echo '|---|---|---|---|---|'
    line two one both deliveries_per_s 1e6 %.2f 'million deliveries/s' ''
    line two one both p99_ms 1 %.1f 'p99 in ms' ''
    line two one both cpu_us_per_delivery 1 %.3f 'µs of CPU a delivery, of all servers' ''
    echo
    echo '| CPU of Redis a message, µs | median | range |'
    echo '|---|---|---|'
    cost calm '100 messages/s' 99
    cost busy '2 000 messages/s' 99
    echo
  } | insert shared
}

named() {
  sed -e 's/^floor /the_floor_(C) /' -e 's/^ours /Simple_Chat /' -e 's/^redis /Redis /' -e 's/^nats /NATS /' \
    -e 's/^mqtt /Mosquitto /' -e 's/^irc /ngircd /'
}

machine() {
  echo
  printf '%s CPUs (%s), Linux %s, %s' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r | cut -d- -f1)" \
    "$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/^\(.*\) version "\([^"]*\)".*/\1 \2/p')"
  for one in 'redis-server --version' 'nats-server --version' 'mosquitto -h' 'ngircd --version'; do
    PATH=$PATH:/usr/sbin $one 2>&1 | sed -n '1{s/^Redis server v=\([^ ]*\).*/; Redis \1/p
      s/^nats-server: v\(.*\)/; NATS \1/p
      s/^mosquitto version \(.*\)/; Mosquitto \1/p
      s/^ngIRCd \([0-9.]*\).*/; ngircd \1/p}' | tr -d '\n' || :
  done
  printf '.\n\n'
}

./chat bench --version >&2
./chat server --version >&2
cc -O2 -o "$work/floor.bin" bench/floor/floor.c
for part in $parts; do measure_"$part"; done
machine | insert machine
say 'done, see docs/PERFORMANCE.md'
