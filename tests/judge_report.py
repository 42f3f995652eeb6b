"""The pages of check_report.sh against the files they were made of; in a browser where there is one."""
import base64
import csv
import decimal
import os
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree
import zlib

import h5py
import numpy

from judge import finish, report, require, text

NAMES = ['<b>&"bird\'', '<script>', 'dog']


def png(data):
    """Pixels of a PNG of 8 bits a sample, height x width x samples."""
    width, height, depth, kind = struct.unpack('>IIBB', data[16:26])
    require(depth == 8 and kind in (0, 2, 6), 'PNG', depth, kind)
    samples = {0: 1, 2: 3, 6: 4}[kind]
    parts, place = b'', 8
    while place < len(data):
        length, name = struct.unpack('>I4s', data[place:place + 8])
        parts += data[place + 8:place + 8 + length] if name == b'IDAT' else b''
        place += 12 + length
    lines = numpy.frombuffer(zlib.decompress(parts), numpy.uint8).reshape(height, 1 + width * samples)
    above = numpy.zeros(width * samples, numpy.uint8)
    image = []
    for line in lines:
        above = unfilter(line[0], line[1:].copy(), above, samples)
        image.append(above)
    return numpy.array(image).reshape(height, width, samples)


def unfilter(kind, line, above, step):
    """A line of PNG without its filter: none, left, above, mean or Paeth."""
    if kind == 0:
        return line
    if kind == 2:
        return line + above
    line, above = line.astype(int).tolist(), above.tolist()
    for k, value in enumerate(line):
        a, b, c = line[k - step] if k >= step else 0, above[k], above[k - step] if k >= step else 0
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        line[k] = (value + {1: a, 3: (a + b) // 2, 4: nearest}[int(kind)]) % 256
    return numpy.array(line, numpy.uint8)


def page(name):
    whole = text(name + '.html')
    # of HTML itself: no scripts, and nothing that a browser would fetch
    require(not re.search(r'<script|\bon\w+=|@import|url\(|<link|<iframe', whole), name, 'a page needs nothing but itself')
    tree = xml.etree.ElementTree.fromstring(whole)
    for element in tree.iter():
        require(element.tag not in ('b', 'bird', 'script') and element.get('href') is None, name, element.tag)
        require(element.get('src', 'data:').startswith('data:image/png;base64,') or element.tag != 'img', name, 'img')
    return tree


def said(element):
    return ' '.join(''.join(element.itertext()).split())


def section(tree, name):
    return next((each for each in tree.iter('section') if each.get('id') == name), None)


def sections(tree):
    return [each.get('id') for each in tree.iter('section')]


whole, run = page('whole'), report('run')
require(sections(whole) == 'problem convergence evaluation filters neurons phases memory repeat'.split(), sections(whole))
for names, expected in (('report', ['problem', 'phases', 'memory', 'repeat']), ('plan', ['phases', 'memory']), ('nothing', ['problem']),
                        ('real', 'problem evaluation filters neurons phases memory repeat'.split()),
                        ('linear', ['problem', 'filters', 'neurons']),
                        ('path', 'problem path filters neurons phases memory repeat'.split())):
    require(sections(page(names)) == expected, names, sections(page(names)))

# what is printed of the certificate is never better than what was proved
words = said(next(each for each in whole.iter('div') if each.get('class') == 'certificate'))
bound, primal, share, gap = (decimal.Decimal(number) for number in re.search(
    r'objective below (\S+)\. ?This one, with (\S+), is therefore within (\S+) %.*relative gap ([^)]+)\)', words).groups())
for number, proved, up, digits in (bound, run['objective_dual'], False, 10), (primal, run['objective_primal'], True, 10), (
        share, 100 * run['gap'], True, 2), (gap, run['gap'], True, 3):
    off = (number - decimal.Decimal(proved)) * (1 if up else -1)
    require(0 <= off <= decimal.Decimal(abs(proved)) * decimal.Decimal(10)**(1 - digits), number, proved)

# every name is the text it is, in all that shows it
for name in 'problem', 'evaluation', 'neurons':
    require(all(each in said(section(whole, name)) for each in NAMES), name, 'names')
require(run['command'] in said(section(whole, 'repeat')) and 'mpiexec -n 2' in said(section(whole, 'repeat')), 'command')

# the curves: a point a row, and what was proved at the end
with open('history.csv') as file:
    rows = list(csv.DictReader(file))
points = [each for each in section(whole, 'convergence').iter('circle')]
gaps = [each for each in points if 'gap' in each.findtext('title')]
require(len(gaps) == len(rows) + 1 and gaps[-1].get('class') == 'dot proved', len(gaps), len(rows))
heights = [float(each.get('cy')) for each in gaps]  # on an axis of logarithms: affine in them
logs = numpy.log([float(row['gap']) for row in rows] + [run['gap']])
require(abs(numpy.polyval(numpy.polyfit(logs, heights, 1), logs) - heights).max() < 0.02, 'the axis of gaps')
require('followed' in said(section(whole, 'convergence')) and 'proved' in said(section(whole, 'convergence')), 'followed, proved')

evaluation = report('evaluation')
cells = [re.fullmatch(r'(.*) taken for (.*): (\d+)', each.text).groups() for each in section(whole, 'evaluation').iter('title')]
require(cells == [(NAMES[i], NAMES[j], str(evaluation['confusion'][i][j])) for i in range(3) for j in range(3)], cells)

# a tile is the pattern that its neuron looks for, from the file alone
with h5py.File('m.h5') as file:
    weights, filters = file['neurons/weight'][:], file['neurons/filter'][:] @ file['preprocess/transform'][:].T
    classes, regions = file['neurons/class'][:], file['neurons/region'][:]
order = numpy.argsort(-abs(weights), kind='stable')[:32]
tiles = [each for each in section(whole, 'filters').iter('div') if each.find('img') is not None]
require(len(tiles) == len(order), len(tiles), 'tiles')
for tile, k in zip(tiles, order):
    pixels = png(base64.b64decode(tile.find('img').get('src').split(',')[1]))
    pattern = filters[k].reshape(3, 4, 3).transpose(1, 2, 0)
    require(pixels.shape == (4, 3, 3) and abs((pixels - 127.5) / 127.5 - pattern / abs(pattern).max()).max() < 1 / 127, k, 'tile')
    expected = f'{"+" if weights[k] > 0 else chr(0x2212)} {NAMES[classes[k]]}weight {abs(weights[k]):.3g}region {regions[k] // 3 + 1},{regions[k] % 3 + 1}'
    require(said(tile) == expected, said(tile), expected)
counts = [int(value.text) for value in section(whole, 'neurons').iter('text')]
require(sum(counts) == len(weights), 'neurons by region', sum(counts), len(weights))
for name, shape in ('b', None), ('maps', (2 * 2, 3 * 2, 1)):  # five channels of 2 x 2 in two rows of three
    tiles = [png(base64.b64decode(each.get('src').split(',')[1])).shape for each in page(name).iter('img')]
    require(set(tiles) == ({shape} if shape else {(3, 3, 3), (2, 2, 3)}), name, set(tiles))

# of each image the patch that a neuron answers to most, by its definition, patch by patch
with h5py.File('colour_h5/train.h5') as file:
    images = file['images'][:40]
images = images if images.shape[1] == 3 else images.transpose(0, 3, 1, 2)
with h5py.File('b.h5') as file:
    order = numpy.argsort(-abs(file['neurons/weight'][:]), kind='stable')[:12]
    neurons = [(file['neurons/filter'][k], int(file['neurons/region'][k])) for k in order]
    a, b, c = file.attrs['activation']
    branches = [dict(file[f'branch/{k}'].attrs) for k in range(2)]
rows = [each for each in section(page('b'), 'liked').iter('div') if each.get('class') == 'likes']
require(len(rows) == len(neurons) == 12, len(rows), 'neurons that like something')
for row, (u, region) in zip(rows, neurons):
    branch = branches[0] if region < branches[0]['pool']**2 else branches[1]
    pool, side, stride = (int(branch[name]) for name in ('pool', 'patch_height', 'stride'))
    region -= 0 if branch is branches[0] else int(branches[0]['pool'])**2
    across, down = ([list(part) for part in numpy.array_split(numpy.arange((length - side) // stride + 1), pool)] for length in
                    (images.shape[3], images.shape[2]))
    best = []
    for number, image in enumerate(images):
        answers = []
        for y in down[region // pool]:
            for x in across[region % pool]:
                part = image[:, y * stride:y * stride + side, x * stride:x * stride + side]
                z = u[:part.size] @ ((part - branch['pixel_shift']) / branch['pixel_scale']).ravel()
                answers.append((a * z * z + b * z + c, part))
        best.append((*max(answers, key=lambda answer: answer[0]), number))
    best.sort(key=lambda answer: -answer[0])
    shown = [each for each in row.findall('div')[1:]]
    require(len(shown) == 5, len(shown), 'patches')
    for element, (answer, part, number) in zip(shown, best):
        require(said(element) == f'image {number}{answer:.3g}', said(element), number, answer)
        require(numpy.array_equal(png(base64.b64decode(element.find('img').get('src').split(',')[1])), part.transpose(1, 2, 0)), number, 'its pixels')
for name, shape in ('m-seen', (4, 3, 3)), ('maps-seen', images.shape[2:] + (3,)):  # patches, or whole images
    found = [each for each in section(page(name), 'liked').iter('img') if each.get('class') == 'photo']
    require(found and {png(base64.b64decode(each.get('src').split(',')[1])).shape for each in found} == {shape}, name, shape)

# real targets: outputs in the place of classes
fitted, real = report('fitted'), page('real')
require(f"R2 is {fitted['all']['r2']:.4g} of {fitted['n']} images" in said(section(real, 'evaluation')), said(section(real, 'evaluation')))
require(f"R2{report('real')['r2_train']:.4g} training" in said(section(real, 'problem')), said(section(real, 'problem')))
require(all(f'output {k}' in said(section(real, 'neurons')) for k in range(len(fitted['outputs']))), said(section(real, 'neurons')))
require('linear neurons' in said(section(page('linear'), 'problem')), 'linear neurons')

# the beta that was kept is marked where its point is
path = section(page('path'), 'path')
with open('path.csv') as file:
    rows = list(csv.DictReader(file))
kept = min(rows, key=lambda row: abs(float(row['beta']) / report('p')['beta'] - 1))
require(f'kept: number {kept["number"]}' in said(path), said(path))
marks = {each.get('x1') for each in path.iter('line') if each.get('class') == 'mark'}
dots = {each.get('cx') for each in path.iter('circle') if f'neurons: {float(kept["beta_rel"]):.4g}, ' in each.findtext('title')}
require(len(marks) == 1 and marks == dots, marks, dots)

browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
if not browser:
    print('no chromium: pages are not looked at')
else:
    corners = []
    for scheme in 0, 1:  # dark, light
        command = [browser, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--user-data-dir={os.getcwd()}/browser',
                   '--window-size=1000,1200', f'--blink-settings=preferredColorScheme={scheme}', '--screenshot=page.png',
                   'file://' + os.path.abspath('whole.html')]
        subprocess.run(command, capture_output=True, timeout=100)
        with open('page.png', 'rb') as file:
            seen = png(file.read())[..., :3].astype(int)
        os.remove('page.png')
        colours, counts = numpy.unique(seen.reshape(-1, 3), axis=0, return_counts=True)
        require(seen.shape == (1200, 1000, 3) and len(colours) > 50 and 0.5 < counts.max() / counts.sum() < 0.99, scheme, len(colours))
        corners.append(seen[0, 0].sum())
        blue = (seen[..., 2] - seen[..., 0] > 60).sum()  # the curve, well below the head of the page
        require(blue > 300, scheme, 'no curves', blue)
    require(corners[0] < 150 and corners[1] == 765, 'dark and light', corners)
finish()
