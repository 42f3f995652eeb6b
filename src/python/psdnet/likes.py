"""Which patches of images raise a neuron most.

A neuron answers to a patch x by its activation a z^2 + b z + c, z = u . x. Of every image the patch of its region that it answers to most
counts, and of a network on maps, whose patches are no pictures, the image with the largest mean over the region.
"""
import collections

import numpy

from .network import AT_A_TIME, _regions

# image: its number; part: what is shown of it, channels x height x width; answer: what the neuron says to it
Liked = collections.namedtuple('Liked', 'image answer part')


def _part(branch, image, row, column):
    """The pixels that a patch is made of, those of a reduced image in full."""
    r = branch.reduce
    top, left = row * branch.stride * r, column * branch.stride * r
    return image[:, top:top + branch.size[0] * r, left:left + branch.size[1] * r]


def _answers(model, number, region, patches, direction):
    """n x rows x columns, of the patches of a region; and where the first one is."""
    branch = model._branches[number]
    a, b, c = model.activation(branch)
    slices = [_regions(patches.shape[axis], branch.pool, branch.overlap, branch.shared)[place] for axis, place in zip((1, 2), divmod(region, branch.pool))]
    z = patches[:, slices[0], slices[1]] @ direction
    return (a * z + b) * z + c, (slices[0].start, slices[1].start)


def _look(model, number, region, patches, direction, images, first):
    """What the neuron likes best of each of some images."""
    branch = model._branches[number]
    answers, begin = _answers(model, number, region, patches, direction)
    flat = answers.reshape(len(images), -1)
    if model._stages:
        return [Liked(first + i, float(answer), images[i]) for i, answer in enumerate(flat.mean(1))]
    best = flat.argmax(1)
    found = []
    for i, place in enumerate(best):
        row, column = divmod(int(place), answers.shape[2])
        found.append(Liked(first + i, float(flat[i, place]), _part(branch, images[i], begin[0] + row, begin[1] + column)))
    return found


def best(model, images, neurons, most):
    """For each of these neurons, pairs of a branch's number and a position among its neurons, at most so many Liked, the largest answer
    first. images: as Network.scores takes them."""
    images = model._images(images)
    found = [[] for _ in neurons]
    branches = [(number, model._own_filters(number), model.filters(number)[3]) for number in range(len(model._branches))]
    largest = max(branch.size[0] * branch.size[1] for branch in model._branches)
    step = max(1, AT_A_TIME // (8 * max(1, images[:1].size) * largest))
    parts = model._are_parts(images)
    for first in range(0, len(images), step):
        some = images[first:first + step]
        inputs = model._inputs(some, parts)
        for number, filters, regions in branches:
            branch = model._branches[number]
            patches = branch.cut(inputs[branch.stage or -1][branch.responses])
            for k, (own, position) in enumerate(neurons):
                if own == number:
                    found[k] += _look(model, number, int(regions[position]), patches, filters[position], some, first)
                    found[k] = sorted(found[k], key=lambda liked: (-liked.answer, liked.image))[:most]
    return found
