"""check_lost_disk.sh [EVERY]: from some moment on every read and every write fails on one rank of two or three; each EVERYth moment, 67
unless it is given."""
import os
import shutil
import sys

from faults import PATH, PREDICTION, TRAINING, counted, each, end, judge, one_line, start
from judge import demand, finish, text

EVERY = int(sys.argv[1]) if len(sys.argv) > 1 else 67


def attempt(case):
    scenario, ranks, rank, at = case
    directory = f'{scenario.name}-{ranks}-{rank}-{at}'
    status = end(start(directory, scenario, ranks, {'FILES': 'all', 'RANK': rank, 'HOW': 'lost', 'AT': at}), directory)
    return status if judge(directory, scenario, status, f'{directory} ({counted(directory)[1]}):', one_line) else 'not lawful'


os.makedirs('given')
demand(end(start('given', TRAINING, 1), 'given') == 0, text('given/log'))
cases = []
for scenario in TRAINING, PATH, PREDICTION:
    for ranks in 2, 3:
        for rank in range(ranks):
            directory = f'whole-{scenario.name}'
            shutil.rmtree(directory, ignore_errors=True)
            status = end(start(directory, scenario, ranks, {'FILES': 'all', 'RANK': rank, 'HOW': 'EIO', 'AT': 0}), directory)
            demand(status == 0, directory, text(directory + '/log'))
            count = counted(directory)[0]
            demand(count > 2, 'the shim counts', count)
            step = EVERY if ranks == 2 else 3 * EVERY
            cases += [(scenario, ranks, rank, at) for at in range(1 + rank, count + 1, step if rank == 0 else max(1, step // 4))]
print(f'{len(cases)} runs: status', each(cases, attempt))
finish()
