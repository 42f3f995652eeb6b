"""check_solver.sh's judgement: one optimum, proved, of the type of solver that was asked for."""
import glob
import re

import h5py

from judge import attributes, finish, report, require, table, text

GAP = 1e-6


def neurons(name, array):
    with h5py.File(name + '.h5') as file:
        return file['neurons/' + array][:]


def agree(name, other, objectives):
    """Both are above the optimum by at most the gap, so that they differ by at most that."""
    require(abs(objectives[0] / objectives[1] - 1) <= GAP, name, other, 'objectives', *objectives)


MOST_STEPS = 40  # of the barrier method, which takes 13 to 17; with a wrong right-hand side of its second direction 58 to 389
SMOOTH, CORNERS = ('admm-1', 'barrier-1', 'lowrank-1', 'lowrank-3'), ('admm-1', 'barrier-1', 'barrier-3')
for loss, names in [(loss, SMOOTH) for loss in ('squared', 'logistic', 'softmax', 'huber')] + [('hinge', CORNERS), ('l1', CORNERS)]:
    runs = {name: report(f'{name[:-2]}-{loss}{name[-2:]}') for name in names}
    for name, run in runs.items():
        require(run['solver'] == name[:-2] and run['gap'] <= GAP and run['loss'] == loss, loss, name, run['solver'], run['gap'])
        require(run['objective_dual'] <= min(other['objective_primal'] + other['objective_primal_error'] for other in runs.values()),
                loss, name, 'a bound above an objective')
        require(abs(run['beta_max'] / runs['admm-1']['beta_max'] - 1) <= 1e-9, loss, name, 'beta_max', run['beta_max'])
        if name[:-2] == 'barrier':
            require(run['iterations'] <= MOST_STEPS, loss, name, 'steps', run['iterations'])
            above = run['objective_primal'] * (1 + 1e-9)  # while beta comes down as well
            followed = [float(row['bound']) for row in table(f'barrier-{loss}{name[-2:]}.csv')]
            require(max(followed) <= above, loss, name, 'a bound on the way above an objective', max(followed), above)
        require(('consensus' in run) == ('cone' in run) == (run['solver'] == 'admm'), loss, name, 'kernels', *run)
        agree(loss, name, (run['objective_primal'], runs['admm-1']['objective_primal']))

rows = {solver: table(f'path-{solver}.csv') for solver in ('admm', 'barrier', 'lowrank')}
require(all(len(row) == 3 for row in rows.values()), 'rows of the paths')
for solver in 'barrier', 'lowrank':
    for one, other in zip(rows['admm'], rows[solver]):
        require(abs(float(one['beta']) / float(other['beta']) - 1) <= 1e-9, solver, 'betas', one['beta'], other['beta'])
        require(max(float(one['gap']), float(other['gap'])) <= GAP, solver, 'gaps', one['gap'], other['gap'])
        agree(solver, one['number'], (float(one['objective']), float(other['objective'])))

for solver in 'admm', 'barrier', 'lowrank':
    require('certificate holds' in text(f'proved-{solver}.log'), solver, 'proof')

whitened = report('whitened'), report('whitened-admm')
require(whitened[0]['solver'] == 'lowrank' and whitened[0]['gap'] <= GAP, 'whitened', whitened[0]['gap'])
agree('whitened', 'admm', [run['objective_primal'] for run in whitened])

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

for name in glob.glob('barrier-resumed-*.json'):
    run = report(name[:-5])
    require(run['solver'] == 'barrier' and run['gap'] <= GAP, name, run['solver'], run['gap'])
    require('resume   iteration' in text(name[:-5] + '.log'), name, 'began afresh')
    agree(name, 'whole', (run['objective_primal'], report('barrier-squared-1')['objective_primal']))

relieved, unrelieved = report('relieved'), report('unrelieved')
require(relieved['solver'] == 'barrier' and relieved['gap'] <= GAP, 'relieved', relieved['solver'], relieved['gap'])
require(unrelieved['solver'] == 'admm' and unrelieved['gap'] > 1e-4, 'unrelieved', unrelieved['solver'], unrelieved['gap'])
require(500 < relieved['iterations'] < 700, 'iterations', relieved['iterations'])
require('solver   admm is at a gap of' in text('relieved.log'), 'no word of who goes on')
iterations = [int(row['iteration']) for row in table('relieved.csv')]
require(iterations == sorted(set(iterations)) and iterations[-1] == relieved['iterations'], 'history', iterations[-1])
require(relieved['objective_dual'] <= unrelieved['objective_primal'] and unrelieved['objective_dual'] <= relieved['objective_primal'], 'bounds')
resumed = report('relieved-resumed')
require(resumed['solver'] == 'barrier' and abs(resumed['objective_primal'] / relieved['objective_primal'] - 1) <= 1e-12, 'resumed', resumed['objective_primal'])
require(resumed['iterations'] == relieved['iterations'], 'resumed after', resumed['iterations'])
require(all(float(row['gap']) <= 1e-4 for row in table('relieved-path.csv')), 'gaps of the path')
certified = text('relieved-certify.log')
require('barrier goes on' in certified, 'certify without relief')
# the network is not optimal; the bound is
bound = float(re.search(r'^bound +(\S+)', certified, re.M)[1])
require((1 - 1e-4) * relieved['objective_primal'] <= bound <= relieved['objective_primal'], 'certified bound', bound)
require(report('relieved-path')['solver'] == 'barrier', 'path', report('relieved-path')['solver'])

for name, solver in {'auto-small': 'admm', 'auto-asked': 'lowrank', 'plan-admm': 'admm', 'plan-lowrank': 'lowrank', 'plan-large': 'lowrank',
                     'plan-hinge': 'admm', 'plan-asked': 'admm'}.items():
    require(report(name)['solver'] == solver, name, report(name)['solver'])
lowrank, admm = report('plan-lowrank'), report('plan-admm')
require(lowrank['peak_memory_mb'] < admm['peak_memory_mb'] / 10, 'plan', lowrank['peak_memory_mb'], admm['peak_memory_mb'])
require(attributes('lowrank-squared-1.h5')['gap'] <= GAP, 'the model\'s gap')
finish()
