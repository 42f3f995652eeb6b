#!/bin/sh
# A problem has one objective and a model one meaning: on 1 to 4 ranks, either consensus, features kept or streamed.
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
random = numpy.random.default_rng(1)
labels = numpy.arange(130) % 3
images = random.integers(0, 200, (130, 2, 9, 8))
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
  "$LAUNCH" "$ranks" "$PSDNET" train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 \
    -beta_rel 0.02 -gap 1e-6 -model "$name.h5" -report "$name.json" -history "$name.csv" "$@" >"$name.log" 2>&1 || {
    echo "$name: exit status $?"
    cat "$name.log"
    exit 1
  }
}

for ranks in 1 2 3 4; do
  train root-$ranks $ranks -consensus root
  train scalapack-$ranks $ranks -consensus scalapack
  train streamed-$ranks $ranks -memory 0
done
for model in root-1 scalapack-3 streamed-4; do
  for ranks in 1 2 3 4; do
    "$LAUNCH" $ranks "$PSDNET" evaluate -data data -model $model.h5 -progress none >$model-on-$ranks.txt 2>/dev/null
    "$LAUNCH" $ranks "$PSDNET" predict -data data -model $model.h5 -output $model-on-$ranks.csv >/dev/null 2>&1
  done
done

/usr/bin/python3 - <<'EOF'
import csv
import json
import sys

import numpy

FIELDS = ('command options ranks threads machine n f D blocks consensus cone iterations objective_primal objective_dual '
          'gap neurons accuracy_train beta beta_max seconds').split()
PHASES = 'read lift gram factor admm certify write total'.split()
HEADER = 'iteration,seconds,primal_residual,dual_residual,rho,objective,bound,gap,rank'
failures = 0


def require(holds, *what):
    global failures
    if not holds:
        failures += 1
        print(*what)


primals = []
for kind in 'root', 'scalapack', 'streamed':
    for ranks in 1, 2, 3, 4:
        name = f'{kind}-{ranks}'
        report = json.load(open(name + '.json'))
        primals.append(report['objective_primal'])
        require(all(field in report for field in FIELDS), name, 'lacks', [f for f in FIELDS if f not in report])
        require(any(field.startswith('peak_memory') for field in report), name, 'lacks the peak memory')
        require(all(report['seconds'].get(phase, -1) >= 0 for phase in PHASES), name, 'seconds', report['seconds'])
        require(report['ranks'] == ranks and report['n'] == 130 and report['f'] == 18 and report['D'] == 760
                and report['blocks'] == 24 and report['cone'] == 'lapack', name, 'sizes', report)
        require(report['consensus'] == ('scalapack' if kind == 'scalapack' else 'root'), name, report['consensus'])
        require(report['objective_dual'] <= report['objective_primal'] and 0 <= report['gap'] <= 1e-6, name, report)
        lines = open(name + '.csv').read().splitlines()
        require(lines[0] == HEADER, name, 'history begins', lines[0])
        rows = list(csv.DictReader(lines))
        for key, sign in ('objective', -1), ('bound', 1):
            values = sign * numpy.array([float(row[key]) for row in rows])
            require((numpy.diff(values) >= 0).all(), name, key, 'is not monotone')
        require(int(rows[-1]['iteration']) == report['iterations'], name, 'iterations', rows[-1])
        require(abs(float(rows[-1]['objective']) / report['objective_primal'] - 1) < 1e-9, name, 'last row', rows[-1])
require(max(primals) / min(primals) - 1 <= 1e-8, 'objectives', *primals)

for model in 'root-1', 'scalapack-3', 'streamed-4':
    accuracies = {open(f'{model}-on-{ranks}.txt').read() for ranks in (1, 2, 3, 4)}
    require(len(accuracies) == 1 and 'of 130 images' in min(accuracies) and ' 100.0000%' not in min(accuracies), model, 'evaluates to', *accuracies)
    tables = [list(csv.reader(open(f'{model}-on-{ranks}.csv'))) for ranks in (1, 2, 3, 4)]
    require(len(tables[0]) == 131 and tables[0][0] == 'index,score_0,score_1,score_2,class'.split(','), model, tables[0][0])
    require([row[0] for row in tables[0][1:]] == [str(k) for k in range(130)], model, 'indices')
    for ranks, table in enumerate(tables, 1):
        require([row[::4] for row in table] == [row[::4] for row in tables[0]], model, 'classes on', ranks)
        scores, first = (numpy.array([row[1:4] for row in t[1:]], float) for t in (table, tables[0]))
        require(abs(scores - first).max() <= 1e-12 * abs(first).max(), model, 'scores on', ranks, abs(scores - first).max())
        require((first.argmax(1) == numpy.array([int(row[4]) for row in table[1:]])).all(), model, 'argmax on', ranks)
sys.exit(failures > 0)
EOF
cd /
rm -rf "$SCRATCH"
