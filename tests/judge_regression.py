"""check_regression.sh's judgement: optima by CVXOPT where it is there, and in any case by a central path in extended precision."""
import os

import h5py
import numpy

import psdnet
from judge import attributes, certificate, finish, numbers, report, require, table, text
from small_central_path import central_path
from small_program import Loss, Options, dual_value, lift, polar, primal_value

BETA, GAP = 0.4, 1e-7
WITHIN = 1e-6  # of CVXOPT's optimum, relative
OPTIONS = '-patch 2 -stride 1 -pool 2 -activation 1,0.5,0.4'


def data_of(name):
    with h5py.File(name + '/train.h5') as file:
        return file['images'][:], file['targets'][:].astype(float)


images, targets = data_of('real')
A = lift(images, Options(OPTIONS))


# ---------------------------------------------------------------- optima

def enclose(loss):
    """[low, high], which holds the optimum"""
    it = Loss(loss, 3)
    low = high = 0
    for y in targets.T:  # one output at a time, as losses are sums over outputs
        Y = y[:, None]
        if BETA >= polar(A, it.dual_point(0 * Y, Y)):
            low, high = low + it.value(0 * Y, Y), high + it.value(0 * Y, Y)
            continue
        Z, nu = central_path(A, Y, BETA, it, 1e-9)
        low, high = low + dual_value(A, Y, BETA, nu, it), high + min(it.value(0 * Y, Y), primal_value(A, Y, BETA, Z, it))
    require(0 <= high - low <= 1e-8 * high, 'an error of the test: the optimum of', loss, 'is in', low, high)
    return low, high


def cvxopt_optimum(loss):
    try:
        from small_cvxopt import optimum
    except ImportError:
        return None
    bounds = [optimum(A[0], y, BETA, loss, 0.7 if loss == 'huber' else 1) for y in targets.T]
    return sum(primal for primal, _ in bounds)


for loss in 'squared', 'huber', 'l1':
    low, high = enclose(loss)
    other = cvxopt_optimum(loss)
    require(other is None or low * (1 - WITHIN) <= other <= high * (1 + WITHIN), loss, 'CVXOPT', other, 'optimum', low, high)
    runs = [f'{loss}-barrier-{ranks}' for ranks in {'squared': (1, 2, 3, 4), 'huber': (2,), 'l1': (3,)}[loss]] + {
        'squared': ['squared-admm', 'squared-lowrank', 'squared-dual'], 'huber': ['huber-admm', 'huber-lowrank'], 'l1': ['l1-admm']}[loss]
    for name in runs:
        r, gap = report(name), 1e-4 if name == 'l1-admm' else GAP
        require(r['objective_dual'] <= high * (1 + 1e-12), name, 'bound', r['objective_dual'], 'optimum', low, high)
        require(low * (1 - 1e-12) <= r['objective_primal'] <= high * (1 + gap), name, 'primal', r['objective_primal'], low, high)
        require(r['gap'] <= gap and r['loss'] == loss, name, r['gap'], r['loss'])
        require(other is None or abs(r['objective_primal'] / other - 1) <= max(gap, WITHIN), name, 'CVXOPT', r['objective_primal'], other)
print('CVXOPT', 'was compared with' if other is not None else 'is not there')

# ---------------------------------------------------------------- what is proved

for name, model in ('certify-model', 'proved'), ('certify-file', 'proved'):
    found, file = certificate(name), attributes(model + '.h5')
    require(abs(found['primal'] / file['objective_primal'] - 1) <= 1e-9, name, found, file)
    require(found['gap'] <= max(GAP, file['gap']) * (1 + 1e-3), name, found, file['gap'])
require('certificate holds' in text('certify-file.log'), 'certify-file')

# ---------------------------------------------------------------- files and scales

def arrays(path):
    with h5py.File(path) as file:
        return {name: file['neurons/' + name][:] for name in ('filter', 'weight', 'region', 'class')}, dict(file.attrs)


expected, record = arrays('same.h5')
for name, scale in ('packed', 1), ('loose', 1), ('plain', 1), ('scaled', 2.0**60):
    found, other = arrays(name + '.h5')
    for key, power in ('objective_primal', 2), ('objective_dual', 2), ('beta', 1), ('beta_max', 1), ('gap', 0):
        require(other[key] == record[key] * scale**power, name, key, other[key], record[key])
    for key in expected:
        require(numpy.array_equal(found[key], expected[key] * (scale if key == 'weight' else 1)), name, key)
require(record['outputs'] == 3 and record['version'] == 5 and 'classes' not in record, 'model', record)

