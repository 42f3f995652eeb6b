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
    ] for loss in ('logistic', 'softmax', 'hinge', 'huber', 'l1')
]
GAP, TOLERANCE, MOST = 1e-9, 1e-6, 3000
SPLIT_GAP, SPLIT_MOST = 5e-7, 20000  # of the other losses: first order in v as well
HUBER_DELTA = 0.7


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


class Loss:
    """A loss by its definition: value and slope at scores, and the dual function at nu. Arrays are n x C."""

    def __init__(self, name, C):
        self.name = 'logistic' if name == 'softmax' and C == 1 else name

    def value(self, fit, Y):
        r = abs(fit - Y)
        if self.name == 'softmax':
            return (numpy.logaddexp.reduce(fit, 1) - fit[Y > 0]).sum()
        return {'squared': lambda: r**2 / 2, 'l1': lambda: r, 'hinge': lambda: numpy.maximum(0, 1 - Y * fit),
                'huber': lambda: numpy.where(r <= HUBER_DELTA, r**2 / 2, HUBER_DELTA * (r - HUBER_DELTA / 2)),
                'logistic': lambda: numpy.logaddexp(0, -Y * fit)}[self.name]().sum()

    def dual_point(self, fit, Y):
        """-L'"""
        if self.name == 'softmax':
            return (Y > 0) - numpy.exp(fit - numpy.logaddexp.reduce(fit, 1)[:, None])
        return {'squared': lambda: Y - fit, 'l1': lambda: numpy.sign(Y - fit), 'hinge': lambda: Y * (Y * fit < 1),
                'huber': lambda: (Y - fit).clip(-HUBER_DELTA, HUBER_DELTA),
                'logistic': lambda: Y * numpy.exp(-numpy.logaddexp(0, Y * fit))}[self.name]()

    def pull(self, nu, Y):
        """a point of the dual function's domain next to nu"""
        if self.name == 'softmax':
            p = numpy.where(Y > 0, 0, (-nu).clip(0))
            p /= numpy.maximum(1, p.sum(1))[:, None]
            return numpy.where(Y > 0, p.sum(1)[:, None], -p)
        if self.name in ('logistic', 'hinge'):
            return Y * (Y * nu).clip(0, 1)
        most = {'squared': numpy.inf, 'l1': 1, 'huber': HUBER_DELTA}[self.name]
        return nu.clip(-most, most)

    def dual(self, nu, Y):
        """-L*(-nu) of a point of the domain"""
        entropy = lambda p: -(p * numpy.log(numpy.where(p > 0, p, 1))).sum()
        if self.name == 'softmax':
            return entropy(numpy.where(Y > 0, (1 - nu).clip(0), -nu))
        if self.name == 'logistic':
            return entropy(Y * nu) + entropy(1 - Y * nu)
        return (nu * Y).sum() - ((nu**2).sum() / 2 if self.name in ('squared', 'huber') else 0)

    def curvature(self, fit, Y):
        """second derivatives, for the losses that have them: n x C x C"""
        if self.name == 'logistic':
            p = numpy.exp(-numpy.logaddexp(0, fit))
            return (p * (1 - p))[:, :, None] * numpy.eye(fit.shape[1])
        p = numpy.exp(fit - numpy.logaddexp.reduce(fit, 1)[:, None])
        return p[:, :, None] * numpy.eye(fit.shape[1]) - p[:, :, None] * p[:, None, :]


