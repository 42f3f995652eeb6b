"""make_hostile.py MODEL3 MODEL2: from two models, the second one of several branches, and the data set tiny/train.h5, which are there,
files that point elsewhere, claim what they do not have, or are of another form than psdnet's own.

old1.h5, old2.h5: the models as psdnet wrote them in versions 1 and 2, with texts of variable length and without a checksum.
model-NAME.h5, data-NAME.h5: to be refused. other-NAME.h5: sound, in other types and layouts.
"""
import os
import shutil
import sys

import h5py
import numpy


def make_old(model, old):
    with h5py.File(model) as source, h5py.File(old, 'w') as file:
        for name in source:
            source.copy(name, file)
        for name, value in source.attrs.items():
            words = [word.decode() for word in numpy.ravel(value)] if numpy.asarray(value).dtype.kind == 'S' else None
            file.attrs[name] = value if words is None else words[0] if name != 'classes' else words
        file.attrs['version'] = 1 if file.attrs['branches'] == 1 else 2
        if file.attrs['branches'] == 1:
            del file.attrs['branches']


def replaced(file, name, **how):
    """a data set of the same numbers, made in another way"""
    numbers = file[name][()]
    del file[name]
    return file.create_dataset(name, data=numbers, **how)


def external(file, name):
    numbers = file[name][()]
    numbers.tofile('outside.raw')
    del file[name]
    file.create_dataset(name, numbers.shape, numbers.dtype, external=[('outside.raw', 0, numbers.nbytes)])


def external_link(file, name):
    with h5py.File('outside.h5', 'w') as outside:
        outside['all'] = file[name][()]
    del file[name]
    file[name] = h5py.ExternalLink('outside.h5', 'all')


def soft_link(file, name):
    file['other'] = file[name][()]
    del file[name]
    file[name] = h5py.SoftLink('/other')


def virtual(file, name):
    numbers = file[name][()]
    with h5py.File('outside.h5', 'w') as outside:
        outside['all'] = numbers
    layout = h5py.VirtualLayout(numbers.shape, numbers.dtype)
    layout[...] = h5py.VirtualSource('outside.h5', 'all', numbers.shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def lzf(file, name):
    replaced(file, name, compression='lzf')


def unwritten(file, name):
    shape, kind = file[name].shape, file[name].dtype
    del file[name]
    file.create_dataset(name, shape, kind, fillvalue=1)


def partly(file, name):
    """one chunk of many was written"""
    numbers = file[name][()]
    del file[name]
    file.create_dataset(name, numbers.shape, numbers.dtype, chunks=(1,) + numbers.shape[1:])[0] = numbers[0]


def huge_chunk(file, name):
    """two gigabytes of one number, of which the file has some bytes that say so"""
    shape, kind = file[name].shape, file[name].dtype
    del file[name]
    chunk = (2**31 // (kind.itemsize * int(numpy.prod(shape[1:]))),) + shape[1:]
    created = file.create_dataset(name, shape, kind, chunks=chunk, maxshape=(None,) + shape[1:], compression='gzip')
    created.id.write_direct_chunk((0,) * len(shape), b'x\x9cc\x00\x00\x00\x01\x00\x01' * 100)


def committed(file, name):
    file['type'] = file[name].dtype
    kind = file['type']
    replaced(file, name, dtype=kind)


def compound(file, name):
    numbers = file[name][()]
    del file[name]
    file[name] = numpy.zeros(numbers.shape, [('a', numbers.dtype)])


def chunked(file, name):
    replaced(file, name, chunks=True, compression='gzip')


def big_endian(file, name):
    numbers = file[name][()]
    del file[name]
    file[name] = numbers.astype(numbers.dtype.newbyteorder('>'))


def compact(file, name):
    numbers = file[name][()]
    del file[name]
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.COMPACT)
    kind = h5py.h5t.py_create(numbers.dtype)
    h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple(numbers.shape), creation).write(
        h5py.h5s.ALL, h5py.h5s.ALL, numbers)


def change(source, copy, how, name):
    shutil.copy(source, copy)
    with h5py.File(copy, 'r+') as file:
        how(file, name)


hostile = external, external_link, soft_link, virtual, lzf, unwritten, partly, huge_chunk, committed, compound
make_old(sys.argv[1], 'old1.h5')
make_old(sys.argv[2], 'old2.h5')
for how in hostile + (chunked,):
    change('old1.h5', f'model-{how.__name__}.h5', how, 'neurons/weight')
for how in hostile:
    change('tiny/train.h5', f'data-{how.__name__}.h5', how, 'images')
for how in big_endian, compact:
    change('old1.h5', f'other-{how.__name__}.h5', how, 'neurons/weight')
with h5py.File('model-latest.h5', 'w', libver='latest') as latest, h5py.File('old1.h5') as old:
    for each in old:
        old.copy(each, latest)
os.symlink('old1.h5', 'other-symlink.h5')
