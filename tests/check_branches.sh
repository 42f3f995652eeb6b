#!/bin/sh
# Networks of several branches: the objective is that of the formula, from the file alone, on any number of ranks; a branch more is
# never worse; version 2 of the file is read, and refused where it is damaged.
. "$SOURCE/tests/check.sh"
need_python
scratch

/usr/bin/python3 - <<'EOF_'
import h5py
import numpy

random = numpy.random.default_rng(6)
labels = numpy.arange(180) % 3
images = random.integers(0, 200, (180, 2, 11, 10)).astype(numpy.uint8)
images[labels == 1, :, :, 1::3] += 45
images[labels == 2, 1, :4] //= 2
with h5py.File('train.h5', 'w') as file:
    file['images'] = images
    file['labels'] = labels.astype(numpy.int32)
EOF_

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data train.h5 -beta 1 -gap 1e-8 -max_it 20000 -model "$name.m" -report "$name.json" \
    -progress none "$@"
}

one="-patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -pca 10"
two="$one -branches 2 -branch2_reduce 2 -branch2_patch 2x3 -branch2_pixel_scale 100"
three="$one -branches 3 -branch2_reduce 2 -branch2_patch 2x3 -branch2_pixel_scale 100 -branch3_reduce 3 -branch3_patch 2
  -branch3_pca 5 -branch3_patch_normalize 20"
# options are lists of words
# shellcheck disable=SC2086
{
  train one 2 $one
  for ranks in 1 2 3 4; do train "two$ranks" $ranks $two; done
  train scalapack 2 $two -consensus scalapack
  train streamed 2 $two -memory 0
  train three 2 $three
  train reduced 1 -reduce 2 -patch 2 -stride 2
  train shared 2 $two -pool_overlap 1
  train overlap1 1 $one -pool_overlap 2
  train overlap3 3 $one -pool_overlap 2 -consensus dual
  if "$LAUNCH" 2 "$PSDNET" train -data train.h5 $two -consensus dual -model no.m >refuse.log 2>&1; then
    fail "accepted -consensus dual" refuse.log
  fi
}
grep -q 'psdnet: error: .*dual is for one kind of patches' refuse.log || fail "dual: expected one line" refuse.log
if "$LAUNCH" 2 "$PSDNET" train -data train.h5 -patch 3 -pool_overlap 8 -model no.m >refuse.log 2>&1; then
  fail "accepted -pool_overlap 8" refuse.log
fi
grep -q 'psdnet: error: option -pool_overlap: found 8, .*9x8$' refuse.log || fail "overlap: expected one line" refuse.log
"$LAUNCH" 3 "$PSDNET" certify -model three.m -data train.h5 -gap 1e-6 -progress none >certify.log 2>&1 ||
  fail "certify: exit status $?" certify.log
"$LAUNCH" 2 "$PSDNET" predict -model three.m -data train.h5 -output three.csv -progress none >predict.log 2>&1 ||
  fail "predict: exit status $?" predict.log

# Files that are wrong in what version 2 added.
/usr/bin/python3 - <<'EOF_'
import shutil

import h5py


def damaged(name, change):
    shutil.copy('three.m', name)
    with h5py.File(name, 'r+') as file:
        change(file)


def lose(file):
    del file['/branch/1']


def many(file):
    file.attrs['branches'] = 5


def reduce(file):
    file['/branch/2'].attrs['reduce'] = 12


def narrow(file):
    del file['/branch/0/preprocess']


damaged('lost.m', lose)
damaged('many.m', many)
damaged('reduce.m', reduce)
damaged('narrow.m', narrow)
EOF_
for case in "lost:group /branch/1 is missing" "many:branches is 5, expected 1 to 4" "reduce:reduce is 12" \
  "narrow:columns of the filters"; do
  if "$LAUNCH" 2 "$PSDNET" info "${case%%:*}.m" >refuse.log 2>&1; then fail "accepted ${case%%:*}.m" refuse.log; fi
  grep -q "psdnet: error: .*${case#*:}" refuse.log || fail "expected '${case#*:}'" refuse.log
done

/usr/bin/python3 - <<'EOF_'
import csv
import glob
import json
import sys

import h5py
import numpy

failures = []


