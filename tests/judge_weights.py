"""check_weights.sh's judgement: weights that count and images that are repeated have one optimum; others are found by numpy and CVXOPT."""
import h5py
import numpy

import psdnet
from judge import attributes, certificate, finish, report, require, text
from small_program import Loss, Options, lift, polar, targets

BETA, CLASSES = 0.4, 3
OPTIONS = '-patch 2 -stride 1 -pool 2 -activation 1,0.5,0.4'

# ---------------------------------------------------------------- as often as the weight says

pairs = [(f'{loss}-counted', f'{loss}-repeated') for loss in ('squared', 'logistic', 'softmax', 'hinge', 'huber', 'l1')]
for name, other in pairs + [('flip-counted', 'flip-repeated'), ('targets-counted', 'targets-repeated')]:
    found, expected = report(name), report(other)
    for key in 'objective_primal', 'objective_dual', 'beta_max':
        require(abs(found[key] / expected[key] - 1) <= 1e-9, name, key, found[key], expected[key])
    require(found['gap'] <= 1e-4, name, found['gap'])
for name, other in ('squared-dual', 'squared'), ('squared-mixed', 'squared'), ('softmax-lowrank', 'softmax'), ('hinge-barrier', 'hinge'):
    found, expected = report(name), report(other + '-repeated')
    for low, high in (found, expected), (expected, found):
        require(low['objective_dual'] <= high['objective_primal'] * (1 + 1e-12), name, low['objective_dual'], high['objective_primal'])
    require(found['gap'] <= 1e-4, name, found['gap'])

# ---------------------------------------------------------------- any weights

with h5py.File('real/train.h5') as file:
    images, labels, weights = file['images'][:], file['labels'][:], file['weights'][:]
A, Y = lift(images[:, None], Options(OPTIONS)), targets(labels, CLASSES)


def summed(of_sample):
    """the sum over samples, each times its weight"""
    return sum(weight * of_sample(slice(i, i + 1)) for i, weight in enumerate(weights))


def cvxopt_optimum(loss):
    try:
        from small_cvxopt import optimum
    except ImportError:
        return None
    return sum(optimum(A[0], y, BETA, loss, 0.7 if loss == 'huber' else 1, weights)[0] for y in Y.T)


for name in 'squared', 'logistic', 'softmax', 'hinge', 'huber', 'l1':
    loss, result, network = Loss(name, CLASSES), report(name + '-real'), psdnet.load(name + '-real.h5')
    scores = network.scores(images)
    primal = summed(lambda i: loss.value(scores[i], Y[i])) + BETA * abs(network._weights).sum()
    require(abs(result['objective_primal'] / primal - 1) <= 1e-9, name, 'primal', result['objective_primal'], primal)
    with h5py.File(name + '-real.cert') as file:
        nu, s, bound = file['nu'][:] * file.attrs['s'], file.attrs['s'], file.attrs['bound']
        require(numpy.array_equal(file['weights'][:], weights), name, 'weights of the certificate')
    require(numpy.abs(loss.pull(nu, Y) - nu).max() <= 1e-12, name, 'nu is not in the domain')
    require(polar(A, weights[:, None] * nu) <= BETA * (1 + 1e-9), name, 'nu is not feasible')
    dual = summed(lambda i: loss.dual(loss.pull(nu, Y)[i], Y[i]))
    require(abs(bound / dual - 1) <= 1e-9, name, 'bound', bound, dual)
    require(0 < 1 - dual / primal <= 1e-6, name, 'gap', primal, dual)
    other = cvxopt_optimum(name) if name in ('squared', 'huber', 'l1') else None
    require(other is None or dual * (1 - 1e-6) <= other <= primal * (1 + 1e-6), name, 'CVXOPT', other, dual, primal)

# ---------------------------------------------------------------- where they come from, and by whom they are read again

for name, other in ('real-file', 'squared-real'), ('ones', 'plain'), ('balanced', 'balanced-file'):
    found, expected = report(name), report(other)
    close = 1e-12 if name == 'balanced' else 0  # the factors are rounded otherwise
    for key in 'objective_primal', 'beta_max':
        require(abs(found[key] / expected[key] - 1) <= close, name, key, found[key], expected[key])
found, file = certificate('certify'), attributes('squared-real.h5')
require(abs(found['primal'] / file['objective_primal'] - 1) <= 1e-9 and found['gap'] <= 2e-6, 'certify', found)
require('certificate holds' in text('certify-file.log'), 'certify-file')
require('24 images (weights 0.1' in text('squared-real.log'), 'the line of the problem', text('squared-real.log'))
# what the weights are is said wherever a run or a data set is described
weights = numpy.load('real.npy')
weights = weights[weights > 0]
run = report('real-file')
require([run[key] for key in ('least_weight', 'largest_weight')] == [weights.min(), weights.max()], 'weights in the report', run)
require(abs(run['sum_of_weights'] - weights.sum()) <= 1e-14 * weights.sum(), 'their sum', run)
require('sum_of_weights' not in report('ones') and 'weights' not in text('info-ones.log'), 'weights of 1 are none')
said = 'weights of images above 0: {:g} to {:g}, {:g} in all'.format(weights.min(), weights.max(), weights.sum())
require(said in text('info-weighted.log'), said, text('info-weighted.log'))
require('<th>weights</th>' in text('weighted.html') or '>weights<' in text('weighted.html'), 'weights in the page')
finish()