def cone_form(name, y):
    """A loss of residuals r = yhat - y that cones know: quadratic part, cost of r and of further unknowns, and G x <= h of
    them all."""
    N, I = len(y), numpy.eye(len(y))
    O, zero, one = 0 * I, numpy.zeros(N), numpy.ones(N)
    if name == 'squared':
        return I, zero, numpy.zeros((0, N)), numpy.zeros(0)
    if name == 'hinge':  # xi >= 0, xi >= 1 - y (r + y) = -y r
        return numpy.zeros((2 * N, 2 * N)), numpy.r_[zero, one], numpy.block([[O, -I], [-numpy.diag(y), -I]]), numpy.zeros(2 * N)
    if name == 'l1':  # t >= |r|
        return numpy.zeros((2 * N, 2 * N)), numpy.r_[zero, one], numpy.block([[I, -I], [-I, -I]]), numpy.zeros(2 * N)
    # huber: (r - q)^2 / 2 + delta t, t >= |q|
    quadratic = numpy.block([[I, -I, O], [-I, I, O], [O, O, O]])
    return quadratic, numpy.r_[zero, zero, HUBER_DELTA * one], numpy.block([[O, I, -I], [O, -I, -I]]), numpy.zeros(2 * N)


def smooth_form(loss, Y, cost, first):
    """logistic and softmax as cvxopt.solvers.cp wants them: the objective with its derivatives; r from `first` on, by columns"""
    n, C = Y.shape

    def objective(x=None, z=None):
        if x is None:
            return 0, cvxopt.matrix(0.0, (len(cost), 1))
        x = numpy.array(x).ravel()
        fit = x[first:].reshape(C, n).T + Y
        slope = cost.copy()
        slope[first:] -= loss.dual_point(fit, Y).T.ravel()
        value, slope = cvxopt.matrix(loss.value(fit, Y) + cost @ x, (1, 1)), matrix(slope[None, :])
        if z is None:
            return value, slope
        second = numpy.zeros((len(cost), len(cost)))
        for i, block in enumerate(loss.curvature(fit, Y)):
            places = first + n * numpy.arange(C) + i
            second[numpy.ix_(places, places)] = block
        return value, slope, cvxopt.sparse(matrix(z[0] * second))

    return objective


