"""A network's objective by its definition (docs/formats.md, "How a score is made"), from the bytes of the images.

It is computed in extended precision with a bound of its own rounding error, `Extended`, and, where that bound leaves a question
open, in 512 bits, `Many`. Patches are exact in both but for a few roundings each: bytes are whole numbers, and so are q v - total and
the variance times (q r^2)^2 of a patch, so that nothing cancels.
"""
import gmpy2
import numpy

gmpy2.get_context().precision = 512


class Extended:
    """numpy's longdouble: 64 bits of mantissa on x86"""
    eps = numpy.finfo(numpy.longdouble).eps
    sqrt = staticmethod(numpy.sqrt)

    @staticmethod
    def array(values):
        return numpy.asarray(values).astype(numpy.longdouble)

    @staticmethod
    def softplus(z):
        return numpy.logaddexp(numpy.longdouble(0), z)


def _softplus(z):
    # log(1 + e^z) = z + e^-z - ..., which is exact to 512 bits from here on
    return z + gmpy2.exp(-z) if z > 1000 else gmpy2.log1p(gmpy2.exp(z))


class Many:
    """arrays of gmpy2's mpfr; what it rounds is not counted"""
    eps = 0
    sqrt = staticmethod(numpy.vectorize(gmpy2.sqrt, otypes=[object]))
    softplus = staticmethod(numpy.vectorize(_softplus, otypes=[object]))
    # whole numbers and doubles, exactly
    array = staticmethod(numpy.vectorize(lambda x: gmpy2.mpfr(int(x) if isinstance(x, (int, numpy.integer)) else float(x)), otypes=[object]))


