#!/bin/sh
# psdnet certify finds from file and data alone what training claimed, and that a tampered file claims too much.
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
images = random.integers(0, 256, (120, 2, 8, 8))
labels = numpy.arange(120) % 3
images[labels == 1] //= 2
labels[::5] = random.integers(0, 3, 24)
with h5py.File('data/train.h5', 'w') as file:
    file['images'] = images.astype(numpy.uint8)
    file['labels'] = labels.astype(numpy.int32)
EOF

# train NAME OPTIONS...
train() {
  name=$1
  shift
  "$LAUNCH" 2 "$PSDNET" train -data data -patch 3 -model "$name.h5" "$@" >"$name.log" 2>&1 || {
    echo "$name: exit status $?"
    cat "$name.log"
    exit 1
  }
}
train whitened -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -gap 1e-6
train binary -classes 0,2 -stride 2 -beta_rel 1e-3 -gap 1e-5
train part -pca 7 -limit 100 -validation 0.2 -beta_rel 0.01 -gap 1e-4
train nothing -stride 3 -beta_rel 1.2 -gap 1e-6

/usr/bin/python3 - <<'EOF'
import shutil

import h5py
import numpy


def tamper(name, change):
    shutil.copy('whitened.h5', name + '.h5')
    with h5py.File(name + '.h5', 'r+') as file:
        change(file)


def turn_filter(file):
    filters = file['neurons/filter'][:]
    filters[0] = numpy.roll(filters[0], 1)
    file['neurons/filter'][...] = filters


def scale_weights(file):
    file['neurons/weight'][...] = 1.01 * file['neurons/weight'][:]


def flip_weight(file):
    weight = file['neurons/weight'][:]
    weight[abs(weight).argmax()] *= -1
    file['neurons/weight'][...] = weight


tamper('turned', turn_filter)
tamper('scaled', scale_weights)
tamper('flipped', flip_weight)
EOF

# certify OUTPUT RANKS MODEL OPTIONS...
certify() {
  output=$1 ranks=$2 model=$3
  shift 3
  "$LAUNCH" "$ranks" "$PSDNET" certify -data data -model "$model.h5" -progress none "$@" >"$output.txt" 2>"$output.err" || {
    status=$?
    # a gap that was not reached is no failure of the run; the numbers are judged below
    [ $status = 2 ] || {
      echo "certify $model on $ranks ranks: exit status $status"
      cat "$output.err"
      exit 1
    }
  }
}
for ranks in 1 3; do
  certify whitened-$ranks $ranks whitened
  certify streamed-$ranks $ranks whitened -memory 0
  certify tight-$ranks $ranks whitened -gap 1e-9
  certify loose-$ranks $ranks whitened -max_it 0
  certify binary-$ranks $ranks binary
  certify part-$ranks $ranks part -limit 100 -validation 0.2
  certify nothing-$ranks $ranks nothing
  for model in turned scaled flipped; do
    certify $model-$ranks $ranks $model -max_it 300
  done
done

/usr/bin/python3 - <<'EOF'
import re
import sys

import h5py

failures = 0


def require(holds, *what):
    global failures
    if not holds:
        failures += 1
        print(*what)


def read(name):
    text = open(name + '.txt').read()
    return {key: float(re.search(rf'^{key} +(\S+)', text, re.M).group(1)) for key in ('primal', 'bound', 'gap')}


def claims(model):
    with h5py.File(model + '.h5') as file:
        return file.attrs['objective_primal'], file.attrs['objective_dual'], file.attrs['gap']


optimum_above = min(claims('whitened')[1], claims('whitened')[0])
for ranks in 1, 3:
    for model, output in (('whitened', 'whitened'), ('whitened', 'streamed'), ('whitened', 'tight'), ('whitened', 'loose'),
                          ('binary', 'binary'), ('part', 'part'), ('nothing', 'nothing')):
        primal, dual, gap = claims(model)
        found = read(f'{output}-{ranks}')
        name = f'{output} on {ranks} ranks: {found}, file {primal} {dual} {gap}:'
        require(abs(found['primal'] / primal - 1) <= 1e-9, name, 'primal')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above the primal')
        require(dual <= found['primal'] * (1 + 1e-11), name, "the file's bound is above the primal")
        if output != 'loose':
            require(found['gap'] <= gap * (1 + 1e-3), name, 'gap')
    require(read(f'tight-{ranks}')['gap'] <= 2e-8, 'tight', read(f'tight-{ranks}'))
    for model in 'turned', 'scaled', 'flipped':
        found, primal = read(f'{model}-{ranks}'), claims('whitened')[0]
        name = f'{model} on {ranks} ranks: {found}, file {primal}:'
        require(found['primal'] > primal * (1 + 1e-6), name, 'the primal is no higher')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above what a network reaches')
        require(found['gap'] > claims('whitened')[2], name, 'the gap is no wider')
sys.exit(failures > 0)
EOF
cd /
rm -rf "$SCRATCH"
