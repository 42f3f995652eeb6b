"""A network as an ONNX model of standard operators (opset 13), step by step as docs/formats.md says how a score is made.

Patches are gathered by constant indices and not convolved, so that the same graph exists in single and in double precision, and a
patch's mean and variance are taken of its own numbers.
"""
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 13, 7


class _Graph:
    """Nodes and constants; what a method returns is the name of a tensor."""

    def __init__(self, number):
        self.number = number  # numpy's type of real constants
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value):
        value = numpy.asarray(value)
        value = value.astype(numpy.int64 if value.dtype.kind in 'iu' else self.number)
        name = f'constant_{len(self.constants)}'
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def add(self, operator, *inputs, **attributes):
        """Inputs that are no names become constants."""
        self.count += 1
        name = attributes.pop('name', f'{operator.lower()}_{self.count}')
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self.nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def mean(self, tensor, axis, keep=0):
        return self.add('ReduceMean', tensor, axes=[axis], keepdims=keep)


def _positions(shape, patches):
    """Where the numbers of each patch are in a flat image, positions x q, and the rows and columns of positions."""
    channels, height, width = shape
    place = numpy.arange(channels * height * width).reshape(shape)
    windows = numpy.lib.stride_tricks.sliding_window_view(place, patches.size, (1, 2))[:, ::patches.stride, ::patches.stride]
    rows, columns = windows.shape[1:3]
    return windows.transpose(1, 2, 0, 3, 4).reshape(rows * columns, -1), rows, columns


def _normalize(graph, x, extra, centre):
    """x/sqrt(mean x^2 + extra) along the last axis, of three; first centred."""
    if centre:
        x = graph.add('Sub', x, graph.mean(x, 2, 1))
    square = graph.mean(graph.add('Mul', x, x), 2, 1)
    return graph.add('Div', x, graph.add('Sqrt', graph.add('Add', square, float(extra))))


def _transform(graph, x, transform):
    return x if transform.matrix is None else graph.add('MatMul', graph.add('Sub', x, transform.mean), transform.matrix)


def _cut(graph, flat, shape, patches):
    """n x positions x f, and the regions of positions, lists of their numbers."""
    channels, height, width = shape
    r = patches.reduce
    if r > 1:
        height, width = height // r, width // r
        place = numpy.arange(numpy.prod(shape)).reshape(shape)[:, :height * r, :width * r]
        blocks = place.reshape(channels, height, r, width, r).transpose(0, 1, 3, 2, 4).reshape(-1, r * r)
        flat = graph.mean(graph.add('Gather', flat, blocks, axis=1), 2)
    where, rows, columns = _positions((channels, height, width), patches)
    x = graph.add('Gather', flat, where, axis=1)
    x = graph.add('Div', graph.add('Sub', x, patches.shift), patches.scale)
    if patches.normalize > 0:
        x = _normalize(graph, x, patches.normalize / patches.scale**2, True)
    numbers = numpy.arange(rows * columns).reshape(1, rows, columns, 1)
    return _transform(graph, x, patches.transform), [part.ravel() for part in patches.parts(numbers)]


def _map(graph, flat, shape, maps):
    """The flat map of an image, channels x places, and the flat responses kept beside it, or None; each with its shape."""
    x, parts = _cut(graph, flat, shape, maps.patches)
    z = graph.add('MatMul', x, maps.filters.T)
    responses = graph.add('Relu', graph.add('Sub', z, float(maps.threshold)))
    if maps.split:
        other = graph.add('Relu', graph.add('Sub', graph.add('Neg', z), float(maps.threshold)))
        responses = graph.add('Concat', responses, other, axis=2)
    places = [graph.mean(graph.add('Gather', responses, part, axis=1), 1, 1) for part in parts]
    values = graph.add('Concat', *places, axis=1) if len(places) > 1 else places[0]
    side, r, kept = maps.patches.pool, maps.responses, None
    if r:
        kept = graph.mean(graph.add('Gather', values, maps.coarse(), axis=1), 2)
        if maps.response_scale != 1:
            kept = graph.add('Mul', kept, maps.response_scale)
        kept = graph.add('Flatten', graph.add('Transpose', kept, perm=[0, 2, 1]), axis=1)
    values = _transform(graph, values, maps.channels)
    if maps.normalize > 0:
        values = _normalize(graph, values, maps.normalize, False)
    values = graph.add('Flatten', graph.add('Transpose', values, perm=[0, 2, 1]), axis=1)
    return (values, (maps.count(), side, side)), (kept, (maps.raw_count(), r, r))


