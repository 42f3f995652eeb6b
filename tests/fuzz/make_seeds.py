"""make_seeds.py DIRECTORY: seeds for every target in a directory of its name, and options.dict, the names of all options.

A seed is a list of parts (fuzz.h): pairs of a kind, which is the target's own number of it, and bytes.
"""
import gzip
import io
import os
import random
import re
import struct
import sys

import h5py
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
RANDOM = random.Random(13)


def pack(*parts):
    return b''.join(struct.pack('<BI', kind, len(content)) + content for kind, content in parts)


def idx_images(count, height, width):
    pixels = bytes((31 * k + 7 * b) % 256 for k in range(count) for b in range(height * width))
    return struct.pack('>4I', 0x803, count, height, width) + pixels


def idx_labels(count):
    return struct.pack('>2I', 0x801, count) + bytes(k % 3 for k in range(count))


def squeeze(content, members=1):
    """of so many gzip members"""
    size = -(-len(content) // members)
    return b''.join(gzip.compress(content[at:at + size], mtime=0) for at in range(0, len(content), size))


def idx():
    images, labels = idx_images(9, 4, 5), idx_labels(9)
    yield pack((0, images), (1, labels))
    yield pack((2, squeeze(images)), (3, squeeze(labels)))
    yield pack((2, squeeze(images, 3)), (1, labels), (4, b'-classes 2,0 -limit 4'))
    yield pack((0, images), (3, squeeze(labels)), (4, b'-validation 0.3 -mirror'))
    yield pack((0, images), (4, b'-predict'))
    yield pack((0, images), (1, labels), (4, b'-predict -classes 1 -split test'))


def cifar_batch(count, first=0):
    return b''.join(bytes([(first + k) % 4]) + bytes((k + b) % 256 for b in range(3072)) for k in range(count))


def cifar10():
    names = b'airplane\nautomobile\r\nbird\n\ncat'
    yield pack((0, cifar_batch(4)))
    yield pack((0, cifar_batch(3)), (1, cifar_batch(2, 3)), (3, names), (4, b'-classes 2,0'))
    yield pack((2, cifar_batch(4)), (3, b'x' * 200), (4, b'-split test -classes 0,1 -limit 1'))
    yield pack((0, cifar_batch(4)), (4, b'-validation 0.5 -mirror'))
    fine = b''.join(bytes([k % 20, k % 3 * 40]) + bytes((k + b) % 256 for b in range(3072)) for k in range(5))
    yield pack((5, fine), (7, b'apple\nfish\n'))
    yield pack((5, fine), (6, b'a\nb\nc\n'), (4, b'-labels coarse -limit 4 -mirror'))


# kinds of parts of the targets that read HDF5 files (hdf5_files.h)
FILE, BASE, EDITS, HEAD, FLIPS, CUT, BARE, OPTIONS = range(8)


def some_bytes(count):
    return bytes(RANDOM.randrange(256) for _ in range(count))


def changes(bases):
    """to sound files: none; one or more; damage"""
    for base in range(bases):
        yield pack((BASE, bytes([base])))
        for change in range(7):
            for length in (3, 8, 16):
                yield pack((BASE, bytes([base])), (EDITS, bytes([change]) + some_bytes(length)))
        for count in (1, 1, 1, 2, 3, 4):
            yield pack((BASE, bytes([base])), (FLIPS, some_bytes(4 * count)))
        yield pack((BASE, bytes([base])), (BARE, b''), (FLIPS, some_bytes(4)))
        yield pack((BASE, bytes([base])), (CUT, b'\x00\x80'))


def hdf5_file(targets=None, **options):
    image = h5py.File('memory', 'w', driver='core', backing_store=False, **options)
    images = numpy.arange(6 * 2 * 3 * 4, dtype='u1').reshape(6, 2, 3, 4)
    image.create_dataset('images', data=images, chunks=(2, 1, 3, 4), compression='gzip', shuffle=True)
    if targets is None:
        image['labels'] = numpy.arange(6, dtype='>i2') % 3
    else:
        image.create_dataset('targets', data=targets, chunks=True)
    image.flush()
    return image.id.get_file_image()


def hdf5():
    yield from changes(3)
    yield pack((FILE, hdf5_file()), (OPTIONS, b'-classes 2,1'))
    yield pack((FILE, hdf5_file(libver='latest')), (OPTIONS, b'-limit 3 -mirror'))
    yield pack((OPTIONS, b'-predict'), (BASE, b'\2'))
    yield pack((FILE, hdf5_file(numpy.arange(12, dtype='>f4').reshape(6, 2) / 7)), (OPTIONS, b'-limit 5 -mirror'))
    yield pack((FILE, hdf5_file(numpy.arange(6) - 2.5)), (OPTIONS, b'-validation 0.5'))


def saved(save, *arguments, **arrays):
    content = io.BytesIO()
    save(content, *arguments, **arrays)
    return content.getvalue()


def numpy_arrays():
    images, labels = numpy.arange(9 * 20, dtype='u1').reshape(9, 4, 5), numpy.arange(9) % 3
    for array in images, images[:, None], images[..., None].repeat(3, 3)[:, [0, 1, 2, 3, 0, 1]], images / numpy.float32(255), images.astype('>f8'):
        yield pack((0, saved(numpy.save, array)), (1, saved(numpy.save, labels)))
    yield pack((0, saved(numpy.save, numpy.asfortranarray(images))), (1, saved(numpy.save, labels[:, None].astype('>u4'))))
    for array in images.astype('>u2') * 300, (images.astype('f4') * 257)[..., None]:  # 16 bits a pixel
        yield pack((0, saved(numpy.save, array)), (1, saved(numpy.save, labels)), (3, b'-mirror'))
    for save in numpy.savez, numpy.savez_compressed:
        yield pack((2, saved(save, images=images, labels=labels.astype('u1'))))
        yield pack((2, saved(save, x_train=images.astype('i8'), y_train=labels)), (3, b'-classes 2,0 -limit 4'))
        yield pack((2, saved(save, x=images)), (3, b'-predict'))
        yield pack((2, saved(save, images=images, targets=labels / 7)), (3, b'-mirror'))
        yield pack((2, saved(save, images=images, labels=labels, names=['a', 'b', 'c\u20ac'])), (3, b'-limit 5'))
        yield pack((2, saved(save, x_train=images, targets_train=numpy.outer(labels, [1, 2]).astype('>f4'))), (3, b'-limit 4'))


def model():
    yield from changes(5)


def sealed(bases):
    """files with a head of words, which count when they come again"""
    yield from changes(bases)
    for words in (b'bytes 9000\n', b'rest 00000000\n', b'format psdnet-checkpoint 9\n', b'array /nu 8192 8 00000000\n',
                  b'array x 99999999999 8 0\n', b'nonsense\n'):
        yield pack((HEAD, words))
    yield pack((BARE, b''), (FLIPS, some_bytes(4)))


def certificate():
    yield from sealed(3)


def checkpoint():
    yield from sealed(4)


def option_names():
    """with the placeholders of docs/options.md left out"""
    with open(os.path.join(HERE, '..', '..', 'docs', 'options.md'), encoding='utf-8') as page:
        return sorted(set(re.findall(r'(?<![\w-])-[a-z][a-z0-9_]*', page.read())))


def options():
    yield pack((0, b'-images 1000 -image 3x32x32 -rates 30,30,20,10'))
    yield pack((0, b'-images 50000 -image 1x28x28 -rates 30,30,20,10,1,2 -class_count 10 -ranks 7 -flip -loss hinge'))
    yield pack((0, b'-branches 2 -branch2_reduce 2 -branch2_patch 5x4 -patch 6 -pca 30 -pool 3 -stride 1 -pool_overlap 1'))
    yield pack((0, b'-classes 0,1,2 -limit 10 -validation 0.2 -split test'))
    yield pack((0, b'-activation 0.09,0.5,0.47 -beta 0.1 -gap 1e-5 -max_it 7 -consensus dual -cone partial'))
    yield pack((0, b'-whitne 0.1'))
    for name in option_names():
        yield pack((0, name.encode() + b' 1'))


def options_file():
    yield pack((0, b'# a comment\n-gap 1e-3\n-options_file second\n'), (1, b'-beta 0.1 -options_file third'), (2, b'-flip\n'))
    yield pack((0, b'-options_file first\n'))
    yield pack((0, b'-options_file second'), (1, b'-options_file first'))
    yield pack((0, b'-options_file_yaml second\n\n-a "b c" # d'), (1, b'-options_file /dev/zero\n'))


def write(directory, seeds):
    os.makedirs(directory, exist_ok=True)
    for number, seed in enumerate(seeds):
        with open(os.path.join(directory, f'{number:03}'), 'wb') as file:
            file.write(seed)


def main():
    root = sys.argv[1]
    for target in (idx, cifar10, hdf5, numpy_arrays, model, certificate, checkpoint, options, options_file):
        write(os.path.join(root, target.__name__.replace('_arrays', '')), target())
    with open(os.path.join(root, 'options.dict'), 'w', encoding='utf-8') as file:
        file.writelines(f'"{name} "\n' for name in option_names())


if __name__ == '__main__':
    main()
