# check.sh: what the scripts check_NAME.sh share. They source it; it stops them at the first command that fails.
#
# Their environment (CMakeLists.txt): PSDNET, the command; LAUNCH, which starts it on several ranks; SOURCE, the repository; SCRATCH,
# a directory of the script's own.
# shellcheck shell=sh
set -eu
export PYTHONDONTWRITEBYTECODE=1

skip() { # WHAT
  echo "skipped: needs $1"
  exit 77
}

fail() { # WHAT [LOGS...]
  echo "$1"
  shift
  [ $# = 0 ] || cat "$@"
  exit 1
}

need_python() { need_modules h5py numpy; }

# need_modules NAMES...: of /usr/bin/python3
need_modules() {
  for module in "$@"; do /usr/bin/python3 -c "import $module" 2>/dev/null || skip "python3-$module"; done
}

# python NAME ARGUMENTS...: runs NAME.py of this folder
python() {
  script=$1
  shift
  /usr/bin/python3 "$SOURCE/tests/$script.py" "$@"
}

# scratch: goes to SCRATCH, emptied; it is removed when the script has passed. on_exit, a command, comes first, in any case.
# TMPDIR is the script's own as well: Open MPI keeps a directory there that all runs without a launcher make and remove.
on_exit=:
scratch() {
  TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/psdnet.XXXXXX")
  export TMPDIR
  rm -rf "$SCRATCH"
  mkdir -p "$SCRATCH"
  cd "$SCRATCH"
  trap leave EXIT
}
leave() {
  status=$?
  $on_exit
  rm -rf "$TMPDIR"
  case $status in 0 | 77) cd / && rm -rf "$SCRATCH" ;; esac
}

# make_images DIRECTORY [OPTIONS...]: a data set of noisy images, see make_images.py
make_images() { python make_images "$@"; }

# start RANKS OPTIONS...: one rank is started as users do on their desks, without a launcher
start() {
  ranks=$1
  shift
  if [ "$ranks" = 1 ]; then timeout 120 "$PSDNET" "$@"; else timeout 120 "$LAUNCH" "$ranks" "$PSDNET" "$@"; fi
}

# ends STATUS NAME RANKS OPTIONS...: psdnet ends with STATUS, what it says is in NAME.log, the errors last: a launcher forwards them
# apart from the rest, and might put them into the midst of a line
ends() {
  expected=$1 name=$2 ranks=$3 status=0
  shift 3
  start "$ranks" "$@" >"$name.log" 2>"$name.err" || status=$?
  cat "$name.err" >>"$name.log"
  rm "$name.err"
  [ "$status" = "$expected" ] || fail "$name: psdnet $* on $ranks ranks: exit status $status, expected $expected" "$name.log"
}

# run NAME RANKS OPTIONS...: succeeds
run() { ends 0 "$@"; }

# refuse WORDS RANKS OPTIONS...: psdnet ends with status 1 and one line, which WORDS, an extended regular expression, match
refuse() {
  words=$1
  shift
  said=$(mktemp refuse-XXXXXX)
  ends 1 "$said" "$@"
  says_one_line "$words" "$said.log" || fail "psdnet $*: expected one line of error, '$words'" "$said.log"
  rm "$said" "$said.log"
}

# says_one_line WORDS LOG: of error, and it is no traceback
says_one_line() {
  [ "$(grep -c '^psdnet: error: ' "$2")" = 1 ] && grep '^psdnet: error: ' "$2" | grep -Eq -- "$1" &&
    ! grep -q 'PETSC ERROR\|Caught signal' "$2"
}

# complains STATUS LINES WORDS RANKS OPTIONS...: LINES (a number, or 'some') of psdnet's own complaints, all matched by WORDS
complains() {
  ending=$1 lines=$2 words=$3
  shift 3
  ends "$ending" run "$@"
  found=$(grep -c '^psdnet: ' run.log || true)
  [ "$found" = "$lines" ] || { [ "$lines" = some ] && [ "$found" != 0 ]; } || fail "$*: $found lines, expected $lines" run.log
  [ -z "$(grep '^psdnet: ' run.log | grep -Ev -- "$words" || true)" ] || fail "$*: a line is not matched by '$words'" run.log
  ! grep -q 'PETSC ERROR' run.log || fail "$*: a traceback" run.log
}

# later COMMAND...: runs it in the background, two such at a time; all_done waits for the last. One that fails ends the script.
earlier=
later() {
  apart "$@" &
  all_done
  earlier=$!
}
apart() {
  TMPDIR=$(mktemp -d)
  "$@"
}
all_done() {
  if [ -n "$earlier" ] && ! wait "$earlier"; then
    wait
    exit 1
  fi
  earlier=
}
