"""check_disturbed_phases.sh [EVERY]: what happens to one rank of two in each phase, by name. It is killed: the run ends, no output is harmed, and the
same command goes on to the same network. It is stopped for a while, or slow all the time, or its disk is: the network is the same, digit by
digit. A phase has one of the ranks killed, both when EVERY is 1."""
import os
import shutil
import signal
import sys
import time

from faults import TRAIN, Scenario, counted, each, end, is_sound_archive, start, state_of
from judge import attributes, demand, finish, require, text
from processes import ranks_of

PHASES = 'read', 'lift', 'gram', 'factor', 'solve', 'certify', 'write'
RUN = Scenario('train', f'train {TRAIN} -gap 1e-4 -model m.h5 -report r.json -history h.csv -checkpoint k.ck -checkpoint_every 0.01 -resume',
               'm.h5 r.json h.csv')
STOPPED = 1  # second


def begin(directory, fault):
    """from the checkpoint of a run that came to 20 iterations, so that what follows is most of a run"""
    os.makedirs(directory)
    shutil.copy('given/k.ck', directory)
    return start(directory, RUN, 2, fault)


def same(directory, what, tolerance):
    found = attributes(directory + '/m.h5')['objective_primal']
    return require(abs(found / reference - 1) <= tolerance, what, 'objective', found, 'expected', reference)


def kill(case):
    phase, rank = case
    directory = f'kill-{phase}-{rank}'
    process = begin(directory, {'PHASE': phase, 'RANK': rank, 'HOW': 'kill', 'AT': 1})
    status = end(process, directory)
    states = [state_of(directory, name, 'whole') for name in RUN.outputs]
    sound = counted(directory)[1] and status != 0 and set(states) <= {'old', 'new'} and is_sound_archive(directory + '/k.ck')
    if not require(sound, directory, 'status', status, states, text(directory + '/log')):
        return 'not lawful'
    status = end(start(directory, RUN, 2), directory + ', again')
    left = [name for name in os.listdir(directory) if '.tmp.' in name]
    sound = status == 0 and 'resume   iteration' in text(directory + '/log') and not left
    if require(sound, directory, 'again: status', status, left, text(directory + '/log')) and same(directory, directory, 1e-8):
        return 'killed, and gone on with'
    return 'not the same'


def is_stopped(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rsplit(')', 1)[1].split()[0] == 'T'
    except OSError:
        return False


def stop(case):
    phase, rank = case
    directory = f'stop-{phase}-{rank}'
    process = begin(directory, {'PHASE': phase, 'RANK': rank, 'HOW': 'stop', 'AT': 1})
    stopped = []
    while process.poll() is None and not stopped:
        stopped = [pid for pid in ranks_of(process.pid) if is_stopped(pid)]
        time.sleep(0.02)
    time.sleep(STOPPED)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    return outcome(process, directory, stopped, 'stopped')


def stutter(case):
    """stopped and continued all the time"""
    directory = f'stutter-{case[1]}'
    process, pauses = begin(directory, None), 0
    while process.poll() is None:
        for pid in ranks_of(process.pid)[case[1]:case[1] + 1]:
            for signals in signal.SIGSTOP, signal.SIGCONT:
                try:
                    os.kill(pid, signals)
                    pauses += 1
                except ProcessLookupError:
                    pass
                time.sleep(0.03)
        time.sleep(0.01)
    return outcome(process, directory, pauses > 4, 'stuttering')


def slow(case):
    directory = f'slow-{case[1]}'
    process = begin(directory, {'FILES': 'all', 'RANK': case[1], 'HOW': 'slow', 'AT': 1})
    status = outcome(process, directory, True, 'slow')
    return status


def outcome(process, directory, happened, what):
    status = end(process, directory)
    if not require(happened and status == 0, directory, happened, 'status', status, text(directory + '/log')):
        return 'not lawful'
    return f'{what}, and the same' if same(directory, directory, 0) else 'not the same'


def disturb(case):
    return case[0](case[1])


os.makedirs('given')
first = start('given', RUN, 2, None, ['-max_it', '20'])
demand(end(first, 'the first run') == 2, text('given/log'))
demand(end(begin('whole', None), 'the reference') == 0, text('whole/log'))
reference = attributes('whole/m.h5')['objective_primal']
ranks = (0, 1) if sys.argv[1:] == ['1'] else ()
cases = [(kill, (phase, rank)) for k, phase in enumerate(PHASES) for rank in ranks or [(k + 1) % 2]]
cases += [(stop, (phase, k % 2)) for k, phase in enumerate(PHASES)]
cases += [(what, (None, rank)) for what in (stutter, slow) for rank in (0, 1)]
print(f'{len(cases)} runs:', each(cases, disturb))
finish()
