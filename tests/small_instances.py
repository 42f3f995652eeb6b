"""Small instances of the convex program: psdnet's bounds enclose an interior-point solver's optimum at every iteration.

small_instances.py PSDNET LAUNCH DIRECTORY. Each instance is a data set of random pixels, posed here from the pixels alone
and solved by CVXOPT. Its solution is made exactly feasible, primal and dual, so that [low, high] holds the optimum whatever
CVXOPT's tolerances did. psdnet then runs with -check_every 1 on 1, 2, 3 or 4 ranks in turn.
"""
import csv
import json
import os
import subprocess
import sys

import cvxopt
import h5py
import numpy

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
]
GAP, TOLERANCE, MOST = 1e-9, 1e-6, 3000


class Report:
    """Failures are counted, and printed with the instance they belong to."""

    def __init__(self):
        self.failures = 0

    def require(self, holds, *what):
        if not holds:
            self.failures += 1
            print('FAILED', *what, flush=True)


# ---------------------------------------------------------------- the data

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


# ---------------------------------------------------------------- the program, from the pixels

class Options:
    def __init__(self, text):
        words = text.split()
        given = dict(zip(words[::2], words[1::2]))
        size = [int(word) for word in given['-patch'].split('x')]
        self.height, self.width = size[0], size[-1]
        self.stride, self.pool = int(given.get('-stride', 1)), int(given.get('-pool', 1))
        self.normalize, self.whiten = float(given.get('-patch_normalize', 0)), float(given.get('-whiten', 0))
        self.pca = int(given.get('-pca', 0))
        self.activation = [float(word) for word in given.get('-activation', '0.09,0.5,0.47').split(',')]


def cut_patches(image, options):
    """rows x columns x q patches of one image"""
    image = (image.astype(float) - 128) / 255
    rows = range(0, image.shape[1] - options.height + 1, options.stride)
    columns = range(0, image.shape[2] - options.width + 1, options.stride)
    patches = numpy.array([[image[:, y:y + options.height, x:x + options.width].ravel() for x in columns] for y in rows])
    if options.normalize:
        mean, variance = patches.mean(2, keepdims=True), patches.var(2, keepdims=True)
        patches = (patches - mean) / numpy.sqrt(variance + options.normalize / 255**2)
    return patches


def change_coordinates(patches, options):
    """whitening or principal components, from the covariance of all patches"""
    rows = patches.reshape(-1, patches.shape[-1])
    if not options.whiten and not options.pca:
        return patches
    values, vectors = numpy.linalg.eigh(numpy.cov(rows.T, bias=True))
    if options.pca:
        transform = vectors[:, ::-1][:, :options.pca]
    else:
        transform = vectors @ numpy.diag((values + options.whiten * values.mean()) ** -0.5) @ vectors.T
    return (patches - rows.mean(0)) @ transform


def lift(images, options):
    """A: n x G x (f+1) x (f+1), the features Phi_ig"""
    patches = change_coordinates(numpy.array([cut_patches(image, options) for image in images]), options)
    a, b, c = options.activation
    f = patches.shape[-1]
    weight = numpy.full((f + 1, f + 1), a)
    weight[f, :] = weight[:, f] = b / 2
    weight[f, f] = c
    features = []
    for row in numpy.array_split(numpy.arange(patches.shape[1]), options.pool):
        for column in numpy.array_split(numpy.arange(patches.shape[2]), options.pool):
            x = patches[:, row][:, :, column].reshape(len(images), -1, f)
            x = numpy.concatenate([x, numpy.ones(x.shape[:2] + (1,))], 2)
            features.append(weight * (x.transpose(0, 2, 1) @ x) / x.shape[1])
    return numpy.array(features).transpose(1, 0, 2, 3)


def targets(labels, classes):
    if classes == 2:
        return (2.0 * labels - 1)[:, None]
    return numpy.where(labels[:, None] == numpy.arange(classes), 1.0, -1.0)


