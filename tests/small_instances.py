"""Small instances of the convex program: psdnet's bounds enclose the optimum at every iteration.

small_instances.py PSDNET LAUNCH DIRECTORY. Each instance is a data set of random pixels, posed from the pixels alone (small_program.py)
and solved in extended precision (small_central_path.py). The solution is made exactly feasible, primal and dual, so that [low, high]
holds the optimum, whatever solved it. psdnet then runs on 1, 2, 3 or 4 ranks in turn, with ADMM and -check_every 1, and with the low-rank
solver where the loss is smooth.
"""
import csv
import json
import os
import subprocess
import sys

import h5py
import numpy

from judge import finish, require
from small_central_path import central_path
from small_program import HUBER_DELTA, Loss, Options, dual_value, lift, polar, primal_value, targets

# name, images (n, channels, height, width), pixels, classes, options of the patches, beta / beta_max
INSTANCES = [
    ('one number a patch', (12, 1, 3, 3), 'random', 2, '-patch 1', 0.1),
    ('one number a patch, four regions', (20, 1, 4, 4), 'random', 3, '-patch 1 -stride 1 -pool 2', 1e-3),
    ('one patch an image', (15, 1, 2, 2), 'random', 2, '-patch 2', 0.01),
    ('row patches', (30, 1, 4, 4), 'random', 2, '-patch 1x2 -stride 1 -pool 2', 0.03),
    ('column patches, stride 2', (40, 1, 6, 5), 'random', 3, '-patch 3x1 -stride 2', 0.05),
    ('three channels', (30, 3, 3, 3), 'random', 2, '-patch 1 -stride 1 -pool 1', 1e-4),
    ('constant channel', (30, 2, 4, 4), 'constant channel', 2, '-patch 1x2 -stride 1 -pool 2', 0.01),
    ('constant channel, small beta', (24, 2, 4, 4), 'constant channel', 2, '-patch 1x2 -stride 1', 1e-6),
    ('nearly equal images', (40, 1, 5, 5), 'nearly equal', 2, '-patch 2 -stride 1', 0.01),
    ('nearly equal images, small beta', (40, 1, 5, 5), 'nearly equal', 2, '-patch 2 -stride 1', 1e-6),
    ('small beta', (60, 1, 6, 6), 'random', 2, '-patch 2 -stride 2', 1e-6),
    ('small beta, three classes', (30, 1, 5, 5), 'random', 3, '-patch 2 -stride 1 -pool 2', 1e-6),
    ('identical images', (20, 1, 4, 4), 'identical', 3, '-patch 2 -stride 2', 1e-3),
    ('grey images', (21, 1, 4, 4), 'grey', 2, '-patch 2 -stride 2', 1e-3),
    ('more unknowns than images', (10, 1, 6, 6), 'random', 2, '-patch 2x3 -stride 1 -pool 2', 1e-3),
    ('beta near its maximum', (40, 1, 5, 5), 'random', 2, '-patch 2 -stride 1', 0.97),
    ('beta near its maximum, three classes', (40, 1, 5, 5), 'random', 3, '-patch 2 -stride 1', 0.999),
    ('beta above its maximum', (30, 1, 5, 5), 'random', 3, '-patch 2 -stride 1 -pool 2', 1.5),
    ('nine regions', (24, 1, 5, 5), 'random', 2, '-patch 2x1 -stride 1 -pool 3', 0.01),
    ('normalised and whitened', (40, 1, 5, 5), 'random', 3, '-patch 2 -patch_normalize 10 -whiten 0.1', 0.01),
    ('principal components', (40, 2, 5, 5), 'random', 2, '-patch 2 -pca 3', 0.01),
    ('no linear term', (40, 1, 5, 5), 'random', 2, '-patch 2 -activation 1,0,0.1', 0.01),
    ('linear', (40, 1, 5, 5), 'random', 2, '-patch 2 -activation 0,1,0', 0.01),
    ('two kinds of patches', (30, 1, 5, 5), 'random', 2, '-patch 2 -branches 2 -branch2_patch 1x3 -activation 1,0,0.5', 0.01),
    ('two kinds of patches, six regions', (24, 1, 4, 4), 'random', 3,
     '-patch 1x2 -pool 2 -branches 2 -branch2_patch 1 -branch2_reduce 2 -branch2_pool 2', 1e-3),
    ('three kinds of patches, whitened', (30, 1, 5, 5), 'random', 2,
     '-patch 2 -patch_normalize 10 -whiten 0.1 -branches 3 -branch2_patch 1 -branch3_patch 2x1 -branch3_pca 1', 0.02),
]
# the same with every other loss
LOSSES = [
    (name, shape, kind, classes, options, beta, loss)
    for name, shape, kind, classes, options, beta in [
        ('two classes', (24, 1, 5, 5), 'random', 2, '-patch 2 -stride 1', 0.1),
        ('two classes, four regions', (20, 1, 4, 4), 'random', 2, '-patch 1x2 -stride 1 -pool 2', 1e-2),
        ('three classes', (20, 1, 4, 4), 'random', 3, '-patch 2 -stride 2', 0.02),
        ('three classes, whitened', (24, 1, 4, 4), 'random', 3, '-patch 1x2 -stride 1 -patch_normalize 10 -whiten 0.1', 0.3),
        ('identical images', (14, 1, 3, 3), 'identical', 3, '-patch 2', 0.01),
        ('beta near its maximum', (20, 1, 4, 4), 'random', 3, '-patch 2', 0.97),
        ('beta above its maximum', (20, 1, 4, 4), 'random', 3, '-patch 2', 1.5),
        ('two kinds of patches', (20, 1, 4, 4), 'random', 2, '-patch 2 -branches 2 -branch2_patch 1x2 -activation 1,0,0.5', 0.01),
    ] for loss in ('logistic', 'softmax', 'hinge', 'huber', 'l1')
]
GAP, TOLERANCE, MOST = 1e-9, 1e-6, 3000
SPLIT_GAP, SPLIT_MOST = 5e-7, 20000  # of the other losses with ADMM: first order in v as well
MIXED = 'admm in mixed precision'
SMOOTH = 'squared', 'logistic', 'softmax', 'huber'
NEWTON_MOST = {True: 1500, False: 100}  # where the low-rank solver converges, and where it does not
LEAST_BETA = 1e-5  # of beta_max: what the low-rank solver is asked to converge for
WIDTH = GAP / 10  # of [low, high], relative: a reference is better than what it judges


