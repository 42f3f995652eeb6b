#!/bin/sh
# -flip is training on a data set in which every image is followed by its mirror image, and is certified and applied as such;
# A'A is folded where patches and regions are their own mirror image, and then only. With a loss that is split so is what every
# iteration passes over, kept or lifted again.
. "$SOURCE/tests/check.sh"
need_python
scratch

/usr/bin/python3 - <<'EOF_'
import h5py
import numpy

random = numpy.random.default_rng(4)
labels = numpy.arange(150) % 3
images = random.integers(0, 200, (150, 2, 9, 8)).astype(numpy.uint8)
images[labels == 1, :, :, 1::3] += 55
images[labels == 2, 1, :, :3] //= 2
both = numpy.empty((300, 2, 9, 8), numpy.uint8)
both[0::2], both[1::2] = images, images[:, :, :, ::-1]
for name, i, l in ('once', images, labels), ('twice', both, labels.repeat(2)):
    with h5py.File(name + '.h5', 'w') as file:
        file['images'] = i
        file['labels'] = l.astype(numpy.int32)
EOF_

# train NAME RANKS DATA OPTIONS...
train() {
  name=$1 ranks=$2 data=$3
  shift 3
  run "$name" "$ranks" train -data "$data" -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.05 \
    -gap 1e-9 -max_it 20000 -model "$name.h5m" -report "$name.json" -progress none "$@"
}

train twice 1 twice.h5
# options of the last word win: geometries with a middle region, principal components, padding, raw pixels, none that is symmetric
principal="-pool 3 -pca 10" raw="-whiten 0 -patch_normalize 0" asymmetric="-patch 4 -gap 4e-9 -consensus root"
branches="-pca 7 -branches 2 -branch2_patch 2 -branch2_pool 1 -branch2_reduce 2"
for kind in principal raw asymmetric branches; do
  eval "options=\$$kind"
  # options are lists of words
  # shellcheck disable=SC2086
  {
    train "twice-$kind" 1 twice.h5 $options
    train "once-$kind-2" 2 once.h5 -flip $options
    [ $kind = asymmetric ] || train "once-$kind-3" 3 once.h5 -flip $options -consensus scalapack
  }
done
for ranks in 1 2 3 4; do
  train "flip-$ranks" $ranks once.h5 -flip
  train "dual-$ranks" $ranks once.h5 -flip -consensus dual
done
# losses that are split: rows that fit -memory when they are folded only, and none that are kept
softmax="-loss softmax -gap 1e-5"
hinge="-loss hinge -gap 1e-4 -pool 3 -pca 10"
# shellcheck disable=SC2086
{
  train twice-softmax 1 twice.h5 $softmax
  train once-softmax-1 1 once.h5 -flip $softmax -memory 0.6
  train once-softmax-2 2 once.h5 -flip $softmax -memory 0 -consensus scalapack
  train once-softmax-3 3 once.h5 -flip $softmax -memory 0
  train once-softmax-4 4 once.h5 -flip $softmax -consensus scalapack
  train twice-hinge 1 twice.h5 $hinge
  train once-hinge-2 2 once.h5 -flip $hinge
}
for run in twice-softmax once-softmax-1 once-softmax-2 once-softmax-3 once-softmax-4; do
  "$LAUNCH" 1 "$PSDNET" predict -model $run.h5m -data once.h5 -output $run.csv -progress none >predict.log
done
"$LAUNCH" 2 "$PSDNET" certify -model once-softmax-4.h5m -data once.h5 -progress none >certify-softmax.log
"$LAUNCH" 2 "$PSDNET" certify -model flip-1.h5m -data once.h5 -gap 1e-7 -progress none >certify.log
"$LAUNCH" 2 "$PSDNET" evaluate -model flip-1.h5m -data once.h5 -progress none >evaluate.log
grep -q '150' evaluate.log || {
  echo "evaluate: expected the 150 images, without mirror images"
  cat evaluate.log
  exit 1
}

/usr/bin/python3 - <<'EOF_'
import csv
import glob
import json
import re
import sys

import h5py

failures = []
reference = {name: json.load(open(name + '.json')) for name in
             ('twice', 'twice-principal', 'twice-raw', 'twice-asymmetric', 'twice-branches', 'twice-softmax', 'twice-hinge')}
split = {'softmax': 1e-5, 'hinge': 1e-4}  # their gaps
expected = reference['twice']
if expected['n'] != 300:
    failures.append(f'{expected["n"]} samples, expected 300')
for path in sorted(glob.glob('*.json')):
    run = json.load(open(path))
    kind = path.split('-')[1] if path.startswith('once-') else None
    other = reference['twice-' + kind] if kind else reference.get(path[:-5], expected)
    error = abs(run['objective_primal'] / other['objective_primal'] - 1)
    log = open(path[:-5] + '.log').read()
    folded = 'folded to' in log
    if folded != (('-flip' in run['options']) and kind != 'asymmetric' and run['consensus'] != 'dual'):
        failures.append(f'{path}: folded is {folded}')
    gap = split.get(path[:-5].split('-')[1] if '-' in path else '', 4e-9)
    if not (error <= 1e-8 and run['gap'] <= gap and run['n'] == 300):
        failures.append(f'{path}: {run["objective_primal"]}, off by {error:.2e}, gap {run["gap"]}, n {run["n"]}')
# the same sums in the same order
if json.load(open('flip-1.json'))['iterations'] != expected['iterations']:
    failures.append('another path than with the mirrored data set')


def scores(name):
    return [[float(x) for x in row[1:]] for row in list(csv.reader(open(name + '.csv')))[1:]]


for path in sorted(glob.glob('once-softmax-*.json') + glob.glob('once-hinge-*.json')):
    run, other = json.load(open(path)), reference['twice-' + path.split('-')[1]]
    error = abs(run['objective_dual'] / other['objective_dual'] - 1)
    if error > 1e-9 or run['iterations'] != other['iterations']:
        failures.append(f'{path}: bound off by {error:.2e}; {run["iterations"]} iterations, expected {other["iterations"]}')
    streamed = 'lifted again' in open(path[:-5] + '.log').read()
    if streamed != ('-memory 0 ' in run['options'] + ' '):
        failures.append(f'{path}: streamed is {streamed}')
    if 'softmax' in path:
        found, expected_scores = scores(path[:-5]), scores('twice-softmax')
        error = max(abs(a - b) for row, expected_row in zip(found, expected_scores) for a, b in zip(row, expected_row))
        if not error <= 1e-6 or len(found) != 150:
            failures.append(f'{path}: {len(found)} predictions, off by {error:.2e}')
found = {key: float(re.search(rf'{key} +(\S+)', open('certify-softmax.log').read()).group(1)) for key in ('primal', 'gap')}
if abs(found['primal'] / reference['twice-softmax']['objective_primal'] - 1) > 1e-8 or found['gap'] > 1e-5 * (1 + 1e-3):
    failures.append(f'certify softmax: {found}')
with h5py.File('flip-1.h5m') as model:
    if model.attrs['flip'] != 1 or model.attrs['n_train'] != 150:
        failures.append(f'model: flip {model.attrs["flip"]}, n_train {model.attrs["n_train"]}')
found = float(re.search(r'primal +(\S+)', open('certify.log').read()).group(1))
if abs(found / expected['objective_primal'] - 1) > 1e-8:
    failures.append(f'certify: {found}')
if failures:
    sys.exit('\n'.join(failures))
EOF_
rm -rf "$SCRATCH"
