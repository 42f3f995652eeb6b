#!/bin/sh
# Of given rates a plan is a matter of sizes alone, the rates that a plan prints make that plan again, and bad questions get one line.
. "$SOURCE/tests/check.sh"
need_python
scratch

# given NAME RATES [PRECISION]
given() {
  run "$1" 1 plan -images 50000 -image 3x32x32 -patch 6 -whiten 0.1 -ranks 48 -rates "$2" -report "$1.json" -precision "${3:-double}"
  sed -n '/^phase/,$p' "$1.log" >"$1.phases"
}
given four 40,35,30,12
given four-again 40,35,30,12
cmp four.phases four-again.phases
grep -q '^rates .*dgemm 40.0, dsyrk 35.0, dpotrf 30.0 GFLOP/s; memory 12.0 GB/s; lifting' four.log
given slow 20,17.5,15,6
given six 40,35,30,12,2.5,0.8
printed=$(sed -n '/^rates/s/[^0-9.]*\([0-9.]*\) *[^0-9.]*/\1,/gp' six.log | sed 's/,*$//')
[ "$printed" = 40.0,35.0,30.0,12.0,2.5,0.8,72.0 ] # the last one follows from dgemm's
given six-again "$printed"
cmp six.phases six-again.phases
given mixed 40,35,30,12,2.5,0.8,72 mixed
given faster 40,35,30,12,2.5,0.8,144 mixed
python judge_plan_rates

# asked WORDS OPTIONS...: refused
asked() {
  words=$1
  shift
  refuse "$words" 1 plan "$@"
}
asked "neither -data nor -images" -patch 4
asked "-image: found 2 numbers" -images 10 -image 3x32
asked "-ranks: found" -images 10 -image 3x32x32 -ranks 0
asked "-rates: found 3 numbers" -images 10 -image 3x32x32 -rates 1,2,3
asked "-rates: found 0 at place 2" -images 10 -image 3x32x32 -rates 1,0,3,4
asked "-rates" -images 10 -image 3x32x32 -rates 1,fast,3,4
asked "larger than the images" -images 10 -image 3x4x4 -patch 8
asked "root needs .* scalapack .* dual" -images 40000 -image 3x32x32 -patch 8 -stride 4 -node_memory 1
asked "64-bit indices|needs .* GB" -images 50000 -image 3x256x256 -patch 256 -node_memory 4
