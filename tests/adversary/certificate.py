"""The dual point of a certificate file (docs/formats.md, "Certificate"), checked in extended precision and in 512 bits.

For a dual point nu, a scale s and theta of each pair of blocks it demands that s nu is in the domain of the dual function, that

    B = [ theta I - s M1   -s M2 ;  -s M2'   beta - theta - s M4 ]      for M = sum_i nu_it Phi_ig P and for -M

is positive semidefinite, so that [u;1]' s M [u;1] <= beta for every unit u, and that -L*(-s nu) is what the bound is said to be.
"""
import gmpy2
import h5py
import numpy

from network import Extended, Many


class DualPoint:
    """what the file says: nu n x C, theta pairs x 2 (pair t G + g; of M and -M), order of the blocks of each region"""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.s, self.bound = (float(file.attrs[name]) for name in ('s', 'bound'))
            self.nu, self.order = file['nu'][:], file['order'][:].astype(int)
            self.theta = file['theta'][:]


def log_plus(x):
    """x log x, 0 at 0"""
    return x * gmpy2.log(x) if x > 0 else x * 0


def log_rest(p):
    """(1 - p) log(1 - p), which is next to -p where p is below 2^-512"""
    return (1 - p) * gmpy2.log1p(-p) if p < 1 else p * 0


class Dual:
    """The dual function of a loss in 512 bits. Arrays are n x C."""

    def __init__(self, loss):
        self.name, self.Y, self.own, self.delta = loss.name, Many.array(loss.Y), loss.Y > 0, loss.delta

    def exact(self, nu, number):
        """nu as it is meant: of softmax nu_c is the sum of the other p, and the file has it rounded"""
        nu, own = number.array(nu), self.own
        return numpy.where(own, -numpy.where(own, 0 * nu, nu).sum(1)[:, None], nu) if self.name == 'softmax' else nu

    def inside(self, nu):
        p = nu * self.Y
        if self.name in ('logistic', 'hinge'):
            return bool(((p >= 0) & (p <= 1)).all())
        if self.name == 'softmax':
            return bool((nu[~self.own] <= 0).all() and (nu[self.own] <= 1).all())
        most = {'squared': numpy.inf, 'l1': 1, 'huber': self.delta}[self.name]
        return bool((abs(nu) <= most).all())

    def value(self, nu):
        entropy = numpy.vectorize(lambda p: -log_plus(p), otypes=[object])
        of_rest = numpy.vectorize(lambda p: -log_rest(p), otypes=[object])
        p = nu * self.Y
        if self.name == 'softmax':
            return numpy.where(self.own, of_rest(nu * self.own), entropy(-nu * ~self.own)).sum()
        if self.name == 'logistic':
            return (entropy(p) + of_rest(p)).sum()
        return p.sum() - ((nu * nu).sum() / 2 if self.name in ('squared', 'huber') else 0)


def adjoint(features, activation, nu, number):
    """M of each region: C x d x d, and a bound of the norm of its error"""
    a, b, c = number.array(numpy.asarray(activation, float))
    for x, error, norm in zip(features.x, features.error, features.norm):
        n, L, f = x.shape
        rows = number.array(numpy.ones((n, L, f + 1)))
        rows[:, :, :f] = x
        M = []
        for column in nu.T:
            weighted = (rows * column[:, None, None]).reshape(n * L, f + 1)
            M.append(weighted.T @ rows.reshape(n * L, f + 1) / L)
        M = numpy.array(M)
        M[:, :f, :f] *= a
        M[:, f, :f] *= b / 2
        M[:, :f, f] *= b / 2
        M[:, f, f] *= c
        size = (abs(a) * norm**2 + abs(b) * norm + abs(c)).sum(1) / L
        wrong = ((2 * abs(a) * norm + abs(b) + abs(a) * error) * error).sum(1) / L + (n * L + 24) * number.eps * size
        yield M, 2 * (abs(nu) * wrong[:, None]).sum(0)


def positive(B):
    """whether each of the matrices (count x d x d) is positive semidefinite, by elimination"""
    B = B.copy()
    for k in range(B.shape[1]):
        pivot, below = B[:, k, k].copy(), B[:, k + 1:, k].copy()
        nothing = (pivot == 0) & (below == 0).all(1)
        if not ((pivot > 0) | nothing).all():
            return False
        pivot[nothing] += 1
        B[:, k + 1:, k + 1:] = B[:, k + 1:, k + 1:] - below[:, :, None] * below[:, None, :] / pivot[:, None, None]
    return True


def feasible(objective, beta, point, nu, number):
    """whether every B is positive semidefinite, proved with the errors of `number` on the safe side"""
    features, G = objective.features(number), len(point.order)
    s, beta = number.array(numpy.float64(point.s)), number.array(numpy.float64(beta))
    theta = number.array(point.theta.reshape(-1, G, 2))
    for g, (M, error) in enumerate(adjoint(features, objective.activation, nu, number)):
        d, part = point.order[g], M.shape[-1]
        whole = number.array(numpy.zeros((len(M), d, d)))
        whole[:, :part - 1, :part - 1], whole[:, -1, -1] = M[:, :-1, :-1], M[:, -1, -1]
        whole[:, -1, :part - 1], whole[:, :part - 1, -1] = M[:, -1, :-1], M[:, :-1, -1]
        J = numpy.diag([1] * (d - 1) + [-1])
        along = sum(J[k, k] * whole[:, k, k] for k in range(d)) / d
        whole = whole - along[:, None, None] * J
        for column, sign in enumerate((1, -1)):
            t = theta[:, g, column]
            B = -sign * s * whole
            for k in range(d):
                B[:, k, k] = B[:, k, k] + (t if k < d - 1 else beta - t)
            trace = sum(abs(B[:, k, k]) for k in range(d)) + d * abs(t) + abs(beta)
            slack = 2 * s * error + 8 * (d + 4) * number.eps * trace
            for k in range(d):
                B[:, k, k] = B[:, k, k] - slack
            if not positive(B):
                return False
    return True


def faults(objective, beta, point, bound):
    """what is wrong with the dual point, as (class, evidence)"""
    dual = Dual(objective.loss)
    nu = dual.exact(point.nu, Many)
    scaled = nu * Many.array(numpy.float64(point.s))
    if not dual.inside(scaled):
        yield 'false certificate', 's nu is outside of the domain of the dual function'
        return
    value = dual.value(scaled)
    if not value >= point.bound:
        yield 'false certificate', f'dual value {value:.25g}, bound {point.bound!r}'
    if not value >= bound:
        yield 'certificate of less', f'dual value {value:.25g}, bound that is said {bound!r}'
    with numpy.errstate(all='ignore'):
        if not any(feasible(objective, beta, point, dual.exact(point.nu, number), number) for number in (Extended, Many)):
            yield 'false certificate', f's nu is not feasible: a theta does not prove R*(s nu) <= beta = {beta!r}'
