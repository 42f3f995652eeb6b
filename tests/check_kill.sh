#!/bin/sh
# Whenever a rank is killed the run ends, nothing is lost but the time since the last checkpoint, and the chain of runs ends with
# the objective of one that was left alone. KILLS: how many (15).
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
export OMPI_MCA_odls_base_sigkill_timeout=0 # Open MPI waits a second otherwise

/usr/bin/python3 - <<'EOF'
import os
import random
import signal
import subprocess
import sys
import time

import h5py

KILLS = int(os.environ.get('KILLS', 15))
HANG = 60  # seconds without an end after a kill
OPTIONS = ('train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -gap 1e-13 '
           '-max_it 800 -consensus scalapack -progress none').split()
KEPT = '-checkpoint run.ck -checkpoint_every 0.1 -checkpoint_gram -resume -history run.csv -report run.json'.split()


def start(ranks, options):
    return subprocess.Popen([os.environ['LAUNCH'], str(ranks), os.environ['PSDNET']] + OPTIONS + options,
                            stdout=open('run.log', 'w'), stderr=subprocess.STDOUT, start_new_session=True)


def end(run, what):
    """Its status. A launcher without ranks is ended: Open MPI 4.1's waits for itself at times when a rank dies while it connects."""
    alone = 0  # seconds
    for _ in range(HANG):
        try:
            return run.wait(timeout=1)
        except subprocess.TimeoutExpired:
            alone = 0 if living(run.pid) else alone + 1
        if alone == 10:
            print(f'{what}: all ranks have ended, the launcher has not')
            break
    os.killpg(run.pid, signal.SIGKILL)
    if alone < 10:
        sys.exit(f'{what}: hangs\n' + open('run.log').read())
    return run.wait()


def living(pid):
    """Whether processes that PID started live."""
    for p in open(f'/proc/{pid}/task/{pid}/children').read().split():
        try:
            if open(f'/proc/{p}/stat').read().rsplit(')', 1)[1].split()[0] != 'Z':
                return True
        except OSError:
            pass
    return False


def ranks_of(pid):
    """Those that have begun, in whatever phase they are."""
    found = []
    try:
        for p in open(f'/proc/{pid}/task/{pid}/children').read().split():
            if open(f'/proc/{p}/comm').read() == 'psdnet\n':
                found.append(int(p))
    except OSError:
        pass
    return found


def objective(name):
    return h5py.File(name).attrs['objective_primal']


def iteration():
    """Of the checkpoint that is there, -1 for none; h5py reads it, so it is whole."""
    if not os.path.exists('run.ck'):
        return -1
    with h5py.File('run.ck') as file:
        return int(file.attrs['iteration'])


def check_end(expected):
    log = open('run.log').read()
    if expected >= 0 and f'resume   iteration {expected:5d} ' not in log:
        sys.exit(f'does not go on from iteration {expected}:\n{log}')
    if abs(objective('run.h5') / reference - 1) > 1e-8:
        sys.exit(f'objective {objective("run.h5")}, expected {reference}')
    left = [name for name in os.listdir('.') if '.tmp.' in name]
    if left:
        sys.exit(f'left over: {left}')


begun = time.time()
if end(start(2, ['-model', 'whole.h5']), 'the reference') != 2:
    sys.exit(open('run.log').read())
length = time.time() - begun
reference = objective('whole.h5')
random.seed(5)
killed = finished = furthest = 0
while killed < KILLS:
    expected = iteration()
    if expected < furthest and expected >= 0:
        sys.exit(f'the checkpoint went back from iteration {furthest} to {expected}')
    furthest = expected
    run = start(random.randint(1, 4), ['-model', 'run.h5'] + KEPT)
    time.sleep(random.uniform(0, length))
    victims = ranks_of(run.pid)
    if victims:
        killed += 1
        try:
            os.kill(random.choice(victims), signal.SIGKILL)
        except ProcessLookupError:
            pass
    status = end(run, f'kill number {killed}')
    if status == 2:  # it came to its end before the kill
        check_end(expected)
        finished += 1
        os.remove('run.ck')
        furthest = -1
    elif status in (0, 1) and victims or 'psdnet: error' in open('run.log').read():
        sys.exit(f'kill number {killed}: exit status {status}\n' + open('run.log').read())
expected = iteration()
if end(start(2, ['-model', 'run.h5'] + KEPT), 'the last run') != 2:
    sys.exit(open('run.log').read())
check_end(expected)
print(f'{killed} kills, {finished + 1} chains of runs came to their end')
EOF
