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

D = report('sums')['D']
require(D == 2145, D)
for name, n, members in ('sums', 2400, 1), ('groups', 1200, 2), ('samples', 2400, 4):
    found = counts(name)
    samples, sums = found['gram', 'bcast'][1], found['gram', 'reduce_scatter'][1]
    require(report(name)['D'] == D and report(name)['n'] == n, name, report(name))
    require(samples == (8 * n * D * members // 4 if members > 1 else 0), name, 'samples', samples)
    # the columns of a member are every other block of 64, whose parts of the triangle differ by a few blocks
    expected = 4 * D * (D + 1) / members if members < 4 else 0
    require(abs(sums - expected) <= (0 if members != 2 else 8 * 64 * D), name, 'sums', sums, expected)
finish()