class Branch:
    """how patches are cut and what is made of them; transform and mean are None or q x f and q doubles"""

    def __init__(self, patch, reduce=1, stride=1, pool=1, pool_overlap=0, pixel_shift=128.0, pixel_scale=255.0, patch_normalize=0.0):
        self.patch, self.reduce, self.stride, self.pool, self.pool_overlap = patch, reduce, stride, pool, pool_overlap
        self.pixel_shift, self.pixel_scale, self.patch_normalize = pixel_shift, pixel_scale, patch_normalize
        self.transform = self.mean = None

    def whole_numbers(self, images):
        """r^2 times the averaged pixels of every patch: n x rows x columns x q"""
        r = self.reduce
        n, channels, height, width = images.shape
        height, width = height // r, width // r
        v = images[:, :, :height * r, :width * r].astype(numpy.int64).reshape(n, channels, height, r, width, r).sum((3, 5))
        v = numpy.lib.stride_tricks.sliding_window_view(v, self.patch, (2, 3))[:, :, ::self.stride, ::self.stride]
        return numpy.ascontiguousarray(v.transpose(0, 2, 3, 1, 4, 5)).reshape(n, v.shape[2], v.shape[3], -1)

    def patches(self, images, number):
        """x (n x rows x columns x f) and a bound of the norms of its errors (n x rows x columns)"""
        v, r2 = self.whole_numbers(images), self.reduce**2
        q = v.shape[-1]
        if self.patch_normalize > 0:
            total = v.sum(-1, keepdims=True)
            variance = number.array(q * (v * v).sum(-1, keepdims=True) - total**2)
            unit = number.array(numpy.float64(self.patch_normalize)) * number.array(numpy.int64((q * r2)**2))
            p = number.array(q * v - total) / number.sqrt(variance + unit)
        else:
            # r^2 shift has at most 53 + 4 bits for reduce up to 4
            shift, scale = (number.array(numpy.float64(value)) * r2 for value in (self.pixel_shift, self.pixel_scale))
            p = (number.array(v) - shift) / scale
        error = 5 * number.eps * abs(p)
        if self.transform is None:
            return p, norms(error, number)
        T, centred = number.array(self.transform), p - number.array(self.mean)
        error = error + (q + 3) * number.eps * abs(centred)
        return centred @ T, norms(error @ abs(T), number)

    def regions(self, rows, columns):
        """the slices of positions of each region, row-major"""
        return [(slice(*down), slice(*across)) for down in self.parts(rows) for across in self.parts(columns)]

    def parts(self, length):
        ends = numpy.cumsum([length // self.pool + (k < length % self.pool) for k in range(self.pool)])
        begins = [0, *ends[:-1]]
        return [(max(0, begin - self.pool_overlap), min(length, end + self.pool_overlap)) for begin, end in zip(begins, ends)]


def norms(x, number):
    return number.sqrt((x * x).sum(-1))


class Neurons:
    """filters N x f (of any length but 0; they are made of length 1), weights, regions and scores (0 .. C-1) of N"""

    def __init__(self, filters, weights, regions, scores):
        self.filters, self.weights, self.regions, self.scores = filters, weights, regions, scores

    @staticmethod
    def none(f):
        return Neurons(numpy.zeros((0, f)), numpy.zeros(0), numpy.zeros(0, int), numpy.zeros(0, int))


class Features:
    """What is made of the images once, for one kind of number: patches by region, with their norms and errors."""

    def __init__(self, images, branches, number):
        self.number, self.images, self.x, self.error, self.norm, self.branch_of = number, len(images), [], [], [], []
        for k, branch in enumerate(branches):
            x, error = branch.patches(images, number)
            for down, across in branch.regions(*x.shape[1:3]):
                part = x[:, down, across]
                self.x.append(part.reshape(len(images), -1, x.shape[-1]))
                self.error.append(error[:, down, across].reshape(len(images), -1))
                self.norm.append(norms(self.x[-1], number))
                self.branch_of.append(k)

    def scores(self, activation, neurons, C):
        """yhat (n x C) and a bound of its error"""
        number, (a, b, c) = self.number, self.number.array(numpy.asarray(activation, float))
        fit, error = (number.array(numpy.zeros((self.images, C))) for _ in range(2))
        filters, weights = number.array(neurons.filters), number.array(neurons.weights)
        filters = filters / norms(filters, number)[:, None]
        eps, N = number.eps, len(weights)
        for g in numpy.unique(neurons.regions):
            mine = numpy.flatnonzero(neurons.regions == g)
            x = self.x[g]
            L, f = x.shape[1:]
            t = x @ filters[mine, :f].T
            means = ((a * t + b) * t + c).sum(1) / L
            size = (abs(a) * self.norm[g]**2 + abs(b) * self.norm[g] + abs(c)).sum(1) / L
            wrong = self.error[g] + (f + filters.shape[1] + 12) * eps * self.norm[g]
            wrong = ((2 * abs(a) * self.norm[g] + abs(b) + abs(a) * wrong) * wrong).sum(1) / L + (L + N + 16) * eps * size
            for j, mean in zip(mine, means.T):
                fit[:, neurons.scores[j]] += weights[j] * mean
                error[:, neurons.scores[j]] += abs(weights[j]) * wrong
        return fit, 2 * error


class Loss:
    """A loss by its definition (docs/mathematics.md, "Losses"). Y is n x C of +-1."""

    def __init__(self, name, Y, delta=1.0):
        self.name = 'logistic' if name == 'softmax' and Y.shape[1] == 1 else name
        self.Y, self.delta = Y, delta

    def value(self, fit, error, number):
        """the sum over samples, and a bound of its error when fit is off by error"""
        Y = number.array(self.Y)
        terms, slopes = getattr(self, self.name)(fit, Y, error, number)
        value = terms.sum()
        return value, (slopes * error).sum() + (self.Y.size + 64) * number.eps * (abs(terms).sum() + (abs(fit) * slopes).sum())

    @staticmethod
    def squared(fit, Y, error, number):
        r = abs(fit - Y)
        return r * r / 2, r + error

    @staticmethod
    def l1(fit, Y, error, number):
        return abs(fit - Y), 1 + 0 * fit

    @staticmethod
    def hinge(fit, Y, error, number):
        return numpy.maximum(0 * fit, 1 - Y * fit), 1 + 0 * fit

    @staticmethod
    def logistic(fit, Y, error, number):
        return number.softplus(-Y * fit), 1 + 0 * fit

    def huber(self, fit, Y, error, number):
        delta = number.array(numpy.float64(self.delta))[()]
        r = abs(fit - Y)
        inner = numpy.minimum(r, delta + 0 * r)
        return inner * (r - inner / 2), numpy.minimum(r + error, delta + 0 * r)

    def softmax(self, fit, Y, error, number):
        # log sum exp(yhat) - yhat_c = max + log(1 + the others), one class after the other
        most = fit[:, 0]
        for t in range(1, fit.shape[1]):
            most = most + number.softplus(fit[:, t] - most)
        own = (fit * (Y > 0)).sum(1)
        return (most - own), 1 + 0 * fit


class Objective:
    """The objective of any network on one data set: value(neurons, beta) returns it and a bound of its error."""

    def __init__(self, images, branches, activation, loss):
        self.images, self.branches, self.activation, self.loss, self.made = images, branches, activation, loss, {}

    def features(self, number=Extended):
        if number not in self.made:
            self.made[number] = Features(self.images, self.branches, number)
        return self.made[number]

    def scores(self, neurons, number=Extended):
        if len(neurons.weights) == 0:
            return [number.array(numpy.zeros(self.loss.Y.shape))] * 2
        return self.features(number).scores(self.activation, neurons, self.loss.Y.shape[1])

    def value(self, neurons, beta, number=Extended):
        fit, error = self.scores(neurons, number)
        value, error = self.loss.value(fit, error, number)
        total = number.array(numpy.float64(beta)) * abs(number.array(neurons.weights)).sum() if len(neurons.weights) else 0 * value
        return value + total, error + (len(neurons.weights) + 8) * number.eps * (abs(total) + abs(value))

    def decide(self, neurons, beta, question):
        """question(low, high) says True or False for an objective in [low, high], or None when it cannot say. Only True is taken
        from extended precision: what is to be held against psdnet is computed in 512 bits."""
        value, error = self.value(neurons, beta)
        answer = question(value - error, value + error) if numpy.isfinite(value) and numpy.isfinite(error) else None
        if not answer:
            value, error = self.value(neurons, beta, Many)[0], 0
            answer = question(value, value)
        return answer, value
