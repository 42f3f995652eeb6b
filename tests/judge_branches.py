"""check_branches.sh's judgement: objectives and scores by the definition in docs/formats.md, from the file alone."""
import glob

import h5py
import numpy

from judge import attributes, finish, numbers, report, require
from judge_network import scores_of


def scores(path, images):
    with h5py.File(path) as file:
        return scores_of(file, images, path)


with h5py.File('train.h5') as file:
    images, labels = file['images'][:], file['labels'][:]
Y = 2.0 * (labels[:, None] == numpy.arange(3)) - 1
runs = {name[:-5]: report(name[:-5]) for name in glob.glob('*.json')}
primal = {name: run['objective_primal'] for name, run in runs.items()}
for name in 'one', 'two1', 'conepartial', 'resumed', 'three', 'reduced', 'shared', 'overlap1', 'overlap3':
    fit, weight = scores(name + '.m', images)
    objective = ((fit - Y) ** 2).sum() / 2 + weight  # beta is 1
    require(abs(objective / primal[name] - 1) <= 1e-9, name, 'objective', primal[name], 'by the formula', objective)
found = numpy.array(numbers('three.csv'))[:, 1:4]
require(abs(found - scores('three.m', images)[0]).max() <= 1e-9, 'predict differs from the formula')
same = {'two1': ('two2', 'two3', 'two4', 'scalapack', 'streamed', 'conepartial', 'conescalapack', 'resumed'), 'folded': ('folded3',),
        'few': [some + cone for some in ('few', 'more') for cone in ('lapack', 'partial', 'scalapack')],
        'hinge': ('hinge4',), 'softmax': ('softmax4',)}
for first, others in same.items():
    gap = runs[first]['gap']
    require(gap <= (1e-6 if first in ('hinge', 'softmax') else 1e-8), first, 'gap', gap)
    for name in others:
        require(abs(primal[name] / primal[first] - 1) <= gap + runs[name]['gap'], name, primal[name], first, primal[first])
        require(runs[name]['objective_dual'] <= primal[first], name, 'bound', runs[name]['objective_dual'], first, primal[first])
require(abs(primal['overlap3'] / primal['overlap1'] - 1) <= 1e-8, "overlapping regions: A A' and A'A differ")
# a branch by itself is described in the root
for name, key, value in ('reduced', 'reduce', 2), ('overlap1', 'pool_overlap', 2), ('one', 'reduce', 1):
    require(attributes(name + '.m').get(key) == value, name, key, 'is not in the root')
# another branch can only help
require(runs['two1']['objective_dual'] <= primal['one'] and runs['three']['objective_dual'] <= primal['two1'], 'a branch more is worse')
require(primal['two1'] <= primal['one'], 'the second branch was of no use')
finish()
