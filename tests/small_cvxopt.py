"""CVXOPT's interior-point method for the program of small_program.py, of losses that are of residuals: nothing of psdnet's.

    min sum w v^2/2 + delta sum w t + beta sum of last entries of Z and Z',  |A(Z - Z') - y - v| <= t,  <J,Z> = <J,Z'> = 0,

one output at a time: Huber's loss, the squared one where t = 0, and the absolute one where v = 0.
"""
import cvxopt
import cvxopt.solvers
import numpy

cvxopt.solvers.options.update(show_progress=False, abstol=1e-9, reltol=1e-9, feastol=1e-9, maxiters=200)


def sparse(matrix):
    return cvxopt.sparse(cvxopt.matrix(numpy.asarray(matrix, float)))


def basis(d):
    """symmetric matrices with one or two ones, which Z is made of"""
    pairs = [(i, j) for i in range(d) for j in range(i + 1)]
    units = numpy.zeros((len(pairs), d, d))
    for k, (i, j) in enumerate(pairs):
        units[k, i, j] = units[k, j, i] = 1
    return units


def optimum(A, y, beta, loss, delta, weights=None):
    """of one output; A: n x G x d x d; weights w of the samples, n"""
    w = numpy.ones(len(y)) if weights is None else weights
    n, G, d = A.shape[0], A.shape[1], A.shape[-1]
    units = basis(d)
    m, J = len(units), numpy.diag([1.0] * (d - 1) + [-1.0])
    features = numpy.einsum('igjk,mjk->igm', A, units).reshape(n, G * m)
    blocks = 2 * G
    smooth, kinked = loss != 'l1', loss != 'squared'
    columns = blocks * m + n * smooth + n * kinked
    miss = numpy.hstack([features, -features] + [-numpy.eye(n)] * smooth)  # A S - v
    slack = numpy.hstack([numpy.zeros((n, miss.shape[1])), numpy.eye(n)])
    P, q = numpy.zeros((columns, columns)), numpy.zeros(columns)
    q[:blocks * m] = beta * numpy.tile(units[:, -1, -1], blocks)
    if smooth:
        P[blocks * m:blocks * m + n, blocks * m:blocks * m + n] = numpy.diag(w)
    flat = numpy.kron(numpy.eye(blocks), (units * J).sum((1, 2)))
    equal, right = numpy.hstack([flat, numpy.zeros((blocks, columns - blocks * m))]), numpy.zeros(blocks)
    inequal, most = numpy.zeros((0, columns)), numpy.zeros(0)
    if kinked:
        wide = numpy.hstack([miss, numpy.zeros((n, n))])
        inequal, most = numpy.vstack([wide - slack, -wide - slack]), numpy.concatenate([y, -y])
        q[-n:] = delta * w
    else:
        equal, right = numpy.vstack([equal, miss]), numpy.concatenate([right, y])
    cone = numpy.hstack([-numpy.kron(numpy.eye(blocks), units.reshape(m, -1).T), numpy.zeros((blocks * d * d, columns - blocks * m))])
    G_all, h_all = numpy.vstack([inequal, cone]), numpy.concatenate([most, numpy.zeros(len(cone))])
    done = cvxopt.solvers.coneqp(sparse(P), cvxopt.matrix(q), sparse(G_all), cvxopt.matrix(h_all),
                                 {'l': len(most), 'q': [], 's': [d] * blocks}, sparse(equal), cvxopt.matrix(right))
    return done['primal objective'], done['dual objective']
