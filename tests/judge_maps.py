"""check_maps.sh's judgement: maps, objectives and scores by the definition in docs/formats.md, in double precision, from the file alone.

Maps are numbers in single precision. Theirs differ from these by some roundings of 2^-24, relative to the largest numbers on the way,
which are of the order of 10 here: features agree to about 1e-5, and objectives, at which a network is nearly stationary, to less."""
import glob

import h5py
import numpy

from judge import attributes, certificate, finish, numbers, report, require, text
from judge_network import patches, pool, scores_of

SINGLE = 2e-5


def means(responses, g, shared):
    """rows x columns x n x K to n x K x g x g"""
    rows, columns, n, K = responses.shape
    parts = [[responses[numpy.ix_(i, j)].reshape(-1, n, K).mean(0) for j in pool(columns, g, 0, shared)] for i in pool(rows, g, 0, shared)]
    return numpy.array(parts).transpose(2, 3, 0, 1)


def maps(images, stage):
    """what the group layer1 makes of images: n x channels x side x side, and the responses beside it, r x r parts of them"""
    a = stage.attrs
    z = patches(images, stage) @ stage['filter'][:].T
    signs = (1, -1) if a['split'] else (1,)
    x = numpy.concatenate([means(numpy.maximum(sign * z - a['threshold'], 0), int(a['pool']), a.get('pool_shared', 0)) for sign in signs], 1)
    r, side, kept = a.get('responses', 0), x.shape[2], None
    if r:
        kept = (a.get('response_scale', 0) or 1) * x.reshape(*x.shape[:2], r, side // r, r, side // r).mean((3, 5))
    x = x.transpose(0, 2, 3, 1)
    if a['map_channels']:
        x = (x - stage['channels/mean'][:]) @ stage['channels/transform'][:]
    if a['map_normalize'] > 0:
        x = x / numpy.sqrt((x * x).mean(-1, keepdims=True) + a['map_normalize'])
    return x.transpose(0, 3, 1, 2), kept


def scores(path, images):
    with h5py.File(path) as file:
        inputs = [(images, None)]
        for stage in range(file.attrs.get('stage', 0)):
            inputs.append(maps(inputs[-1][0], file[f'layer{stage + 1}']))
        return scores_of(file, inputs, path)


def shifted(images, down, across):
    rows = numpy.clip(numpy.arange(images.shape[2]) - down, 0, images.shape[2] - 1)
    columns = numpy.clip(numpy.arange(images.shape[3]) - across, 0, images.shape[3] - 1)
    return images[:, :, rows][:, :, :, columns]


def samples(name):
    """of what a run was trained on: images, in any order, and labels"""
    limit, moves = {'shifts': (24, 5), 'shiftsflip': (20, 9)}.get(name, (90 if name.startswith('flip') else 180, 1))
    moves = [(i, j) for i in (-2, 0, 2) for j in (-2, 0, 2) if moves == 9 or (i, j) == (0, 0) or (moves == 5 and i and j)]
    x = numpy.concatenate([shifted(images[:limit], *move) for move in moves])
    y = numpy.tile(labels[:limit], len(moves))
    if 'flip' in name:
        x, y = numpy.concatenate([x, x[:, :, :, ::-1]]), numpy.concatenate([y, y])
    return x, y


with h5py.File('train.h5') as file:
    images, labels = file['images'][:], file['labels'][:]
runs = {name[:-5]: report(name[:-5]) for name in glob.glob('*.json')}
primal = {name: run['objective_primal'] for name, run in runs.items()}
for name in 'one', 'plain', 'kmeans', 'neurons', 'two', 'joint', 'jointpca', 'below', 'streamed', 'flip', 'shifts', 'shiftsflip', 'chain', 'third', 'refit', \
        'flipmirror', 'flipmirrormeans', 'flipmirrorjoint':
    x, y = samples(name)
    fit, weight = scores(name + '.m', x)
    Y = 2.0 * (y[:, None] == numpy.arange(3)) - 1
    objective = ((fit - Y) ** 2).sum() / 2 + weight  # beta is 1
    require(abs(objective / primal[name] - 1) <= SINGLE, name, 'objective', primal[name], 'by the formula', objective)
for name in 'one', 'third', 'refit', 'joint', 'below', 'flipmirrorjoint':
    found = numpy.array(numbers(name + '.csv'))[:, 1:4]
    expected = scores(name + '.m', images)[0]
    require(abs(found - expected).max() <= SINGLE * (1 + abs(expected).max()), name, 'predict differs from the formula')
found = numpy.array(numbers('crops.csv'))[:, 1:4]
crops = numpy.mean([scores('one.m', shifted(images, i, j))[0] for i in (-1, 0, 1) for j in (-1, 0, 1)], 0)
require(abs(found - crops).max() <= SINGLE * (1 + abs(crops).max()), 'predict -crops differs from the formula')
# the maps are the same on any number of ranks, and so are the optima
same = {'one': ('one2', 'one3', 'one4', 'streamed', 'dual', 'lowrank', 'resumed'), 'softmax': ('softmax3',), 'shifts': ('shifts3',), 'joint': ('joint3', 'jointagain'),
        'chain': ('chain3', 'chainagain'), 'refit': ('refit3',),
        'flipmirror': ('flipmirror3', 'flipmirrordual'), 'flipmirrorjoint': ('flipmirroragain',)}
for first, others in same.items():
    gap = runs[first]['gap']
    require(gap <= 1e-6, first, 'gap', gap)
    for name in others:
        require(abs(primal[name] / primal[first] - 1) <= gap + runs[name]['gap'], name, primal[name], first, primal[first])
        require(runs[name]['objective_dual'] <= primal[first], name, 'bound', runs[name]['objective_dual'], first, primal[first])
for name, model in ('certify', 'one'), ('certifyflip', 'flip'), ('certifyshifts', 'shiftsflip'), ('certifyplain', 'plain'), ('proof', 'one'), \
        ('certifychain', 'third'), ('proofchain', 'chain'), \
        ('certifyrefit', 'refit'), ('proofrefit', 'refit'), ('certifyjoint', 'joint'), ('proofjoint', 'joint'), ('certifybelow', 'below'), \
        ('certifyflipmirrorjoint', 'flipmirrorjoint'), ('proofflipmirror', 'flipmirror'):
    again = certificate(name)
    require(abs(again['primal'] / primal[model] - 1) <= 1e-10, name, again['primal'], primal[model])
    require(again['bound'] <= primal[model] and again['gap'] <= 1e-6, name, again)
# filters are unit vectors, the same whatever the number of ranks
with h5py.File('one.m') as one, h5py.File('one3.m') as three:
    require(abs((one['layer1/filter'][:] ** 2).sum(1) - 1).max() <= 1e-13, 'filters are not of length 1')
    for name in 'filter', 'preprocess/transform', 'preprocess/mean', 'channels/transform', 'channels/mean':
        require((one['layer1/' + name][:] == three['layer1/' + name][:]).all(), name, 'differs between 1 and 3 ranks')
with h5py.File('first.m') as first, h5py.File('neurons.m') as neurons:
    heavy = numpy.argsort(-abs(first['neurons/weight'][:]), kind='stable')[:6]
    require((neurons['layer1/filter'][:] == first['neurons/filter'][:][heavy]).all(), 'filters are not the heaviest neurons')
    require((neurons['layer1/preprocess/transform'][:] == first['preprocess/transform'][:]).all(), 'transform of the neurons')
# a chain has the stages of the network below as they are, then one of its heaviest neurons, and says what that network claims
for name, below, own in ('chain', 'one', 2), ('third', 'chain', 3):
    with h5py.File(name + '.m') as chain, h5py.File(below + '.m') as file:
        require((chain.attrs['stage'], chain.attrs['version']) == (own, 6), name, 'stages')
        top = chain[f'layer{own}']
        heavy = numpy.argsort(-abs(file['neurons/weight'][:]), kind='stable')[:len(top['filter'])]
        require((top['filter'][:] == file['neurons/filter'][:][heavy]).all(), name, 'filters are not the heaviest neurons')
        require((top.attrs['network_neurons'], top.attrs['network_loss']) == (len(file['neurons/weight']), b'squared'), name, 'network')
        for key in 'beta', 'objective_primal', 'objective_dual', 'gap':
            require(top.attrs['network_' + key] == file.attrs[key], name, key)
        for stage in range(1, own):
            a, b = chain[f'layer{stage}'], file[f'layer{stage}']
            require(dict(a.attrs) == dict(b.attrs), name, 'attributes of stage', stage)
            kept = []
            a.visititems(lambda key, value: kept.append(key) if isinstance(value, h5py.Dataset) else None)
            require(len(kept) >= 3 and all((a[key][:] == b[key][:]).all() for key in kept), name, 'arrays of stage', stage, kept)
with h5py.File('chain.m') as chain, h5py.File('chain3.m') as three:
    require((chain['layer2/channels/transform'][:] == three['layer2/channels/transform'][:]).all(), 'chain differs between 1 and 3 ranks')
# the neurons of one branch alone, on the stages that it is cut behind
with h5py.File('fourth.m') as fourth, h5py.File('refit.m') as refit:
    here = refit['neurons/region'][:] >= 4  # the first branch has four regions
    heavy = numpy.argsort(-abs(refit['neurons/weight'][:][here]), kind='stable')[:6]
    require((fourth['layer2/filter'][:] == refit['neurons/filter'][:][here][heavy]).all() and fourth.attrs['stage'] == 2, 'fourth: filters')
    require((fourth['layer1/filter'][:] == refit['layer1/filter'][:]).all(), 'fourth: the stage below')
# each filter and its mirror image, of pixels; mirror images are folded, and the scores of both are the same but for single precision
for name in 'flipmirror', 'flipmirrormeans', 'flipmirrorjoint':
    require('folded to' in text(name + '.log'), name, 'is not folded')
    with h5py.File(name + '.m') as file:
        w = (file['layer1/preprocess/transform'][:] @ file['layer1/filter'][:].T).reshape(2, 3, 3, 6)  # channels, rows, columns, filters
        require(abs(w[..., 3:] - w[:, :, ::-1, :3]).max() <= 1e-13 * abs(w).max() and abs(w[..., 3:] - w[..., :3]).max() > 0.1, name, 'filters')
        require(file.attrs['version'] == 8 and file['layer1'].attrs['pool_shared'] == 1, name, 'version or regions')
    one, other = (scores(name + '.m', x)[0] for x in (images[:90], images[:90, :, :, ::-1]))
    # at a gap of 1e-8 a network is its own mirror image to about the root of that
    require(abs(one - other).max() <= 1e-3 * abs(one).max(), name, 'scores of mirror images', abs(one - other).max(), abs(one).max())
require('folded to' not in text('flip.log') and 'folded to' not in text('flipmirrordual.log'), 'what cannot be folded is')
require(attributes('joint.m')['version'] == 7, 'version of a model with responses')
require(attributes('first.m')['version'] == 3, 'version of a model without a stage')
require(attributes('one.m')['version'] == 4, 'version of a model with a stage')
found = attributes('shiftsflip.m')
require((found['n_train'], found['flip'], found['shifts']) == (20, 1, 9), 'what the model says of its samples', found)
require(attributes('shifts.m')['version'] == 4 and 'layer1' not in h5py.File('shifts.m'), 'a model of shifted images')
finish()