def largest_form(M):
    """max over unit u of [u;1]'M[u;1], from above: 2 min over mu of lambda_max(M + mu J), by golden section"""
    J = numpy.diag([1.0] * (len(M) - 1) + [-1.0])
    top = lambda mu: numpy.linalg.eigvalsh(M + mu * J)[-1]
    radius = numpy.linalg.norm(M) + 1e-300
    low, high, golden = -radius, radius, (5**0.5 - 1) / 2
    for _ in range(100):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if top(left) < top(right):
            high = right
        else:
            low = left
    return 2 * top((low + high) / 2)


def polar(A, nu):
    """R*(A'nu)"""
    blocks = numpy.einsum('igjk,it->gtjk', A, nu).reshape(-1, A.shape[2], A.shape[3])
    return max(max(largest_form(M), largest_form(-M)) for M in blocks)


# ---------------------------------------------------------------- its solution

def triangle(order):
    """columns of the map from the entries of an upper triangle to all of a symmetric matrix, column by column"""
    pairs = [(i, j) for j in range(order) for i in range(j + 1)]
    full = numpy.zeros((order * order, len(pairs)))
    for k, (i, j) in enumerate(pairs):
        full[j * order + i, k] = full[i * order + j, k] = 1
    return full


def matrix(dense):
    return cvxopt.matrix(numpy.ascontiguousarray(dense, dtype=float))


