# Shared by the scripts of this folder, which source it: where things are, and how they speak. Sets root.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

# quietly LOG COMMAND...: output goes to LOG and its last 100 lines are shown when the command fails
quietly() {
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    tail -n 100 "$log" >&2
    warn "failed with status $status (log: $log): $*"
  fi
  return "$status"
}

# usage: the head comment of the script that was called
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# compile SOURCE PROGRAM DIRECTORY [FLAGS...]: a C program against the libpsdnet that was built in DIRECTORY
compile() {
  local source=$1 program=$2 directory=$3 petsc module=PETSc
  shift 3
  pkg-config --exists "$module" || module=petsc
  petsc=$(pkg-config --cflags --libs "$module")
  # shellcheck disable=SC2086 # words of pkg-config are meant to be split
  quietly "$program.log" mpicc -std=c11 -O2 -Wall -Wextra -I"$root/include" "$source" -o "$program" \
    -L"$directory" -Wl,-rpath,"$directory" -lpsdnet $petsc "$@" -lm
  rm -f "$program.log"
}

# number FILE NAME: a number of a report.json, such as total or iterations
number() { sed -n "s/.*\"$2\": \([-+0-9.eE]*\).*/\1/p" "$1"; }

# median: of the numbers on standard input, one a line
median() { sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }

# heading COMMAND...: what a table of measurements is worth nothing without
heading() {
  say "Command: \`$*\`"
  say "Machine: $(uname -n), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
  say "Date: $(date -u '+%Y-%m-%d %H:%M UTC'), revision $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)"
  say
}
