"""check_count.sh's judgement."""
import collections

from judge import finish, report, require, table


def counts(name):
    """(phase, call) -> calls and bytes, the most of a rank"""
    most = collections.defaultdict(lambda: (0, 0))
    for row in table(name + '.csv'):
        key = row['phase'], row['call']
        most[key] = max(most[key][0], int(row['calls'])), max(most[key][1], int(row['bytes']))
    return most


COLLECTIVES = ('bcast', 'reduce', 'allreduce', 'reduce_scatter', 'gather', 'allgather', 'scatter', 'alltoall', 'scan', 'barrier')


def an_iteration(consensus, data):
    """collectives of an iteration, from runs of 20 and 60"""
    few, many = (counts(f'{consensus}-{data}-{iterations}') for iterations in (20, 60))
    calls = [many['solve', call][0] - few['solve', call][0] for call in COLLECTIVES]
    require(all(number % 40 == 0 for number in calls), consensus, data, calls)
    return sum(calls) / 40


# docs/architecture.md, "Messages of an iteration": with `dual` there is one more for each class
EXPECTED = {'root': (1, 0), 'scalapack': (2, 0), 'dual': (6, 1)}
for consensus, (fixed, each) in EXPECTED.items():
    found = [an_iteration(consensus, data) for data in ('few', 'many')]
    require(found == [fixed + 3 * each, fixed + 10 * each], consensus, found)

n, D = 2400, report('sums')['D']
require(D == 2145, D)
sums, samples = counts('sums'), counts('samples')
require(sums['gram', 'reduce_scatter'][1] == 4 * D * (D + 1), sums['gram', 'reduce_scatter'], 4 * D * (D + 1))
require(sums['gram', 'bcast'][1] == 0, sums['gram', 'bcast'])
require(samples['gram', 'bcast'][1] == 8 * n * D, samples['gram', 'bcast'], 8 * n * D)
require(samples['gram', 'reduce_scatter'][1] == 0, samples['gram', 'reduce_scatter'])
finish()
