"""check_linear.sh's judgement: objectives by the formula, and optima by CVXOPT, of the program as docs/mathematics.md has it: blocks in the
semidefinite cone with <J,Z> = 0, and vectors (w, t) in the second-order cone."""
import cvxopt
import cvxopt.solvers
import h5py
import numpy

from judge import attributes, certificate, finish, numbers, report, require
from judge_network import patches, pool, scores_of

BETA = 2
cvxopt.solvers.options.update(show_progress=False, abstol=1e-8, reltol=1e-9, feastol=1e-9)


def features(file, images):
    """of each region: whether it is linear, and n x numbers of Phi, full matrices by rows or vectors"""
    a, b, c = file.attrs['activation']
    groups = [file[f'branch/{k}'] for k in range(file.attrs['branches'])] if file.attrs['branches'] > 1 else [file]
    for group in groups:
        p, linear = patches(images, group), int(group.attrs.get('lift', 0)) == 1
        for rows in pool(p.shape[0], int(group.attrs['pool']), 0):
            for columns in pool(p.shape[1], int(group.attrs['pool']), 0):
                x = p[numpy.ix_(rows, columns)].reshape(-1, len(images), p.shape[-1]).transpose(1, 0, 2)
                x = numpy.concatenate([x, numpy.ones(x.shape[:2] + (1,))], 2)
                if linear:
                    yield linear, x.mean(1) * ([b] * (x.shape[-1] - 1) + [c])
                    continue
                weights = numpy.full((x.shape[-1],) * 2, a)
                weights[-1], weights[:, -1], weights[-1, -1] = b / 2, b / 2, c
                yield linear, (numpy.einsum('nli,nlj->nij', x, x) / x.shape[1] * weights).reshape(len(images), -1)


def optimum(regions, y):
    """of one class: min ||A (z - z') - y||^2/2 + beta (last entries). Variables are the lower triangles of the matrices, and the vectors
    with t first, which is how CVXOPT has its cones."""
    columns, cost, quadratic, semidefinite, equalities = [], [], [], [], []
    for sign in 1, -1:
        for linear, phi in regions:
            if linear:
                d = phi.shape[1]
                quadratic.append((len(columns), d))
                order = [d - 1] + list(range(d - 1))
                columns += [sign * phi[:, k] for k in order]
                cost += [BETA] + [0] * (d - 1)
                continue
            d = int(round(numpy.sqrt(phi.shape[1])))
            matrix = phi.reshape(-1, d, d)
            semidefinite.append((len(columns), d))
            equality = {}
            for j in range(d):
                for i in range(j, d):
                    if i == j:
                        equality[len(columns)] = -1.0 if j == d - 1 else 1.0
                    columns.append(sign * matrix[:, i, j] * (1 if i == j else 2))
                    cost.append(BETA if i == j == d - 1 else 0)
            equalities.append(equality)
    A = numpy.array(columns).T
    N = A.shape[1]
    rows = sum(d for _, d in quadratic) + sum(d * d for _, d in semidefinite)
    G, row = cvxopt.spmatrix([], [], [], (rows, N)), 0
    for first, d in quadratic:
        for k in range(d):
            G[row + k, first + k] = -1.0
        row += d
    for first, d in semidefinite:
        for j in range(d):
            for i in range(j, d):
                G[row + j * d + i, first] = G[row + i * d + j, first] = -1.0
                first += 1
        row += d * d
    E = cvxopt.spmatrix([], [], [], (len(equalities), N))
    for k, equality in enumerate(equalities):
        for column, value in equality.items():
            E[k, column] = value
    equal = (E, cvxopt.matrix(0.0, (len(equalities), 1))) if equalities else ()
    found = cvxopt.solvers.coneqp(cvxopt.matrix(A.T @ A), cvxopt.matrix(numpy.array(cost) - A.T @ y), G, cvxopt.matrix(0.0, (rows, 1)),
                                  {'l': 0, 'q': [d for _, d in quadratic], 's': [d for _, d in semidefinite]}, *equal)
    # what it has reached where rounding stops it before its tolerances
    reached = [found[name] for name in ('relative gap', 'primal infeasibility', 'dual infeasibility')]
    require(reached[0] <= 1e-7 and max(reached) <= 1e-6, 'CVXOPT', found['status'], reached)
    return found['primal objective'] + y @ y / 2


with h5py.File('train.h5') as file:
    images, labels = file['images'][:], file['labels'][:]
Y = 2.0 * (labels[:, None] == numpy.arange(3)) - 1
for name, others in ('joint1', ('joint2', 'joint3', 'joint4', 'scalapack', 'streamed', 'mixed', 'resumed')), ('alone', ('without',)):
    with h5py.File(name + '.h5') as file:
        regions = list(features(file, images))
        fit, weight = scores_of(file, images, name)
    primal, best = report(name)['objective_primal'], sum(optimum(regions, y) for y in Y.T)
    require(abs((((fit - Y)**2).sum() / 2 + BETA * weight) / primal - 1) <= 1e-9, name, 'objective', primal, 'is not that of the formula')
    for run in (name,) + others:
        it = report(run)
        require(it['gap'] <= 1e-7, run, 'gap', it['gap'])
        require(abs(it['objective_primal'] / best - 1) <= 1e-6, run, it['objective_primal'], 'and CVXOPT', best)
        require(it['objective_dual'] <= best * (1 + 1e-8), run, 'bound', it['objective_dual'], 'and CVXOPT', best)
    if name == 'joint1':
        found = numpy.array(numbers('predict.csv'))[:, 1:4]
        require(abs(found - fit).max() <= 1e-9, 'predict differs from the formula')
        require(any(linear for linear, _ in regions) and not all(linear for linear, _ in regions), 'not both kinds of neurons')
folded, folded3 = report('folded'), report('folded3')
require(abs(folded['objective_primal'] / folded3['objective_primal'] - 1) <= 2e-7, 'folded', folded, folded3)
for loss in 'hinge', 'softmax':
    require(report(loss)['gap'] <= 1e-4, loss, report(loss)['gap'])
square, plain, nothing = (certificate(name) for name in ('square', 'plain', 'nothing'))
require(square == plain, 'the square of the activation counts', square, plain)
require(nothing['gap'] <= 1e-7 and abs(nothing['primal'] / (Y**2).sum() * 2 - 1) <= 1e-9, 'without b and c', nothing)
require(certificate('certify')['gap'] <= 1e-7, 'certify', certificate('certify'))
require(attributes('joint1.h5')['version'] == 5, 'version', attributes('joint1.h5')['version'])
finish()
