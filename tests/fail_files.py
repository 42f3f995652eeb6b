"""check_failing_files.sh [EVERY]: every EVERYth operation on the outputs of a run fails, in every way; 47 unless it is given."""
import os
import shutil
import sys

from faults import CERTIFICATION, PATH, PREDICTION, TRAINING, counted, each, end, judge, one_line, start
from judge import demand, finish, text

EVERY = int(sys.argv[1]) if len(sys.argv) > 1 else 47
SCENARIOS = TRAINING, PATH, PREDICTION, CERTIFICATION
KINDS = 'ENOSPC', 'EIO', 'short', 'kill'


def all_is_new(status, states, errors, warnings, left):
    """a write that takes a half is asked for the rest"""
    return status == 0 and not errors and not warnings and not left and set(states.values()) == {'new'}


def killed(status, states, errors, warnings, left):
    """with the file that it was writing; the next run removes that"""
    return status != 0 and not errors and len(left) <= 2


LAWFUL = {'ENOSPC': one_line, 'EIO': one_line, 'short': all_is_new, 'kill': killed}


def attempt(case):
    scenario, ranks, rank, kind, at = case
    directory = f'{scenario.name}-{ranks}-{rank}-{kind}-{at}'
    status = end(start(directory, scenario, ranks, {'FILES': 'write', 'RANK': rank, 'HOW': kind, 'AT': at}), directory)
    _, harmed = counted(directory)
    if judge(directory, scenario, status, f'{directory} ({harmed}):', LAWFUL[kind] if harmed else all_is_new):
        return f'{kind} {"killed" if kind == "kill" else status}'
    return f'{kind}: not lawful'


def whole(scenario, ranks):
    """a run that nothing fails in: how many operations there are, on each rank"""
    counts = []
    for rank in range(ranks):
        directory = f'whole-{scenario.name}'
        shutil.rmtree(directory, ignore_errors=True)
        status = end(start(directory, scenario, ranks, {'FILES': 'write', 'RANK': rank, 'HOW': 'EIO', 'AT': 0}), directory)
        demand(status == 0, directory, text(directory + '/log'))
        counts.append(counted(directory)[0])
    return counts


os.makedirs('given')
demand(end(start('given', TRAINING, 1), 'given') == 0, text('given/log'))
cases = []
for scenario in SCENARIOS:
    for ranks in (2, 1):  # the one that is kept is of one rank
        counts = whole(scenario, ranks)
        print(f'{scenario.name} on {ranks} ranks: {counts} operations')
        demand(counts[0] > 5, 'the shim counts nothing')
        new = [(scenario, ranks, rank, kind, at) for rank, count in enumerate(counts) for kind in KINDS for at in range(1, count + 1)]
        # two ranks: not each one as often, as they do the same
        step = min(EVERY, 5) if len(new) < 100 else EVERY
        cases += new[::step] if ranks == 1 else new[7::3 * step]
print(f'{len(cases)} runs:', each(cases, attempt))
finish()
