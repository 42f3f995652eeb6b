"""make_sets.py NAME: the data sets of one check, in the current directory. make_images.py makes those that many checks share."""
import gzip
import os
import sys

import h5py
import numpy


def write(name, images, labels):
    with h5py.File(name + '.h5', 'w') as file:
        file['images'] = images.astype(numpy.uint8)
        file['labels'] = labels.astype(numpy.int32)


def branches():
    """two channels with something to see at either resolution; few: the first images of two of the classes"""
    random = numpy.random.default_rng(6)
    labels = numpy.arange(180) % 3
    images = random.integers(0, 200, (180, 2, 11, 10)).astype(numpy.uint8)
    images[labels == 1, :, :, 1::3] += 45
    images[labels == 2, 1, :4] //= 2
    write('train', images, labels)
    few = numpy.flatnonzero(labels < 2)[:30]
    write('few', images[few], labels[few])


def evaluate():
    """named: labels 0 .. 9 in the format that has names for them; many: 60 classes; lacking: the images among these of odd labels; alone,
    idx, idx_gz: all images of many without labels, in HDF5, IDX and compressed IDX"""
    random = numpy.random.default_rng(9)
    os.makedirs('named')
    labels = numpy.arange(150) % 10
    images = random.integers(0, 256, (150, 3, 32, 32)).astype(numpy.uint8)
    images[:, 0] //= (1 + labels)[:, None, None].astype(numpy.uint8)
    numpy.concatenate([labels[:, None].astype(numpy.uint8), images.reshape(150, -1)], 1).tofile('named/data_batch_1.bin')
    with open('named/batches.meta.txt', 'w') as file:
        file.writelines(f'name{label}\n' for label in range(10))
    labels = numpy.arange(240) % 60
    images = random.integers(0, 128, (240, 1, 5, 4))
    images[numpy.arange(240), 0, labels % 5, labels % 4] += 127
    write('many', images, labels)
    write('lacking', images[labels % 2 == 1], labels[labels % 2 == 1])
    with h5py.File('alone.h5', 'w') as file:
        file['images'] = images.astype(numpy.uint8)
    header = numpy.array([0x803, 240, 5, 4], '>i4').tobytes()
    for name, opened in ('idx/train-images-idx3-ubyte', open), ('idx_gz/train-images-idx3-ubyte.gz', gzip.open):
        os.makedirs(os.path.dirname(name))
        with opened(name, 'wb') as file:
            file.write(header + images.astype(numpy.uint8).tobytes())


def flip():
    """once: images; twice: each followed by its mirror image"""
    random = numpy.random.default_rng(4)
    labels = numpy.arange(150) % 3
    images = random.integers(0, 200, (150, 2, 9, 8)).astype(numpy.uint8)
    images[labels == 1, :, :, 1::3] += 55
    images[labels == 2, 1, :, :3] //= 2
    both = numpy.empty((300, 2, 9, 8), numpy.uint8)
    both[0::2], both[1::2] = images, images[:, :, :, ::-1]
    write('once', images, labels)
    write('twice', both, labels.repeat(2))


def nothing():
    """twice: every image comes with either label; same: all images are one"""
    random = numpy.random.default_rng(3)
    half = random.integers(0, 255, (61, 1, 6, 6))
    for name, images, classes in ('twice', numpy.concatenate([half, half]), 2), ('same', numpy.repeat(half[:1], 120, 0), 3):
        write(name, images, numpy.arange(len(images)) * classes // len(images))


def path():
    """train, and other of the same kind to choose by"""
    random = numpy.random.default_rng(5)
    for name, n in ('train', 240), ('other', 90):
        labels = numpy.arange(n) % 3
        images = random.integers(0, 200, (n, 1, 8, 8)).astype(numpy.uint8)
        images[labels == 1, :, :, 1::3] += 35
        images[labels == 2, :, :3] //= 2
        write(name, images, labels)


def rounding():
    """pixels: of random bytes; grey: each image of one grey, and nearly: but for one pixel; alone: one image of class 0, of one grey"""
    random = numpy.random.default_rng(7)
    write('pixels', random.integers(0, 256, (10, 1, 6, 6)), numpy.arange(10) % 2)
    grey = numpy.broadcast_to(random.integers(0, 256, (8, 1, 1, 1)), (8, 1, 6, 6)).copy()
    write('grey', grey, numpy.arange(8) % 2)
    nearly = numpy.broadcast_to(random.integers(200, 250, (24, 1, 1, 1)), (24, 1, 6, 6)).copy()
    nearly[numpy.arange(24), 0, numpy.arange(24) % 6, numpy.arange(24) // 6] += 1
    write('nearly', nearly, numpy.arange(24) % 2)
    write('alone', random.integers(0, 256, (20, 1, 1, 1)), numpy.arange(20) > 0)


{'branches': branches, 'evaluate': evaluate, 'flip': flip, 'nothing': nothing, 'path': path, 'rounding': rounding}[sys.argv[1]]()
