"""check_proof.py CERTIFICATE DATA [MODEL]: checks a certificate file of psdnet without any psdnet code, as docs/formats.md and
docs/mathematics.md (section 3) say: s nu is in the domain of the dual function, each block's matrix is positive semidefinite, and the
dual value is not below the bound that the file claims. With MODEL: the network's objective, with filters of length 1.

CERTIFICATE and MODEL are files of psdnet, DATA an HDF5 file with /images and /labels or /targets. Exit status 0: the bound is proved. 2: it is not.

Pixels, nu and sums over samples are integers, with patch normalisation in fixed point of 2^-FRACTION; the rest is mpmath's arithmetic of
PRECISION bits. What either may be off by is far below MARGIN of the sizes, by which every inequality is asked to hold the more.
"""
import json
import math
import sys
import zlib
from fractions import Fraction

import h5py
import mpmath
import numpy

FRACTION, PRECISION = 300, 500
MARGIN = mpmath.mpf(2) ** -200
mpmath.mp.prec = PRECISION
mpf = mpmath.mpf


def exact(numbers):
    """doubles as an array of mpf"""
    numbers = numpy.asarray(numbers, float)
    return numpy.array([mpf(x) for x in numbers.ravel().tolist()] + [None], object)[:-1].reshape(numbers.shape)


def refuse(*why):
    print('does not hold:', *why)
    sys.exit(2)


def real(number):
    """a rational number"""
    return mpf(Fraction(number).numerator) / mpf(Fraction(number).denominator)