def make_images(shape, kind, classes, seed):
    random = numpy.random.default_rng(seed)
    images = random.integers(0, 256, shape)
    labels = numpy.arange(shape[0]) % classes
    if kind == 'nearly equal':
        images = (images[:1] + random.integers(-1, 2, shape)).clip(0, 255)
    if kind == 'identical':
        images[:] = images[:1]
    if kind == 'grey':  # x = 0
        images[:] = 128
    if kind == 'constant channel':
        images[:, 0] = 77
    # something to learn: brighter images in one class, more contrast to the left in another
    if kind == 'random':
        images = images - 40 * (labels == 0)[:, None, None, None]
        images[labels == 1, :, :, :1] += 60
    return images.clip(0, 255).astype(numpy.uint8), labels


def write_data(directory, images, labels):
    os.makedirs(directory)
    with h5py.File(directory + '/train.h5', 'w') as file:
        file['images'] = images
        file['labels'] = labels.astype(numpy.int32)


def enclose(A, Y, beta, beta_max, loss):
    """[low, high] that holds the optimum, and what rounding of A'A can do to an objective"""
    nothing = loss.value(0 * Y, Y)
    if beta >= beta_max:
        return nothing, nothing, 0
    Z, nu = central_path(A, Y, beta, loss, WIDTH / 4)
    size = sum((part**2).sum() for part in A) * sum(((kind[0] - kind[1])**2).sum() for kind in Z)
    rounding = numpy.finfo(float).eps * ((Y**2).sum() + size)
    return dual_value(A, Y, beta, nu, loss), min(nothing, primal_value(A, Y, beta, Z, loss)), rounding


def settings(solver, loss, converges):
    if solver == 'lowrank':
        return ['-gap', repr(GAP), '-max_it', str(NEWTON_MOST[converges])]
    gap, most = (GAP, MOST) if loss == 'squared' else (SPLIT_GAP, SPLIT_MOST)
    return ['-gap', repr(gap), '-max_it', str(most), '-check_every', '1' if loss == 'squared' else '5']


