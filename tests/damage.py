"""damage.py FILE COPY CHANGE: FILE copied to COPY with one thing wrong. damage.py FILE DIRECTORY: a copy for each change that makes
psdnet refuse any model, named after it.

Models, certificates and checkpoints are changed as HDF5 files, their checksums made anew, and by their bytes (BYTES), as any file can be.
"""
import os
import shutil
import sys

import h5py
import numpy

from archives import resum
from seal import seal


def other_version(file):
    file.attrs['version'] = 2


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


def infinite_weights(file):
    file['neurons/weight'][...] = 1e308


def long_loss(file):
    file.attrs['loss'] = 'squared'.ljust(32, '-')


def many_images(file):
    file.attrs['n_train'] = numpy.int64(2**31 + 2**40)


def signed_label(file):
    file.attrs['classes'] = ['+' + label.decode() for label in file.attrs['classes']]


def spaced_label(file):
    file.attrs['classes'] = [' ' + label.decode() for label in file.attrs['classes']]


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


# of files of several branches

def lost_branch(file):
    del file['/branch/1']


def many_branches(file):
    file.attrs['branches'] = 5


def large_reduce(file):
    file['/branch/2'].attrs['reduce'] = 12


def narrow_branch(file):
    del file['/branch/0/preprocess']


def wrong_lift(file):
    file['/branch/1'].attrs['lift'] = 2


def padded_filter(file):
    """of the last branch, as long as before"""
    filters, last = file['neurons/filter'][:], sum(int(file[f'/branch/{b}'].attrs['pool'])**2 for b in (0, 1))
    k = numpy.flatnonzero(file['neurons/region'][:] >= last)[0]
    filters[k] = 0.8 * filters[k]
    filters[k, -1] = 0.6
    file['neurons/filter'][...] = filters


# of files with a stage before the patches


def lost_stage(file):
    del file['/layer1']


def stage_channels(file):
    file.attrs['channels'] = 4


def stage_filters(file):
    filters = file['/layer1/filter'][:, :-1]
    del file['/layer1/filter']
    file['/layer1/filter'] = filters


def stage_infinite(file):
    file['/layer1/filter'][0, 0] = numpy.inf


def stage_large(file):
    file['/layer1/channels/transform'][0, 0] = 1e20


def stage_many(file):
    """more filters than work space is made for"""
    for name, rows in ('filter', 32768), ('channels/transform', 65536), ('channels/mean', 65536):
        numbers = file['/layer1/' + name]
        shape = (rows,) + numbers.shape[1:]
        del file['/layer1/' + name]
        file['/layer1/' + name] = numpy.zeros(shape)
    stage = file['/layer1'].attrs
    stage['count'], stage['height'], stage['width'], stage['pool'] = 32768, 200, 200, 100
    file.attrs['height'] = file.attrs['width'] = 100


def stage_version(file):
    file.attrs['version'] = 5


def lost_second(file):
    del file['/layer2']


def many_stages(file):
    file.attrs['stage'] = 9


def second_height(file):
    file['/layer2'].attrs['height'] = 5


def far_stage(file):
    file.attrs['of_stage'] = 4


def origin_infinite(file):
    file['/layer3'].attrs['network_gap'] = numpy.inf


def joint_side(file):
    file['/layer1'].attrs['responses'] = 3


def joint_none(file):
    del file['/layer1'].attrs['responses']


def joint_first(file):
    file['/branch/0'].attrs['responses'] = 1


def bend_filter(file):
    filters = file['/layer1/filter']
    filters[-1, -1] = filters[-1, -1] * (1 + 2**-50)


def shared_two(file):
    file.attrs['pool_shared'] = 2


def scale_negative(file):
    file['/layer1'].attrs['response_scale'] = -1.0


def joint_two(file):
    file['/branch/1'].attrs['responses'] = 2


def other_stage(file):
    """no damage: another stage"""
    file['/layer1/filter'][0] = -file['/layer1/filter'][0]


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