class Branch:
    """How a branch sees an image: integer rows R, and the map [x;1] = L [R;1]."""

    def __init__(self, group, channels):
        a = group.attrs
        self.height, self.width, self.stride, self.pool = (int(a[k]) for k in ('patch_height', 'patch_width', 'stride', 'pool'))
        self.reduce, self.overlap = int(a.get('reduce', 1)), int(a.get('pool_overlap', 0))
        self.linear = int(a.get('lift', 0)) == 1
        self.normalize = Fraction(float(a['patch_normalize']))
        self.step, self.low, self.bits = Fraction(float(a.get('pixel_step', 0))), Fraction(float(a.get('pixel_low', 0))), a.get('bits', 0)
        self.weight = self.reduce**2 * (257 if self.bits == 16 else 1)  # 16 bits count 257 for 1 of 8
        if self.step:
            self.weight = self.reduce**2 / self.step
        q = channels * self.height * self.width
        shift, scale = mpf(float(a['pixel_shift'])), mpf(float(a['pixel_scale']))
        gain, offset = 1 / (scale * real(self.weight)), numpy.array([(real(self.low) - shift) / scale] * q, object)
        if self.normalize:
            gain, offset = mpf(2) ** -FRACTION, numpy.array([mpf(0)] * q, object)
        T = numpy.array([[mpf(int(i == j)) for j in range(q)] for i in range(q)], object)
        if 'preprocess' in group:
            T = exact(group['preprocess/transform'][:])
            offset = offset - exact(group['preprocess/mean'][:])
        self.q, self.f = T.shape
        self.L = numpy.array([[mpf(0)] * (q + 1) for _ in range(self.f + 1)], object)
        self.L[:-1, :-1], self.L[:-1, -1], self.L[-1, -1] = gain * T.T, T.T.dot(offset), mpf(1)

    def normalized(self, V):
        """(v - mean v)/sqrt(var v + E) times 2^FRACTION, for rows V = weight v of whole numbers"""
        rows = []
        for row in V.tolist():
            total = sum(row)
            U = [self.q * value - total for value in row]
            under = Fraction(sum(u * u for u in U), self.q) + self.normalize * self.q**2 * self.weight**2
            gain = math.isqrt((under.denominator << 2 * FRACTION) // under.numerator)
            rows.append([gain * u for u in U])
        return numpy.array(rows, object)

    def rows(self, image):
        """grid of rows x columns of [R;1]"""
        r = self.reduce
        C, H, W = image.shape[0], image.shape[1] // r, image.shape[2] // r
        sums = image[:, :H * r, :W * r].astype(int).reshape(C, H, r, W, r).sum((2, 4))
        grid = numpy.lib.stride_tricks.sliding_window_view(sums, (self.height, self.width), (1, 2))[:, ::self.stride, ::self.stride]
        grid = grid.transpose(1, 2, 0, 3, 4).reshape(grid.shape[1], grid.shape[2], self.q)
        V = grid.reshape(-1, self.q)
        R = self.normalized(V) if self.normalize else V.astype(object)
        R = numpy.concatenate([R, numpy.array([[1]] * len(R), object)], 1)
        return R.reshape(grid.shape[:2] + (self.q + 1,))

    def moments(self, image):
        """of each region: the sum of [R;1][R;1]' as whole numbers, and the number of patches"""
        grid = self.rows(image)
        parts = [[(max(0, part[0] - self.overlap), min(n, part[-1] + 1 + self.overlap))
                  for part in numpy.array_split(numpy.arange(n), self.pool)] for n in grid.shape[:2]]
        for top, bottom in parts[0]:
            for left, right in parts[1]:
                R = grid[top:bottom, left:right].reshape(-1, self.q + 1)
                yield R.T.dot(R), len(R)


def word(attribute):
    """a text, which h5py gives as bytes when it is of fixed length"""
    only, = numpy.ravel(attribute)
    return only.decode() if isinstance(only, bytes) else str(only)


class Certificate:
    def __init__(self, path):
        with h5py.File(path) as file:
            a = file.attrs
            if word(a['format']) != 'psdnet-certificate' or a['version'] != 1:
                refuse('no certificate of version 1')
            if 'layer1' in file:
                refuse('a certificate of networks on maps, which psdnet makes of the images in single precision')
            self.attributes = {name: a[name] for name in a}
            self.loss = word(a['loss'])
            self.beta, self.s, self.bound = (mpf(float(a[name])) for name in ('beta', 's', 'bound'))
            self.delta = mpf(float(a['huber_delta'])) or mpf(1)
            self.activation = [mpf(float(x)) for x in a['activation']]
            self.outputs = int(a.get('outputs', 0))
            self.classes = [] if self.outputs else [int(label) for label in a['classes']]
            self.n, self.flip, self.shifts = int(a['n_train']), int(a['flip']), max(1, int(a.get('shifts', 1)))
            self.branches = [Branch(file[f'branch/{b}'], int(a['channels'])) for b in range(int(a['branches']))]
            self.order = file['order'][:].astype(int)
            self.nu, self.theta = file['nu'][:], file['theta'][:]
        self.regions = [branch for branch in self.branches for _ in range(branch.pool**2)]
        self.C = self.outputs or (1 if len(self.classes) == 2 else len(self.classes))
        if self.nu.shape != (self.n * self.shifts * (1 + self.flip), self.C) or self.theta.shape != (self.C * len(self.regions), 2):
            refuse('its arrays are of other sizes')
        if not all(numpy.isfinite(x).all() for x in (self.nu, self.theta)) or not self.s >= 0 or not self.beta >= 0:
            refuse('a number is not finite, or s or beta is negative')


def shifted(images, count):
    """each followed by its shifts by two pixels, along diagonals first; what moves in repeats the edge"""
    moves = [(0, 0), (-2, -2), (-2, 2), (2, -2), (2, 2), (-2, 0), (0, -2), (0, 2), (2, 0)][:count]
    padded = numpy.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), 'edge')
    H, W = images.shape[2:]
    copies = [padded[:, :, 2 - down:2 - down + H, 2 - across:2 - across + W] for down, across in moves]
    return numpy.stack(copies, 1).reshape(-1, *images.shape[1:])


def samples(path, it):
    """images and their classes, or rows of their real targets, as they were trained on"""
    name = 'targets' if it.outputs else 'labels'
    with h5py.File(path) as file:
        images, labels = file['images'][:], file[name][:]
    if it.outputs:
        kept, labels = numpy.arange(it.n), labels.astype('<f8').reshape(len(labels), it.outputs)
    else:
        kept, labels = numpy.flatnonzero(numpy.isin(labels, it.classes))[:it.n], labels.astype('<i4')
    images, labels = images[kept], labels[kept]
    branch = it.branches[0]
    if branch.step:  # levels of real numbers
        step, most = float(branch.step), 65535 if branch.bits == 16 else 255
        levels = numpy.rint(images / step) - float(branch.low / branch.step)
        images = levels.clip(0, most).astype('<u2' if branch.bits == 16 else 'u1')
    if it.shifts > 1:
        images, labels = shifted(images, it.shifts), labels.repeat(it.shifts, 0)
    if it.flip:
        both = numpy.empty((2 * len(images),) + images.shape[1:], images.dtype)
        both[0::2], both[1::2] = images, images[:, :, :, ::-1]
        images, labels = both, labels.repeat(2, 0)
    for name, what in ('images', images), (name, labels):
        if int(word(it.attributes['checksum_' + name]), 16) != zlib.crc32(numpy.ascontiguousarray(what).tobytes()):
            refuse('other', name)
    return images, exact(labels) if it.outputs else [it.classes.index(label) for label in labels]


