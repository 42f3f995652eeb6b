"""Other networks, in search of one whose objective is below the bound.

A neuron of weight +-||v||^2 and filter v/||v|| contributes +-<Phi, [v; ||v||][v; ||v||]'>, which is smooth but at v = 0, and costs beta
||v||^2: L-BFGS goes over all v at once, in double precision, on features scaled to unit size. Coordinates are the principal axes of the
patches, so that what patches differ by is not lost beside what they share. What is found is judged by Objective.
"""
import numpy
import scipy.optimize

from network import Neurons

SMOOTHINGS = 1e-2, 1e-4


class Landscape:
    """Features of the branches (n x G x d^2 each, scaled by 1/size) and everything else that F(v) and its gradient need."""

    def __init__(self, objective, beta):
        features, loss = objective.features(), objective.loss
        a, b, c = (numpy.longdouble(value) for value in objective.activation)
        self.axes = [principal_axes(x) for x in features.x]
        lifted = [lift(x @ axes, a, b, c) for x, axes in zip(features.x, self.axes)]
        self.size = max(abs(phi).max() for phi in lifted)
        self.usable = bool(numpy.isfinite(self.size) and self.size > 0)
        if not self.usable:
            return
        self.phi = [(phi / self.size).astype(float).reshape(len(phi), -1) for phi in lifted]
        self.f = [x.shape[-1] for x in features.x]
        self.loss, self.beta, self.smoothing = loss, float(beta / self.size), SMOOTHINGS[0]
        self.usable = numpy.isfinite(self.beta)

    def evaluate(self, v, shape):
        """F and its gradient. shape: neurons a sign of each region and score; v: all of them, region by region."""
        fit, blocks, at = numpy.zeros(self.loss.Y.shape), [], 0
        C, signs = fit.shape[1], numpy.array([1.0, -1.0])[:, None, None]
        for phi, f in zip(self.phi, self.f):
            block = v[at:at + C * 2 * shape * f].reshape(C, 2, shape, f)
            length = numpy.sqrt((block * block).sum(-1, keepdims=True)) + 1e-300
            z = numpy.concatenate([block, length], -1)
            S = ((z * signs).reshape(C, -1, f + 1).transpose(0, 2, 1) @ z.reshape(C, -1, f + 1)).reshape(C, -1)
            fit += phi @ S.T
            blocks.append((block, length, z))
            at += block.size
        value, slope = smooth_loss(self.loss, fit, self.smoothing)
        gradient = []
        for (block, length, z), phi, f in zip(blocks, self.phi, self.f):
            W = (slope.T @ phi).reshape(C, 1, f + 1, f + 1)
            Wz = 2 * signs * (z @ W)
            gradient.append((Wz[..., :f] + Wz[..., f:] * block / length + 2 * self.beta * block).ravel())
        return value + self.beta * (v @ v), numpy.concatenate(gradient)

    def start(self, random, neurons, shape, noise):
        """the network's neurons, as many as have room, and small random ones in the place of the others"""
        C, parts = self.loss.Y.shape[1], []
        scale = numpy.sqrt(abs(neurons.weights).max() * float(self.size)) if len(neurons.weights) else 1
        for g, f in enumerate(self.f):
            block = random.normal(size=(C, 2, shape, f)) * noise * scale
            for t in range(C):
                for sign in range(2):
                    mine = numpy.flatnonzero((neurons.regions == g) & (neurons.scores == t) & ((neurons.weights < 0) == sign))
                    mine = mine[numpy.argsort(-abs(neurons.weights[mine]))][:shape]
                    u = neurons.filters[mine, :f] @ self.axes[g]
                    u = u / numpy.maximum(numpy.sqrt((u * u).sum(1, keepdims=True)), 1e-300)
                    block[t, sign, :len(mine)] += numpy.sqrt(abs(neurons.weights[mine]) * float(self.size))[:, None] * u
            parts.append(block.ravel())
        return numpy.concatenate(parts)

    def network(self, v, shape, most):
        """neurons of the v"""
        C, filters, weights, regions, scores, at = self.loss.Y.shape[1], [], [], [], [], 0
        for g, f in enumerate(self.f):
            block = v[at:at + C * 2 * shape * f].reshape(C, 2, shape, f)
            at += block.size
            for t, sign, k in numpy.ndindex(*block.shape[:3]):
                u = block[t, sign, k]
                length = numpy.sqrt(u @ u)
                if length > 0:
                    filters.append(numpy.pad(self.axes[g] @ (u / length), (0, most - f)))
                    weights.append((1 - 2 * sign) * float(length**2 / self.size))
                    regions.append(g)
                    scores.append(t)
        return Neurons(numpy.array(filters).reshape(-1, most), numpy.array(weights), numpy.array(regions, int), numpy.array(scores, int))


