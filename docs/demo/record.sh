#!/usr/bin/env bash
# Records the demo of README.md from a real run: one server and two clients in a tmux of their own,
# typed into key by key. Writes demo.cast, which is the source, and demo.svg, which is made from it.
#
#   docs/demo/record.sh           record, then render
#   docs/demo/record.sh render    only render demo.cast anew
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cast=$here/demo.cast
svg=$here/demo.svg

columns=92
rows=21
port=8080
relay_port=8081
server_rows=3
key_seconds=0.028
still_seconds=0.7 # the pauses at both ends are longer, see story
wait_seconds=60
longest_seconds=2.5 # a wait for the next try to connect is cut to this
last_frame_millis=4000

fail() {
  printf 'record: %s\n' "$*" >&2
  exit 1
}

need() {
  local missing=()
  for program in "$@"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || fail "missing: ${missing[*]} (packages of these names in Debian)"
}

work=$(mktemp -d)

tm() { tmux -S "$work/socket" -f "$work/tmux.conf" "$@"; }

# Bob's network: without the relay there is no way from him to the server.
relay=

connect() {
  setsid socat "TCP-LISTEN:$relay_port,bind=127.0.0.1,fork,reuseaddr" "TCP:127.0.0.1:$port" &
  relay=$!
}

disconnect() {
  [[ -z $relay ]] || kill -- "-$relay" 2>/dev/null || true
  relay=
}

finish() {
  local status=$?
  disconnect
  tm kill-server 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

# Some viewers show no animation, and some people want none: else they see two empty prompts.
show_last_frame_where_nothing_moves() {
  local last
  last=$(sed -n 's/^ *100\.000%{\(transform:[^}]*\)}$/\1/p' "$svg")
  [[ -n $last ]] || fail 'where is the last frame?'
  sed -i "s/^\( *\)#screen_view {\$/\1@media (prefers-reduced-motion: reduce) { #screen_view { animation: none !important } }\n&\n\1    $last;/" "$svg"
}

render() {
  need termtosvg
  # Its terminal takes the sixteen colours' grey for bold black, and stays bold; the same grey of the
  # 256 colours it knows.
  sed 's/\\u001b\[90m/\\u001b[38;5;245m/g' "$cast" >"$work/grey.cast"
  termtosvg render "$work/grey.cast" "$svg" --template window_frame \
    --min-frame-duration 30 --loop-delay "$last_frame_millis" 2>"$work/termtosvg.log" ||
    fail "termtosvg: $(cat "$work/termtosvg.log")"
  show_last_frame_where_nothing_moves
  printf 'record: %s, %s bytes\n' "${svg##*/}" "$(wc -c <"$svg")"
}

case ${1:-} in
  render) render && exit ;;
  '') ;;
  *) fail "unknown argument '$1', see the top of this file" ;;
esac

need tmux asciinema termtosvg awk socat
for taken in "$port" "$relay_port"; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$taken") 2>/dev/null; then
    fail "port $taken is taken, and the demo needs it"
  fi
done

# Each letter of a line is a key of its own, so they have to be cut where characters end.
export LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=xterm-256color
unset CHAT_HOST CHAT_PORT CHAT_USERNAME JAVA_OPTS NO_COLOR TMUX "${!CHAT_@}"

"$root/chat" server --version >/dev/null || fail 'the server does not start'
"$root/chat" client --version >/dev/null || fail 'the client does not start'

cat >"$work/tmux.conf" <<'CONF'
set -g default-terminal tmux-256color
set -g status off
set -g escape-time 0
set -g pane-border-status top
set -g pane-border-format ' #[fg=colour7]#{pane_title} '
set -g pane-border-style fg=colour8
set -g pane-active-border-style fg=colour8
set -g allow-rename off
CONF

shell="env PS1='\$ ' HISTFILE= bash --norc --noprofile -i"
server=$(tm new-session -d -P -F '#{pane_id}' -x "$columns" -y "$rows" -s demo -c "$root" "$shell")
alice=$(tm split-window -v -d -P -F '#{pane_id}' -t "$server" -c "$root" \
  -l "$((rows - server_rows - 2))" "$shell")
bob=$(tm split-window -h -d -P -F '#{pane_id}' -t "$alice" -c "$root" \
  "env CHAT_PORT=$relay_port $shell")
tm select-pane -t "$server" -T server
tm select-pane -t "$alice" -T alice
tm select-pane -t "$bob" -T bob
tm select-pane -t "$server"

