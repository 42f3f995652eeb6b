"""make_formats.py: one set of images in every format, and files that are not what they should be, in the current directory.

grey_* and colour_* are the same 90 images each; png and jpeg are made here, by the standard's words, as psdnet reads them by libraries.
"""
import gzip
import os
import struct
import zlib

import h5py
import numpy

COUNT, CLASSES = 90, ('bird', 'cat', 'dog')
RANDOM = numpy.random.default_rng(11)


def images(channels):
    labels = numpy.arange(COUNT) * 7 % 3
    pixels = RANDOM.integers(0, 200, (COUNT, channels, 8, 9)).astype(numpy.uint8)
    pixels[labels == 1, :, :, 1::3] += 55
    pixels[labels == 2, 0, :4] //= 2
    pixels[0, 0, 0, 0] = 255
    return pixels, labels


def chunk(name, content):
    return struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))


def png(path, pixels, kind=None, depth=8, extra=b''):
    """pixels: height x width, or height x width x samples, of bytes"""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples] if kind is None else kind
    rows = b''.join(b'\0' + pixels[y].tobytes() for y in range(height))
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>2I5B', width, height, depth, kind, 0, 0, 0)) + extra +
                   chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def write_h5(path, pixels, labels, **options):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with h5py.File(path, 'w') as file:
        file.create_dataset('images', data=pixels, **options)
        file['labels'] = labels


def idx(path, pixels, labels):
    os.makedirs(path)
    with open(path + '/train-images-idx3-ubyte', 'wb') as file:
        file.write(struct.pack('>4I', 0x803, *pixels.shape) + pixels.tobytes())
    with gzip.open(path + '/train-labels-idx1-ubyte.gz', 'wb') as file:
        file.write(struct.pack('>2I', 0x801, len(labels)) + labels.astype('u1').tobytes())


def directory(path):
    os.makedirs(path)
    return path + '/'


