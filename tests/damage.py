"""damage.py FILE COPY CHANGE: FILE copied to COPY with one thing wrong. damage.py FILE DIRECTORY: a copy for each change that makes
psdnet refuse any model, named after it.

Models are changed as HDF5 files, and by their bytes (BYTES), as any file can be.
"""
import os
import shutil
import sys

import h5py
import numpy


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


def unknown_loss(file):
    file.attrs['loss'] = 'quadratic'


# of files of version 2

def lost_branch(file):
    del file['/branch/1']


def many_branches(file):
    file.attrs['branches'] = 5


def large_reduce(file):
    file['/branch/2'].attrs['reduce'] = 12


def narrow_branch(file):
    del file['/branch/0/preprocess']


def padded_filter(file):
    """of the last branch, as long as before"""
    filters, last = file['neurons/filter'][:], sum(int(file[f'/branch/{b}'].attrs['pool'])**2 for b in (0, 1))
    k = numpy.flatnonzero(file['neurons/region'][:] >= last)[0]
    filters[k] = 0.8 * filters[k]
    filters[k, -1] = 0.6
    file['neurons/filter'][...] = filters


# sound files that claim too much

def turn_filter(file):
    filters = file['neurons/filter'][:]
    filters[0] = numpy.roll(filters[0], 1)
    file['neurons/filter'][...] = filters


def scale_weights(file):
    file['neurons/weight'][...] = 1.01 * file['neurons/weight'][:]


def flip_weight(file):
    weight = file['neurons/weight'][:]
    weight[abs(weight).argmax()] *= -1
    file['neurons/weight'][...] = weight


REFUSED = (other_version, other_format, no_beta, beta_nan, negative_beta, zero_stride, large_patch, short_weights, wide_filters,
           long_filter, weight_nan, region_outside, class_outside, no_neurons, narrow_transform)
CHANGES = {change.__name__: change for change in REFUSED + (
    unknown_loss, lost_branch, many_branches, large_reduce, narrow_branch, padded_filter,
    turn_filter, scale_weights, flip_weight)}
# what becomes of a file's bytes
BYTES = {'truncated': lambda whole: whole[:len(whole) // 2], 'beheaded': lambda whole: whole[100:], 'empty': lambda whole: b'',
         'bit_near_end': lambda whole: whole[:-1000] + bytes([whole[-1000] ^ 4]) + whole[-999:]}


def damage(source, copy, change):
    if change in BYTES:
        with open(source, 'rb') as file:
            whole = file.read()
        with open(copy, 'wb') as file:
            file.write(BYTES[change](whole))
        return
    shutil.copy(source, copy)
    with h5py.File(copy, 'r+') as file:
        CHANGES[change](file)


def main(source, copy, change=None):
    if change:
        damage(source, copy, change)
        return
    os.makedirs(copy)
    for name in [change.__name__ for change in REFUSED] + ['truncated', 'beheaded', 'empty']:
        damage(source, f'{copy}/{name}.h5', name)


main(*sys.argv[1:])
