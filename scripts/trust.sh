#!/bin/sh
# Runs the scenarios of docs/TRUST.md with their full counts, and writes its table anew. Less than
# an hour on two cores that have nothing else to do; `quick` takes the small counts of every build.
# `scripts/trust.sh full LoadTest,TlsTest` runs these alone, and writes their figures behind those that
# target/trust.txt has of builds and runs before: which to keep in the table is then decided by hand.
set -eu
cd "$(dirname "$0")/.."

tests='HostileInputTest,FloodTest,LoadTest,LimitsTest,DescriptorsTest,PaceTest,SlowMembersTest'
tests="$tests,GapTest,LifeCycleTest,ServerProgramTest,SplitStreamTest,TlsTest,CrowdTest"
load=full
[ "${1:-full}" = full ] || load=quick
figures=target/trust.txt

if [ $# -gt 1 ]; then tests=$2; else rm -f "$figures"; fi
status=0
mvn -q -pl tests -am test -Dtest="$tests" -Dsurefire.failIfNoSpecifiedTests=false \
  -Dchat.load="$load" -Dmaven.test.failure.ignore=true || status=$?
[ -s "$figures" ] || { echo 'trust: no figures' >&2; exit 1; }

document=docs/TRUST.md
{
  sed '/^<!-- figures -->$/q' "$document"
  printf '\nLast run: %s, %s, %s cores, Java %s.\n\n' "$(date -u +%Y-%m-%d)" "$load" "$(nproc)" \
    "$(java -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p')"
  echo '| scenario | found | bound | shown by | run |'
  echo '|---|---|---|---|---|'
  sort -V -u "$figures" | sed 's/^/| /; s/$/ |/'
} >"$document.new"
mv "$document.new" "$document"
exit "$status"
