#!/bin/sh
# What psdnet plan says of a run's memory holds within 25% for every consensus, on one rank and two; it answers without data, and
# bad questions get one line.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 600 -image 3x16x16 -classes 2

# compare NAME RANKS OPTIONS...: a run's peak against its plan's, made without its data
compare() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" plan -images 600 -image 3x16x16 -class_count 2 "$@" -report "$name-plan.json"
  # status 2: a few iterations do not reach the gap
  ends 2 "$name" "$ranks" train -data data "$@" -max_it 20 -progress none -model "$name.h5" -report "$name-run.json"
}

for ranks in 1 2; do
  compare root-$ranks $ranks -patch 6 -stride 5 -consensus root
  compare dual-$ranks $ranks -patch 16 -consensus dual -beta_rel 0.1
done
compare scalapack-2 2 -patch 6 -stride 5 -consensus scalapack
compare folded-2 2 -patch 6 -stride 5 -pool 3 -pca 60 -flip
compare folded-logistic-1 1 -patch 4 -stride 4 -pool 2 -flip -loss logistic
"$LAUNCH" 1 "$PSDNET" plan -data data -patch 4 -report data-plan.json >data.log 2>&1 || { cat data.log; exit 1; }
# what dual was called once is still understood
run old-name 1 plan -images 600 -image 3x16x16 -patch 16 -consensus kernel -report old-name.json

/usr/bin/python3 - <<'EOF'
import json
import sys

failures = 0
for name in 'root-1', 'root-2', 'dual-1', 'dual-2', 'scalapack-2', 'folded-2', 'folded-logistic-1':
    plan, run = json.load(open(name + '-plan.json')), json.load(open(name + '-run.json'))
    ratio = plan['peak_memory_mb'] * 1e6 / (run['peak_memory_mb'] * 2**20)
    print(name, 'planned', plan['peak_memory_mb'], 'found', run['peak_memory_mb'], 'ratio', round(ratio, 3))
    same = all(plan[key] == run[key] for key in ('n', 'f', 'D', 'blocks', 'ranks', 'consensus'))
    if not same or not 0.75 <= ratio <= 1.25:
        failures += 1
if json.load(open('data-plan.json'))['n'] != 600:
    print('sizes of a data set')
    failures += 1
if json.load(open('old-name.json'))['consensus'] != 'dual':
    print('-consensus kernel')
    failures += 1
sys.exit(failures > 0)
EOF

# of given rates the plan is a matter of sizes alone; the rates that a plan prints make that plan again
# given NAME RATES
given() {
  "$LAUNCH" 1 "$PSDNET" plan -images 50000 -image 3x32x32 -patch 6 -whiten 0.1 -ranks 48 -rates "$2" -report "$1.json" >"$1.log" 2>&1 ||
    { cat "$1.log"; exit 1; }
  sed -n '/^phase/,$p' "$1.log" >"$1.phases"
}
given four 40,35,30,12
given four-again 40,35,30,12
cmp four.phases four-again.phases
grep -q '^rates .*dgemm 40.0, dsyrk 35.0, dpotrf 30.0 GFLOP/s; memory 12.0 GB/s; lifting' four.log
given slow 20,17.5,15,6
given six 40,35,30,12,2.5,0.8
printed=$(sed -n '/^rates/s/[^0-9.]*\([0-9.]*\) *[^0-9.]*/\1,/gp' six.log | sed 's/,*$//')
[ "$printed" = 40.0,35.0,30.0,12.0,2.5,0.8 ]
given six-again "$printed"
cmp six.phases six-again.phases
/usr/bin/python3 - <<'EOF'
import json
import sys

fast, slow, six = (json.load(open(name + '.json'))['seconds'] for name in ('four', 'slow', 'six'))
# half the rates, twice the time; lifting 50,000 images at 2.5 ms on 48 ranks
if abs(slow['total'] / fast['total'] - 2) > 1e-3 or abs(six['lift'] / (50000 / 48 * 2.5e-3) - 1) > 1e-2:
    sys.exit(f'{fast} {slow} {six}')
EOF

# refuse WHAT OPTIONS...: status 1, one line that says WHAT
refuse() {
  what=$1
  shift
  status=0
  "$LAUNCH" 1 "$PSDNET" plan "$@" >/dev/null 2>error.txt || status=$?
  if [ $status != 1 ] || [ "$(grep -c '^psdnet: error' error.txt)" != 1 ] || ! grep -q -- "$what" error.txt; then
    echo "plan $*: status $status"
    cat error.txt
    exit 1
  fi
}
refuse "neither -data nor -images" -patch 4
refuse "-image: found 2 numbers" -images 10 -image 3x32
refuse "-ranks: found" -images 10 -image 3x32x32 -ranks 0
refuse "-rates: found 3 numbers" -images 10 -image 3x32x32 -rates 1,2,3
refuse "-rates: found 0 at place 2" -images 10 -image 3x32x32 -rates 1,0,3,4
refuse "-rates" -images 10 -image 3x32x32 -rates 1,fast,3,4
refuse "larger than the images" -images 10 -image 3x4x4 -patch 8
refuse "root needs .* scalapack .* dual" -images 50000 -image 3x32x32 -patch 8 -stride 4 -node_memory 1
refuse "64-bit indices\|needs .* GB" -images 50000 -image 3x256x256 -patch 256 -node_memory 4
cd /
rm -rf "$SCRATCH"
