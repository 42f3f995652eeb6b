"""The networks of check_python.sh in Python, against psdnet predict and the files."""
import os
import pickle
import xml.etree.ElementTree

import h5py
import numpy

import psdnet
from judge import finish, report, require, table

IMAGES = {'plain': 'grey_h5', 'real': 'real_h5', 'parts': 'grey_parts', 'two': 'grey_h5', 'branches': 'colour_h5', 'maps': 'colour_h5',
          'joint': 'colour_h5', 'chain': 'colour_h5'}


def images_of(name):
    if name == 'named':
        with numpy.load('colour_npz/any.npz') as file:
            return file['x'], file['y']
    with h5py.File(IMAGES[name] + '/train.h5') as file:
        images, labels = file['images'][:], file['labels'][:]
    kept = labels != 1 if name == 'two' else labels >= 0
    return images[kept], labels[kept]


def judge(name, tolerance):
    network = psdnet.load(name + '.h5')
    images, labels = images_of(name)
    rows = table(name + '.csv')
    expected = numpy.array([[float(row[f'score_{t}']) for t in range(len(row) - 2 - ('name' in row))] for row in rows])
    scores = network.scores(images)
    require(abs(scores - expected).max() <= tolerance * abs(expected).max(), name, 'scores', abs(scores - expected).max())
    require(list(network.predict(images)) == [int(row['class']) for row in rows], name, 'classes')
    require(network.predict_names(images) == [row.get('name', row['class']) for row in rows], name, 'names')
    require(numpy.mean(network.predict(images) == labels) > 0.5, name, 'accuracy')
    with h5py.File(name + '.h5') as file:
        require(network.certificate == tuple(file.attrs[key] for key in ('objective_primal', 'objective_dual', 'gap', 'beta', 'beta_max')), name)
    require(network.scores(images[:0]).shape == (0, scores.shape[1]), name, 'no images')
    return network, images


def raises(kind, call, words):
    try:
        call()
    except kind as error:
        return require(words in str(error), words, error)
    return require(False, 'no', kind, words)


plain, grey = judge('plain', 1e-12)
require(numpy.array_equal(plain.scores(grey), plain.scores(grey.reshape(-1, 1, 8, 9))), 'grey images have a channel')
named, colours = judge('named', 1e-12)
require(numpy.array_equal(named.scores(colours), named.scores(colours.transpose(0, 2, 3, 1))), 'channels last')
two, _ = judge('two', 1e-12)
judge('branches', 1e-12)
real, reals = judge('real', 1e-12)
require(reals.dtype == numpy.float32 and real.step > 0 and not plain.step, 'real numbers')
judge('parts', 1e-12)  # 255ths of 1 are bytes
raises(ValueError, lambda: plain.scores(reals), 'other numbers than whole numbers of 0 to 255')
raises(ValueError, lambda: real.scores(reals * numpy.inf), 'not finite')
judge('maps', 1e-5)  # psdnet makes maps in single precision
judge('joint', 1e-5)
judge('chain', 1e-5)
raises(ValueError, lambda: named.scores(grey), 'expected number x 3 x 8 x 9')
raises(ValueError, lambda: plain.probabilities(grey), 'no probabilities')
raises((OSError, ValueError), lambda: psdnet.load('colour_h5/train.h5'), 'no model file')

probabilities = named.probabilities(colours)
require(abs(probabilities.sum(1) - 1).max() < 1e-12 and (probabilities.argmax(1) == named.predict(colours)).all(), 'softmax')
ratios = numpy.log(probabilities[:, 1:] / probabilities[:, :1])
require(abs(ratios - (named.scores(colours)[:, 1:] - named.scores(colours)[:, :1])).max() < 1e-9, 'softmax: ratios')
images, _ = images_of('two')
odds = two.probabilities(images)
require(abs(numpy.log(odds[:, 1] / odds[:, 0]) - two.scores(images)[:, 0]).max() < 1e-9, 'logistic: ratios')

for name, expected in ('probabilities', probabilities), ('odds', two.probabilities(images_of('two')[0])):
    rows = table(name + '.csv')
    written = numpy.array([[float(row[f'probability_{t}']) for t in range(expected.shape[1])] for row in rows])
    require(abs(written - expected).max() <= 1e-9, name, abs(written - expected).max())

# an evaluation of two of three classes, from the labels and the predictions of all
evaluation = report('evaluation')
labels = images_of('named')[1]
shown = labels > 0
chosen = numpy.argmax(probabilities, 1)
confusion = [[int(((labels == row) & shown & (chosen == column)).sum()) for column in range(3)] for row in range(3)]
require(evaluation['confusion'] == confusion and evaluation['n'] == shown.sum(), evaluation, confusion)
require(abs(evaluation['accuracy'] - numpy.mean((chosen == labels)[shown])) < 1e-12, 'accuracy')
require([each['name'] for each in evaluation['classes']] == ['bird', 'cat', 'dog'] and evaluation['classes'][0]['recall'] is None, 'classes')
drawn = [each.text for each in xml.etree.ElementTree.parse('evaluation.svg').iter('{http://www.w3.org/2000/svg}text')]
require(drawn == ['bird', 'cat', 'dog'] + sum(([name, *map(str, row)] for name, row in zip(('cat', 'dog'), confusion[1:])), []), drawn)
for k in 1, 2:
    each = evaluation['classes'][k]
    require(each['images'] == (labels == k).sum() and abs(each['recall'] - numpy.mean(chosen[labels == k] == k)) < 1e-12, each)
    require(abs(each['precision'] - numpy.mean(labels[shown & (chosen == k)] == k)) < 1e-12, each)