outputs = numpy.array([[float(row[f'output_{t}']) for t in range(3)] for row in table('predict.csv')])
require(list(table('predict.csv')[0]) == ['index', 'output_0', 'output_1', 'output_2'], 'columns')
require(numpy.array_equal(outputs, numpy.array(numbers('none.csv'))[:, 1:]), 'images without targets')
fits = report('evaluate')
miss, about = outputs - targets, targets - targets.mean(0)
for t in range(3):
    fit = fits['outputs'][t]
    require(abs(fit['rmse'] / numpy.sqrt((miss[:, t]**2).mean()) - 1) < 1e-12, t, fit)
    require(abs(fit['mean_error'] / abs(miss[:, t]).mean() - 1) < 1e-12, t, fit)
    require(abs(fit['r2'] - (1 - (miss[:, t]**2).sum() / (about[:, t]**2).sum())) < 1e-12, t, fit)
r2 = 1 - (miss**2).sum() / (about**2).sum()
require(abs(fits['all']['r2'] - r2) < 1e-12 and abs(report('same')['r2_train'] - r2) < 1e-9, 'R2 of all', fits['all'], r2)
require(fits['outputs'][0]['r2'] > max(0, fits['outputs'][2]['r2']), 'a target that images tell, and noise', fits)
flat = report('evaluate-flat')['outputs'][1]
require(flat['r2'] == 0 and 0 < flat['rmse'] < 0.5, 'a target that is always the same', flat)
require('targets of an image: 3' in text('info.log'), 'info', text('info.log'))
require('regression on 1 targets' in text('one.log') and report('one')['n'] == 5 * len(images), 'shifted images')

NAMES = ['bright, "or so"', 'spread', 'noise in € ' + 16 * '\N{AIRPLANE}']
own, named = arrays('own.h5')
require(all(numpy.array_equal(own[key], expected[key]) for key in expected), 'targets with names')
require([name.decode() for name in named['output_names']] == NAMES and 'output_names' not in record, 'names in the model', named)
rows = table('own.csv')
require(list(rows[0]) == ['index', *NAMES], 'names of columns', list(rows[0]))
require(numpy.array_equal([[float(row[name]) for name in NAMES] for row in rows], outputs), 'columns by their names')
require([each['name'] for each in report('evaluate-own')['outputs']] == NAMES and 'name' not in fits['outputs'][0], 'names in the report')
require('3 outputs: ' + ', '.join(NAMES) in text('info-own.log') and 'target 1 (spread)' in text('info-data.log'), 'names in info')
require(psdnet.load('own.h5').class_names == NAMES and psdnet.load('same.h5').class_names[1] == 'output 1', 'names in Python')

page = text('page.html')
require('3 outputs' in page and f"R2 is {fits['all']['r2']:.4g} of" in page and 'accuracy' not in page, 'page')

# ---------------------------------------------------------------- in Python

network = psdnet.load('same.h5')
require(network.outputs == 3 and abs(network.predict(images) - outputs).max() <= 1e-12 * abs(outputs).max(), 'in Python', network)
regressor = psdnet.Regressor(gap=1e-7, options=OPTIONS + ' -beta_noise 0.1 -max_it 20000', ranks=2, launcher=f'{os.environ["LAUNCH"]} 2')
fit = regressor.fit(images, targets)
require(abs(regressor.predict(images) - outputs).max() <= 1e-12 * abs(outputs).max() and fit is regressor, 'Regressor')
require(abs(regressor.score(images, targets) - numpy.mean([each['r2'] for each in fits['outputs']])) < 1e-9, 'score', fits['outputs'])
try:
    network.to_onnx('same.onnx', double=True)
    import onnx
    require([output.name for output in onnx.load('same.onnx').graph.output] == ['scores'], 'ONNX')
except ImportError as error:
    print('without ONNX:', error)

# ---------------------------------------------------------------- a path, a run that goes on, a plan

rows = table('path.csv')
kept = min(rows, key=lambda row: float(row['loss_validation']))
require(float(kept['objective']) == report('path')['objective_primal'], 'the path keeps the smallest loss', kept, report('path'))
require(float(kept['r2_validation']) == float(f"{report('path')['r2_validation']:.9g}"), 'R2 held out', kept)
steps = [[row[:1] + row[2:] for row in numbers(name + '.csv')] for name in ('whole', 'gone-on')]
require(len(steps[0]) == len(steps[1]), 'history', len(steps[0]), len(steps[1]))
for one, other in zip(*steps):
    require(numpy.allclose(one, other, rtol=1e-6, atol=1e-9), 'history', one, other)
require(abs(attributes('gone-on.h5')['objective_primal'] / attributes('whole.h5')['objective_primal'] - 1) < 1e-8, 'gone on')
require(' 6 blocks of order 5' in text('plan.log'), 'a plan has two blocks an output', text('plan.log'))
finish()
