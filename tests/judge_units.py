"""check_units.sh's judgement: runs of one program in several units agree digit by digit; extreme numbers gave a network and a bound."""
import glob
import re

import h5py
import numpy

from judge import certificate, finish, report, require, table, text


def exponents(name):
    """K and J of NAME@K:J"""
    return [int(number) for number in name.split('@')[1].split(':')]


def names(pattern):
    """all NAME@K:J of files, those of K = J = 0 apart"""
    found = sorted(path.rsplit('.', 1)[0] for path in glob.glob(pattern))
    return [(name, name.split('@')[0] + '@0:0') for name in found if not name.endswith('@0:0')]


def same_history(name, first, K):
    rows, others = table(name + '.csv'), table(first + '.csv')
    require(len(rows) == len(others) > 0, name, 'has', len(rows), 'checks,', first, len(others))
    for row, other in zip(rows, others):
        for key in 'iteration', 'objective', 'bound', 'gap', 'rank':
            require(row[key] == other[key], name, key, row[key], 'expected', other[key])
        for key, power in (('rho', 2), ('primal_residual', -1), ('dual_residual', 1)):  # printed to nine digits
            expected = float(other[key]) * 2.0 ** (power * K)
            require(abs(float(row[key]) - expected) <= 1e-8 * expected, name, key, row[key], 'expected', expected)


def same_network(name, first, K):
    with h5py.File(name + '.h5') as one, h5py.File(first + '.h5') as other:
        for key, factor in (('filter', 1), ('region', 1), ('class', 1), ('weight', 2.0 ** -K)):
            mine, others = one['neurons'][key][()], other['neurons'][key][()] * factor
            require(numpy.array_equal(mine, others), name, key)
        for key in 'beta', 'beta_max':
            require(one.attrs[key] == other.attrs[key] * 2.0 ** K, name, key, one.attrs[key], 'expected', other.attrs[key] * 2.0 ** K)


reports = names('*@*.json')
require(len(reports) == 12 + 1 + 4 + 1 + 2 + 2 + 1 + 1, len(reports), 'runs in other units')
for name, first in reports:
    K = exponents(name)[0]
    one, other = report(name), report(first)
    for key in 'iterations', 'objective_primal', 'objective_dual', 'gap', 'neurons', 'accuracy_train':
        require(one[key] == other[key], name, key, one[key], 'expected', other[key])
    require(one['neurons'] > 0, name, 'has no neurons')
    same_history(name, first, K)
    same_network(name, first, K)

for name, first in names('path@*.csv'):
    K = exponents(name)[0]
    for row, other in zip(table(name + '.csv'), table(first + '.csv'), strict=True):
        require(float(row['beta']) == float(other['beta']) * 2.0 ** K, name, 'beta', row['beta'], 'expected', other['beta'])
        for key in 'beta_rel', 'iterations', 'objective', 'bound', 'gap', 'neurons', 'accuracy_train':
            require(row[key] == other[key], name, key, row[key], 'expected', other[key])
require(certificate('certify@-300:0') == certificate('certify@0:0'), 'certify', certificate('certify@-300:0'))

logs = glob.glob('extreme-*.log')
require(len(logs) == 26, len(logs), 'extreme runs')
for log in logs:
    name = log[:-4]
    printed, run = text(log).lower(), report(name)
    primal, dual, gap = run['objective_primal'], run['objective_dual'], run['gap']
    require(not re.search(r'\b-?(nan|inf)\b', printed), log, printed)
    require(0 <= dual <= primal and 0 <= gap <= 1, name, run)
    require(('note     the gap is' in printed) == (gap > 1e-3), name, 'note:', printed)
finish()
