#!/bin/sh
# A run that is interrupted, by -max_it or by signals, and continued goes the way of one that is not, on the same number of
# ranks or another, in every consensus, from A'A in a file or made again.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data

# train NAME RANKS STATUS OPTIONS...
train() {
  name=$1 ranks=$2 expected=$3
  shift 3
  ends "$expected" "$name" "$ranks" train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 \
    -beta_rel 0.02 -model "$name.h5" -history "$name.csv" "$@"
}

# chain NAME RANKS,RANKS,RANKS,RANKS OPTIONS...: stopped after 7, 30 (a check) and 95 iterations
chain() {
  name=$1 first=${2%%,*} rest=${2#*,}
  shift 2
  train "$name" "$first" 2 -gap 1e-6 -checkpoint "$name.ck" -max_it 7 "$@"
  for limit in 30 95; do
    train "$name" "${rest%%,*}" 2 -gap 1e-6 -checkpoint "$name.ck" -resume -max_it $limit "$@"
    rest=${rest#*,}
  done
  # the same limit again adds nothing
  train "$name" "$rest" 2 -gap 1e-6 -checkpoint "$name.ck" -resume -max_it 95 "$@"
  train "$name" "$rest" 0 -gap 1e-6 -checkpoint "$name.ck" -resume "$@"
}

for kind in root scalapack kernel; do
  train $kind 2 0 -gap 1e-6 -consensus $kind
  chain $kind-same 2,2,2,2 -consensus $kind
done
chain root-other 2,1,4,3 -consensus root
chain scalapack-other 2,3,1,4 -consensus scalapack -checkpoint_gram
chain kernel-other 2,4,3,1 -consensus kernel
grep -q '^gram  *from scalapack-other.ck.gram' scalapack-other.log
# from one kernel of A'A to the other
train root-mixed 2 2 -gap 1e-6 -checkpoint mixed.ck -checkpoint_gram -max_it 41 -consensus root
train root-mixed 3 0 -gap 1e-6 -checkpoint mixed.ck -checkpoint_gram -resume -consensus scalapack

# mirror images, folded by parities that only the transform in the file knows
folded="-flip -pca 10 -gap 1e-6"
train folded 2 0 $folded
train folded-other 3 2 $folded -checkpoint folded.ck -checkpoint_gram -max_it 37
train folded-other 1 0 $folded -checkpoint folded.ck -checkpoint_gram -resume
grep -q 'folded to' folded-other.log
grep -q '^gram  *from folded.ck.gram' folded-other.log

# a loss that is split: v and lambda go by samples
train softmax 2 0 -loss softmax -gap 1e-4
train softmax-same 2 2 -loss softmax -gap 1e-4 -checkpoint softmax.ck -max_it 25
train softmax-same 2 0 -loss softmax -gap 1e-4 -checkpoint softmax.ck -resume
train softmax-other 3 2 -loss softmax -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -max_it 33
train softmax-other 1 0 -loss softmax -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -resume
train hinge-refused 1 1 -loss hinge -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -resume
grep -q "it is of 'loss softmax', this run of 'loss hinge'" hinge-refused.log

# folded as well, v and lambda go by images; stopped between a record and the jump from it, and with all records there are
folded="-flip -pca 10 -loss hinge -gap 1e-4"
train folded-hinge 2 0 $folded
train folded-hinge-other 3 2 $folded -checkpoint folded-hinge.ck -checkpoint_gram -max_it 60
train folded-hinge-other 1 2 $folded -checkpoint folded-hinge.ck -checkpoint_gram -resume -max_it 111
train folded-hinge-other 2 0 $folded -checkpoint folded-hinge.ck -checkpoint_gram -resume
grep -q 'folded to' folded-hinge-other.log

# partial projections, by teams of two ranks; -checkpoint_gram means nothing there
partial="-classes 0,1 -patch 8x7 -pool 1 -consensus kernel -gap 1e-5"
train partial 2 0 $partial
train partial-same 2 2 $partial -checkpoint partial.ck -max_it 33
train partial-same 2 0 $partial -checkpoint partial.ck -checkpoint_gram -resume
grep -q 'cone .*partial' partial-same.log
grep -q 'no A.A to keep' partial-same.log

# -resume without a file starts afresh; a file without -resume is replaced by the run's own
cp root-same.ck before.ck
train root-fresh 2 0 -gap 1e-6 -checkpoint fresh.ck -resume -consensus root
grep -q '^resume  *there is no fresh.ck' root-fresh.log
train root-again 2 2 -gap 1e-6 -checkpoint root-same.ck -consensus root -max_it 3
! grep -q '^resume' root-again.log

# signals: to the launcher, which hands it on to all ranks, and to one rank
train long 2 2 -gap 1e-13 -max_it 1000
/usr/bin/python3 - <<'PYTHON'
import os
import signal
import subprocess
import sys
import time

command = [os.environ['LAUNCH'], '2', os.environ['PSDNET'], 'train', '-data', 'data'] + (
    '-patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -gap 1e-13 -max_it 1000 -resume '
    '-checkpoint_every 1000').split()


MOMENTS = 0, 0.15, 0.4, 0.25  # seconds from when signals are caught to the signal


def children(pid):
    return [int(p) for p in open(f'/proc/{pid}/task/{pid}/children').read().split()]


def ranks_of(run):
    """The ranks, once they train: before that a signal ends them as any program."""
    while run.poll() is None:
        ranks = [p for p in children(run.pid) if open(f'/proc/{p}/comm').read() == 'psdnet\n']
        caught = [int(open(f'/proc/{p}/status').read().split('SigCgt:')[1].split()[0], 16) for p in ranks]
        if len(ranks) == 2 and all(mask >> signal.SIGUSR1 - 1 & 1 and mask >> signal.SIGTERM - 1 & 1 for mask in caught):
            return ranks
        time.sleep(0.01)
    return []


for name, send in {'usr1': lambda run, ranks: run.send_signal(signal.SIGUSR1),
                   'term': lambda run, ranks: os.kill(ranks[-1], signal.SIGTERM)}.items():
    stopped = 0
    for attempt in range(len(MOMENTS) + 1):
        output = open(name + '.log', 'w+')
        run = subprocess.Popen(command + ['-model', name + '.h5', '-history', name + '.csv', '-checkpoint', name + '.ck'],
                               stdout=output, stderr=subprocess.STDOUT)
        ranks = ranks_of(run)
        if attempt < len(MOMENTS):
            time.sleep(MOMENTS[attempt])
            if run.poll() is None:
                send(run, ranks)
        status = run.wait(timeout=120)
        if status == 75:
            stopped += 1
            continue
        if status != 2:
            output.seek(0)
            sys.exit(f'{name}: exit status {status}, expected 75 or 2\n' + output.read())
        break
    if stopped < 2:
        sys.exit(f'{name}: stopped {stopped} times, expected more')
PYTHON

# a signal without a checkpoint ends the run with what it has
"$LAUNCH" 1 "$PSDNET" train -data data -patch 3 -pool 2 -beta_rel 0.02 -gap 1e-13 -max_it 1000000 -model ended.h5 \
  -progress none >ended.log 2>&1 &
sleep 3
kill -USR1 $!
wait $!
grep -q '^signal after' ended.log
"$PSDNET" info ended.h5 >ended.info

# the time limit, and the end of a job that Slurm gives
train limited 2 75 -gap 1e-13 -max_it 1000000 -checkpoint limited.ck -time_limit 1
SLURM_JOB_END_TIME=$(($(date +%s) + 32)) train slurm 2 75 -gap 1e-13 -max_it 1000000 -checkpoint slurm.ck
[ ! -e limited.h5 ] && [ ! -e slurm.h5 ]
[ -z "$(ls | grep '\.tmp\.' || true)" ]

/usr/bin/python3 - <<'PYTHON'
import csv
import sys

import h5py

failures = 0


def rows(name):
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(open(name + '.csv'))]


def compare(name, reference, tolerance):
    """Same rows; values within `tolerance` of their size, residuals of their first one's."""
    global failures
    found, expected = rows(name), rows(reference)
    if [row['iteration'] for row in found] != [row['iteration'] for row in expected]:
        failures += 1
        print(name, 'iterations', [row['iteration'] for row in found])
        return
    worst = 0
    for a, b in zip(found, expected):
        for key in 'primal_residual', 'dual_residual', 'rho', 'objective', 'bound', 'rank':
            scale = expected[0][key] if 'residual' in key else abs(b[key])
            worst = max(worst, abs(a[key] - b[key]) / scale)
    seconds = [row['seconds'] for row in found]
    models = [h5py.File(n + '.h5').attrs['objective_primal'] for n in (name, reference)]
    worst = max(worst, abs(models[0] / models[1] - 1))
    if not worst <= tolerance or sorted(seconds) != seconds:
        failures += 1
        print(name, 'differs from', reference, 'by', worst, 'seconds', seconds)


for kind in 'root', 'scalapack', 'kernel':
    compare(kind + '-same', kind, 1e-10)
    compare(kind + '-other', kind, 1e-8)
compare('partial-same', 'partial', 1e-10)
compare('root-mixed', 'root', 1e-8)
compare('folded-other', 'folded', 1e-8)
compare('folded-hinge-other', 'folded-hinge', 1e-8)
compare('softmax-same', 'softmax', 1e-10)
compare('softmax-other', 'softmax', 1e-8)
compare('root-fresh', 'root', 1e-10)
compare('usr1', 'long', 1e-10)
compare('term', 'long', 1e-10)
sys.exit(failures > 0)
PYTHON
cd /
rm -rf "$SCRATCH"
