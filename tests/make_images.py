"""make_images.py DIRECTORY [-images N] [-image CxHxW] [-classes T] [-seed S]: train.h5 there, with noisy images of classes that no
network tells apart without errors: one is brighter to the left, one darker in its first channel, every fourth label is random."""
import argparse
import os

import h5py
import numpy

parser = argparse.ArgumentParser()
parser.add_argument('directory')
parser.add_argument('-images', type=int, default=130)
parser.add_argument('-image', default='2x9x8')
parser.add_argument('-classes', type=int, default=3)
parser.add_argument('-seed', type=int, default=1)
given = parser.parse_args()

shape = [int(size) for size in given.image.split('x')]
os.makedirs(given.directory)
random = numpy.random.default_rng(given.seed)
labels = numpy.arange(given.images) % given.classes
images = random.integers(0, 200, [given.images] + shape)
images[labels == 1, :, :, :(shape[2] + 1) // 2] += 55
images[labels == 2, :1] //= 2
labels[::4] = random.integers(0, given.classes, len(labels[::4]))
with h5py.File(os.path.join(given.directory, 'train.h5'), 'w') as file:
    file['images'] = images.astype(numpy.uint8)
    file['labels'] = labels.astype(numpy.int32)