def interior_point(A, Y, beta):
    """CVXOPT on: min 1/2 r'r + beta sum (Z4 + Z'4), A(Z - Z') - r = Y, <J,Z> = 0, Z and Z' PSD. Returns Z, Z', nu."""
    n, G, order, _ = A.shape
    C = Y.shape[1]
    T = triangle(order)
    m, blocks = T.shape[1], 2 * C * G
    unknowns = blocks * m + n * C
    J = numpy.diag([1.0] * (order - 1) + [-1.0]).ravel()
    equalities = numpy.zeros((n * C + blocks, unknowns))
    cone = numpy.zeros((blocks * order * order, unknowns))
    cost = numpy.zeros(unknowns)
    for block in range(blocks):
        sign, t, g = 1 - 2 * (block // (C * G)), block // G % C, block % G
        columns = slice(block * m, (block + 1) * m)
        equalities[t * n:(t + 1) * n, columns] = sign * A[:, g].reshape(n, -1) @ T
        equalities[n * C + block, columns] = J @ T
        cone[block * order * order:(block + 1) * order * order, columns] = -T
        cost[(block + 1) * m - 1] = beta
    equalities[:n * C, blocks * m:] = -numpy.eye(n * C)
    quadratic = numpy.zeros((unknowns, unknowns))
    quadratic[blocks * m:, blocks * m:] = numpy.eye(n * C)
    cvxopt.solvers.options.update(show_progress=False, abstol=1e-11, reltol=1e-11, feastol=1e-10, maxiters=60, refinement=2)
    found = cvxopt.solvers.coneqp(matrix(quadratic), matrix(cost), cvxopt.sparse(matrix(cone)),
                                  matrix(numpy.zeros(len(cone))), {'l': 0, 'q': [], 's': [order] * blocks},
                                  matrix(equalities), matrix(numpy.concatenate([Y.T.ravel(), numpy.zeros(blocks)])))
    x = numpy.array(found['x']).ravel()
    Z = (T @ x[:blocks * m].reshape(blocks, m).T).T.reshape(2, C, G, order, order)
    return found, Z, -numpy.array(found['y']).ravel()[:n * C].reshape(C, n).T


def primal_value(A, Y, beta, Z):
    """objective of the feasible point next to Z: PSD by projection, <J,Z> = 0 by adding to the smaller side"""
    Z = Z.copy()
    f = Z.shape[-1] - 1
    for index in numpy.ndindex(Z.shape[:3]):
        values, vectors = numpy.linalg.eigh(Z[index])
        block = (vectors * values.clip(0)) @ vectors.T
        excess = numpy.trace(block) - 2 * block[f, f]
        if excess > 0:
            block[f, f] += excess
        else:
            block[range(f), range(f)] -= excess / f
        Z[index] = block
    fit = numpy.einsum('igjk,tgjk->it', A, Z[0] - Z[1])
    return ((fit - Y)**2).sum() / 2 + beta * Z[:, :, :, f, f].sum()


def dual_value(A, Y, beta, nu):
    """of nu scaled to R*(A'nu) <= beta"""
    scale = min(1, beta / polar(A, nu) * (1 - 1e-14))
    return scale * (nu * Y).sum() - scale**2 * (nu**2).sum() / 2


def enclose(A, Y, beta, beta_max):
    """[low, high] that holds the optimum, CVXOPT's word on it, and what rounding of A'A can do to an objective"""
    nothing = (Y**2).sum() / 2
    if beta >= beta_max:
        return nothing, nothing, 'optimal', 0
    found, Z, nu = interior_point(A, Y, beta)
    residual = Y - numpy.einsum('igjk,tgjk->it', A, Z[0] - Z[1])
    low = max(dual_value(A, Y, beta, nu), dual_value(A, Y, beta, -nu), dual_value(A, Y, beta, residual))
    rounding = numpy.finfo(float).eps * ((Y**2).sum() + (A**2).sum() * ((Z[0] - Z[1])**2).sum())
    return low, min(nothing, primal_value(A, Y, beta, Z)), found['status'], rounding


# ---------------------------------------------------------------- psdnet on the same

def run_psdnet(psdnet, launch, ranks, directory, classes, options, beta_rel):
    command = [launch, str(ranks), psdnet, 'train', '-data', directory, '-model', directory + '/m.h5', '-beta_rel',
               repr(beta_rel), '-gap', repr(GAP), '-max_it', str(MOST), '-check_every', '1', '-history',
               directory + '/h.csv', '-report', directory + '/r.json', '-progress', 'none'] + options.split()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        return ' '.join(command) + '\n' + done.stdout + done.stderr, None, None
    with open(directory + '/h.csv') as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    with open(directory + '/r.json') as file:
        return ' '.join(command), rows, json.load(file)


def check(report, name, low, high, rounding, beta_max, rows, result):
    width = high - low + rounding
    report.require(abs(result['beta_max'] / beta_max - 1) < 1e-9, name, 'beta_max', result['beta_max'], beta_max)
    for k, row in enumerate(rows):
        bad_bound = row['bound'] > high * (1 + 1e-9) + width
        bad_objective = row['objective'] < low * (1 - 1e-9) - width
        report.require(not bad_bound, name, 'row', k + 1, 'bound', row['bound'], 'optimum', low, high)
        report.require(not bad_objective, name, 'row', k + 1, 'objective', row['objective'], 'optimum', low, high)
        if bad_bound or bad_objective:
            break
    primal, dual = result['objective_primal'], result['objective_dual']
    report.require(dual <= high * (1 + 1e-13), name, 'certified bound', dual, 'optimum', low, high)
    report.require(primal >= low * (1 - 1e-13), name, 'certified primal', primal, 'optimum', low, high)
    report.require(primal - high <= TOLERANCE * high, name, 'primal', primal, 'optimum', low, high)
    report.require(result['gap'] <= TOLERANCE, name, 'gap', result['gap'])


def main():
    psdnet, launch, scratch = sys.argv[1:]
    report = Report()
    for k, (name, shape, kind, classes, text, beta_rel) in enumerate(INSTANCES):
        images, labels = make_images(shape, kind, classes, seed=k)
        directory, options, ranks = f'{scratch}/{k}', Options(text), k % 4 + 1
        write_data(directory, images, labels)
        A, Y = lift(images, options), targets(labels, classes)
        beta_max = polar(A, Y)
        low, high, status, rounding = enclose(A, Y, beta_rel * beta_max, beta_max)
        report.require(high - low <= 1e-8 * high, name, 'the optimum is only known to lie in', low, high, status)
        command, rows, result = run_psdnet(psdnet, launch, ranks, directory, classes, text, beta_rel)
        if result is None:
            report.require(False, name, command)
            continue
        check(report, name, low, high, rounding, beta_max, rows, result)
        print(f'{name}: optimum {low:.13g} +{(high - low) / high:.1e} ({status}); {ranks} ranks, '
              f'{result["iterations"]} iterations, gap {result["gap"]:.2e}, {result["neurons"]} neurons', flush=True)
    sys.exit(report.failures > 0)


main()
