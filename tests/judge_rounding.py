"""check_rounding.sh's judgement: optima that are known, and objectives in extended precision from the model file and the bytes."""
import glob

import h5py
import numpy

from judge import attributes, finish, report, require, text

real = numpy.longdouble


def patches(images, at):
    """positions x q of each image, of one channel and one region, in extended precision"""
    p = int(at['patch_height'])
    n, _, height, width = images.shape
    cut = [images[:, 0, y:y + p, x:x + p].reshape(n, p * p) for y in range(height - p + 1) for x in range(width - p + 1)]
    return (numpy.stack(cut, 1).astype(real) - real(at['pixel_shift'])) / real(at['pixel_scale'])


def loss(name, yhat, y, delta):
    r, w = abs(yhat - y), y * yhat
    return {'squared': lambda: r**2 / 2, 'hinge': lambda: numpy.maximum(0, 1 - w), 'l1': lambda: r,
            'huber': lambda: numpy.where(r <= delta, r**2 / 2, delta * (r - delta / 2))}.get(
                name, lambda: numpy.log1p(numpy.exp(-abs(w))) + numpy.maximum(0, -w))().sum()


def objective(model, data):
    """of the network in the file with filters of length 1"""
    at = attributes(model)
    with h5py.File(model) as file, h5py.File(data) as source:
        filters, weights = file['neurons/filter'][:].astype(real), file['neurons/weight'][:].astype(real)
        transform, mean = file['preprocess/transform'][:].astype(real), file['preprocess/mean'][:].astype(real)
        images, labels = source['images'][:], source['labels'][:]
    filters /= numpy.sqrt((filters**2).sum(1, keepdims=True))
    a, b, c = at['activation'].astype(real)
    u = (patches(images, at) - mean) @ transform @ filters.T
    yhat = ((a * u + b) * u + c).mean(1) @ weights
    return loss(at['loss'], yhat, 2 * labels.astype(real) - 1, real(at['huber_delta'] or 1)) + real(at['beta']) * abs(weights).sum()


def warned(name):
    return '\nwarning  rounding: primal is known to' in text(name + '.log')


for ranks in 1, 2:
    for name, optimum in ('pixels', 5), ('grey', 4), ('large', 8):
        it = report(f'{name}-{ranks}')
        require(it['objective_primal'] == optimum and 0 <= it['gap'] <= 1e-10 and it['neurons'] == 0, name, ranks, it)
    # features are 1: the scores are the weight z, and 19 (z - 1)^2/2 + (z + 1)^2/2 + beta z is least at z = (18 - beta)/20
    it, beta = report(f'alone-{ranks}'), 1e-3
    z = (18 - beta) / 20
    least = 19 * (z - 1)**2 / 2 + (z + 1)**2 / 2 + beta * z
    require(it['objective_dual'] <= least * (1 + 1e-15) and it['gap'] <= 1e-4, 'alone', ranks, it, least)
    require(it['objective_primal'] + it['objective_primal_error'] >= least * (1 - 1e-15), 'alone', ranks, it, least)

# beyond any residual Huber's loss is the squared one
squared, huber = report('squared'), report('huber')
require(abs(squared['objective_primal'] / huber['objective_primal'] - 1) <= 4e-9 and huber['gap'] <= 2e-9, squared, huber)

for name in 'pixels-1', 'grey-1', 'large-1', 'squared', 'huber':
    require(not warned(name), name, 'warns')

models = glob.glob('nearly-*.h5m') + glob.glob('grey-1e*.h5m')
warnings = 0
for model in models:
    it, value = report(model[:-4]), objective(model, model.split('-')[0] + '.h5')
    stated = numpy.inf if it['objective_primal_error'] is None else it['objective_primal_error']
    require(abs(it['objective_primal'] - value) <= stated, model, 'says', it['objective_primal'], '+-', stated, 'is', value)
    require(it['objective_dual'] <= value * (1 + 1e-12), model, 'bound', it['objective_dual'], 'above', value)
    require(warned(model[:-4]) == (stated > 1e-9 * it['objective_primal']), model, 'known to', stated, 'warns', warned(model[:-4]))
    warnings += warned(model[:-4])
require(len(models) >= 12 and warnings >= 6, 'models', len(models), 'warnings', warnings)
finish()
