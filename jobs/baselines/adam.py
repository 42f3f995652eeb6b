"""The same network and objective trained by Adam: adam.py MODEL.h5 DATA [-rates R,R,...] [-seeds S] [-seconds T]
[-neurons N] [-batch B] [-threads K].

MODEL.h5 is psdnet's (one branch): patches, preprocessing, pooling, activation, beta and classes are taken from it, and its images
from DATA (CIFAR-10 binary or IDX files), so that the objective is the very one that psdnet has certified. Weights alpha
and filters u/||u|| of N neurons a class and region (default: twice what the model has in its largest class) start at random and are
trained on batches of B images (0: all of them); each learning rate, for each seed, falls to a hundredth along a cosine over T seconds.
Prints the objective over all training images, how far it is above psdnet's bound, and the accuracy, as time goes by, and a table
of all runs; with the accuracy on the images that psdnet held out (-validation), where there are any.

Seconds are of processor time over K threads, looking at the objective left out: what else a machine does is not held against Adam.

Pooled activations are linear in the lifted features, mean s(x . u) = <Phi, [u;1][u;1]'>, which are computed once, from the
pixels alone, and not counted: an epoch is a product of n x m with m x N for each region.
"""
import argparse
import math
import sys
import time

import h5py
import numpy
import torch

from images import read

LOOKS = 40  # at the objective, evenly over a run


def features(model, images):
    """svec(Phi_ig): n x G x m, as the program is posed."""
    a, b, c = model.attrs['activation']
    height, width, stride, pool = (int(model.attrs[k]) for k in ('patch_height', 'patch_width', 'stride', 'pool'))
    f = model['/neurons/filter'].shape[1]
    rows, columns = numpy.triu_indices(f + 1)
    scale = numpy.where(rows == columns, 1, math.sqrt(2))
    result = numpy.empty((len(images), pool * pool, len(rows)), numpy.float32)
    for first in range(0, len(images), 500):
        x = images[first:first + 500].astype(float)
        p = numpy.lib.stride_tricks.sliding_window_view(x, (height, width), (2, 3))[:, :, ::stride, ::stride]
        p = p.transpose(0, 2, 3, 1, 4, 5).reshape(len(x), p.shape[2], p.shape[3], -1)
        p = (p - model.attrs['pixel_shift']) / model.attrs['pixel_scale']
        if model.attrs['patch_normalize'] > 0:
            variance = p.var(-1, keepdims=True) + model.attrs['patch_normalize'] / model.attrs['pixel_scale'] ** 2
            p = (p - p.mean(-1, keepdims=True)) / numpy.sqrt(variance)
        if 'preprocess' in model:
            p = (p - model['preprocess/mean'][:]) @ model['preprocess/transform'][:]
        regions = [part for row in numpy.array_split(p, pool, 1) for part in numpy.array_split(row, pool, 2)]
        for g, region in enumerate(regions):
            region = region.reshape(len(x), -1, f)
            phi = numpy.empty((len(x), f + 1, f + 1))
            phi[:, :f, :f] = a * numpy.matmul(region.transpose(0, 2, 1), region) / region.shape[1]
            phi[:, :f, f] = phi[:, f, :f] = b / 2 * region.mean(1)
            phi[:, f, f] = c
            result[first:first + len(x), g] = phi[:, rows, columns] * scale
    return torch.from_numpy(result)


class Network:
    """Filters G x (N C) x f, not yet of length 1, and weights G x (N C); neuron k is of class k mod C."""

    def __init__(self, G, N, C, f, seed):
        generator = torch.Generator().manual_seed(seed)
        self.filters = torch.randn(G, N * C, f, generator=generator).requires_grad_()
        self.weights = (torch.randn(G, N * C, generator=generator) / (G * N)).requires_grad_()
        self.C = C
        rows, columns = numpy.triu_indices(f + 1)
        self.rows, self.columns = torch.from_numpy(rows), torch.from_numpy(columns)
        self.scale = torch.from_numpy(numpy.where(rows == columns, 1, math.sqrt(2))).float()

    def scores(self, Phi):
        u = self.filters / self.filters.norm(dim=-1, keepdim=True)
        u = torch.cat([u, torch.ones_like(u[..., :1])], -1)
        terms = torch.einsum('igm,gkm->igk', Phi, u[..., self.rows] * u[..., self.columns] * self.scale)
        return (terms * self.weights).sum(1).reshape(len(Phi), -1, self.C).sum(1)

    def objective(self, Phi, Y, beta):
        """Over all images, and the fraction of them that is classified well."""
        with torch.no_grad():
            loss, right = 0.0, 0
            for first in range(0, len(Phi), 2000):
                yhat, y = self.scores(Phi[first:first + 2000]), Y[first:first + 2000]
                loss += ((yhat - y).double() ** 2).sum().item() / 2
                right += ((yhat > 0) == (y > 0)).sum().item() if self.C == 1 else (yhat.argmax(1) == y.argmax(1)).sum().item()
            return loss + beta * self.weights.double().abs().sum().item(), right / len(Phi)


