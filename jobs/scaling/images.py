#!/usr/bin/python3
"""images.py FILE -images N [-image 3x32x32] [-classes C] [-seed S]: synthetic images of any number, as HDF5 that psdnet reads.

Each class has a smooth pattern of its own; images are a pattern at random strength under noise, so that training has something
to find and does not find all. For weak scaling, where no data set is large enough. Needs numpy and h5py.
"""
import argparse
import sys

CHUNK = 4096


def shape(text):
    numbers = [int(word) for word in text.split('x')]
    if len(numbers) != 3 or min(numbers) < 1:
        raise ValueError
    return numbers


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file')
    parser.add_argument('-images', type=positive, required=True)
    parser.add_argument('-image', type=shape, default=[3, 32, 32], help='channels x height x width')
    parser.add_argument('-classes', type=positive, default=10)
    parser.add_argument('-seed', type=int, default=1)
    arguments = parser.parse_args()
    if arguments.classes < 2 or arguments.images < arguments.classes:
        sys.exit(f'images.py: found {arguments.classes} classes of {arguments.images} images, expected two or more, '
                 'and an image of each')

    import h5py
    import numpy
    random = numpy.random.default_rng(arguments.seed)
    channels, height, width = arguments.image
    y, x = numpy.mgrid[0:height, 0:width]
    waves = random.uniform(0.3, 1.5, (arguments.classes, channels, 2, 1, 1))
    phases = random.uniform(0, 6.28, (arguments.classes, channels, 1, 1))
    patterns = numpy.sin(waves[:, :, 0] * y + waves[:, :, 1] * x + phases)
    try:
        file = h5py.File(arguments.file, 'w')
    except OSError as error:
        sys.exit(f'images.py: {arguments.file}: {error.strerror or error}')
    with file:
        images = file.create_dataset('images', (arguments.images, *arguments.image), numpy.uint8)
        labels = file.create_dataset('labels', (arguments.images,), numpy.int32)
        for begin in range(0, arguments.images, CHUNK):
            label = numpy.arange(begin, min(begin + CHUNK, arguments.images)) % arguments.classes
            strength = random.uniform(-10, 60, (len(label), 1, 1, 1))
            noise = random.normal(0, 40, (len(label), channels, height, width))
            images[begin:begin + len(label)] = numpy.clip(128 + strength * patterns[label] + noise, 0, 255)
            labels[begin:begin + len(label)] = label


main()
