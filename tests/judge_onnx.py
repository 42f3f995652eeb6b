"""The networks of check_onnx.sh in onnxruntime against psdnet predict."""
import json
import os
import subprocess

import h5py
import numpy
import onnx

import psdnet
from judge import finish, require, table

HERE = os.path.dirname(os.path.abspath(__file__))


def images_of(name):
    if name == 'named':
        with numpy.load('colour_npz/any.npz') as file:
            return file['x']
    if name == 'real':
        return numpy.load('real_npy/train_images.npy')
    with h5py.File(('colour_h5' if name in ('branches', 'maps', 'joint', 'chain') else 'grey_h5') + '/train.h5') as file:
        images, labels = file['images'][:], file['labels'][:]
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return images[labels != 1] if name == 'two' else images


def run(model, images):
    real = [str(images.dtype)] * (images.dtype.kind == 'f')
    images.tofile('images.bytes')
    command = ['node', HERE + '/run_onnx.js', model, 'images.bytes', *map(str, images.shape), *real]
    outputs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {name: numpy.array(output['values']).reshape(output['shape']) for name, output in outputs.items()}


for name in 'plain', 'named', 'two', 'branches', 'maps', 'joint', 'chain', 'real', 'nothing':
    images, rows, network = images_of(name), table(name + '.csv'), psdnet.load(name + '.h5')
    scores = numpy.array([[float(row[f'score_{t}']) for t in range(len(row) - 2 - ('name' in row))] for row in rows])
    largest = abs(scores).max()
    for ending, tolerance in ('.onnx', 1e-5), ('.double.onnx', 1e-5 if name in ('maps', 'joint', 'chain') else 1e-12):  # psdnet's maps are single
        found = run(name + ending, images.astype(float) if name == 'real' and 'double' in ending else images)
        require(found['scores'].shape == scores.shape, name, ending, found['scores'].shape)
        require(abs(found['scores'] - scores).max() <= tolerance * largest, name, ending, abs(found['scores'] - scores).max(), largest)
        # where two scores are not nearly one
        ordered = numpy.sort(numpy.concatenate([scores, 0 * scores], 1) if scores.shape[1] == 1 else scores)
        sure = ordered[:, -1] - ordered[:, -2] > 4 * tolerance * largest
        labels = numpy.array([int(row['class']) for row in rows])
        require((found['label'] == labels)[sure].all() and (name == 'nothing' or sure.mean() > 0.9), name, ending, 'labels')
        require(('probabilities' in found) == network.has_probabilities, name, ending, 'probabilities')
        if network.has_probabilities:
            require(abs(found['probabilities'] - network.probabilities(images)).max() <= 10 * tolerance * max(1, largest), name, ending)
    properties = {entry.key: entry.value for entry in onnx.load(name + '.onnx').metadata_props}
    require(float(properties['gap']) == network.certificate.gap and properties['class_names'].split('\n') == network.class_names, properties)
finish()