def target(it, label, t):
    """of a sample with this label, or with these targets"""
    return label[t] if it.outputs else 1 if label == (1 if it.C == 1 else t) else -1


# ---------------------------------------------------------------- the dual function

def entropy(p):
    return -p * mpmath.log(p) if p > 0 else mpf(0)


def entropy_of_rest(p):
    """entropy(1 - p), which is next to p where p is below 2^-PRECISION"""
    return -(1 - p) * mpmath.log1p(-p) if p < 1 else mpf(0)


def dual_of_score(it, nu, y):
    """-L*(-nu) of a loss that is a sum over scores; None: not in the domain"""
    p = y * nu
    if it.loss == 'squared':
        return p - nu**2 / 2
    if it.loss == 'huber':
        return p - nu**2 / 2 if abs(nu) <= it.delta else None
    if it.loss == 'l1':
        return p if abs(nu) <= 1 else None
    if not 0 <= p <= 1:
        return None
    return p if it.loss == 'hinge' else entropy(p) + entropy_of_rest(p)


def dual_of_sample(it, nu, label):
    """the same of a row of nu"""
    if it.loss == 'softmax' and it.C > 1:
        p = [-x for t, x in enumerate(nu) if t != label]
        return None if min(p) < 0 or sum(p) > 1 else sum(entropy(x) for x in p) + entropy_of_rest(sum(p))
    terms = [dual_of_score(it, x, target(it, label, t)) for t, x in enumerate(nu)]
    return None if None in terms else sum(terms)


def dual_value(it, labels):
    """-L*(-s nu), once s nu is in the domain"""
    nu = exact(it.nu) * it.s
    if it.loss == 'softmax' and it.C > 1:  # the class's own number is minus the sum of the others
        for row, label in zip(nu, labels):
            row[label] = -sum(x for t, x in enumerate(row) if t != label)
    terms = [dual_of_sample(it, row, label) for row, label in zip(nu, labels)]
    if None in terms:
        refuse('s nu is not in the domain, at sample', terms.index(None))
    return sum(terms) - MARGIN * sum(abs(term) + sum(abs(row)) for term, row in zip(terms, nu))


# ---------------------------------------------------------------- feasibility

def whole(numbers):
    """doubles as integers and one power of two"""
    fractions = [Fraction(x) for x in numpy.ravel(numbers).tolist()]
    denominator = max((x.denominator for x in fractions), default=1)
    return numpy.array([int(x * denominator) for x in fractions] + [None], object)[:-1].reshape(numpy.shape(numbers)), denominator


class Sums:
    """sum over the samples of nu_it [R;1][R;1]', for each pair, exactly but for the class's own nu of softmax"""

    def __init__(self, it, labels):
        self.it, self.N = it, {}
        self.nu, self.denominator = whole(it.nu)
        if it.loss == 'softmax' and it.C > 1:
            for row, label in zip(self.nu, labels):
                row[label] = -sum(x for t, x in enumerate(row) if t != label)

    def add(self, i, g, moment):
        for t in range(self.it.C):
            pair = t * len(self.it.regions) + g
            self.N[pair] = self.N.get(pair, 0) + int(self.nu[i, t]) * moment

    def block(self, pair, count):
        """s smat(A'nu)_gt less its component along J; of linear neurons the vector s (A'nu)_gt"""
        it, g = self.it, pair % len(self.it.regions)
        branch, d = it.regions[g], int(it.order[g])
        a, b, c = it.activation
        if branch.linear:
            x = branch.L.dot(self.N[pair][:, -1] * (it.s / (count * self.denominator)))
            return numpy.append(b * x[:-1], c * x[-1])
        X = branch.L.dot(self.N[pair] * (it.s / (count * self.denominator))).dot(branch.L.T)
        f = branch.f
        M = numpy.array([[mpf(0)] * d for _ in range(d)], object)
        M[:f, :f], M[:f, -1], M[-1, :f], M[-1, -1] = a * X[:f, :f], b / 2 * X[:f, -1], b / 2 * X[-1, :f], c * X[-1, -1]
        J = (sum(M[k, k] for k in range(d - 1)) - M[-1, -1]) / d
        for k in range(d):
            M[k, k] += J if k == d - 1 else -J
        return M


def is_definite(B):
    """by the pivots of L D L'"""
    B = B.copy()
    for k in range(len(B)):
        if not B[k, k] > 0:
            return False
        column = B[k + 1:, k] / B[k, k]
        B[k + 1:, k + 1:] -= numpy.outer(column, B[k, k + 1:])
    return True


