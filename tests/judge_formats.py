"""judge_formats.py models ONE OTHER NAMES: two networks have the same numbers, the second has the names of classes.
judge_formats.py predictions WHOLE PART FLAT: scores of images of a part of the classes, and of images without labels, are those of all.
judge_formats.py wide MODEL DATA SCORES CROPS: scores of images of 16 bits a pixel, and means over shifts and mirror images (-crops 18), are those
                     that their definition gives in numpy.
judge_formats.py levels BYTES LEVELS: two networks are the same but for what a pixel stands for, of which the second says that it is
                     a real number.
judge_formats.py real MODEL DATA SCORES LOG: scores of images of real numbers are those that their definition gives in numpy; LOG counts the
                     numbers that are beyond the network's levels.
judge_formats.py plans BYTES LEVELS: 90 images of 8 x 9 pixels and three scores take a byte a pixel, and two.
judge_formats.py shuffled LOG: of the first 30 of 90 images no class has none or all, as there are 30 of each."""
import csv
import json
import re
import sys

import h5py
import numpy

from judge import finish, require


def content(path):
    found = {}
    with h5py.File(path) as file:
        found.update({'@' + name: numpy.array(value) for name, value in file.attrs.items()})
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def models(one, other, names):
    one, other = content(one), content(other)
    require([name.decode() for name in other.pop('@class_names')] == names.split(','), 'names', other)
    require('@class_names' not in one and one.keys() == other.keys(), one.keys(), other.keys())
    for name, value in one.items():
        require(numpy.array_equal(value, other[name]), name)


PIXELS = {'@pixel_shift', '@pixel_scale', '@patch_normalize', '@version', '@bits', '@pixel_step', '@pixel_low', '@stage', '@shifts', '@outputs', '@lift',
          '@of_stage'}


def levels(one, other):
    one, other = content(one), content(other)
    require(other['@version'] == 6 and other['@bits'] == 16 and '@pixel_step' not in one, other['@version'])
    require(one.keys() - PIXELS == other.keys() - PIXELS, one.keys(), other.keys())
    for name in one.keys() - PIXELS:
        require(numpy.array_equal(one[name], other[name]), name)


def real(model, data, table, log):
    import psdnet
    network = psdnet.load(model)
    with h5py.File(data) as file:
        images = file['images'][:].astype(float)
    with open(table) as file:
        expected = numpy.array([[float(x) for x in row[1:-1]] for row in list(csv.reader(file))[1:]])
    off = abs(network.scores(images) - expected).max()
    require(network.step > 0 and off <= 1e-12 * abs(expected).max(), 'scores', off)
    beyond = (numpy.rint(images / network.step) < network.low / network.step).sum()
    beyond += (numpy.rint(images / network.step) > network.low / network.step + (65535 if network.bits == 16 else 255)).sum()
    with open(log) as file:
        counts = re.findall(r'warning: .*: (\d+) numbers are clipped', file.read())
    require(beyond > 0 and counts == [str(beyond)], 'clipped', beyond, counts)


def plans(*paths):
    for path, of_pixel in zip(paths, (1, 2)):
        with open(path) as file:
            planned = json.load(file)['memory']['images and targets']
        require(planned == [90 * (72 * of_pixel + 24)] * 2, path, planned)


def predictions(*paths):
    whole, part, flat = [list(csv.reader(open(path))) for path in paths]
    require(whole[0] == ['index', 'score_0', 'score_1', 'score_2', 'class', 'name'], whole[0])
    require(all(row[5] == ('bird', 'cat', 'dog')[int(row[4])] for row in whole[1:]), 'names of classes')
    labels = [7 * k % 3 for k in range(90)]
    require([row[1:] for row in part[1:]] == [row[1:] for row, label in zip(whole[1:], labels) if label], 'part')
    require([row[1:] for row in flat[1:]] == [row[1:] for row in whole[1:]], 'flat')


def moved(images, down, across):
    """n x height x width, shifted by so many pixels, the border repeated."""
    rows = numpy.clip(numpy.arange(images.shape[1]) - down, 0, images.shape[1] - 1)
    columns = numpy.clip(numpy.arange(images.shape[2]) - across, 0, images.shape[2] - 1)
    return images[:, rows][:, :, columns]


def wide(model, data, *tables):
    import psdnet
    network = psdnet.load(model)
    with h5py.File(data) as file:
        images = file['images'][:]
    crops = [moved(images, i, j)[:, :, ::step] for i in (-1, 0, 1) for j in (-1, 0, 1) for step in (1, -1)]
    for path, found in zip(tables, (network.scores(images), numpy.mean([network.scores(crop) for crop in crops], 0))):
        with open(path) as file:
            expected = numpy.array([[float(x) for x in row[1:-1]] for row in list(csv.reader(file))[1:]])
        off = abs(found - expected).max()
        require(network.bits == 16 and off <= 1e-12 * abs(expected).max(), path, off)


def shuffled(path):
    with open(path) as file:
        counts = dict(re.findall(r'(bird|cat|dog) (\d+)', file.read()))
    require(len(counts) == 3 and all(3 <= int(count) <= 20 for count in counts.values()), counts)


globals()[sys.argv[1]](*sys.argv[2:])
finish()