def _sum_of_branches(graph, network, inputs):
    """inputs: the flat image, then map and responses of each stage, with the shape of each"""
    scores, region = [], 0
    for branch in network._branches:
        x, parts = _cut(graph, *inputs[branch.stage or -1][branch.responses], branch)
        f = branch.channels * branch.size[0] * branch.size[1] if branch.transform.matrix is None else branch.transform.matrix.shape[1]
        a, b, c = network.activation(branch)
        for part in parts:
            here = numpy.flatnonzero(network._region == region)
            region += 1
            if not len(here):
                continue
            u = graph.add('MatMul', graph.add('Gather', x, part, axis=1), network._filters[here, :f].T)
            inner = graph.add('Add', graph.add('Mul', u, float(a)), float(b))
            means = graph.mean(graph.add('Add', graph.add('Mul', inner, u), float(c)), 1)
            weights = numpy.zeros((len(here), network._count_scores()))
            weights[numpy.arange(len(here)), network._class[here]] = network._weights[here]
            scores.append(graph.add('MatMul', means, weights))
    if not scores:  # the network without neurons
        flat, shape = inputs[0][0]
        scores = [graph.add('MatMul', flat, numpy.zeros((int(numpy.prod(shape)), network._count_scores())))]
    return graph.add('Sum', *scores, name='scores')


def _choose(graph, network):
    """Labels, and probabilities where scores have them; of outputs neither, as they are the answer."""
    if network.outputs:
        return []
    if network._count_scores() == 1:
        chosen = graph.add('Cast', graph.add('Greater', 'scores', 0.0), to=TensorProto.INT64)
        graph.add('Gather', network.classes, graph.add('Squeeze', chosen, [1]), name='label')
        logits = graph.add('Concat', graph.add('Mul', 'scores', 0.0), 'scores', axis=1)
    else:
        graph.add('Gather', network.classes, graph.add('ArgMax', 'scores', axis=1, keepdims=0), name='label')
        logits = 'scores'
    if network.has_probabilities:
        graph.add('Softmax', logits, axis=1, name='probabilities')
    return ['label', 'probabilities'] if network.has_probabilities else ['label']


def export(network, path, double=False):
    """Writes the network to path, as ONNX.

    Input: images, unsigned bytes, or of 16 bits, or real numbers, which the graph rounds and clips to the network's levels, N x
    channels x height x width. Outputs: scores, N x C; of a network of classes label, N; probabilities, N x classes, of one that has
    them. In single precision, or in double. Metadata: loss, names of classes, primal, bound, gap, beta, beta_max.
    """
    number, kind = (numpy.float64, TensorProto.DOUBLE) if double else (numpy.float32, TensorProto.FLOAT)
    graph = _Graph(number)
    most = 65535 if network.bits == 16 else 255
    if network.step > 0:  # a power of two: nothing is rounded but by Round
        first = network.low / network.step
        pixels = graph.add('Clip', graph.add('Round', graph.add('Div', 'images', network.step)), first, first + most)
        pixels = graph.add('Mul', pixels, network.step)
    else:
        pixels = graph.add('Cast', 'images', to=kind)
        pixels = graph.add('Div', pixels, 257.0) if network.bits == 16 else pixels
    flat = graph.add('Flatten', pixels, axis=1)
    inputs = [((flat, network.shape), None)]
    for stage in network._stages:
        inputs.append(_map(graph, *inputs[-1][0], stage))
    _sum_of_branches(graph, network, inputs)
    outputs = {'scores': (kind, network._count_scores()), 'label': (TensorProto.INT64, None), 'probabilities': (kind, len(network.classes))}
    values = [helper.make_tensor_value_info(name, outputs[name][0], ['N'] + [outputs[name][1]] * (outputs[name][1] is not None))
              for name in ['scores', *_choose(graph, network)]]
    pixel = kind if network.step > 0 else TensorProto.UINT16 if network.bits == 16 else TensorProto.UINT8
    images = helper.make_tensor_value_info('images', pixel, ['N', *network.shape])
    model = helper.make_model(helper.make_graph(graph.nodes, 'psdnet', [images], values, graph.constants),
                              opset_imports=[helper.make_opsetid('', OPSET)], ir_version=IR_VERSION, producer_name='psdnet')
    certified = {name: repr(value) for name, value in network.certificate._asdict().items()}
    helper.set_model_props(model, {'loss': network.loss, 'class_names': '\n'.join(network.class_names), **certified})
    onnx.checker.check_model(model)
    onnx.save(model, path)
