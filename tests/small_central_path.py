"""An interior-point method in extended precision for the program of small_program.py.

    min over Z, Z' with <J,Z> = <J,Z'> = 0 of  L(A(Z - Z')) + beta (sum of last entries) - mu (log det Z + log det Z'), mu -> 0

by Newton's method in coordinates where Z is the identity: Z = F F', dZ = F D F', so that nothing is lost to Z's small eigenvalues.
Losses with kinks have barriers of their own, whose further unknown t is found in closed form. Where the gradient is zero -L' is a
feasible dual point, and the duality gap is mu times the number of barriers. numpy's long double has no BLAS: one way of
computing, whatever the processor.
"""
import numpy

from small_program import HUBER_DELTA

REAL = numpy.longdouble
STEPS = 1000  # Newton steps, at most


def cholesky(M):
    """lower factors of a stack of matrices"""
    M, factor = M.copy(), numpy.zeros_like(M)
    for k in range(M.shape[-1]):
        column = M[..., k:, k] / numpy.sqrt(M[..., k, k])[..., None]
        factor[..., k:, k] = column
        M[..., k:, k:] -= column[..., :, None] * column[..., None, :]
    return factor


def least_squares_residual(W, b):
    """b - W w of least norm, by Householder's reflections: there is no condition number in it"""
    W, b = W.copy(), b.copy()
    reflections = []
    for k in range(W.shape[1]):
        v = W[k:, k].copy()
        v[0] += numpy.copysign(numpy.sqrt(v @ v), v[0])
        v /= numpy.sqrt(v @ v)
        W[k:, k:] -= 2 * v[:, None] * (v @ W[k:, k:])
        b[k:] -= 2 * v * (v @ b[k:])
        reflections.append(v)
    b[:len(reflections)] = 0
    for k, v in reversed(list(enumerate(reflections))):
        b[k:] -= 2 * v * (v @ b[k:])
    return b


def without(X, J):
    """X less its part along J of unit norm, matrix by matrix"""
    return X - (X * J).sum((-1, -2), keepdims=True) * J


def derivatives(loss, fit, Y, mu):
    """slopes of the loss with its barrier, n x C, and n roots R (C x C) of second derivatives, R R'"""
    slope = -loss.dual_point(fit, Y)
    if loss.name == 'softmax':
        q = numpy.sqrt(slope + (Y > 0))
        return slope, q[:, :, None] * (numpy.eye(fit.shape[1]) - q[:, :, None] * q[:, None, :])
    if loss.name in ('hinge', 'l1'):
        # max(0, x) is the least t - mu log t - mu log(t - x), |x| the least t - mu log(t - x) - mu log(t + x)
        x, mu = (1 - Y * fit, 2 * mu) if loss.name == 'hinge' else (fit - Y, mu)
        root = numpy.hypot(mu, x)
        q, dq = x / (mu + root), mu / (root * (mu + root))
        slope, second = (-Y * (1 + q) / 2, dq / 2) if loss.name == 'hinge' else (q, dq)
    else:
        second = {'squared': lambda: numpy.ones_like(fit), 'huber': lambda: 1.0 * (abs(fit - Y) < HUBER_DELTA),
                  'logistic': lambda: -Y * slope * (1 + Y * slope)}[loss.name]()
    return slope, numpy.sqrt(second)[:, :, None] * numpy.eye(fit.shape[1])


class Blocks:
    """Those of one kind of patches. F: 2 x C x G x d x d, factors of Z and Z'; A has the sign of either in front."""

    def __init__(self, A, C, mu, beta):
        d = A.shape[-1]
        self.A = numpy.stack([A, -A]).astype(REAL).transpose(0, 2, 1, 3, 4)  # 2 x G x n x d x d
        # <J,Z> = 0, and of the size where beta and the barrier balance
        size = min(mu * d / beta, REAL(1) / abs(A).sum((1, 2, 3)).max())
        start = size * numpy.diag([REAL(1) / (d - 1)] * (d - 1) + [REAL(1)])
        self.F = numpy.broadcast_to(numpy.sqrt(start), (2, C, A.shape[1], d, d)).copy()
        self.J = numpy.array([1] * (d - 1) + [-1], REAL)

    def Z(self):
        return self.F @ self.F.swapaxes(-1, -2)

    def scores(self, X):
        return numpy.einsum('sgijk,stgjk->it', self.A, X)

    def in_coordinates(self, slope, beta, mu):
        """A (2 x C x G x n x d x d) and the objective's gradient where Z is the identity, without their parts along J, and J"""
        F, Ft = self.F, self.F.swapaxes(-1, -2)
        J = Ft @ (self.J[:, None] * F)
        J /= numpy.sqrt((J**2).sum((-1, -2), keepdims=True))
        A = Ft[:, :, :, None] @ self.A[:, None] @ F[:, :, :, None]
        gradient = numpy.einsum('it,stgijk->stgjk', slope, A) - mu * numpy.eye(F.shape[-1])
        gradient += beta * F[..., -1, :, None] * F[..., -1, None, :]
        return without(A, J[:, :, :, None]), without(gradient, J), J