def check_blocks(it, sums, counts):
    for pair in range(it.C * len(it.regions)):
        g = pair % len(it.regions)
        M = sums.block(pair, counts[g])
        for k, sign in (0, 1), (1, -1):
            theta = mpf(float(it.theta[pair, k]))
            if M.ndim == 1:
                more = MARGIN * (it.beta + abs(theta))
                holds = mpmath.sqrt(sum(M[:-1]**2)) + more <= theta and sign * M[-1] + more <= it.beta - theta
                if not holds:
                    refuse('theta of region', g, 'class', pair // len(it.regions), 'sign', '+-'[k], 'proves nothing')
                continue
            B = -sign * M
            for j in range(len(B)):
                B[j, j] += theta if j < len(B) - 1 else it.beta - theta
                B[j, j] -= MARGIN * (it.beta + abs(theta))
            if not is_definite(B):
                refuse('theta of region', g, 'class', pair // len(it.regions), 'sign', '+-'[k], 'proves nothing')


# ---------------------------------------------------------------- a network

class Network:
    def __init__(self, path, it):
        with h5py.File(path) as file:
            filters, weight = exact(file['neurons/filter'][:]), exact(file['neurons/weight'][:])
            region, classes = file['neurons/region'][:], file['neurons/class'][:]
            if float(file.attrs['beta']) != float(it.beta) or word(file.attrs['loss']) != it.loss:
                refuse('a network of another problem')
        self.it, self.weights = it, weight
        self.shift = 2 * FRACTION
        self.of_region = {}
        for u, alpha, g, t in zip(filters, weight, region.tolist(), classes.tolist()):
            u = u / mpmath.sqrt(sum(u * u))
            w = it.regions[g].L[:-1].T.dot(u[:it.regions[g].f])
            w = numpy.array([int(mpmath.floor(mpmath.ldexp(x, self.shift))) for x in w], object)
            self.of_region.setdefault(g, []).append((w, alpha, t))

    def add(self, g, moment, count, scores):
        """of a region to the scores of its sample"""
        a, b, c = self.it.activation
        if self.it.regions[g].linear:
            a = mpf(0)
        for w, alpha, t in self.of_region.get(g, []):
            v = moment.dot(w)
            square, linear = mpf(int(v.dot(w))), mpf(int(v[-1]))
            scores[t] += alpha * (a * mpmath.ldexp(square, -2 * self.shift) + b * mpmath.ldexp(linear, -self.shift)) / count + alpha * c


def loss_of_score(it, yhat, y):
    w, r = y * yhat, abs(yhat - y)
    if it.loss == 'squared':
        return r**2 / 2
    if it.loss == 'hinge':
        return max(mpf(0), 1 - w)
    if it.loss == 'huber':
        return r**2 / 2 if r <= it.delta else it.delta * (r - it.delta / 2)
    return r if it.loss == 'l1' else mpmath.log(1 + mpmath.exp(-w))


def loss_of_sample(it, scores, label):
    if it.loss == 'softmax' and it.C > 1:
        return mpmath.log(sum(mpmath.exp(x) for x in scores)) - scores[label]
    return sum(loss_of_score(it, x, target(it, label, t)) for t, x in enumerate(scores))


# ---------------------------------------------------------------- all of it

def main(path, data, model=None):
    it = Certificate(path)
    images, labels = samples(data, it)
    if len(images) != len(it.nu):
        refuse('other images')
    value = dual_value(it, labels)
    network = Network(model, it) if model else None
    sums, counts, objective = Sums(it, labels), {}, mpf(0)
    for i, image in enumerate(images):
        scores, g = [mpf(0)] * it.C, 0
        for branch in it.branches:
            for moment, count in branch.moments(image):
                counts[g] = count
                sums.add(i, g, moment)
                if network:
                    network.add(g, moment, count, scores)
                g += 1
        if network:
            objective += loss_of_sample(it, scores, labels[i])
    check_blocks(it, sums, counts)
    said = {'bound': mpmath.nstr(value, 40), 'claimed': mpmath.nstr(it.bound, 40)}
    if network:
        objective += it.beta * sum(abs(alpha) for alpha in network.weights)
        said['objective'] = mpmath.nstr(objective, 40)
        said['gap'] = mpmath.nstr((objective - value) / objective, 10)
        if objective < value:
            refuse('the bound is above the objective of a network')
    print(json.dumps(said))
    if not it.bound <= value:
        refuse('it claims', said['claimed'], 'and its nu gives', said['bound'])


if __name__ == '__main__':
    main(*sys.argv[1:])
