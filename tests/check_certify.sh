#!/bin/sh
# psdnet certify finds from file and data alone what training claimed, and that a tampered file claims too much.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 120 -image 2x8x8 -seed 2

# train NAME OPTIONS...
train() {
  name=$1
  shift
  run "$name" 2 train -data data -patch 3 -model "$name.h5" "$@"
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

# certify ENDING OUTPUT MODEL OPTIONS...: on 1 rank and on 3; it ends with 2 where the gap of the file, or that asked for, is not reached
certify() {
  ending=$1 output=$2 model=$3
  shift 3
  for ranks in 1 3; do
    ends $ending "$output-$ranks" $ranks certify -data data -model "$model.h5" -progress none "$@"
  done
}
certify 0 whitened whitened
certify 0 streamed whitened -memory 0
certify 0 tight whitened -gap 1e-9
certify 2 loose whitened -max_it 0
certify 0 binary binary
certify 0 part part -limit 100 -validation 0.2
certify 0 nothing nothing
for model in turned scaled flipped; do
  certify 2 $model $model -max_it 300
done

/usr/bin/python3 - <<'EOF'
from judge import attributes, certificate, finish, require


def claims(model):
    file = attributes(model)
    return file['objective_primal'], file['objective_dual'], file['gap']


for ranks in 1, 3:
    for model, output in (('whitened', 'whitened'), ('whitened', 'streamed'), ('whitened', 'tight'), ('whitened', 'loose'),
                          ('binary', 'binary'), ('part', 'part'), ('nothing', 'nothing')):
        primal, dual, gap = claims(model)
        found = certificate(f'{output}-{ranks}')
        name = f'{output} on {ranks} ranks: {found}, file {primal} {dual} {gap}:'
        require(abs(found['primal'] / primal - 1) <= 1e-9, name, 'primal')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above the primal')
        require(dual <= found['primal'] * (1 + 1e-11), name, "the file's bound is above the primal")
        if output != 'loose':
            require(found['gap'] <= gap * (1 + 1e-3), name, 'gap')
    require(certificate(f'tight-{ranks}')['gap'] <= 2e-8, 'tight', certificate(f'tight-{ranks}'))
    for model in 'turned', 'scaled', 'flipped':
        found, primal = certificate(f'{model}-{ranks}'), claims('whitened')[0]
        name = f'{model} on {ranks} ranks: {found}, file {primal}:'
        require(found['primal'] > primal * (1 + 1e-6), name, 'the primal is no higher')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above what a network reaches')
        require(found['gap'] > claims('whitened')[2], name, 'the gap is no wider')
finish()
EOF