# a product with a filter is that of the network's own coordinates, up to a constant that is the same for all patches
filters, weights, classes, regions = named.filters()
require(filters.shape[1:] == (3, 4, 3) and len(weights) == len(classes) == len(regions) == len(filters), filters.shape)
with h5py.File('named.h5') as file:
    patches = numpy.random.default_rng(0).normal(size=(5, 36))
    u = (patches - file['preprocess/mean'][:]) @ file['preprocess/transform'][:] @ file['neurons/filter'][:].T
difference = u - patches @ filters.reshape(len(filters), -1).T
require(abs(difference - difference[0]).max() <= 1e-10 * abs(u).max(), 'filters', abs(difference - difference[0]).max())

# a classifier is the command on the same images, with labels of any kind
animals = numpy.array(['bird', 'cat', 'dog'])
colours, labels = images_of('named')
for ranks in 1, 2:
    classifier = psdnet.Classifier(loss='softmax', beta_rel=0.02, gap=1e-2, ranks=ranks,
                                   launcher=f'{os.environ["LAUNCH"]} 2' if ranks > 1 else None,
                                   options='-patch 4x3 -stride 1 -pool 3 -pool_overlap 1 -patch_normalize 10 -whiten 0.1 -pca 7')
    require(classifier.fit(colours, animals[labels]) is classifier and list(classifier.classes_) == list(animals), 'fit')
    require(list(classifier.predict(colours)) == named.predict_names(colours), 'fit: names')
    require(abs(classifier.predict_proba(colours) - probabilities).max() <= (0 if ranks == 1 else 0.1), 'fit: probabilities')
    require(0 <= classifier.certificate_.gap <= 1e-2 and 'gap reached' in classifier.log_, classifier.certificate_)
require(classifier.score(colours, animals[labels]) > 0.5, 'score')
require(list(pickle.loads(pickle.dumps(classifier)).predict(colours)) == named.predict_names(colours), 'pickle')
copy = type(classifier)(**classifier.get_params())
require(copy.get_params() == classifier.get_params() and copy.set_params(gap=0.5).gap == 0.5, 'parameters')
# weights are how often an image counts
times = numpy.arange(len(labels)) % 4
small = psdnet.Classifier(gap=1e-6, options='-patch 4 -stride 4 -beta 1')
weighted = small.fit(colours, labels, sample_weight=times).certificate_
often = small.fit(numpy.repeat(colours, times, 0), numpy.repeat(labels, times)).certificate_
require(abs(weighted.primal / often.primal - 1) <= 1e-9, 'sample_weight', weighted, often)
raises(ValueError, lambda: small.fit(colours, labels, sample_weight=times[1:]), 'one number an image')
raises(ValueError, lambda: small.fit(colours, labels, sample_weight=-times), 'negative')
# of floating point numbers as well: those that are bytes over 255, and those that are rounded
floats = psdnet.Classifier(beta_rel=0.02, gap=1e-2, options='-patch 3 -stride 2 -pool 2')
require(numpy.array_equal(floats.fit(grey / 255, images_of('plain')[1]).network_.scores(grey), plain.scores(grey)), 'fit: 255ths')
require(numpy.array_equal(floats.predict(grey / 255), plain.predict(grey)), 'predict: 255ths')
require(numpy.array_equal(floats.fit(reals, images_of('real')[1]).network_.scores(reals), real.scores(reals)), 'fit: real numbers')
regressor = psdnet.Regressor(beta_rel=0.02, gap=1e-2, options='-patch 3 -stride 2 -pool 2').fit(reals, reals.mean((1, 2, 3)))
require(regressor.score(reals, reals.mean((1, 2, 3))) > 0.5, 'Regressor: real numbers')
raises(RuntimeError, lambda: floats.fit(reals * numpy.nan, images_of('real')[1]), 'expected finite numbers')
raises(ValueError, lambda: copy.fit(colours * 1j, labels), 'floating point numbers')
raises(ValueError, lambda: copy.fit(colours, labels[1:]), 'one label an image')
raises(ValueError, lambda: copy.fit(colours, 0 * labels), 'one class')
raises(RuntimeError, lambda: copy.set_params(options='-patch 99', ranks=1, launcher=None).fit(colours, labels), '-patch')
raises(ValueError, lambda: copy.set_params(nonsense=1), 'nonsense')
finish()
