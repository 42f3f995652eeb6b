"""Data sets and model files for check_bad_input.sh: make_bad_input.py data DIRECTORY, or damage MODEL DIRECTORY.

data: small sets that are sound (tiny, other, few, large) and some that are not. damage: copies of a sound model, each with one
thing wrong, named after it.
"""
import os
import shutil
import sys

import h5py
import numpy


def write_set(directory, shape, classes):
    os.makedirs(directory)
    random = numpy.random.default_rng(0)
    with h5py.File(directory + '/train.h5', 'w') as file:
        file['images'] = random.integers(0, 256, shape).astype(numpy.uint8)
        file['labels'] = (numpy.arange(shape[0]) % classes).astype(numpy.int32)


def make_data(root):
    write_set(root + '/tiny', (24, 1, 6, 6), 3)
    write_set(root + '/other', (24, 1, 7, 6), 3)
    write_set(root + '/few', (2, 1, 6, 6), 2)
    write_set(root + '/large', (6, 1, 64, 64), 2)
    os.makedirs(root + '/empty')
    os.makedirs(root + '/truncated')
    with open(root + '/truncated/data_batch_1.bin', 'wb') as file:
        file.write(bytes(5 * 3073 - 7))
    os.makedirs(root + '/alike')
    with h5py.File(root + '/alike/train.h5', 'w') as file:
        file['images'] = numpy.full((24, 1, 6, 6), 9, numpy.uint8)
        file['labels'] = (numpy.arange(24) % 3).astype(numpy.int32)
    os.makedirs(root + '/no_h5')
    with open(root + '/no_h5/train.h5', 'w') as file:
        file.write('not HDF5\n')


def other_version(file):
    file.attrs['version'] = 3


def other_format(file):
    file.attrs['format'] = 'keras'


def no_beta(file):
    del file.attrs['beta']


def beta_nan(file):
    file.attrs['beta'] = float('nan')


def negative_beta(file):
    file.attrs['beta'] = -1.0


def zero_stride(file):
    file.attrs['stride'] = 0


def large_patch(file):
    file.attrs['patch_height'] = 100


def short_weights(file):
    weight = file['neurons/weight'][:-1]
    del file['neurons/weight']
    file['neurons/weight'] = weight


def wide_filters(file):
    filters = file['neurons/filter'][:]
    del file['neurons/filter']
    file['neurons/filter'] = numpy.concatenate([filters, filters], 1)


def long_filter(file):
    file['neurons/filter'][0] *= 1.01


def weight_nan(file):
    file['neurons/weight'][0] = float('nan')


def region_outside(file):
    file['neurons/region'][0] = 99


def class_outside(file):
    file['neurons/class'][0] = -1


def no_neurons(file):
    del file['neurons']


def narrow_transform(file):
    transform = file['preprocess/transform'][:-1]
    del file['preprocess/transform']
    file['preprocess/transform'] = transform


def make_models(model, root):
    os.makedirs(root)
    for damage in (other_version, other_format, no_beta, beta_nan, negative_beta, zero_stride, large_patch, short_weights,
                   wide_filters, long_filter, weight_nan, region_outside, class_outside, no_neurons, narrow_transform):
        path = f'{root}/{damage.__name__}.h5'
        shutil.copy(model, path)
        with h5py.File(path, 'r+') as file:
            damage(file)
    whole = open(model, 'rb').read()
    for name, content in ('truncated', whole[:len(whole) // 2]), ('beheaded', whole[100:]), ('empty', b''):
        with open(f'{root}/{name}.h5', 'wb') as file:
            file.write(content)


{'data': make_data, 'damage': make_models}[sys.argv[1]](*sys.argv[2:])
