"""check_weights.sh's data: images with weights 0, 1, 2 and 3, the same repeated so many times, and with weights that are any numbers."""
import os

import h5py
import numpy

random = numpy.random.default_rng(18)
n = 24
labels = numpy.arange(n) % 3
images = random.integers(0, 256, (n, 5, 5)).astype(numpy.uint8)
images[labels == 1, :2] //= 2
images[labels == 2, :, :2] //= 2
times = random.permutation(n) % 4
again = numpy.repeat(numpy.arange(n), times)
weights = random.uniform(0.1, 3, n)
targets = random.normal(size=(n, 2))

for name, arrays in {
        'counted': {'images': images, 'labels': labels, 'weights': times.astype(float)},
        'repeated': {'images': images[again], 'labels': labels[again]},
        'counted-targets': {'images': images, 'targets': targets, 'weights': times.astype(float)},
        'repeated-targets': {'images': images[again], 'targets': targets[again]},
        'real': {'images': images, 'labels': labels, 'weights': weights},
        'plain': {'images': images, 'labels': labels},
        'negative': {'images': images, 'labels': labels, 'weights': numpy.where(numpy.arange(n) == 5, -1.0, 1)},
        'short': {'images': images, 'labels': labels, 'weights': weights[1:]}}.items():
    os.makedirs(name)
    with h5py.File(name + '/train.h5', 'w') as file:
        for key, values in arrays.items():
            file[key] = values
numpy.savez('real.npz', images=images, labels=labels, sample_weight=weights.astype(numpy.float32))
numpy.save('ones.npy', numpy.ones(n, numpy.int16))
numpy.save('real.npy', weights)
numpy.save('other.npy', numpy.ones(n - 1))
numpy.save('balanced.npy', numpy.array([19 / (3 * (labels[:19] == label).sum()) for label in labels]))
