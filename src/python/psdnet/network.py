"""A model file as a function of images, by its definition: docs/formats.md, "How a score is made" and "How a map is made"."""
import collections

import h5py
import numpy

AT_A_TIME = 64 << 20  # bytes of patches

Certificate = collections.namedtuple('Certificate', 'primal bound gap beta beta_max')


def load(path):
    """The network in a model file (versions 1 to 8), as a Network."""
    try:
        return Network(path)
    except KeyError:  # an attribute or an array that is not there
        raise ValueError(f'{path}: no model file of psdnet, or damaged') from None


def _open(path):
    """A file of HDF5; errors name it, which h5py's do not."""
    with open(path, 'rb'):
        pass
    try:
        return h5py.File(path, 'r')
    except OSError:
        raise ValueError(f'{path}: no model file of psdnet, or damaged') from None


def _text(value):
    return value.decode(errors='replace') if isinstance(value, bytes) else str(value)


def _regions(positions, pool, overlap, shared=False):
    """Slices of the positions along one axis, the larger parts first; or their own mirror images, with a middle in common."""
    ends = numpy.cumsum([len(part) for part in numpy.array_split(numpy.empty(positions), pool)])
    begins = [0, *ends[:-1]]
    if shared:
        begins, ends = ([(positions * k + up) // pool for k in range(first, first + pool)] for first, up in ((0, 0), (1, pool - 1)))
    return [slice(max(0, begin - overlap), min(positions, end + overlap)) for begin, end in zip(begins, ends)]


class _Transform:
    """x = (p - mean) transform; what is not there is left out."""

    def __init__(self, group):
        self.mean = group['mean'][:] if group else None
        self.matrix = group['transform'][:] if group else None

    def __call__(self, patches):
        return patches if self.matrix is None else (patches - self.mean) @ self.matrix


class _Patches:
    """What a branch, or the stage of maps, cuts of an image."""

    def __init__(self, group):
        def number(name, otherwise=None):
            return group.attrs[name] if otherwise is None else group.attrs.get(name, otherwise)

        self.reduce, self.overlap = int(number('reduce', 1)), int(number('pool_overlap', 0))
        self.size = int(number('patch_height')), int(number('patch_width'))
        self.stride, self.pool, self.bits = int(number('stride')), int(number('pool')), int(number('bits', 0))
        self.step, self.low = float(number('pixel_step', 0.0)), float(number('pixel_low', 0.0))
        self.shared = int(number('pool_shared', 0)) == 1
        self.linear = int(number('lift', 0)) == 1
        self.stage = int(number('of_stage', 0))  # whose map it is cut of, from 1 at the images on; 0: the last one's
        self.responses = int(number('responses', 0))  # 1: not of the map but of the responses beside it
        self.shift, self.scale, self.normalize = (float(number(name)) for name in ('pixel_shift', 'pixel_scale', 'patch_normalize'))
        self.transform = _Transform(group['preprocess'] if 'preprocess' in group else None)

    def cut(self, images):
        """n x channels x height x width to n x rows x columns x f"""
        n, channels, height, width = images.shape
        r = self.reduce
        if r > 1:
            height, width = height // r, width // r
            images = images[:, :, :height * r, :width * r].reshape(n, channels, height, r, width, r).mean((3, 5))
        windows = numpy.lib.stride_tricks.sliding_window_view(images, self.size, (2, 3))[:, :, ::self.stride, ::self.stride]
        patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, *windows.shape[2:4], channels * self.size[0] * self.size[1])
        patches = (patches - self.shift) / self.scale
        if self.normalize > 0:
            variance = patches.var(-1, keepdims=True) + self.normalize / self.scale**2
            patches = (patches - patches.mean(-1, keepdims=True)) / numpy.sqrt(variance)
        return self.transform(patches)

    def parts(self, patches):
        """Patches, or what is made of each, by region."""
        rows, columns = (_regions(patches.shape[axis], self.pool, self.overlap, self.shared) for axis in (1, 2))
        return [patches[:, row, column].reshape(len(patches), -1, patches.shape[-1]) for row in rows for column in columns]


class _Maps:
    """A stage of fixed filters before the patches. network: what is claimed of the one whose neurons they are, given the stages below.
    responses: side of the responses that are kept beside the map, 0: none."""

    def __init__(self, group):
        self.patches = _Patches(group)
        self.filters = group['filter'][:]
        self.threshold, self.split, self.normalize = (group.attrs[name] for name in ('threshold', 'split', 'map_normalize'))
        self.channels = _Transform(group['channels'] if 'channels' in group else None)
        self.responses = int(group.attrs.get('responses', 0))
        self.response_scale = float(group.attrs.get('response_scale', 0)) or 1.0
        self.network = None
        if 'network_loss' in group.attrs:
            claimed = {name: float(group.attrs['network_' + name]) for name in ('objective_primal', 'objective_dual', 'gap', 'beta')}
            self.network = {'loss': _text(group.attrs['network_loss']), 'neurons': int(group.attrs['network_neurons']), **claimed}

    def raw_count(self):
        """Channels of the responses."""
        return len(self.filters) * (2 if self.split else 1)

    def count(self):
        """Channels of a map."""
        return self.channels.matrix.shape[1] if self.channels.matrix is not None else self.raw_count()

    def coarse(self):
        """Which places of the map, counted row by row, each part of the kept responses is the mean of."""
        r, each = self.responses, self.patches.pool // max(1, self.responses)
        places = numpy.arange(self.patches.pool**2).reshape(r, each, r, each)
        return places.transpose(0, 2, 1, 3).reshape(r * r, each * each)

    def __call__(self, images):
        """Maps of images, and the responses kept beside them; None: none are."""
        z = self.patches.cut(images) @ self.filters.T
        responses = numpy.maximum(z - self.threshold, 0)
        if self.split:
            responses = numpy.concatenate([responses, numpy.maximum(-z - self.threshold, 0)], -1)
        places = numpy.stack([part.mean(1) for part in self.patches.parts(responses)], 1)
        values = self.channels(places)
        if self.normalize > 0:
            values = values / numpy.sqrt((values**2).mean(-1, keepdims=True) + self.normalize)
        side, r, kept = self.patches.pool, self.responses, None
        if r:
            kept = self.response_scale * places[:, self.coarse()].mean(2).transpose(0, 2, 1).reshape(len(images), -1, r, r)
        return values.transpose(0, 2, 1).reshape(len(images), -1, side, side), kept


class Network:
    """A network in a model file.

    outputs      real numbers that it gives for an image; 0: it tells classes apart
    classes      labels, whole numbers, in the order of the scores
    class_names  what they are called; the labels in digits where the data had no names; of outputs 'output 0' and so on where
                 they had none
    shape        channels, height and width of an image
    bits         of a pixel as it is held, 8 or 16
    step, low    of images of real numbers, which are rounded to low + step k, k of 0 to 255 or, with 16 bits, to 65535; step 0: of
                 images of whole numbers
    loss         a name of psdnet's option -loss
    certificate  primal, bound and gap as the file claims them (psdnet certify proves them), beta and beta_max
    """

    def __init__(self, path):
        with _open(path) as file:
            attributes = dict(file.attrs)
            if _text(attributes.get('format', '')) != 'psdnet-model' or not 1 <= attributes['version'] <= 8:
                raise ValueError(f'{path}: no model file of psdnet, or of a later version')
            self.outputs = int(attributes.get('outputs', 0))
            labels = [] if self.outputs else attributes['classes']
            self.classes = numpy.array([int(_text(label)) for label in labels], int)
            names = attributes.get('output_names', [f'output {k}' for k in range(self.outputs)] or attributes.get('class_names', labels))
            self.class_names = [_text(name) for name in names]
            self.loss = _text(attributes['loss'])
            self.certificate = Certificate(*(float(attributes[name]) for name in ('objective_primal', 'objective_dual', 'gap', 'beta',
                                                                                  'beta_max')))
            self._activation = [float(number) for number in attributes['activation']]
            grouped = 'branch' in file
            groups = [file[f'branch/{k}'] for k in range(int(attributes['branches']))] if grouped else [file]
            self._branches = [_Patches(group) for group in groups]
            self._stages = [_Maps(file[f'layer{k + 1}']) for k in range(int(attributes.get('stage', 0)))]
            of_image = file['layer1'].attrs if self._stages else attributes
            cut = self._patches_of_images()
            self.bits, self.step, self.low = 16 if cut.bits == 16 else 8, cut.step, cut.low
            self.shape = tuple(int(of_image[name]) for name in ('channels', 'height', 'width'))
            for branch in self._branches:
                of = self._stages[branch.stage - 1] if self._stages else None  # of 0 the last
                branch.channels = self.shape[0] if not of else of.raw_count() if branch.responses else of.count()
            self._filters, self._weights = file['neurons/filter'][:], file['neurons/weight'][:]
            self._region, self._class = file['neurons/region'][:], file['neurons/class'][:]

    def _patches_of_images(self):
        return self._stages[0].patches if self._stages else self._branches[0]

    def _images(self, images):
        """n x channels x height x width of images in whatever order of axes"""
        images = numpy.asarray(images)
        channels, height, width = self.shape
        if images.shape[1:] == (height, width) and channels == 1:
            return images[:, None]
        if images.shape[1:] == (height, width, channels) != self.shape:
            return images.transpose(0, 3, 1, 2)
        if images.shape[1:] != self.shape:
            raise ValueError(f'images are {images.shape}, expected number x {channels} x {height} x {width}')
        return images

    def _count_scores(self):
        return self.outputs or (1 if len(self.classes) == 2 else len(self.classes))

    def activation(self, branch):
        """a, b and c of the neurons of one of the branches."""
        a, b, c = self._activation
        return (0.0 if branch.linear else a), b, c

    def _are_parts(self, images):
        """Whether numbers are 255ths of 1."""
        return images.dtype.kind == 'f' and self.bits == 8 and not self.step > 0 and images.max(initial=0) <= 1

    def _values(self, images, parts):
        """Numbers of images as the options count them, from what they are: whole numbers, or these over 255 (parts), or real numbers,
        which are rounded and clipped as psdnet does."""
        most = 65535 if self.bits == 16 else 255
        numbers = images.astype(float) * (255.0 if parts else 1.0)
        if not numpy.isfinite(numbers).all():
            raise ValueError('images have numbers that are not finite')
        if self.step > 0:
            first = self.low / self.step
            return numpy.rint(numbers / self.step).clip(first, first + most) * self.step
        whole = numpy.rint(numbers)
        if (abs(numbers - whole) > (3 * 255 * 2.0**-24 if parts else 0)).any() or (whole < 0).any() or (whole > most).any():
            raise ValueError(f'images have other numbers than {"255ths of 1" if parts else f"whole numbers of 0 to {most}"}, which '
                             'those are that the network was trained on')
        return whole / 257 if self.bits == 16 else whole

    def _inputs(self, images, parts):
        """Pairs of what branches cut: images and None, then the map of each stage and the responses beside it."""
        inputs = [(self._values(images, parts), None)]
        for stage in self._stages:
            inputs.append(stage(inputs[-1][0]))
        return inputs

    def _score(self, images, parts):
        scores = numpy.zeros((len(images), self._count_scores()))
        inputs = self._inputs(images, parts)
        region = 0
        for branch in self._branches:
            patches = branch.cut(inputs[branch.stage or -1][branch.responses])
            a, b, c = self.activation(branch)
            for part in branch.parts(patches):
                here = numpy.flatnonzero(self._region == region)
                u = part @ self._filters[here, :patches.shape[-1]].T
                terms = ((a * u + b) * u + c).mean(1) * self._weights[here]
                for score in range(scores.shape[1]):
                    scores[:, score] += terms[:, self._class[here] == score].sum(1)
                region += 1
        return scores

    def scores(self, images):
        """n x C, C = 1 for two classes: of images of numbers as the network was trained on, n x channels x height x width (or n x
        height x width of one channel, or channels last): of 0 to 255 or, with 16 bits, to 65535; real numbers; or, where bytes are
        meant and none is above 1, 255ths of 1, in floating point."""
        images = self._images(images)
        parts = self._are_parts(images)
        step = max(1, AT_A_TIME // (8 * max(1, images[:1].size) * max(branch.size[0] * branch.size[1] for branch in self._branches)))
        parts = [self._score(images[k:k + step], parts) for k in range(0, len(images), step)]
        return numpy.concatenate(parts) if parts else numpy.zeros((0, self._count_scores()))

    def _chosen(self, images):
        scores = self.scores(images)
        return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(1)

    def predict(self, images):
        """Labels, n; of the largest score, the first of equals, and of two classes the second where the score is above 0. Of a network
        with outputs these, n x outputs."""
        return self.scores(images) if self.outputs else self.classes[self._chosen(images)]

    def predict_names(self, images):
        """As predict, but the names of classes, a list."""
        return [self.class_names[k] for k in self._chosen(images)]

    @property
    def has_probabilities(self):
        """Whether scores are logarithms of ratios of probabilities: trained with softmax, or with logistic on two classes."""
        return self.loss == 'softmax' or (self.loss == 'logistic' and len(self.classes) == 2)

    def probabilities(self, images):
        """n x classes, of a network that has_probabilities."""
        if not self.has_probabilities:
            raise ValueError(f'scores of {len(self.classes)} classes trained with -loss {self.loss} are no probabilities')
        scores = self.scores(images)
        if scores.shape[1] == 1:  # that of the second class less that of the first
            scores = numpy.concatenate([numpy.zeros_like(scores), scores], 1)
        grown = numpy.exp(scores - scores.max(1, keepdims=True))
        return grown / grown.sum(1, keepdims=True)

    def filters(self, branch=0):
        """Filters of a branch's neurons in the coordinates of its patches, N x channels x height x width, and their weights, classes'
        positions and regions within the branch: z = u . x is the filter's product with the patch, up to a constant. The patches
        are after shift, scale and normalisation; of a network on maps they are the maps'."""
        patches = self._branches[branch]
        here, first = self._neurons_of(branch)
        filters = self._own_filters(branch)
        if patches.transform.matrix is not None:
            filters = filters @ patches.transform.matrix.T
        return filters.reshape(-1, patches.channels, *patches.size), self._weights[here], self._class[here], self._region[here] - first

    def _neurons_of(self, branch):
        """Which neurons are a branch's, and the number of its first region."""
        first = sum(other.pool**2 for other in self._branches[:branch])
        return (self._region >= first) & (self._region < first + self._branches[branch].pool**2), first

    def _own_filters(self, branch):
        """Filters of a branch's neurons in the coordinates of the program: as many numbers as the branch's patches have there."""
        patches = self._branches[branch]
        matrix = patches.transform.matrix
        f = patches.channels * patches.size[0] * patches.size[1] if matrix is None else matrix.shape[1]
        return self._filters[self._neurons_of(branch)[0], :f]

    def to_onnx(self, path, double=False):
        """Writes an ONNX model of standard operators (onnx_export.export), which needs the package onnx."""
        from .onnx_export import export
        export(self, path, double)

    def _task(self):
        return f'{self.outputs} outputs' if self.outputs else f'{len(self.classes)} classes'

    def __repr__(self):
        return f'<psdnet network: {len(self._weights)} neurons, {self._task()}, gap {self.certificate.gap:.1e}>'