def single_filters(file):
    """as of a program that trains in single precision: the numbers, and the length they are divided by"""
    filters = file['neurons/filter'][:].astype(numpy.float32)
    length = numpy.zeros(len(filters), numpy.float32)
    for column in filters.T:
        length += column * column
    file['neurons/filter'][...] = filters / numpy.sqrt(length)[:, None]


def longer_filters(file):
    file['neurons/filter'][...] = (1 + 9.9e-9) * file['neurons/filter'][:]


def larger_dual(file):
    file.attrs['objective_dual'] = file.attrs['objective_primal'] * 1.01


def smaller_gap(file):
    file.attrs['gap'] = file.attrs['gap'] * 0.5


def smaller_objective(file):
    file.attrs['objective_primal'] = file.attrs['objective_dual'] = 1e-3 * file.attrs['objective_primal']


# certificate files that are whole, their checksums made anew, and prove less than they claim

def other_nu(file):
    file['nu'][3, 0] += 0.01


def larger_nu(file):
    file['nu'][...] = 1.001 * file['nu'][:]


def negative_nu(file):
    file['nu'][...] = -file['nu'][:]


def smaller_theta(file):
    theta = file['theta'][:]
    theta[-1, 1] *= 0.5
    file['theta'][...] = theta


def larger_theta(file):
    file['theta'][...] = 1.5 * file['theta'][:]


def larger_s(file):
    file.attrs['s'] = 1.0001 * file.attrs['s']


def smaller_beta(file):
    file.attrs['beta'] = 0.999 * file.attrs['beta']


def larger_bound(file):
    file.attrs['bound'] = (1 + 1e-7) * file.attrs['bound']


def other_activation(file):
    file.attrs['activation'] = file.attrs['activation'] + numpy.array([0.001, 0, 0])


# and some that are as good as before, or of something else

def no_theta(file):
    del file['theta']


def smaller_bound(file):
    file.attrs['bound'] = 0.5 * file.attrs['bound']


def negative_s(file):
    file.attrs['s'] = -file.attrs['s']


def other_order(file):
    file['order'][0] += 1


def short_nu(file):
    nu = file['nu'][:-1]
    del file['nu']
    file['nu'] = nu


CERTIFICATES = {change.__name__: change for change in (
    other_nu, larger_nu, negative_nu, smaller_theta, larger_theta, larger_s, smaller_beta, larger_bound, other_activation, no_theta,
    smaller_bound, negative_s, other_order, short_nu)}
CHECKPOINTS = {bend_filter.__name__: bend_filter}
REFUSED = (other_version, other_format, no_beta, beta_nan, negative_beta, zero_stride, large_patch, short_weights, wide_filters,
           long_filter, weight_nan, region_outside, class_outside, no_neurons, narrow_transform, long_loss, many_images, signed_label, spaced_label)
CHANGES = {change.__name__: change for change in REFUSED + (
    unknown_loss, lost_branch, many_branches, large_reduce, narrow_branch, wrong_lift, padded_filter, lost_stage, stage_channels,
    stage_filters, stage_infinite, stage_large, stage_many, stage_version, lost_second, many_stages, second_height, far_stage, origin_infinite, joint_side, joint_none, joint_first, joint_two, shared_two, scale_negative, other_stage, turn_filter, scale_weights, flip_weight,
    single_filters, longer_filters, infinite_weights, larger_dual, smaller_gap, smaller_objective)}
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
        {**CHANGES, **CERTIFICATES, **CHECKPOINTS}[change](file)
    (seal if change in CHANGES else resum)(copy)


def main(source, copy, change=None):
    if change:
        damage(source, copy, change)
        return
    os.makedirs(copy)
    for name in [change.__name__ for change in REFUSED] + ['truncated', 'beheaded', 'empty']:
        damage(source, f'{copy}/{name}.h5', name)


main(*sys.argv[1:])
