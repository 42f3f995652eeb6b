"""make_regression.py: data sets of images with real targets, of which the first is known from the image but for noise, the second
is not of zero mean, and the third says little: real/ and validate/ in HDF5, one/ with one target, packed/ and plain/ of the same in
.npz and .npy, scaled/ with targets times 2^60, large/ times 1e30, flat/ with a target that is always the same, and bad ones."""
import os

import h5py
import numpy

random = numpy.random.default_rng(18)
N = 40
NAMES = ['bright, "or so"', 'spread', 'noise in € ' + 30 * '\N{AIRPLANE}']  # of which 63 bytes are kept, whole characters
images = random.integers(0, 256, (N, 1, 7, 6)).astype(numpy.uint8)
images[::2] //= 2
bright = images.mean((1, 2, 3)) / 100
targets = numpy.stack([bright - 1, 5 + 2 * images[:, 0, :, :3].std((1, 2)) / 70, random.normal(size=N)], 1)
targets[:, 0] += 0.05 * random.normal(size=N)
targets = targets.astype(numpy.float32).astype(float)


def write(name, values, kind=float, shown=images, **more):
    os.makedirs(name)
    with h5py.File(f'{name}/train.h5', 'w') as file:
        file['images'] = shown
        if values is not None:
            file['targets'] = numpy.asarray(values).astype(kind)
        for key, value in more.items():
            file[key] = value


write('real', targets)
write('one', targets[:, 0], numpy.float32)
write('scaled', targets * 2.0**60)
write('large', targets * 1e30)
write('flat', numpy.stack([targets[:, 0], numpy.full(N, 2.5)], 1))
write('named', targets)
with h5py.File('named/train.h5', 'r+') as file:
    file['targets'].attrs['names'] = NAMES
numpy.savez('named.npz', images=images, targets=targets, target_names=numpy.array(NAMES, '>U80'))
numpy.savez_compressed('two_names.npz', images=images, targets=targets, names=['one', 'two'])
numpy.savez('number_names.npz', images=images, targets=targets, names=[1, 2, 3])
numpy.savez('no_text.npz', images=images, targets=targets, names=numpy.array([55296, 0, 0], '<u4').view('<U1'))
write('few_names', targets)
with h5py.File('few_names/train.h5', 'r+') as file:
    file['targets'].attrs['names'] = numpy.array([b'one', b'two'])
for name, save in ('packed', numpy.savez_compressed), ('loose', numpy.savez):
    os.makedirs(name)
    save(f'{name}/train.npz', images=images, targets=targets.astype(numpy.float32))
os.makedirs('plain')
numpy.save('plain/train_images.npy', images)
numpy.save('plain/train_targets.npy', targets)
write('zero', 0 * targets)
write('short', targets[1:])
write('huge', targets * 1e150)
write('apart', targets * [1, 1e-320, 1])
write('both', targets, labels=numpy.arange(N) % 2)
write('deep', targets[:, :, None])
write('words', None, targets=numpy.array([b'a'] * N))
damaged = targets.copy()
damaged[17, 1] = numpy.nan
write('nan', damaged)
write('none', None)
write('labels', None, labels=numpy.arange(N) % 2)
