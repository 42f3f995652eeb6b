"""The module of docs/guide.md, as it is printed there, against psdnet predict and a difference quotient."""
import os
import re

import h5py
import numpy
import torch

from judge import finish, require, table, text

GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../docs/guide.md')
module = {}
exec(re.search(r'```python\n(import glob\n.*?)```', text(GUIDE), re.S).group(1), module)

# psdnet makes maps in single precision
for name, path, accuracy in (('plain', 'grey_h5', 1e-12), ('named', 'colour_h5', 1e-12), ('branches', 'colour_h5', 1e-12), ('linear', 'colour_h5', 1e-12),
                             ('levels', 'real_h5', 1e-12), ('maps', 'colour_h5', 1e-5), ('chain', 'colour_h5', 1e-5), ('joint', 'colour_h5', 1e-5)):
    rows = table(name + '.csv')
    with h5py.File(path + '/train.h5') as file:
        images = file['images'][:]
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    images = torch.tensor(numpy.ascontiguousarray(images[[int(row['index']) for row in rows]]))
    expected = numpy.array([[float(row[f'score_{t}']) for t in range(len(row) - 2 - ('name' in row))] for row in rows])
    network = module['Network'](name)
    scores = network(images)
    off = abs(scores.detach().numpy() - expected).max()
    require(scores.shape == expected.shape and off <= accuracy * abs(expected).max(), name, scores.shape, off)
    (scores**2).sum().backward()
    weight, step = network.branch0_weight, 1e-6
    slope = float(weight.grad[0])
    values = []
    for sign in 1, -1:
        with torch.no_grad():
            weight[0] += sign * step
            values.append(float((network(images)**2).sum()))
            weight[0] -= sign * step
    # quadratic in a weight: a central difference is exact up to rounding
    require(abs((values[0] - values[1]) / (2 * step) - slope) <= 1e-12 * values[0] / step, name, slope, values)
finish()