def run_psdnet(psdnet, launch, ranks, directory, solver, loss, options, beta_rel, converges):
    solver, precision = (solver, []) if solver != MIXED else ('admm', ['-precision', 'mixed'])
    command = [launch, str(ranks), psdnet, 'train', '-solver', solver] + precision + ['-data', directory, '-model', directory + '/m.h5', '-beta_rel',
               repr(beta_rel), '-history', directory + '/h.csv', '-report', directory + '/r.json', '-progress', 'none',
               '-loss', loss] + settings(solver, loss, converges) + options.split()
    if loss == 'huber':
        command += ['-huber_delta', repr(HUBER_DELTA)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        return ' '.join(command) + '\n' + done.stdout + done.stderr, None, None
    with open(directory + '/h.csv') as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    with open(directory + '/r.json') as file:
        return ' '.join(command), rows, json.load(file)


def check(name, low, high, rounding, beta_max, rows, result, converges):
    width = high - low + rounding
    require(abs(result['beta_max'] / beta_max - 1) < 1e-9, name, 'beta_max', result['beta_max'], beta_max)
    for k, row in enumerate(rows):
        bad_bound = row['bound'] > high * (1 + 1e-9) + width
        bad_objective = row['objective'] < low * (1 - 1e-9) - width
        require(not bad_bound, name, 'row', k + 1, 'bound', row['bound'], 'optimum', low, high)
        require(not bad_objective, name, 'row', k + 1, 'objective', row['objective'], 'optimum', low, high)
        if bad_bound or bad_objective:
            break
    primal, dual = result['objective_primal'], result['objective_dual']
    require(dual <= high * (1 + 1e-13), name, 'certified bound', dual, 'optimum', low, high)
    require(primal >= low * (1 - 1e-13), name, 'certified primal', primal, 'optimum', low, high)
    require(primal - high <= TOLERANCE * high or not converges, name, 'primal', primal, 'optimum', low, high)
    require(result['gap'] <= TOLERANCE or not converges, name, 'gap', result['gap'])


def main():
    psdnet, launch, scratch = sys.argv[1:]
    instances = [instance + ('squared',) for instance in INSTANCES] + LOSSES
    for k, (name, shape, kind, classes, text, beta_rel, loss_name) in enumerate(instances):
        name = f'{loss_name}, {name}'
        images, labels = make_images(shape, kind, classes, seed=k)
        directory, options, ranks = f'{scratch}/{k}', Options(text), k % 4 + 1
        write_data(directory, images, labels)
        A, Y = lift(images, options), targets(labels, classes)
        loss = Loss(loss_name, Y.shape[1])
        beta_max = polar(A, loss.dual_point(0 * Y, Y))
        low, high, rounding = enclose(A, Y, beta_rel * beta_max, beta_max, loss)
        require(0 <= high - low <= WIDTH * high, 'an error of the test:', name, 'has its optimum in', low, high,
                'expected a narrower interval')
        for solver in ('admm',) + ('lowrank',) * (loss_name in SMOOTH) + (MIXED,) * (loss_name == 'squared' and k % 2):
            # factors are worse conditioned than blocks: where A'A is too, and nothing else counts, only ADMM converges
            converges = solver != 'lowrank' or (beta_rel >= LEAST_BETA and kind != 'nearly equal')
            command, rows, result = run_psdnet(psdnet, launch, ranks, directory, solver, loss_name, text, beta_rel, converges)
            if not require(result is not None, name, command):
                continue
            # what is followed in single precision is what it is worth; what is proved in the end is not allowed that
            followed = rounding * (2**29 if solver == MIXED else 1)
            check(f'{name}, {solver}', low, high, followed, beta_max, rows, result, converges)
            print(f'{name}: optimum {low:.13g} +{(high - low) / high:.1e}; {ranks} ranks, {solver}, '
                  f'{result["iterations"]} iterations, gap {result["gap"]:.2e}, {result["neurons"]} neurons', flush=True)
    finish()


if __name__ == '__main__':
    main()
