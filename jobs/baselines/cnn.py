"""A plain small convolutional network trained by SGD: cnn.py DATA [-validation F] [-limit N] [-seconds T,T,...] [-widths W,W,...] [-rates R,R,...]
[-batch B] [-flip] [-threads K].

What a user of DATA (CIFAR-10 binary or IDX files) would train instead of psdnet's network on the same cores: three times a convolution
of 3 x 3 with W, 2 W and 4 W channels, batch normalisation, ReLU and a maximum over 2 x 2, then the mean over places and a linear layer;
cross entropy, Nesterov's momentum 0.9, weight decay 5e-4, batches of B. The last fraction F of the training images is held out, as
by psdnet. With -flip each image of a batch is mirrored with probability 1/2, and the scores of an image and its mirror image are added up.

Each width, rate and time is a run of its own, as the rate falls along a line to zero over the T seconds, of processor time over K
threads: what else a machine does is not held against it. Counting the held-out images is left out. Prints a Markdown table.
"""
import argparse
import time

import numpy
import torch

from images import read


def network(channels, width, classes):
    layers, last = [], channels
    for count in (width, 2 * width, 4 * width):
        layers += [torch.nn.Conv2d(last, count, 3, padding=1, bias=False), torch.nn.BatchNorm2d(count), torch.nn.ReLU(),
                   torch.nn.MaxPool2d(2)]
        last = count
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(last, classes))


def train(net, images, labels, options, rate, seconds):
    """Passes over the images, whole and begun, until the time is over."""
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    clock, batches = time.process_time(), 0
    while True:
        for chosen in torch.randperm(len(images)).split(options.batch):
            done = (time.process_time() - clock) / options.threads / seconds
            if done >= 1:
                return batches * options.batch / len(images)
            for group in optimizer.param_groups:
                group['lr'] = rate * min(1 - done, 10 * done + 0.01)
            x = images[chosen]
            if options.flip:
                x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x, x.flip(3))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x), labels[chosen]).backward()
            optimizer.step()
            batches += 1


def accuracy(net, images, labels, flip):
    """Fraction of the images that are told apart well."""
    net.eval()
    right = 0
    with torch.no_grad():
        for x, y in zip(images.split(1000), labels.split(1000)):
            scores = net(x) + net(x.flip(3)) if flip else net(x)
            right += (scores.argmax(1) == y).sum().item()
    net.train()
    return right / len(images)


def numbers(kind):
    return lambda text: [kind(word) for word in text.split(',')]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('data')
    for name, kind, default in (('validation', float, 0.2), ('limit', int, 0), ('seconds', numbers(float), [60.0]), ('widths', numbers(int), [32]),
                                ('rates', numbers(float), [0.05]), ('batch', int, 128), ('threads', int, 2)):
        parser.add_argument('-' + name, type=kind, default=default)
    parser.add_argument('-flip', action='store_true')
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pixels, labels = read(options.data)
    if options.limit:
        pixels, labels = pixels[:options.limit], labels[:options.limit]
    count = len(pixels) - int(options.validation * len(pixels))
    mean, deviation = (numpy.float32(f(pixels[:count], (0, 2, 3)))[:, None, None] for f in (numpy.mean, numpy.std))
    images = torch.from_numpy((pixels - mean) / deviation)
    labels = torch.from_numpy(labels.astype(numpy.int64))
    classes = int(labels.max()) + 1
    print(f'{count} images, {len(pixels) - count} held out, {classes} classes; {options.threads} threads\n')
    print('| width | parameters | rate | seconds | passes | training | held out |\n|---|---|---|---|---|---|---|')
    for width in options.widths:
        for rate in options.rates:
            for seconds in options.seconds:
                torch.manual_seed(0)
                net = network(pixels.shape[1], width, classes)
                passes = train(net, images[:count], labels[:count], options, rate, seconds)
                found = [accuracy(net, images[part], labels[part], options.flip) for part in (slice(0, count), slice(count, None)) if
                         len(images[part])]
                print(f'| {width} | {sum(p.numel() for p in net.parameters())} | {rate:g} | {seconds:g} | {passes:.1f} | ' +
                      ' | '.join(f'{100 * part:.2f} %' for part in found) + ' |', flush=True)


main()
