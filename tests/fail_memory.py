"""check_failing_memory.sh [EVERY]: every EVERYth allocation of psdnet and PETSc fails, where a file is read; 29 unless it is given."""
import os
import shutil
import sys

from faults import TRAIN, TRAINING, Scenario, counted, each, end, judge, start
from judge import demand, finish, text

EVERY = int(sys.argv[1]) if len(sys.argv) > 1 else 29
DATA = '-data ../data -progress none'
SCENARIOS = (
    Scenario('info', 'info ../given/m.h5', ''), Scenario('inspect', 'info ../data', ''),
    Scenario('predict', f'predict {DATA} -model ../given/m.h5 -output p.csv', 'p.csv'),
    Scenario('evaluate', f'evaluate {DATA} -model ../given/m.h5', ''),
    Scenario('check', f'certify {DATA} -certificate ../given/c.h5', ''),
    Scenario('certify', f'certify {DATA} -model ../given/m.h5 -gap 0.1', ''),
    Scenario('train', f'train {TRAIN} -gap 1e-2 -max_it 50 -model m.h5 -report r.json', 'm.h5 r.json'),
    Scenario('resume', f'train {TRAIN} -gap 1e-2 -model m.h5 -checkpoint ../given/k.ck -checkpoint_gram -resume', 'm.h5'))


def alone(status, states, errors, warnings, left):
    """One line, and what was there stays; or nothing at all where psdnet can do without."""
    if status == 0:
        return not errors and not left and set(states.values()) <= {'new'}
    return status == 1 and len(errors) == 1 and not left


def together(status, states, errors, warnings, left):
    """the same, but that the launcher kills the other rank, which may be writing a file; the next run removes what is left of that"""
    return alone(status, states, errors, warnings, [] if len(left) <= 1 and status else left)


def attempt(case):
    scenario, ranks, rank, at = case
    directory = f'{scenario.name}-{ranks}-{rank}-{at}'
    status = end(start(directory, scenario, ranks, {'MEMORY': 'yes', 'RANK': rank, 'HOW': 'EIO', 'AT': at}), directory)
    return status if judge(directory, scenario, status, f'{directory}:', alone if ranks == 1 else together) else 'not lawful'


os.makedirs('given')
demand(end(start('given', TRAINING, 1), 'given') == 0, text('given/log'))
cases = []
for scenario in SCENARIOS:
    for ranks in (2, 1):
        for rank in range(ranks):
            directory = f'whole-{scenario.name}'
            shutil.rmtree(directory, ignore_errors=True)
            status = end(start(directory, scenario, ranks, {'MEMORY': 'yes', 'RANK': rank, 'HOW': 'EIO', 'AT': 0}), directory)
            demand(status == 0, directory, text(directory + '/log'))
            count = counted(directory)[0]
            demand(count > 20, 'the shim counts', count, 'allocations')
            print(f'{scenario.name}, rank {rank} of {ranks}: {count} allocations')
            step = EVERY if ranks == 1 else 4 * EVERY
            cases += [(scenario, ranks, rank, at) for at in range(1 if ranks == 1 else 11, count + 1, step)]
print(f'{len(cases)} runs: status', each(cases, attempt))
finish()
