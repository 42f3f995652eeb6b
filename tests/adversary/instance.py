"""From one whole number to one instance: images, labels and a command line, `ordinary` or `extreme`.

An ordinary instance is one that a user might have made, if a small one. An extreme one has numbers that are many orders of magnitude
away from 1, or images that say nothing, or both. Every option of psdnet train about data, patches, problem and solver occurs.
"""
import numpy

from network import Branch

LOSSES = ['squared', 'logistic', 'softmax', 'hinge', 'huber', 'l1']
SMOOTH = ['squared', 'logistic', 'softmax', 'huber']
OF_ADMM = ['-rho', '-sigma', '-relaxation', '-check_every', '-screening', '-cone', '-cone_partial', '-cone_lapack', '-consensus', '-precision']
# a pair of blocks is a region of a class; numbers of A'A's order
MOST_PAIRS, MOST_UNKNOWNS, MOST_NUMBERS = 24, 500, 20


class Instance:
    """options: name to text, None for none; of the runs: command is train or path, ranks the number it runs on first"""

    def __init__(self, seed, kind):
        self.seed, self.kind, self.options, self.command = seed, kind, {}, 'train'
        self.random = numpy.random.default_rng([seed, ['ordinary', 'extreme'].index(kind)])

    def number(self, name, default):
        return float(self.options.get(name, default))

    def selected(self):
        """images and classes 0, 1, ... that psdnet trains on, without mirror images (docs/formats.md, "Input: images")"""
        labels = [int(word) for word in self.options['-classes'].split(',')] if '-classes' in self.options else sorted(set(self.labels))
        kept = numpy.flatnonzero(numpy.isin(self.labels, labels))[:int(self.options.get('-limit', len(self.labels)))]
        kept = kept[:len(kept) - int(numpy.floor(self.number('-validation', 0) * len(kept)))]
        position = {label: k for k, label in enumerate(labels)}
        return self.images[kept], numpy.array([position[label] for label in self.labels[kept]])

    def samples(self):
        """images, each followed by its mirror image when that is a sample, and targets (n x C)"""
        images, classes = self.selected()
        if '-flip' in self.options:
            images = numpy.stack([images, images[..., ::-1]], 1).reshape(-1, *images.shape[1:])
            classes = numpy.repeat(classes, 2)
        count = len(self.options['-classes'].split(',')) if '-classes' in self.options else len(set(self.labels))
        if count == 2:
            return images, (2.0 * classes - 1)[:, None]
        return images, numpy.where(classes[:, None] == numpy.arange(count), 1.0, -1.0)

    def arguments(self):
        return [word for name, value in self.options.items() for word in ([name] if value is None else [name, value])]


def chance(random, probability):
    return random.random() < probability


def pick(random, *values):
    return values[random.integers(len(values))]


def power(random, low, high, digits=3):
    """a number of a few digits, its logarithm uniform"""
    return f'{10.0**random.uniform(low, high):.{digits - 1}e}'


# ------------------------------------------------------------------------------------------------------------ images

def random_pixels(random, shape, classes):
    return random.integers(0, 256, shape)


def learnable(random, shape, classes):
    means = random.integers(0, 256, (classes.max() + 1, *shape[1:]))
    return means[classes] * 0.5 + random.normal(64, 30, shape)


def nearly_equal(random, shape, classes):
    return random.integers(0, 256, shape[1:]) + random.integers(-1, 2, shape)


