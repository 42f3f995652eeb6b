"""make_bad_input.py DIRECTORY: data sets for check_bad_input.sh, small ones that are sound (tiny, other, few, large) and some that are
not."""
import os
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
    write_set(root + '/single', (60, 1, 1, 1), 3)
    os.mkfifo(root + '/pipe')
    for directory, name in ('pipe_h5', 'train.h5'), ('pipe_idx', 'train-images-idx3-ubyte'), ('pipe_names', 'batches.meta.txt'):
        os.makedirs(root + '/' + directory)
        os.mkfifo(root + '/' + directory + '/' + name)
    with open(root + '/pipe_names/data_batch_1.bin', 'wb') as file:
        file.write(bytes(3073))
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


make_data(sys.argv[1])
