#!/bin/sh
# Makes the class-data archive with which ./chat starts a program about a third faster:
#   archive.sh JAVA_HOME MODULE JAR ARCHIVE
# The program is run once on something that ends by itself, and the JVM stores the classes it used.
# An archive that is missing, or made for another jar or JVM, costs nothing but its speed: the JVM
# leaves it aside. So failing here fails nothing.
set -eu

java_home=$1 module=$2 jar=$3 archive=$4
fresh=$archive.$$
trap 'rm -f "$fresh"' EXIT
mkdir -p "$(dirname "$archive")"

case $module in
  # Nobody listens on port 1, so it ends after it has set up everything but the conversation.
  # In a terminal of its own where util-linux can make one, so that the line editor is in the archive:
  # it is a third of what has to be loaded before the prompt.
  client)
    set -- "$java_home/bin/java" -Xlog:disable -XX:ArchiveClassesAtExit="$fresh" \
      -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" \
      --host 127.0.0.1 --port 1 --username archive
    if script --version 2>/dev/null | grep -q util-linux; then
      command='stty rows 24 cols 80;'
      for word; do command="$command '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"; done
      timeout 20 script -qec "$command" /dev/null </dev/null >/dev/null || :
    fi
    [ -s "$fresh" ] || timeout 20 "$@" || : ;;
  # Ended by the signal after a second, which is how servers end.
  server) timeout -s TERM 2 "$java_home/bin/java" -Xlog:disable -XX:ArchiveClassesAtExit="$fresh" \
    -XX:+UseSerialGC -jar "$jar" --port 0 || : ;;
esac
[ ! -s "$fresh" ] || mv -f "$fresh" "$archive"