def interior_point(A, Y, beta, loss):
    """CVXOPT on: min L(Y + r) + beta sum (Z4 + Z'4), A(Z - Z') - r = Y, <J,Z> = 0, Z and Z' PSD. Returns Z, Z', nu."""
    n, G, order, _ = A.shape
    C = Y.shape[1]
    T = triangle(order)
    m, blocks = T.shape[1], 2 * C * G
    first = blocks * m
    smooth = loss.name in ('logistic', 'softmax')
    if smooth:
        quadratic, cost_r, G_r, h_r = numpy.zeros((n * C, n * C)), numpy.zeros(n * C), numpy.zeros((0, n * C)), numpy.zeros(0)
    else:
        quadratic, cost_r, G_r, h_r = cone_form(loss.name, Y.T.ravel())
    unknowns = first + len(cost_r)
    J = numpy.diag([1.0] * (order - 1) + [-1.0]).ravel()
    equalities = numpy.zeros((n * C + blocks, unknowns))
    cone = numpy.zeros((len(h_r) + blocks * order * order, unknowns))
    cost = numpy.zeros(unknowns)
    cone[:len(h_r), first:] = G_r
    for block in range(blocks):
        sign, t, g = 1 - 2 * (block // (C * G)), block // G % C, block % G
        columns = slice(block * m, (block + 1) * m)
        equalities[t * n:(t + 1) * n, columns] = sign * A[:, g].reshape(n, -1) @ T
        equalities[n * C + block, columns] = J @ T
        rows = len(h_r) + block * order * order
        cone[rows:rows + order * order, columns] = -T
        cost[(block + 1) * m - 1] = beta
    equalities[:n * C, first:first + n * C] = -numpy.eye(n * C)
    cost[first:] = cost_r
    h = numpy.zeros(len(cone))
    h[:len(h_r)] = h_r
    cvxopt.solvers.options.update(show_progress=False, abstol=1e-11, reltol=1e-11, feastol=1e-10, maxiters=60, refinement=2)
    dims = {'l': len(h_r), 'q': [], 's': [order] * blocks}
    constraints = cvxopt.sparse(matrix(cone)), matrix(h), dims, matrix(equalities), matrix(numpy.r_[Y.T.ravel(), numpy.zeros(blocks)])
    if smooth:
        found = cvxopt.solvers.cp(smooth_form(loss, Y, cost, first), *constraints)
    else:
        whole = numpy.zeros((unknowns, unknowns))
        whole[first:, first:] = quadratic
        found = cvxopt.solvers.coneqp(matrix(whole), matrix(cost), *constraints)
    x = numpy.array(found['x']).ravel()
    Z = (T @ x[:first].reshape(blocks, m).T).T.reshape(2, C, G, order, order)
    return found, Z, -numpy.array(found['y']).ravel()[:n * C].reshape(C, n).T


def primal_value(A, Y, beta, Z, loss):
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
    return loss.value(fit, Y) + beta * Z[:, :, :, f, f].sum()


def dual_value(A, Y, beta, nu, loss):
    """of nu, pulled into the domain and scaled to R*(A'nu) <= beta"""
    nu = loss.pull(nu, Y)
    scale = min(1, beta / max(polar(A, nu), 1e-300) * (1 - 1e-14))
    return loss.dual(scale * nu, Y)


def enclose(A, Y, beta, beta_max, loss):
    """[low, high] that holds the optimum, CVXOPT's word on it, and what rounding of A'A can do to an objective"""
    nothing = loss.value(0 * Y, Y)
    if beta >= beta_max:
        return nothing, nothing, 'optimal', 0
    found, Z, nu = interior_point(A, Y, beta, loss)
    slope = loss.dual_point(numpy.einsum('igjk,tgjk->it', A, Z[0] - Z[1]), Y)
    low = max(dual_value(A, Y, beta, candidate, loss) for candidate in (nu, -nu, slope))
    rounding = numpy.finfo(float).eps * ((Y**2).sum() + (A**2).sum() * ((Z[0] - Z[1])**2).sum())
    return low, min(nothing, primal_value(A, Y, beta, Z, loss)), found['status'], rounding


# ---------------------------------------------------------------- psdnet on the same

def run_psdnet(psdnet, launch, ranks, directory, loss, options, beta_rel):
    gap, most = (GAP, MOST) if loss == 'squared' else (SPLIT_GAP, SPLIT_MOST)
    command = [launch, str(ranks), psdnet, 'train', '-data', directory, '-model', directory + '/m.h5', '-beta_rel',
               repr(beta_rel), '-gap', repr(gap), '-max_it', str(most), '-check_every', '1' if loss == 'squared' else '5',
               '-history', directory + '/h.csv', '-report', directory + '/r.json', '-progress', 'none',
               '-loss', loss] + options.split()
    if loss == 'huber':
        command += ['-huber_delta', repr(HUBER_DELTA)]
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
    instances = [instance + ('squared',) for instance in INSTANCES] + LOSSES
    for k, (name, shape, kind, classes, text, beta_rel, loss_name) in enumerate(instances):
        name = f'{loss_name}, {name}'
        images, labels = make_images(shape, kind, classes, seed=k)
        directory, options, ranks = f'{scratch}/{k}', Options(text), k % 4 + 1
        write_data(directory, images, labels)
        A, Y = lift(images, options), targets(labels, classes)
        loss = Loss(loss_name, Y.shape[1])
        beta_max = polar(A, loss.dual_point(0 * Y, Y))
        low, high, status, rounding = enclose(A, Y, beta_rel * beta_max, beta_max, loss)
        report.require(high - low <= 1e-8 * high, name, 'the optimum is only known to lie in', low, high, status)
        command, rows, result = run_psdnet(psdnet, launch, ranks, directory, loss_name, text, beta_rel)
        if result is None:
            report.require(False, name, command)
            continue
        check(report, name, low, high, rounding, beta_max, rows, result)
        print(f'{name}: optimum {low:.13g} +{(high - low) / high:.1e} ({status}); {ranks} ranks, '
              f'{result["iterations"]} iterations, gap {result["gap"]:.2e}, {result["neurons"]} neurons', flush=True)
    sys.exit(report.failures > 0)


main()