def of_every_format():
    grey, labels = images(1)
    flat = grey[:, 0]
    idx('grey_idx', flat, labels)
    numpy.savez(directory('grey_npz') + 'train.npz', images=flat, labels=labels.astype('>i4'))
    numpy.savez_compressed('grey.npz', x_train=grey.transpose(0, 2, 3, 1), y_train=labels, x_test=flat[:9], y_test=labels[:9])
    numpy.save(directory('grey_npy') + 'x_train.npy', grey.astype('>u2'))
    numpy.save('grey_npy/y_train.npy', labels[:, None].astype('u1'))
    numpy.save(directory('grey_float') + 'train_images.npy', flat / numpy.float32(255))
    numpy.save('grey_float/train_labels.npy', labels)
    numpy.save(directory('grey_whole') + 'train-images.npy', flat.astype('>f8'))
    numpy.save('grey_whole/train-labels.npy', labels)
    write_h5('grey_h5/train.h5', flat, labels)
    write_h5('grey_parts/train.h5', grey.transpose(0, 2, 3, 1) * numpy.float32(1 / 255), labels, chunks=(7, 8, 9, 1), compression='gzip')
    for k in range(COUNT):
        png(f'grey_png/train/{labels[k]}/image{k:03}.PNG', flat[k])
        # by names alone
        png(f'shuffled/{CLASSES[labels[k]]}/{"bdfh"[k % 4]}{k}.png', flat[k])
    colour, labels = images(3)
    last = colour.transpose(0, 2, 3, 1)
    numpy.savez(directory('colour_npz') + 'any.npz', x=colour, y=labels)
    numpy.save(directory('colour_npy') + 'X_train.npy', last.astype('i8'))
    numpy.save('colour_npy/Y_train.npy', labels)
    write_h5('colour_h5/train.h5', last, labels)
    write_h5('names_h5/train.h5', last, labels)
    with h5py.File('names_h5/train.h5', 'r+') as file:
        file['labels'].attrs['names'] = CLASSES
    numpy.savez('names.npz', x_train=last, y_train=labels, x_test=last[:9], y_test=labels[:9], names=CLASSES)
    numpy.save(directory('names_npy') + 'train_images.npy', last)
    numpy.save('names_npy/train_labels.npy', labels)
    numpy.save('names_npy/names.npy', numpy.array(CLASSES, 'S'))
    for k in range(COUNT):
        png(f'colour_png/{CLASSES[labels[k]]}/{k}.png', last[k])
        png(f'part_png/{CLASSES[labels[k]]}/{k}.png', last[k]) if labels[k] else None
        png(f'flat/{k:03}.png', last[k])
        png(f'twice/{CLASSES[labels[k]]}/{k}.png', last[k].repeat(2, 0).repeat(3, 1))
    # 16 bits a pixel, and a split that is dark
    wide = RANDOM.integers(0, 65536, (COUNT, 8, 9)).astype(numpy.uint16)
    wide[labels == 1, :, 1::3] //= 3
    wide[0, 0, 0] = 65535
    write_h5('wide_h5/train.h5', wide, labels)
    write_h5('wide_one/train.h5', wide[:3, None], labels[:3])
    write_h5('wide_h5/test.h5', wide[:9] // 300, labels[:9])
    write_h5('wide_float/train.h5', wide[..., None].astype('f4'), labels, chunks=(7, 8, 9, 1), compression='gzip')
    numpy.savez_compressed('wide.npz', images=wide, labels=labels)
    save('wide_npy', wide.astype('>u2'), labels)
    for k in range(COUNT):
        png(f'wide_png/{labels[k]}/{k}.png', wide[k].astype('>u2'), depth=16)
    # real numbers: those that say what bytes say, and others, which are rounded
    save('real_bytes', grey[:, 0] / numpy.float32(4) - 8, labels)
    odd = ((grey.astype('f4') - 90) / 50 + RANDOM.normal(0, 0.1, grey.shape)).astype('f4')
    save('real_npy', odd, labels)
    write_h5('real_h5/train.h5', odd.transpose(0, 2, 3, 1), labels, chunks=(7, 8, 9, 1), compression='gzip')
    write_h5('real_h5/test.h5', 2 * odd[:9].astype('f8'), labels[:9])
    write_h5('real_few/train.h5', odd[:3], labels[:3])
    numpy.savez_compressed('real.npz', images=odd.astype('>f8'), labels=labels)
    numpy.savez('wide_dark.npz', images=wide[:9] // 300, labels=labels[:9])
    for k in range(9):  # grey among colours
        png(f'other/hare/{100 + k}.png', flat[k])
        png(f'other/dog/{k}.png', last[k])


def save(name, array, labels=numpy.arange(COUNT) % 3, **options):
    numpy.save(directory(name) + 'train_images.npy', array, **options)
    numpy.save(name + '/train_labels.npy', labels)


def bad():
    flat = RANDOM.integers(0, 256, (COUNT, 8, 9)).astype(numpy.uint8)
    save('fortran', numpy.asfortranarray(flat))
    save('endless', numpy.where(flat == flat[3, 2, 1], -numpy.inf, flat / 255))
    save('beyond', flat * 1e28)
    save('minus', flat.astype('i2') - 1)
    save('nan', numpy.where(flat == flat[3, 2, 1], numpy.nan, flat / 255))
    for name, kind, of_images, of_labels in (('own_bits', 'u2', {'bits': 7}, {}), ('own_step', 'u2', {'bits': 16, 'pixel_step': 3.0}, {}),
                                             ('own_bytes', 'u1', {'bits': 16}, {}), ('own_names', 'u1', {}, {'names': 5})):
        write_h5(name + '/train.h5', flat.astype(kind), numpy.arange(COUNT) % 3)
        with h5py.File(name + '/train.h5', 'r+') as file:
            file['images'].attrs.update(of_images)
            file['labels'].attrs.update(of_labels)
    save('complex', flat.astype('c8'))
    save('rank', flat.reshape(COUNT, -1))
    save('counts', flat, numpy.arange(COUNT - 1) % 3)
    save('negative', flat, numpy.arange(COUNT) % 3 - 1)
    save('real', flat, numpy.arange(COUNT) / 2)
    save('short', flat)
    with open('short/train_images.npy', 'r+b') as file:
        file.truncate(3000)
    save('long', flat)
    with open('long/train_images.npy', 'ab') as file:
        file.write(b'x')
    save('no_numpy', flat)
    with open('no_numpy/train_images.npy', 'r+b') as file:
        file.write(b'NUMPY')
    save('huge', flat)
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2000000000, 16000, 16000), }"
    with open('huge/train_images.npy', 'wb') as file:
        file.write(b'\x93NUMPY\1\0' + struct.pack('<H', len(header)) + header)
    for name, write in ('zip_stored', numpy.savez), ('zip_deflated', numpy.savez_compressed):
        write(directory(name) + 'train.npz', images=flat, labels=numpy.arange(COUNT) % 3)
    with open('zip_deflated/train.npz', 'rb') as file:
        whole = file.read()
    for name, content in (('zip_cut', whole[:len(whole) // 2]), ('zip_damaged', whole[:2000] + bytes([whole[2000] ^ 8]) + whole[2001:])):
        with open(directory(name) + 'train.npz', 'wb') as file:
            file.write(content)
    numpy.savez(directory('zip_else') + 'train.npz', something=flat)
    for name, size in ('sizes', 9), ('one_class', 8):
        for k in range(12):
            png(f'{name}/a/{k}.png', flat[k, :, :size - k % (1 + (size == 9))])
    for k in range(6):
        png(f'sizes/b/{20 + k}.png', flat[k])
        for name in 'clear', 'broken', 'no_png':
            png(f'{name}/{k % 2}/{k}.png', flat[k])
    png('clear/1/3.png', numpy.zeros((8, 9, 2), 'u1'))
    with open('broken/1/3.png', 'r+b') as file:
        file.truncate(70)
    with open('no_png/1/3.png', 'wb') as file:
        file.write(b'no PNG')
    os.makedirs('no_pictures/a')
    os.makedirs('no_pictures/b')
    for k in range(6):
        png(f'new_class/train/{"ab"[k % 2]}/{k}.png', flat[k])
        png(f'new_class/test/{"bc"[k % 2]}/{k}.png', flat[k])


of_every_format()
bad()