# until_shown PANE PATTERN: the reader's pauses are sleeps; what the programs do is waited for.
until_shown() {
  local end=$((SECONDS + wait_seconds))
  until tm capture-pane -p -t "$1" | grep -qE "$2"; do
    ((SECONDS < end)) || {
      tm capture-pane -p -t "$1" >&2
      fail "'$2' did not appear within $wait_seconds s"
    }
    sleep 0.02
  done
}

pause() { sleep "$1"; }

# keys PANE TEXT: as a person types; the cursor is where the typing is.
keys() {
  local i key
  tm select-pane -t "$1"
  for ((i = 0; i < ${#2}; i++)); do
    key=${2:i:1}
    [[ $key != ';' ]] || key='\;' # a bare one would end tmux's own command
    tm send-keys -t "$1" -l -- "$key"
    sleep "$key_seconds"
  done
}

enter() {
  sleep 0.25
  tm send-keys -t "$1" Enter
}

line() {
  keys "$1" "$2"
  enter "$1"
}

story() {
  pause 1
  line "$server" './chat server 2>/dev/null' # without the log lines
  until_shown "$server" "listening on 127.0.0.1:$port"
  pause 0.9

  line "$alice" './chat client --username alice'
  until_shown "$alice" '^alice>'
  pause 0.7
  line "$bob" './chat client --username bob'
  until_shown "$bob" '^bob>'
  until_shown "$alice" 'bob joined'
  pause 0.9

  # Tab completes the name of who is there.
  keys "$alice" 'send hi b'
  pause 0.4
  tm send-keys -t "$alice" Tab
  until_shown "$alice" 'send hi bob'
  pause 0.6
  keys "$alice" '👋 hungry?'
  enter "$alice"
  until_shown "$bob" 'hungry'
  pause 0.9

  # A line arrives while bob types: what he has typed stays.
  keys "$bob" 'send always! how about 拉'
  pause 0.3
  line "$alice" 'send the noodle place at one?'
  until_shown "$bob" 'at one'
  pause 1.2
  keys "$bob" '麺 🍜'
  enter "$bob"
  until_shown "$alice" 'how about'
  pause 1.4

  disconnect
  tm select-pane -t "$bob" -T "bob, whose network is gone"
  until_shown "$bob" 'bob \(offline\)>'
  until_shown "$alice" 'bob lost connection'
  pause 1.2
  line "$bob" 'send save me a seat'
  until_shown "$bob" '1 pending'
  pause 0.5
  line "$alice" 'send I take the table at the window'
  pause 0.8
  connect
  tm select-pane -t "$bob" -T bob
  until_shown "$bob" 'nothing missed'
  until_shown "$alice" 'save me a seat'
  pause 2.2
  line "$bob" 'leave'
  until_shown "$bob" 'left the chat'
  until_shown "$bob" '^\$ *$' # the shell's own prompt, so that nothing comes into the last pause
  until_shown "$alice" 'bob left'
  pause 1.2
}

until_shown "$server" '^\$'
until_shown "$alice" '^\$'
until_shown "$bob" '^\$'

connect
raw=$work/raw.cast
asciinema rec -q --cols "$columns" --rows "$rows" \
  -c "tmux -S '$work/socket' attach -t demo" "$raw" </dev/null &
recorder=$!
until [[ -n $(tm list-clients -F '#{client_name}') ]]; do sleep 0.02; done
story
tm detach-client -s demo
wait "$recorder"
tm send-keys -t "$server" C-c
until_shown "$server" '\$ *$'

# Kept: the size and what was shown. Left out: the recording machine, the steps in which the first
# picture was drawn, and tmux's farewell, which would end as an empty frame. The story begins and ends
# with a pause, so these are what is before the first pause and what is behind the last.
awk -v header="{\"version\": 2, \"width\": $columns, \"height\": $rows}" -v pause="$still_seconds" \
  -v longest="$longest_seconds" '
  NR == 1 { print header; next }
  { event[++n] = $0; time[n] = substr($0, 2, index($0, ",") - 2) + 0 }
  n > 1 && time[n] - time[n - 1] > pause { if (!first) first = n; last = n - 1 }
  END {
    for (i = 1; i <= last; i++) {
      if (i < first) sub(/^\[[0-9.]+/, "[0.0", event[i])
      else {
        if (i > first && time[i] - time[i - 1] > longest) cut += time[i] - time[i - 1] - longest
        sub(/^\[[0-9.]+/, sprintf("[%.3f", time[i] - cut), event[i])
      }
      print event[i]
    }
  }
' "$raw" >"$cast"
grep -q 'nothing missed' "$cast" && grep -q 'left the chat' "$cast" || fail 'the recording was cut too early; try on a quieter machine'
if grep -qF -e "$HOME" -e "$(uname -n)" -e "$root" "$cast"; then
  fail 'the recording names this machine'
fi
render
