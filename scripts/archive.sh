#!/bin/sh
# Makes the class-data archive with which ./chat starts a program in half the time:
#   archive.sh JAVA_HOME MODULE JAR ARCHIVE
# The program is run once on something that ends by itself, and what it loaded is stored. A JVM leaves
# an archive aside that was made by another JVM or for another jar, so a stale one costs nothing but
# its speed, and so does a failure here.
set -eu

java=$1/bin/java module=$2 jar=$3 archive=$4
dir=$(mktemp -d)
# Nothing that is meant for the user's programs: the rehearsal is to touch nothing of theirs.
unset JAVA_TOOL_OPTIONS $(env | sed -n 's/^\(CHAT_[A-Z_]*\)=.*/\1/p')
classes=$dir/classes fresh=$archive.$$
trap 'rm -rf "$dir" "$fresh"' EXIT
mkdir -p "$(dirname "$archive")"

# The client in a pipe, and in a terminal of its own where util-linux can make one: the line editor
# is a third of what has to be loaded before the prompt.
rehearse_client() {
  mkfifo "$dir/port"
  timeout 40 "$java" -Xlog:disable -cp "$jar" "$(dirname "$0")/Rehearsal.java" 2 >"$dir/port" &
  read -r port <"$dir/port"
  set -- -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" \
    --host 127.0.0.1 --port "$port" --username archive
  printf 'send hello\nwho\nhelp\nleave\n' |
    timeout 20 "$java" -Xlog:disable -XX:DumpLoadedClassList="$classes" "$@" >/dev/null
  if script --version 2>/dev/null | grep -q util-linux; then
    command='stty rows 24 cols 80;'
    for word in "$java" -Xlog:disable -XX:DumpLoadedClassList="$classes.terminal" "$@"; do
      command="$command '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"
    done
    printf 'send hello b\t\rwho\rhelp\rleave\r' |
      TERM=xterm-256color timeout 20 script -qec "$command" /dev/null >/dev/null
    # Both lists number their classes (JDK 25), and the same number may not come twice.
    cat "$classes" "$classes.terminal" | sed '/ source: /d; s/ id: [0-9]*$//' | awk '!seen[$0]++' >"$classes.both"
    mv "$classes.both" "$classes"
  else
    kill $!
  fi
  wait
}

# The server, ended after a second by the signal with which servers end.
rehearse_server() {
  timeout -s TERM 2 "$java" -Xlog:disable -XX:DumpLoadedClassList="$classes" -XX:+UseSerialGC \
    -jar "$jar" --port 0 >/dev/null
}

"rehearse_$module" || :
# From a list, because a JVM that stores at its exit what it loaded (-XX:ArchiveClassesAtExit) leaves
# out the classes of old compilers, which picocli's are. By G1, because on 17 no other collector
# stores objects; all can load them.
"$java" -Xlog:disable -Xshare:dump -XX:SharedClassListFile="$classes" \
  -XX:SharedArchiveFile="$fresh" -XX:+UseG1GC -cp "$jar" >/dev/null
mv -f "$fresh" "$archive"
