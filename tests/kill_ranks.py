"""check_kill.sh: ranks are killed at random moments until KILLS of them have been (an environment variable, 15 unless it is set). No run
hangs, none loses more than the time since its last checkpoint, and every chain of runs ends with the objective of one left alone."""
import os
import random
import signal
import subprocess
import time

from judge import attributes, demand, finish, text
from processes import living, ranks_of

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
    demand(alone == 10, what, 'hangs', text('run.log'))
    return run.wait()


def iteration():
    """Of the checkpoint that is there, -1 for none; h5py reads it, so it is whole."""
    if not os.path.exists('run.ck'):
        return -1
    return int(attributes('run.ck')['iteration'])


def check_end(expected):
    log, objective = text('run.log'), attributes('run.h5')['objective_primal']
    demand(expected < 0 or f'resume   iteration {expected:5d} ' in log, 'does not go on from iteration', expected, log)
    demand(abs(objective / reference - 1) <= 1e-8, 'objective', objective, 'expected', reference)
    left = [name for name in os.listdir('.') if '.tmp.' in name]
    demand(not left, 'left over:', left)


begun = time.time()
demand(end(start(2, ['-model', 'whole.h5']), 'the reference') == 2, text('run.log'))
length = time.time() - begun
reference = attributes('whole.h5')['objective_primal']
random.seed(5)
killed = finished = furthest = 0
while killed < KILLS:
    expected = iteration()
    demand(expected >= furthest or expected < 0, 'the checkpoint went back from iteration', furthest, 'to', expected)
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
    else:
        lawful = not (status in (0, 1) and victims) and 'psdnet: error' not in text('run.log')
        demand(lawful, 'kill number', killed, 'exit status', status, text('run.log'))
expected = iteration()
demand(end(start(2, ['-model', 'run.h5'] + KEPT), 'the last run') == 2, text('run.log'))
check_end(expected)
print(f'{killed} kills, {finished + 1} chains of runs came to their end')
finish()