def train(network, Phi, Y, beta, options, rate, look):
    """Calls look(seconds) LOOKS times."""
    optimizer = torch.optim.Adam([network.filters, network.weights], lr=rate)
    clock, looked = time.process_time(), 0
    while True:
        for batch in torch.randperm(len(Phi)).split(options.batch or len(Phi)):
            elapsed = (time.process_time() - clock) / options.threads
            if elapsed * LOOKS >= options.seconds * (looked + 1):
                begun, looked = time.process_time(), looked + 1
                look(elapsed)
                clock += time.process_time() - begun
                if looked == LOOKS:
                    return
            for group in optimizer.param_groups:
                group['lr'] = rate * (0.505 + 0.495 * math.cos(math.pi * min(1, elapsed / options.seconds)))
            optimizer.zero_grad()
            loss = ((network.scores(Phi[batch]) - Y[batch]) ** 2).sum() / 2 * (len(Phi) / len(batch))
            (loss + beta * network.weights.abs().sum()).backward()
            optimizer.step()


def samples(model, directory):
    """Features and targets of the images that the model was trained on, and of those that were held out, or None."""
    found = read(directory)
    labels = [int(label) for label in model.attrs['classes']]
    chosen = numpy.flatnonzero(numpy.isin(found[1], labels))
    classes = numpy.array([labels.index(label) for label in found[1][chosen]])
    Y = numpy.where(classes[:, None] == (1 if len(labels) == 2 else numpy.arange(len(labels))), 1.0, -1.0)
    parts = slice(0, int(model.attrs['n_train'])), slice(int(model.attrs['n_train']), None)
    return [(features(model, found[0][chosen[part]]), torch.from_numpy(Y[part]).float()) if len(chosen[part]) else None
            for part in parts]


def run(options, training, held_out, shape, seed, rate, beta, bound):
    """A line of the table, as a list."""
    torch.manual_seed(seed)
    network = Network(*shape, seed)
    objectives, within = [], []

    def look(seconds):
        objective, accuracy = network.objective(*training, beta)
        objectives.append(objective)
        if objective <= 1.01 * bound:
            within.append(seconds)
        if len(objectives) % 4 == 0:
            print(f'  {seconds:7.1f} s  objective {objective:14.6f}  above the bound by {objective / bound - 1:8.2e}  '
                  f'accuracy {100 * accuracy:6.2f} %', flush=True)

    print(f'rate {rate:g}, seed {seed}')
    train(network, *training, beta, options, rate, look)
    early, half, best = objectives[LOOKS // 6], objectives[LOOKS // 2 - 1], min(objectives)
    accuracies = [f'{100 * network.objective(*data, beta)[1]:.2f} %' for data in (training, held_out) if data]
    return [f'{rate:g}', str(seed), f'{early:.1f} / {half:.1f} / {objectives[-1]:.1f}', f'{best:.1f}', f'{100 * (best / bound - 1):.2f} %',
            f'{within[0]:.1f} s' if within else 'never'] + accuracies


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('model')
    parser.add_argument('data')
    for name, kind, default in (('rates', str, '1e-3,3e-3,1e-2,3e-2,1e-1,3e-1'), ('seeds', int, 2), ('seconds', float, 60.0),
                                ('neurons', int, 0), ('batch', int, 250), ('threads', int, 1)):
        parser.add_argument('-' + name, type=kind, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with h5py.File(options.model, 'r') as model:
        plain = {'branches': 1, 'reduce': 1, 'pool_overlap': 0, 'flip': 0}
        if any(model.attrs.get(name, value) != value for name, value in plain.items()):
            sys.exit(f'adam.py: {options.model}: expected a model of one branch, trained without -flip')
        training, held_out = samples(model, options.data)
        G, C = training[0].shape[1], training[1].shape[1]
        beta, bound = float(model.attrs['beta']), float(model.attrs['objective_dual'])
        filters, counts = model['/neurons/filter'].shape, numpy.bincount(model['/neurons/class'][:], minlength=C)
        N = options.neurons or max(8, math.ceil(2 * counts.max() / G))
        print(f'{len(training[0])} images, beta {beta:.6g}; psdnet: objective {model.attrs["objective_primal"]:.6f}, bound {bound:.6f}, '
              f'{filters[0]} neurons; Adam: {N * C * G} neurons, batches of {options.batch or len(training[0])}')
    lines = [run(options, training, held_out, (G, N, C, filters[1]), seed, float(rate), beta, bound)
             for rate in options.rates.split(',') for seed in range(options.seeds)]
    times = ' / '.join(f'{options.seconds * part:.3g}' for part in (7 / 40, 0.5, 1))
    heads = ['rate', 'seed', f'objective after {times} s', 'best', 'above the bound', 'within 1 %', 'training', 'held out']
    print()
    for line in [heads[:len(lines[0])], ['---'] * len(lines[0])] + lines:
        print('| ' + ' | '.join(line) + ' |')


main()
