"""The convex program of docs/mathematics.md for a few small images, posed from their pixels: no psdnet code.

lift makes the features A, a list with n x G x d x d numbers for each kind of patches (d = f + 1), targets the Y (n x C); Loss is a
loss by its definition, polar the gauge R*(A'nu), at most beta where nu is feasible. primal_value and dual_value make bounds of the
optimum from any Z, a list as A, and any nu.
"""
import numpy

HUBER_DELTA = 0.7


class Kind:
    """of patches: the options of one branch"""

    def __init__(self, given, prefix):
        option = lambda name, default: type(default)(given.get(f'-{prefix}{name}', default))
        size = [int(word) for word in given[f'-{prefix}patch'].split('x')]
        self.height, self.width = size[0], size[-1]
        self.reduce, self.stride, self.pool = option('reduce', 1), option('stride', 1), option('pool', 1)
        self.normalize, self.whiten, self.pca = option('patch_normalize', 0.0), option('whiten', 0.0), option('pca', 0)


class Options:
    def __init__(self, text):
        words = text.split()
        given = dict(zip(words[::2], words[1::2]))
        self.kinds = [Kind(given, f'branch{k + 1}_' if k else '') for k in range(int(given.get('-branches', 1)))]
        self.activation = [float(word) for word in given.get('-activation', '0.09,0.5,0.47').split(',')]


def cut_patches(image, kind):
    """rows x columns x q patches of one image"""
    r, (channels, height, width) = kind.reduce, image.shape
    image = image[:, :height // r * r, :width // r * r].reshape(channels, height // r, r, width // r, r).mean((2, 4))
    image = (image - 128) / 255
    rows = range(0, image.shape[1] - kind.height + 1, kind.stride)
    columns = range(0, image.shape[2] - kind.width + 1, kind.stride)
    patches = numpy.array([[image[:, y:y + kind.height, x:x + kind.width].ravel() for x in columns] for y in rows])
    if kind.normalize:
        mean, variance = patches.mean(2, keepdims=True), patches.var(2, keepdims=True)
        patches = (patches - mean) / numpy.sqrt(variance + kind.normalize / 255**2)
    return patches


def change_coordinates(patches, kind):
    """whitening or principal components, from the covariance of all patches"""
    rows = patches.reshape(-1, patches.shape[-1])
    if not kind.whiten and not kind.pca:
        return patches
    values, vectors = numpy.linalg.eigh(numpy.cov(rows.T, bias=True))
    if kind.pca:
        transform = vectors[:, ::-1][:, :kind.pca]
    else:
        transform = vectors @ numpy.diag((values + kind.whiten * values.mean()) ** -0.5) @ vectors.T
    return (patches - rows.mean(0)) @ transform


def lift_kind(images, kind, activation):
    """n x G x (f+1) x (f+1), the features Phi_ig"""
    patches = change_coordinates(numpy.array([cut_patches(image, kind) for image in images]), kind)
    a, b, c = activation
    f = patches.shape[-1]
    weight = numpy.full((f + 1, f + 1), a)
    weight[f, :] = weight[:, f] = b / 2
    weight[f, f] = c
    features = []
    for row in numpy.array_split(numpy.arange(patches.shape[1]), kind.pool):
        for column in numpy.array_split(numpy.arange(patches.shape[2]), kind.pool):
            x = patches[:, row][:, :, column].reshape(len(images), -1, f)
            x = numpy.concatenate([x, numpy.ones(x.shape[:2] + (1,))], 2)
            features.append(weight * (x.transpose(0, 2, 1) @ x) / x.shape[1])
    return numpy.array(features).transpose(1, 0, 2, 3)


def lift(images, options):
    return [lift_kind(images, kind, options.activation) for kind in options.kinds]


def targets(labels, classes):
    if classes == 2:
        return (2.0 * labels - 1)[:, None]
    return numpy.where(labels[:, None] == numpy.arange(classes), 1.0, -1.0)


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
    blocks = [M for kind in A for region in numpy.einsum('igjk,it->gtjk', kind, nu) for M in region]
    return max(max(largest_form(M), largest_form(-M)) for M in blocks)


def make_feasible(Z):
    """the feasible point next to Z: PSD by projection, <J,Z> = 0 by adding to the smaller side"""
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
    return Z


def primal_value(A, Y, beta, Z, loss):
    """objective of the feasible point next to Z"""
    Z = [make_feasible(kind) for kind in Z]
    fit = sum(numpy.einsum('igjk,tgjk->it', part, S) for part, S in zip(A, [kind[0] - kind[1] for kind in Z]))
    return loss.value(fit, Y) + beta * sum(kind[..., -1, -1].sum() for kind in Z)


def dual_value(A, Y, beta, nu, loss):
    """of nu, pulled into the domain and scaled to R*(A'nu) <= beta"""
    nu = loss.pull(nu, Y)
    scale = min(1, beta / max(polar(A, nu), 1e-300) * (1 - 1e-14))
    return loss.dual(scale * nu, Y)
