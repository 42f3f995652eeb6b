#!/bin/sh
# Every cone with every consensus gives one objective to 1e-8 and a certificate, on 1 to 4 ranks, more ranks than blocks included.
set -eu
/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || {
  echo "skipped: needs python3-h5py and python3-numpy"
  exit 77
}
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
cd "$SCRATCH"

/usr/bin/python3 - <<'EOF'
import os

import h5py
import numpy

os.makedirs('data')
random = numpy.random.default_rng(2)
labels = numpy.arange(90) % 3
images = random.integers(0, 200, (90, 2, 8, 7))
images[labels == 1, :, :, :4] += 55
images[labels == 2, :1] //= 2
labels[::4] = random.integers(0, 3, len(labels[::4]))  # not to be had without errors
with h5py.File('data/train.h5', 'w') as file:
    file['images'] = images.astype(numpy.uint8)
    file['labels'] = labels.astype(numpy.int32)
EOF

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  "$LAUNCH" "$ranks" "$PSDNET" train -data data -beta_rel 0.1 -gap 1e-9 -max_it 20000 -model "$name.h5" \
    -report "$name.json" -progress none "$@" >"$name.log" 2>&1 || {
    echo "$name: exit status $?"
    cat "$name.log"
    exit 1
  }
}

# one pair of blocks of order 33, D 561; three classes in four regions, whitened, D 684
for ranks in 1 2 3 4; do
  for consensus in root scalapack kernel; do
    for cone in auto lapack slepc scalapack; do
      options="-consensus $consensus -cone $cone"
      train "two-$consensus-$cone-$ranks" $ranks -classes 0,1 -patch 4 -stride 2 $options
      if [ $ranks = 1 ] || [ $ranks = 3 ]; then
        train "three-$consensus-$cone-$ranks" $ranks -patch 3 -stride 2 -pool 2 -patch_normalize 10 -whiten 0.1 $options
      fi
    done
  done
done

/usr/bin/python3 - <<'EOF'
import glob
import json
import sys

failures = 0
for problem, runs in ('two', 48), ('three', 24):
    reports = {name: json.load(open(name)) for name in glob.glob(f'{problem}-*.json')}
    if len(reports) != runs:
        print(problem, 'has', len(reports), 'reports')
        failures += 1
    primal = [report['objective_primal'] for report in reports.values()]
    if max(primal) / min(primal) - 1 > 1e-8:
        print(problem, 'objectives from', min(primal), 'to', max(primal))
        failures += 1
    for name, report in reports.items():
        consensus, cone = name.split('-')[1:3]
        if not (report['objective_dual'] <= min(primal) and report['gap'] <= 1e-9):
            print(name, 'bound', report['objective_dual'], 'gap', report['gap'])
            failures += 1
        if report['consensus'] != consensus or cone not in ('auto', report['cone'].split(':')[0]):
            print(name, 'used', report['consensus'], report['cone'])
            failures += 1
sys.exit(failures > 0)
EOF
cd /
rm -rf "$SCRATCH"