def principal_axes(x):
    """f x f, orthogonal up to rounding, in double precision"""
    rows = x.reshape(-1, x.shape[-1])
    scaled = (rows / max(abs(rows).max(), numpy.finfo(numpy.longdouble).tiny)).astype(float)
    return numpy.linalg.svd(scaled, full_matrices=True)[2].T if len(scaled) <= 4 * scaled.shape[1] else numpy.linalg.eigh(scaled.T @ scaled)[1]


def lift(x, a, b, c):
    """Phi of a region: n x d x d"""
    n, L, f = x.shape
    phi = numpy.empty((n, f + 1, f + 1), numpy.longdouble)
    phi[:, :f, :f] = a * (x.transpose(0, 2, 1) @ x) / L
    phi[:, f, :f] = phi[:, :f, f] = b / 2 * x.mean(1)
    phi[:, f, f] = c
    return phi


def smooth_loss(loss, fit, smoothing):
    """value and slope; corners are rounded off within smoothing"""
    Y, name = loss.Y, loss.name
    if name == 'softmax':
        total = numpy.logaddexp.reduce(fit, 1)
        return (total - (fit * (Y > 0)).sum(1)).sum(), numpy.exp(fit - total[:, None]) - (Y > 0)
    if name == 'logistic':
        value = numpy.logaddexp(0, -Y * fit)
        return value.sum(), -Y * numpy.exp(-Y * fit - value)
    if name == 'hinge':
        r = numpy.maximum(0, 1 - Y * fit)
        inner = numpy.minimum(r, smoothing)
        return (inner * (r - inner / 2)).sum() / smoothing, -Y * inner / smoothing
    delta = {'squared': numpy.inf, 'huber': loss.delta, 'l1': smoothing}[name]
    scale = smoothing if name == 'l1' else 1
    r = abs(fit - Y)
    inner = numpy.minimum(r, delta)
    return (inner * (r - inner / 2)).sum() / scale, numpy.sign(fit - Y) * inner / scale


def perturb(random, neurons):
    """a network nearby"""
    noise = 10.0**random.uniform(-9, -2)
    filters = neurons.filters + noise * random.normal(size=neurons.filters.shape) * (neurons.filters != 0)
    return Neurons(filters, neurons.weights * (1 + noise * random.normal(size=neurons.weights.shape)), neurons.regions, neurons.scores)


def search(objective, neurons, beta, random):
    """networks of small objective, from the given one and from random ones"""
    most = neurons.filters.shape[1]
    with numpy.errstate(all='ignore'):
        landscape = Landscape(objective, beta)
        if not landscape.usable:
            return
        crowd = numpy.bincount(((neurons.regions * 64 + neurons.scores) * 2 + (neurons.weights < 0)).astype(int)) if len(neurons.weights) else [0]
        own, fresh = min(int(max(crowd)) + 1, 6), 2
        for shape, start in [(own, landscape.start(random, neurons, own, 1e-3)),
                             (fresh, landscape.start(random, Neurons.none(most), fresh, 10.0**random.uniform(-1, 3)))]:
            for smoothing in SMOOTHINGS if landscape.loss.name in ('hinge', 'l1') else SMOOTHINGS[:1]:
                landscape.smoothing = smoothing
                found = scipy.optimize.minimize(landscape.evaluate, start, args=(shape,), jac=True, method='L-BFGS-B',
                                                options=dict(maxiter=150, maxcor=20, ftol=1e-15, gtol=1e-12))
                if numpy.isfinite(found.fun) and numpy.isfinite(found.x).all():
                    start = found.x
            yield landscape.network(start, shape, most)
