"""check_solver.sh's judgement: one optimum, proved, of the type of solver that was asked for."""
import glob

import h5py

from judge import attributes, finish, report, require, table, text

GAP = 1e-6


def neurons(name, array):
    with h5py.File(name + '.h5') as file:
        return file['neurons/' + array][:]


def agree(name, other, objectives):
    """Both are above the optimum by at most the gap, so that they differ by at most that."""
    require(abs(objectives[0] / objectives[1] - 1) <= GAP, name, other, 'objectives', *objectives)


for loss in 'squared', 'logistic', 'softmax', 'huber':
    runs = {name: report(f'{name[:-2]}-{loss}{name[-2:]}') for name in ('admm-1', 'lowrank-1', 'lowrank-3')}
    for name, run in runs.items():
        require(run['solver'] == name[:-2] and run['gap'] <= GAP and run['loss'] == loss, loss, name, run['solver'], run['gap'])
        require(run['objective_dual'] <= min(other['objective_primal'] + other['objective_primal_error'] for other in runs.values()),
                loss, name, 'a bound above an objective')
        require(abs(run['beta_max'] / runs['admm-1']['beta_max'] - 1) <= 1e-9, loss, name, 'beta_max', run['beta_max'])
        require(('consensus' in run) == ('cone' in run) == (run['solver'] == 'admm'), loss, name, 'kernels', *run)
        agree(loss, name, (run['objective_primal'], runs['admm-1']['objective_primal']))

rows = {solver: table(f'path-{solver}.csv') for solver in ('admm', 'lowrank')}
require(len(rows['admm']) == len(rows['lowrank']) == 3, 'rows of the paths')
for one, other in zip(rows['admm'], rows['lowrank']):
    require(abs(float(one['beta']) / float(other['beta']) - 1) <= 1e-9, 'betas', one['beta'], other['beta'])
    require(max(float(one['gap']), float(other['gap'])) <= GAP, 'gaps', one['gap'], other['gap'])
    agree('path', one['number'], (float(one['objective']), float(other['objective'])))

for solver in 'admm', 'lowrank':
    require('certificate holds' in text(f'proved-{solver}.log'), solver, 'proof')

whole = report('lowrank-squared-1')
for name in sorted(glob.glob('resumed-*.json')):
    run = report(name[:-5])
    require(run['solver'] == 'lowrank' and run['gap'] <= GAP, name, run['solver'], run['gap'])
    require('resume   iteration' in text(name[:-5] + '.log'), name, 'began afresh')
    agree(name, 'whole', (run['objective_primal'], whole['objective_primal']))

for name in sorted(glob.glob('same-*.json')):
    one, other = report(name[:-5]), report('whole')
    for key in 'iterations', 'objective_primal', 'objective_dual', 'gap', 'neurons':
        require(one[key] == other[key], name, key, one[key], other[key])
    for array in 'filter', 'weight', 'region', 'class':
        require((neurons(name[:-5], array) == neurons('whole', array)).all(), name, array)

for name, solver in {'auto-small': 'admm', 'auto-asked': 'lowrank', 'plan-admm': 'admm', 'plan-lowrank': 'lowrank', 'plan-large': 'lowrank',
                     'plan-hinge': 'admm', 'plan-asked': 'admm'}.items():
    require(report(name)['solver'] == solver, name, report(name)['solver'])
lowrank, admm = report('plan-lowrank'), report('plan-admm')
require(lowrank['peak_memory_mb'] < admm['peak_memory_mb'] / 10, 'plan', lowrank['peak_memory_mb'], admm['peak_memory_mb'])
require(attributes('lowrank-squared-1.h5')['gap'] <= GAP, 'the model\'s gap')
finish()
