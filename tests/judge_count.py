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


def more(consensus, data, every):
    """collectives that 40 iterations more have"""
    few, many = (counts(f'{consensus}-{data}-{iterations}-{every}') for iterations in (20, 60))
    return sum(many['solve', call][0] - few['solve', call][0] for call in COLLECTIVES)


# docs/architecture.md, "Messages of an iteration": of an iteration, and of a check
EXPECTED = {'root': (1, 1), 'scalapack': (2, 2), 'dual': (5, 3)}
for consensus, expected in EXPECTED.items():
    for data in 'few', 'many':
        iterations = more(consensus, data, 1000)
        require(iterations == 40 * expected[0], consensus, data, 'iterations', iterations)
        # and no number of iterations has any outside of the phases
        outside = {sum(calls for (phase, call), (calls, _) in counts(f'{consensus}-{data}-{n}-1000').items() if phase == 'none' and call in COLLECTIVES)
                   for n in (20, 60)}
        require(len(outside) == 1, consensus, data, 'outside of phases', outside)
    checks = more(consensus, 'many', 20) - more(consensus, 'many', 1000)
    require(checks == 2 * expected[1], consensus, 'checks', checks)

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
