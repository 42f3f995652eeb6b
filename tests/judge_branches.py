"""check_branches.sh's judgement: objectives and scores by the definition in docs/formats.md, from the file alone."""
import glob

import h5py
import numpy

from judge import attributes, finish, numbers, report, require


def pool(positions, g, overlap):
    """which positions, rows or columns, each of g regions has"""
    return [range(max(0, part[0] - overlap), min(positions, part[-1] + 1 + overlap))
            for part in numpy.array_split(range(positions), g)]


def patches(images, group):
    """rows x columns x n x f"""
    g = dict(group.attrs)
    r = int(g.get('reduce', 1))
    n, channels, height, width = images.shape
    height, width = height // r, width // r
    x = images[:, :, :height * r, :width * r].astype(float).reshape(n, channels, height, r, width, r).mean((3, 5))
    ph, pw, stride = (int(g[k]) for k in ('patch_height', 'patch_width', 'stride'))
    rows, columns = (height - ph) // stride + 1, (width - pw) // stride + 1
    p = numpy.array([[x[:, :, i * stride:i * stride + ph, j * stride:j * stride + pw].reshape(n, -1)
                      for j in range(columns)] for i in range(rows)])
    p = (p - g['pixel_shift']) / g['pixel_scale']
    if g['patch_normalize'] > 0:
        variance = p.var(-1, keepdims=True) + g['patch_normalize'] / g['pixel_scale'] ** 2
        p = (p - p.mean(-1, keepdims=True)) / numpy.sqrt(variance)
    if 'preprocess' in group:
        p = (p - group['preprocess/mean'][:]) @ group['preprocess/transform'][:]
    return p


def scores(path, images):
    """n x classes, and the sum of |weights|; filters are those of unit length that their branch's patches allow"""
    with h5py.File(path) as file:
        a, b, c = file.attrs['activation']
        filters, weights = file['/neurons/filter'][:], file['/neurons/weight'][:]
        regions, classes = file['/neurons/region'][:], file['/neurons/class'][:]
        groups = [file[f'/branch/{k}'] for k in range(file.attrs['branches'])] if file.attrs['branches'] > 1 else [file]
        result, region = numpy.zeros((len(images), len(file.attrs['classes']))), 0
        for group in groups:
            p, g, overlap = patches(images, group), int(group.attrs['pool']), int(group.attrs.get('pool_overlap', 0))
            for rows in pool(p.shape[0], g, overlap):
                for columns in pool(p.shape[1], g, overlap):
                    x = p[numpy.ix_(rows, columns)].reshape(-1, len(images), p.shape[-1])
                    for k in numpy.flatnonzero(regions == region):
                        own = filters[k, :p.shape[-1]]
                        require(abs((own**2).sum() - 1) <= 1e-12 and not filters[k, p.shape[-1]:].any(), path, 'filter', k)
                        u = x @ own
                        result[:, classes[k]] += weights[k] * (a * u * u + b * u + c).mean(0)
                    region += 1
        return result, abs(weights).sum()


with h5py.File('train.h5') as file:
    images, labels = file['images'][:], file['labels'][:]
Y = 2.0 * (labels[:, None] == numpy.arange(3)) - 1
runs = {name[:-5]: report(name[:-5]) for name in glob.glob('*.json')}
primal = {name: run['objective_primal'] for name, run in runs.items()}
for name in 'one', 'two1', 'conepartial', 'resumed', 'three', 'reduced', 'shared', 'overlap1', 'overlap3':
    fit, weight = scores(name + '.m', images)
    objective = ((fit - Y) ** 2).sum() / 2 + weight  # beta is 1
    require(abs(objective / primal[name] - 1) <= 1e-9, name, 'objective', primal[name], 'by the formula', objective)
found = numpy.array(numbers('three.csv'))[:, 1:4]
require(abs(found - scores('three.m', images)[0]).max() <= 1e-9, 'predict differs from the formula')
same = {'two1': ('two2', 'two3', 'two4', 'scalapack', 'streamed', 'conepartial', 'conescalapack', 'resumed'), 'folded': ('folded3',),
        'few': [some + cone for some in ('few', 'more') for cone in ('lapack', 'partial', 'scalapack')],
        'hinge': ('hinge4',), 'softmax': ('softmax4',)}
for first, others in same.items():
    gap = runs[first]['gap']
    require(gap <= (1e-6 if first in ('hinge', 'softmax') else 1e-8), first, 'gap', gap)
    for name in others:
        require(abs(primal[name] / primal[first] - 1) <= gap + runs[name]['gap'], name, primal[name], first, primal[first])
        require(runs[name]['objective_dual'] <= primal[first], name, 'bound', runs[name]['objective_dual'], first, primal[first])
require(abs(primal['overlap3'] / primal['overlap1'] - 1) <= 1e-8, "overlapping regions: A A' and A'A differ")
# a branch by itself is described in the root
for name, key, value in ('reduced', 'reduce', 2), ('overlap1', 'pool_overlap', 2), ('one', 'reduce', 1):
    require(attributes(name + '.m').get(key) == value, name, key, 'is not in the root')
# another branch can only help
require(runs['two1']['objective_dual'] <= primal['one'] and runs['three']['objective_dual'] <= primal['two1'], 'a branch more is worse')
require(primal['two1'] <= primal['one'], 'the second branch was of no use')
finish()