class Path:
    """Newton's method for the blocks of all kinds of patches together."""

    def __init__(self, A, Y, beta, loss):
        self.Y, self.beta, self.loss = Y.astype(REAL), REAL(beta), loss
        n, C = Y.shape
        self.barriers = sum(2 * C * part.shape[1] * part.shape[2] for part in A) + 2 * n * C * (loss.name in ('hinge', 'l1'))
        self.mu = REAL(loss.value(0 * Y, Y)) / self.barriers
        self.kinds = [Blocks(part, C, self.mu, self.beta) for part in A]
        self.steps = 0

    def Z(self):
        return [kind.Z() for kind in self.kinds]

    def fit(self):
        return sum(kind.scores(kind.Z()) for kind in self.kinds)

    def direction(self, A, gradient, root):
        """D with mu D + A'R R'A D = -gradient, and the change R R'A D of the slope; A, gradient and D are lists, kind by kind

        -mu D is what least squares leave of the gradient, -sqrt(mu) R'A D what they leave of the zeros below it.
        """
        C, n = root.shape[1], len(root)
        by_class = numpy.concatenate([part.swapaxes(0, 1).reshape(C, -1) for part in gradient], 1)
        A = numpy.concatenate([part.transpose(1, 3, 0, 2, 4, 5).reshape(C, n, -1) for part in A], 2)
        D, change = numpy.empty_like(by_class), numpy.empty((n, C), REAL)
        for group in [list(range(C))] if self.loss.name == 'softmax' else [[t] for t in range(C)]:
            R, size, zeros = root[:, group][:, :, group], by_class[group].size, n * len(group)
            W = numpy.einsum('itr,tij->tjir', R, A[group]).reshape(size, zeros)
            rest = least_squares_residual(numpy.concatenate([W, numpy.sqrt(self.mu) * numpy.eye(zeros)]),
                                          numpy.concatenate([by_class[group].ravel(), numpy.zeros(zeros, REAL)]))
            D[group] = -rest[:size].reshape(len(group), -1) / self.mu
            change[:, group] = numpy.einsum('itr,ir->it', R, rest[size:].reshape(n, -1)) / numpy.sqrt(self.mu)
        ends = numpy.cumsum([part[:, 0].size for part in gradient])
        D = [part.reshape(C, 2, *like.shape[2:]).swapaxes(0, 1) for part, like in zip(numpy.split(D, ends[:-1], 1), gradient)]
        return [(part + part.swapaxes(-1, -2)) / 2 for part in D], change

    def newton(self):
        """One step, searched for along the line as long as the decrement is not small. Returns the decrement.

        nu is -L' as the step foresees it: rounding of the scores, large in -L' where the loss has a kink, does not matter then.
        """
        slope, root = derivatives(self.loss, self.fit(), self.Y, self.mu)
        A, gradient, J = zip(*(kind.in_coordinates(slope, self.beta, self.mu) for kind in self.kinds))
        D, change = self.direction(A, gradient, root)
        D, self.nu = [without(part, along) for part, along in zip(D, J)], -(slope + change)
        decrement = numpy.sqrt(max(REAL(0), -sum((part * step).sum() for part, step in zip(gradient, D)) / self.mu))
        length = self.line_search(D) if decrement > 0.25 else REAL(1)
        for kind, step in zip(self.kinds, D):
            kind.F = kind.F @ cholesky(numpy.eye(kind.F.shape[-1]) + length * step)
        self.steps += 1
        return decrement

    def line_search(self, D):
        """how far the objective decreases along D; double precision will do"""
        direction = [kind.F @ step @ kind.F.swapaxes(-1, -2) for kind, step in zip(self.kinds, D)]
        fit, change = self.fit(), sum(kind.scores(step) for kind, step in zip(self.kinds, direction))
        linear = self.beta * sum(step[..., -1, -1].sum() for step in direction)
        values = numpy.concatenate([numpy.linalg.eigvalsh(step.astype(float)).ravel() for step in D])
        low, high = 0.0, min(0.99 / max(1e-9, -values.min()), 1e3)
        for _ in range(12):
            length = (low + high) / 2
            slope = derivatives(self.loss, fit + length * change, self.Y, self.mu)[0]
            if (slope * change).sum() + linear < self.mu * (values / (1 + length * values)).sum():
                low = length
            else:
                high = length
        return REAL(low or high)

    def value(self):
        return self.loss.value(self.fit(), self.Y) + self.beta * sum(Z[..., -1, -1].sum() for Z in self.Z())

    def centre(self, decrement):
        while self.newton() > decrement and self.steps < STEPS:
            pass

    def follow(self, gap):
        """to where the duality gap is less than `gap` of the objective"""
        self.centre(0.3)
        while self.mu * self.barriers > gap * self.value() and self.steps < STEPS:
            self.mu /= 10
            self.centre(0.3)
        self.centre(1e-5)


def central_path(A, Y, beta, loss, gap):
    """Z and Z', nu, whose relative duality gap is less than `gap`"""
    path = Path(A, Y, beta, loss)
    path.follow(gap)
    return [Z.astype(float) for Z in path.Z()], path.nu.astype(float)
