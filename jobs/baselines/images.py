"""Images and labels as CIFAR-10's binary files and those of the MNIST family have them, for the programs beside this one."""
import glob
import gzip
import os
import sys

import numpy


def read_cifar10(directory):
    """Images n x 3 x 32 x 32 and labels of the training batches; None when there are none."""
    files = sorted(glob.glob(os.path.join(directory, 'data_batch_*.bin')))
    if not files:
        return None
    records = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, 3073) for file in files])
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def read_idx(directory):
    """Images n x 1 x height x width and labels of a file pair of the MNIST family; None when there is none."""
    arrays = []
    for stem, axes in ('train-images', 3), ('train-labels', 1):
        files = sorted(glob.glob(os.path.join(directory, stem + '*')))
        if not files:
            return None
        with (gzip.open if files[0].endswith('.gz') else open)(files[0], 'rb') as file:
            data = file.read()
        shape = numpy.frombuffer(data, '>i4', axes, 4)
        arrays.append(numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * axes).reshape(shape))
    return arrays[0][:, None], arrays[1]


def read(directory):
    """Images n x channels x height x width, bytes, and labels, of the training files in the order of their names."""
    found = read_cifar10(directory) or read_idx(directory)
    if found is None:
        sys.exit(f'{directory}: neither data_batch_*.bin nor IDX files')
    return found