def scores(path, images):
    """By the definition, docs/formats.md: no psdnet code."""
    with h5py.File(path) as file:
        a, b, c = file.attrs['activation']
        filters, weights = file['/neurons/filter'][:], file['/neurons/weight'][:]
        regions, classes = file['/neurons/region'][:], file['/neurons/class'][:]
        groups = [file[f'/branch/{k}'] for k in range(file.attrs['branches'])] if file.attrs['version'] == 2 else [file]
        result, first = numpy.zeros((len(images), len(file.attrs['classes']))), 0
        for group in groups:
            g = dict(group.attrs)
            r = int(g.get('reduce', 1))
            n, channels, height, width = images.shape
            height, width = height // r, width // r
            x = images[:, :, :height * r, :width * r].astype(float).reshape(n, channels, height, r, width, r).mean((3, 5))
            ph, pw, stride, pool = (int(g[k]) for k in ('patch_height', 'patch_width', 'stride', 'pool'))
            rows, columns = (height - ph) // stride + 1, (width - pw) // stride + 1
            p = numpy.array([[x[:, :, i * stride:i * stride + ph, j * stride:j * stride + pw].reshape(n, -1)
                              for j in range(columns)] for i in range(rows)])
            p = (p - g['pixel_shift']) / g['pixel_scale']
            if g['patch_normalize'] > 0:
                variance = p.var(-1, keepdims=True) + g['patch_normalize'] / g['pixel_scale'] ** 2
                p = (p - p.mean(-1, keepdims=True)) / numpy.sqrt(variance)
            if 'preprocess' in group:
                p = (p - group['preprocess/mean'][:]) @ group['preprocess/transform'][:]
            more = int(g.get('pool_overlap', 0))
            parts = [[range(max(0, part[0] - more), min(size, part[-1] + 1 + more))
                      for part in numpy.array_split(range(size), pool)] for size in (rows, columns)]
            for i in range(pool):
                for j in range(pool):
                    region = p[numpy.ix_(parts[0][i], parts[1][j])].reshape(-1, n, p.shape[-1])
                    for k in numpy.flatnonzero(regions == first + i * pool + j):
                        u = region @ filters[k, :p.shape[-1]]
                        result[:, classes[k]] += weights[k] * (a * u * u + b * u + c).mean(0)
            first += pool * pool
        return result, abs(weights).sum()


with h5py.File('train.h5') as file:
    images, labels = file['images'][:], file['labels'][:]
Y = 2.0 * (labels[:, None] == numpy.arange(3)) - 1
for name in 'one', 'two1', 'three', 'reduced', 'shared', 'overlap1', 'overlap3':
    yhat, weight = scores(name + '.m', images)
    primal = ((yhat - Y) ** 2).sum() / 2 + weight  # beta is 1
    claimed = json.load(open(name + '.json'))['objective_primal']
    if abs(primal / claimed - 1) > 1e-9:
        failures.append(f'{name}: objective {claimed}, by the formula {primal}')
with open('three.csv') as file:
    rows = list(csv.reader(file))[1:]
found = numpy.array([[float(value) for value in row[1:4]] for row in rows])
if abs(found - scores('three.m', images)[0]).max() > 1e-9:
    failures.append('predict differs from the formula')
value = {name[:-5]: json.load(open(name)) for name in glob.glob('*.json')}
for name in 'two2', 'two3', 'two4', 'scalapack', 'streamed':
    if abs(value[name]['objective_primal'] / value['two1']['objective_primal'] - 1) > 1e-8:
        failures.append(f'{name}: {value[name]["objective_primal"]}, two1: {value["two1"]["objective_primal"]}')
if abs(value['overlap3']['objective_primal'] / value['overlap1']['objective_primal'] - 1) > 1e-8:
    failures.append('overlapping regions: A A\' and A\'A differ')
# a reader of version 1 knows nothing of these
for name in 'reduced', 'overlap1':
    if h5py.File(name + '.m').attrs['version'] != 2:
        failures.append(f'{name}: not a file of version 2')
# another branch can only help, whatever its filters are padded with
if value['two1']['objective_dual'] > value['one']['objective_primal'] or \
        value['three']['objective_dual'] > value['two1']['objective_primal']:
    failures.append('a branch more is worse')
if value['two1']['objective_primal'] > value['one']['objective_primal']:
    failures.append('the second branch was of no use')
if failures:
    sys.exit('\n'.join(failures))
EOF_
rm -rf "$SCRATCH"
