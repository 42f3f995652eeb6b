#!/bin/sh
# A path gives each of its betas the certified network that training at that beta alone gives, and keeps the best one.
. "$SOURCE/tests/check.sh"
need_python
scratch

/usr/bin/python3 - <<'EOF_'
import h5py
import numpy

random = numpy.random.default_rng(5)
for name, n in ('train', 240), ('other', 90):
    labels = numpy.arange(n) % 3
    images = random.integers(0, 200, (n, 1, 8, 8)).astype(numpy.uint8)
    images[labels == 1, :, :, 1::3] += 35
    images[labels == 2, :, :3] //= 2
    with h5py.File(name + '.h5', 'w') as file:
        file['images'] = images
        file['labels'] = labels.astype(numpy.int32)
EOF_

options="-data train.h5 -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -gap 1e-6 -max_it 20000 -progress none"
# options is a list of words
# shellcheck disable=SC2086
for ranks in 1 2 3 4; do
  "$LAUNCH" "$ranks" "$PSDNET" path $options -beta_rel 1e-3 -beta_count 5 -validation_data other.h5 -keep_all \
    -model "best$ranks.m" -table "table$ranks.csv" -report "report$ranks.json" >"path$ranks.log" 2>&1 ||
    fail "path on $ranks ranks: exit status $?" "path$ranks.log"
done
# the last fraction held out, and the samples as patches
# shellcheck disable=SC2086
"$LAUNCH" 2 "$PSDNET" path $options -beta_rel 1e-3 -beta_count 5 -consensus dual -validation 0.25 -model held.m -table held.csv \
  >held.log 2>&1 || fail "path with -validation: exit status $?" held.log
for k in 1 2 3 4 5; do
  beta=$(awk -F, -v k="$k" '$1 == k { print $2 }' table1.csv)
  # shellcheck disable=SC2086
  "$LAUNCH" 1 "$PSDNET" train $options -beta "$beta" -model alone.m -report "alone$k.json" >alone.log 2>&1 ||
    fail "train: exit status $?" alone.log
done
# where it ends when nothing is said is a tenth of where train is
run tenth 1 path -data train.h5 -patch 3 -beta_count 2 -gap 1e-2 -progress none -table tenth.csv -model tenth.m
run whole 1 train -data train.h5 -patch 3 -gap 1e-2 -progress none -model whole.m -report whole.json
awk -F, 'NR == 3 { print $2 }' tenth.csv >tenth.txt
/usr/bin/python3 -c 'import json, sys; sys.exit(abs(json.load(open("whole.json"))["beta"] / float(open("tenth.txt").read()) - 10) > 1e-9)' ||
  fail "the last beta of a path" tenth.csv whole.json
betas=$(awk -F, 'NR > 1 { printf "%s%s", (NR > 2 ? "," : ""), $2 }' held.csv)
# shellcheck disable=SC2086
"$LAUNCH" 1 "$PSDNET" path $options -beta_list "$betas" -validation 0.25 -model list.m -table list.csv >list.log 2>&1 ||
  fail "path with -beta_list: exit status $?" list.log

# close betas: most pairs are proved zero before the first iteration, and the optimum is that found with all of them
for screening in 1 0; do
  # shellcheck disable=SC2086
  "$LAUNCH" 2 "$PSDNET" path $options -gap 1e-9 -beta_list 70,69.5,69,60,59 -screening $screening -model screened.m \
    -table "screened$screening.csv" -info >"screened$screening.log" 2>&1 ||
    fail "path with -screening $screening: exit status $?" "screened$screening.log"
done
grep -q 'beta 69.5: [1-9][0-9]* of 12 pairs of blocks are zero' screened1.log || fail "nothing was screened" screened1.log
if grep -q 'pairs of blocks are zero' screened0.log; then fail "screened" screened0.log; fi
cut -d, -f6 screened1.csv | tail -n +2 >on.txt
cut -d, -f6 screened0.csv | tail -n +2 >off.txt
paste on.txt off.txt | awk '{ d = $1 / $2 - 1; if (d > 2e-9 || d < -2e-9) exit 1 } END { if (NR != 5) exit 1 }' ||
  fail "screening changed an optimum" screened1.csv

# refuse EXPECTED OPTIONS...
refuse() {
  expected=$1
  shift
  # shellcheck disable=SC2086
  if "$LAUNCH" 2 "$PSDNET" path $options -model no.m "$@" >refuse.log 2>&1; then fail "accepted: $*" refuse.log; fi
  grep -q "psdnet: error: .*$expected" refuse.log || fail "expected '$expected' for: $*" refuse.log
}
refuse 'expected positive numbers that decrease' -beta_list 1,2
refuse 'found both' -beta_list 2,1 -beta_count 3
refuse 'found both' -validation 0.2 -validation_data other.h5
refuse 'not below beta_max' -beta_rel 2
refuse 'no_such' -validation_data no_such.h5

/usr/bin/python3 - <<'EOF_'
import csv
import json
import os
import sys

import h5py

failures = []


def read(path):
    with open(path) as file:
        return list(csv.DictReader(file))


table = read('table1.csv')
beta_max = json.load(open('report1.json'))['beta_max']
for k, row in enumerate(table, 1):
    alone = json.load(open(f'alone{k}.json'))
    if abs(float(row['beta']) / (beta_max * 1e-3 ** (k / 5)) - 1) > 1e-12:
        failures.append(f'beta {k} is {row["beta"]}')
    # either objective is within its gap of the one optimum, and neither bound is above it
    if abs(float(row['objective']) / alone['objective_primal'] - 1) > 2e-6 or float(row['gap']) > 1e-6:
        failures.append(f'beta {k}: {row["objective"]}, alone {alone["objective_primal"]}')
    if float(row['bound']) > alone['objective_primal'] or alone['objective_dual'] > float(row['objective']):
        failures.append(f'beta {k}: a bound above an objective')
if len(table) != 5:
    failures.append(f'{len(table)} betas')
best = max(table, key=lambda row: (float(row['accuracy_validation']), -float(row['loss_validation'])))
for ranks in 1, 2, 3, 4:
    with h5py.File(f'best{ranks}.m') as kept, h5py.File(f'best{ranks}.m.{best["number"]}') as expected:
        if kept.attrs['objective_primal'] != expected.attrs['objective_primal']:
            failures.append(f'{ranks} ranks: beta {kept.attrs["beta"]} kept, expected number {best["number"]}')
    for a, b in zip(table, read(f'table{ranks}.csv')):
        if abs(float(a['objective']) / float(b['objective']) - 1) > 2e-6:
            failures.append(f'{ranks} ranks: {b["objective"]}, one rank {a["objective"]}')
for a, b in zip(read('held.csv'), read('list.csv')):
    if abs(float(a['objective']) / float(b['objective']) - 1) > 2e-6:
        failures.append(f'list: {b["objective"]}, count {a["objective"]}')
if os.path.exists('no.m'):
    failures.append('a model of a path that was refused')
if failures:
    sys.exit('\n'.join(failures))
EOF_
rm -rf "$SCRATCH"