def duplicates(random, shape, classes):
    return random.integers(0, 256, shape)[random.integers(0, max(1, shape[0] // 3), shape[0])]


def smooth(random, shape, classes):
    y, x = numpy.mgrid[0:1:shape[2] * 1j, 0:1:shape[3] * 1j]
    waves = [random.normal(size=(*shape[:2], 1, 1)) * wave for wave in (1, x, y, x * y, numpy.cos(3 * x + y))]
    return 128 + 60 * sum(waves) + 20 * (classes[:, None, None, None] - 0.5)


def strokes(random, shape, classes):
    """a flat background, as of letters"""
    return numpy.where(random.random(shape) < 0.15, random.integers(100, 256, shape), pick(random, 0, 0, 255))


def binary(random, shape, classes):
    return 255 * (random.random(shape) < 0.3 + 0.4 * (classes[:, None, None, None] % 2))


def grey_each(random, shape, classes):
    """every image of one grey, its own"""
    return random.integers(0, 256, (shape[0], 1, 1, 1)) + numpy.zeros(shape, int)


def nearly_grey(random, shape, classes):
    """grey but for a pixel or two"""
    return grey_each(random, shape, classes) + (random.random(shape) < 0.05)


def identical(random, shape, classes):
    return random.integers(0, 256, shape[1:]) + numpy.zeros(shape, int)


def mean_grey(random, shape, classes):
    """x = 0 where nothing is asked for"""
    return numpy.full(shape, 128)


def black(random, shape, classes):
    return numpy.zeros(shape, int)


def opposite(random, shape, classes):
    """the same images in every class, in turn"""
    return random.integers(0, 256, shape)[numpy.arange(shape[0]) // (classes.max() + 1)]


def steps(random, shape, classes):
    """half of each image of one grey, half of another: flat patches, and some that are not"""
    images = grey_each(random, shape, classes)
    images[..., shape[3] // 2:] = random.integers(0, 256, (shape[0], 1, 1, 1))
    return images


PIXELS = {
    'ordinary': [random_pixels, learnable, learnable, nearly_equal, duplicates, smooth, strokes, binary, steps],
    'extreme': [random_pixels, learnable, nearly_equal, strokes, steps, grey_each, nearly_grey, identical, mean_grey, black, opposite],
}
SAY_NOTHING = mean_grey, black, grey_each


def make_images(it, random, extreme):
    count = int(random.integers(2, 5)) if chance(random, 0.6) else 2
    n = int(random.integers(count if extreme else max(4, count), 25 if extreme else 61))
    side = lambda: int(random.integers(1 if extreme else 3, 8 if extreme else 11))
    shape = (n, int(pick(random, 1, 1, 2, 3)), side(), side())
    # now and then one class has most of the images
    share = random.dirichlet(numpy.full(count, 0.3)) if chance(random, 0.25) else numpy.full(count, 1 / count)
    classes = numpy.concatenate([numpy.arange(count), random.choice(count, n - count, p=share)])
    it.pixels = pick(random, *PIXELS[it.kind])
    it.images = it.pixels(random, shape, classes).clip(0, 255).astype(numpy.uint8)
    names = random.permutation(12)[:count] if chance(random, 0.3) else numpy.arange(count)
    it.labels = names[classes]
    it.ranks = int(pick(random, 2, 2, 3, 4)) if chance(random, 0.12) else 1
    it.ranks = min(it.ranks, n)
    if chance(random, 0.05) and count > 2:
        it.options['-classes'] = ','.join(str(label) for label in random.permutation(names)[:2])
    if chance(random, 0.1) and n > 2 * count:
        it.options['-limit'] = str(random.integers(2 * count, n + 1))
    if chance(random, 0.1) and int(it.options.get('-limit', n)) > max(10, 2 * count):
        it.options['-validation'] = pick(random, '0.2', '0.1', '0.34')
    if chance(random, 0.2):
        it.options['-flip'] = None


# ----------------------------------------------------------------------------------------------------------- patches

def make_branch(it, random, extreme, prefix):
    """Options of one branch that fits the images. Returns the Branch, q and how many numbers its patches have in the end."""
    _, channels, height, width = it.images.shape
    given, least = {}, min(height, width)
    reduce = int(random.integers(1, min(4, least) + 1)) if chance(random, 0.15) else 1
    height, width = height // reduce, width // reduce
    tall = int(random.integers(1, min(height, 5) + 1))
    wide = min(width, tall) if chance(random, 0.6) else int(random.integers(1, min(width, 5) + 1))
    if extreme and chance(random, 0.2):
        tall = wide = 1
    stride = int(pick(random, 1, 1, 2, 3))
    rows, columns = (height - tall) // stride + 1, (width - wide) // stride + 1
    pool = int(random.integers(1, min(3, rows, columns) + 1))
    overlap = int(random.integers(1, min(rows, columns))) if chance(random, 0.15) and min(rows, columns) > 1 else 0
    q = channels * tall * wide
    given['patch'] = str(tall) if tall == wide and chance(random, 0.5) else f'{tall}x{wide}'
    for name, value, default in [('reduce', reduce, 1), ('stride', stride, 1), ('pool', pool, 1), ('pool_overlap', overlap, 0)]:
        if value != default:
            given[name] = str(value)
    if chance(random, 0.4):
        given['patch_normalize'] = power(random, -25, 10) if extreme and chance(random, 0.6) else power(random, 0, 3)
    if chance(random, 0.3):
        given['whiten'] = power(random, -20, 0) if extreme and chance(random, 0.6) else power(random, -3, 0)
    if chance(random, 0.9 if q > MOST_NUMBERS else 0.2):
        given['pca'] = str(random.integers(1, min(q, MOST_NUMBERS) + 1))
    if chance(random, 0.15):
        given['pixel_shift'] = pick(random, '0', '100', '127.5', '33.3')
    if chance(random, 0.15):
        given['pixel_scale'] = pick(random, '1', '64', '255', '100')
    if extreme and chance(random, 0.15):
        given['pixel_shift'] = pick(random, '', '-') + power(random, -3, pick(random, 4, 9, 80))
    if extreme and chance(random, 0.15):
        bound = pick(random, 4, 12, 80)
        given['pixel_scale'] = power(random, -bound, bound)
    if it.pixels in SAY_NOTHING and chance(random, 0.85):  # whitening and principal components of equal patches are refused
        given.pop('whiten', None)
        given.pop('pca', None)
    it.options.update({f'-{prefix}{name}': value for name, value in given.items()})
    numbers = {name: float(given[name]) for name in ('pixel_shift', 'pixel_scale', 'patch_normalize') if name in given}
    branch = Branch((tall, wide), reduce, stride, pool, overlap, **numbers)
    return branch, q, int(given.get('pca', q))


def make_patches(it, random, extreme):
    """it.branches: None where psdnet is to choose, which is finer than is fast for images that are not tiny"""
    _, channels, height, width = it.images.shape
    if chance(random, 0.2) and channels * (min(height, width) // 2)**2 <= 9:
        it.branches = None
        return
    before, scores = dict(it.options), len(set(it.labels)) if len(set(it.labels)) > 2 else 1
    while True:
        it.options = dict(before)
        count = int(pick(random, 2, 2, 3)) if chance(random, 0.15) else 1
        if count > 1:
            it.options['-branches'] = str(count)
        made = [make_branch(it, random, extreme, f'branch{k + 1}_' if k else '') for k in range(count)]
        G, f = sum(branch.pool**2 for branch, _, _ in made), max(numbers for _, _, numbers in made)
        if G * scores <= MOST_PAIRS and G * (f + 1) * (f + 2) // 2 <= MOST_UNKNOWNS:
            break
    it.branches = [branch for branch, _, _ in made]


# ------------------------------------------------------------------------------------------------- problem and solver

def extreme_activation(random):
    signed = lambda text: pick(random, '', '', '-') + text
    kind = random.integers(6)
    if kind == 0:
        return ','.join(signed(power(random, e - 1, e + 1)) for e in [pick(random, -80, 80, -150, 150, 200, -300)] * 3)
    if kind == 1:
        return pick(random, '1e-16,0,0', '1,0,0', '0,1,0', '0,0,1', '0,0,0', '0,1e-16,0', '0,0,1e-16', '1e80,0,0', '0,0,1e80')
    if kind == 2:
        return ','.join(signed(power(random, -30, 30)) for _ in range(3))
    values = [signed(power(random, -3, 3)) for _ in range(3)]
    values[random.integers(3)] = pick(random, '0', '1e-16', '1e16')
    return ','.join(values)


def make_problem(it, random, extreme):
    it.loss = pick(random, *LOSSES)
    if it.loss != 'squared' or chance(random, 0.1):
        it.options['-loss'] = it.loss
    if it.loss == 'huber' and chance(random, 0.7):
        it.options['-huber_delta'] = power(random, -6, 6) if extreme else power(random, -1, 0.7)
    if extreme and chance(random, 0.5):
        it.options['-activation'] = extreme_activation(random)
    elif chance(random, 0.3):
        it.options['-activation'] = pick(random, '1,0,0.1', '0,1,0', '1,1,1', '0.5,0,0', '-0.3,0.2,0.1', '0.09,0.5,0.47', '0.1,-1,0')
    kind = random.integers(10)
    if kind < 6:
        it.options['-beta_rel'] = power(random, -12, 3) if extreme and chance(random, 0.5) else power(random, -6, 0.08)
    elif kind < 7:
        it.options['-beta_noise'] = power(random, -6, 1)
    elif kind < 9:
        it.options['-beta'] = power(random, *pick(random, (-300, 300), (-12, 12), (-4, 4))) if extreme else power(random, -5, 1)
    if chance(random, 0.05):
        it.options['-memory'] = pick(random, '0', '0.01', '16')


def make_solver(it, random, extreme):
    options = it.options
    if chance(random, 0.3):
        options['-consensus'] = pick(random, 'root', 'scalapack', 'auto')
    if it.loss == 'squared' and '-branches' not in options and chance(random, 0.2):
        options['-consensus'] = 'dual'
    if chance(random, 0.3):
        options['-cone'] = pick(random, 'lapack', 'partial', 'scalapack', 'auto')
    if options.get('-cone') == 'partial' and chance(random, 0.2):
        options['-cone_partial'] = pick(random, 'block', 'krylovschur', 'lobpcg', 'gd', 'jd')
    if chance(random, 0.15):
        options['-cone_lapack'] = pick(random, 'auto', 'syevd', 'syevr', 'syevr')
    it.default_solver = True
    if chance(random, 0.7 if extreme else 0.35):
        it.default_solver = False
        make_settings(options, random, extreme)
    if extreme and '-max_it' not in options and chance(random, 0.9):
        options['-max_it'] = str(int(10**random.uniform(0, 2.6)))
    if extreme and chance(random, 0.02):
        options['-time_limit'] = '1'
    if chance(random, 0.05):
        options['-crops'] = pick(random, '9', '25')
    if chance(random, 0.05):
        options['-screening'] = pick(random, 'on', 'off')
    if chance(random, 0.04) and '-time_limit' not in options:
        options.update({'-checkpoint': 'run.ck', '-checkpoint_every': pick(random, '0', '60')})
        if options.get('-consensus') in ('root', 'scalapack') and chance(random, 0.5):
            options['-checkpoint_gram'] = None
    if chance(random, 0.05):
        options['-history'] = 'h.csv'
    if chance(random, 0.02):
        options['-split'] = 'train'
    if it.loss == 'squared' and options.get('-consensus') != 'dual' and chance(random, 0.4):
        options['-precision'] = 'mixed'


def make_settings(options, random, extreme):
    wide = extreme and chance(random, 0.5)
    if chance(random, 0.6):
        options['-gap'] = power(random, -13.5, 0.5) if extreme else power(random, -6, -3)
    if chance(random, 0.5):
        options['-max_it'] = str(int(10**(random.uniform(0, 2.6) if extreme else random.uniform(1.5, 3.3))))
    if chance(random, 0.3):
        options['-rho'] = power(random, -12, 12) if wide else power(random, -3, 3)
    if chance(random, 0.2):
        options['-sigma'] = power(random, -9, 9) if wide else power(random, -2, 2)
    if chance(random, 0.3):
        options['-relaxation'] = pick(random, '1e-3', '0.1', '1.95', '1.999', '1e-9') if wide else pick(random, '1', '1.3', '1.8')
    if chance(random, 0.2):
        options['-check_every'] = pick(random, '1', '3', '7', '1000')


def choose_solver(it, solver):
    """that one, where it takes the loss; the low-rank one without ADMM's own options"""
    if solver == 'lowrank':
        if it.loss not in SMOOTH:
            return
        for name in OF_ADMM:
            it.options.pop(name, None)
        # an iteration of its is many of ADMM's, and small betas, which are not what it is for, would take all of them
        it.options.setdefault('-max_it', '200')
    it.options['-solver'] = solver


def make_command(it, random):
    if chance(random, 0.04):
        it.command = 'path'
        it.options.pop('-history', None)
        if chance(random, 0.6):
            it.options['-beta_count'] = str(random.integers(1, 5))
        if chance(random, 0.3):
            it.options['-table'] = 't.csv'
        it.options['-keep_all'] = None


def make_instance(seed, kind):
    it = Instance(seed, kind)
    extreme = kind == 'extreme'
    for make in (make_images, make_patches, make_problem, make_solver):
        make(it, it.random, extreme)
    make_command(it, it.random)
    return it
