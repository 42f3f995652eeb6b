#!/bin/sh
# Every loss: one objective on 1 to 4 ranks, either consensus, features kept or streamed; certify finds from the file what
# training claimed; a path ends where training from nothing does; what does not go together is refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 96 -image 1x7x6 -seed 3

# psdnet NAME RANKS SUBCOMMAND OPTIONS...
psdnet() {
  run "$@" -data data
}
PATCHES="-patch 2 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1"
for loss in logistic softmax hinge huber l1; do
  # hinge and l1 are not smooth, and come to a tight gap slowly
  gap=1e-6
  case $loss in hinge | l1) gap=1e-5 ;; esac
  train="train $PATCHES -beta_rel 0.1 -loss $loss -max_it 20000 -gap $gap -progress none"
  [ $loss != huber ] || train="$train -huber_delta 0.8"
  for ranks in 1 2 3 4; do
    psdnet $loss-root-$ranks $ranks $train -consensus root -model $loss-root-$ranks.h5 -report $loss-root-$ranks.json
  done
  psdnet $loss-scalapack-1 1 $train -consensus scalapack -model $loss-scalapack-1.h5
  psdnet $loss-scalapack-3 3 $train -consensus scalapack -model $loss-scalapack-3.h5
  psdnet $loss-streamed-2 2 $train -memory 0 -model $loss-streamed-2.h5
  psdnet $loss-certify-1 1 certify -max_it 20000 -model $loss-root-1.h5 -progress none
  psdnet $loss-certify-3 3 certify -max_it 20000 -model $loss-scalapack-3.h5 -progress none
  psdnet $loss-evaluate-2 2 evaluate -model $loss-root-1.h5 -progress none
done
# two classes: softmax is the logistic loss
for loss in logistic softmax; do
  psdnet binary-$loss 2 train $PATCHES -classes 0,2 -beta_rel 0.05 -loss $loss -gap 1e-6 -model binary-$loss.h5 -progress none
done
# from beta to beta
for loss in logistic softmax huber hinge; do
  psdnet path-$loss 2 path $PATCHES -beta_rel 0.1 -beta_count 4 -loss $loss -max_it 20000 -gap 1e-5 -model path-$loss.h5 -table path-$loss.csv \
    -progress none
  psdnet direct-$loss 1 train $PATCHES -beta_rel 0.1 -loss $loss -max_it 20000 -gap 1e-5 -model direct-$loss.h5 -progress none
done

# refused TEXT SUBCOMMAND OPTIONS...
refused() {
  text=$1
  shift
  refuse "$text" 2 "$@" -data data
}
refused "options -consensus dual and -loss hinge" train $PATCHES -loss hinge -consensus dual -model no.h5
refused "option -huber_delta" train $PATCHES -loss l1 -huber_delta 2 -model no.h5
refused "-loss: found 'quadratic'" train $PATCHES -loss quadratic -model no.h5
/usr/bin/python3 - <<'EOF'
import shutil

import h5py

shutil.copy('huber-root-1.h5', 'unknown.h5')
with h5py.File('unknown.h5', 'r+') as file:
    file.attrs['loss'] = 'quadratic'
EOF
refused "loss 'quadratic' is unknown" certify -model unknown.h5

/usr/bin/python3 - <<'EOF'
import csv
import json
import re
import sys

import h5py

failures = 0


def require(holds, *what):
    global failures
    if not holds:
        failures += 1
        print(*what)


def attributes(name):
    with h5py.File(name + '.h5') as file:
        return dict(file.attrs)


def read(name):
    text = open(name + '.log').read()
    return {key: float(re.search(rf'^{key} +(\S+)', text, re.M).group(1)) for key in ('primal', 'bound', 'gap')}


for loss in 'logistic', 'softmax', 'hinge', 'huber', 'l1':
    runs = [f'{loss}-root-{ranks}' for ranks in (1, 2, 3, 4)]
    runs += [f'{loss}-scalapack-1', f'{loss}-scalapack-3', f'{loss}-streamed-2']
    files = [attributes(run) for run in runs]
    primals = [file['objective_primal'] for file in files]
    require(max(primals) / min(primals) - 1 <= 1e-8, loss, 'objectives', *primals)
    for run, file in zip(runs, files):
        require(file['loss'] == loss, run, 'loss', file['loss'])
        require(abs(file['huber_delta'] - (0.8 if loss == 'huber' else 0)) < 1e-15, run, 'huber_delta', file['huber_delta'])
        require(0 <= file['gap'] <= (1e-5 if loss in ('hinge', 'l1') else 1e-6), run, 'gap', file['gap'])
        require(file['objective_dual'] <= min(primals), run, 'bound', file['objective_dual'], *primals)
    require(json.load(open(f'{loss}-root-2.json'))['loss'] == loss, loss, 'report')
    for output, model in ((f'{loss}-certify-1', f'{loss}-root-1'), (f'{loss}-certify-3', f'{loss}-scalapack-3')):
        found, file = read(output), attributes(model)
        require(abs(found['primal'] / file['objective_primal'] - 1) <= 1e-9, output, found, file)
        require(found['bound'] <= min(primals) * (1 + 1e-11), output, 'bound', found, *primals)
        require(found['gap'] <= file['gap'] * (1 + 1e-3), output, found, file['gap'])
    lines = [open(f'{loss}-{kind}.log').read() for kind in ('streamed-2', 'root-2')]
    require(lines[0].count('lifted again') == 1 and 'lifted again' not in lines[1], loss, 'says that features are streamed')
binary = [attributes(f'binary-{loss}')['objective_primal'] for loss in ('logistic', 'softmax')]
require(abs(binary[0] / binary[1] - 1) <= 1e-12, 'two classes', *binary)
for loss in 'logistic', 'softmax', 'huber', 'hinge':
    path, direct = attributes(f'path-{loss}'), attributes(f'direct-{loss}')
    require(abs(path['beta'] / direct['beta'] - 1) < 1e-12, loss, 'beta', path['beta'], direct['beta'])
    require(path['objective_dual'] <= direct['objective_primal'] and direct['objective_dual'] <= path['objective_primal'],
            loss, 'path', path, 'and directly', direct)
    rows = list(csv.DictReader(open(f'path-{loss}.csv')))
    require(len(rows) == 4 and all(float(row['gap']) <= 1e-5 for row in rows), loss, 'path', rows)
    objectives = [float(row['objective']) for row in rows]
    require(objectives == sorted(objectives, reverse=True), loss, 'objectives of the path', *objectives)
sys.exit(failures > 0)
EOF
cd /
rm -rf "$SCRATCH"
