"""A run as one page of HTML, of the files that psdnet has written of it: psdnet report FILE... -output run.html.

The page needs nothing but itself. A section is a function of the inputs; it gives None where they do not have what it shows.
"""
import collections
import decimal
import os

import numpy

from . import charts, likes
from .inputs import number
from .markup import Markup, join, table, tag

PHASES = 'read lift gram factor solve certify write'.split()
STRONGEST = 32  # filters that are shown
LOOKERS = 12  # neurons whose favourite patches are shown
FAVOURITES = 5  # patches of each
MOST_CLASSES = 20  # whose neurons are shown by region


def rounded(value, digits, up):
    """A number with so many digits, rounded up or down: what is proved must not be improved by printing it."""
    value = decimal.Decimal(value)
    if not value.is_finite():
        return str(value)
    if value == 0:
        return '0'
    unit = decimal.Decimal(1).scaleb(value.adjusted() - digits + 1)
    return f"{value.quantize(unit, decimal.ROUND_CEILING if up else decimal.ROUND_FLOOR, decimal.Context(prec=digits + 5)):g}"


def _claims(inputs):
    """Primal, bound, gap, beta, beta_max: of the model, or else of the report."""
    if inputs.model:
        return inputs.model.certificate
    if inputs.run:
        return [number(inputs.run[name]) for name in ('objective_primal', 'objective_dual', 'gap', 'beta', 'beta_max')]
    return None


def certificate(inputs):
    claims = _claims(inputs)
    if not claims:
        return None
    primal, bound, gap, _, _ = claims
    share = rounded(100 * gap, 2, True)
    words = [
        tag('p', tag('strong', f'No network of this kind has an objective below {rounded(bound, 10, False)}.')),
        tag('p', f'This one, with {rounded(primal, 10, True)}, is therefore within {share} % of the best there is, however many neurons '
            f'that may have (relative gap {rounded(gap, 3, True)}). The bound was proved from the training images, with rounding counted. ',
            tag('code', 'psdnet certify'), ' proves it again from the model and the images.')]
    return tag('div', words, class_='certificate')


def _patches(branch):
    parts = [f'{branch.size[0]} x {branch.size[1]}, stride {branch.stride}, {branch.pool} x {branch.pool} regions']
    if branch.overlap:
        parts.append(f'which overlap by {branch.overlap}')
    if branch.shared:
        parts.append('which are their own mirror images, with a middle in common')
    if branch.reduce > 1:
        parts.append(f'of the image reduced by {branch.reduce}')
    if branch.normalize > 0:
        parts.append(f'normalised {branch.normalize:g}')
    if branch.responses:
        parts.append('of the responses')
    if branch.linear:
        parts.append('linear neurons')
    if branch.transform.matrix is not None:
        parts.append(f'transformed to {branch.transform.matrix.shape[1]} numbers')
    return ', '.join(parts)


def problem(inputs):
    rows, model, run = [], inputs.model, inputs.run
    if model:
        rows += [('images', ' x '.join(map(str, model.shape))), ('outputs' if model.outputs else 'classes', ', '.join(model.class_names))]
        for k, stage in enumerate(model._stages):
            place = f' {k + 1}' if len(model._stages) > 1 else ''
            rows.append(('maps' + place, f'of {len(stage.filters)} fixed filters, patches of {_patches(stage.patches)}'))
            if stage.network:
                known = stage.network
                rows.append(('network of these' + place, f"{known['neurons']} neurons, loss {known['loss']}, certified given what is below: "
                             f"objective {known['objective_primal']:.10g}, at least {known['objective_dual']:.10g}, gap {known['gap']:.3g}"))
        rows += [('patches' if len(model._branches) == 1 else f'patches, branch {k + 1}', _patches(branch))
                 for k, branch in enumerate(model._branches)]
        rows += [('activation', '{:g} u^2 + {:g} u + {:g}'.format(*model._activation)), ('loss', model.loss)]
    elif run:
        rows.append(('loss', run['loss']))
    if run:
        rows.append(('samples', f"{run['n']} training images"))
        if 'sum_of_weights' in run:
            weights = [number(run[name]) for name in ('least_weight', 'largest_weight', 'sum_of_weights')]
            rows.append(('weights', '{} to {}, {} in all'.format(*(charts.short(weight) for weight in weights))))
        rows += [('program', f"f = {run['f']}, D = {run['D']}, {run['blocks']} blocks")]
    claims = _claims(inputs)
    if claims:
        beta, beta_max = claims[3:]
        rows.append(('beta', f'{beta:.6g}' + (f', {beta / beta_max:.3g} of beta_max' if beta_max > 0 else '')))
        rows.append(('neurons', len(model._weights) if model else run['neurons']))
    if run:
        kernels = ''.join(f", {part} {run[part]}" for part in ('consensus', 'cone') if part in run)
        rows.append(('solver', f"{run['solver']}{kernels}, {run['iterations']} iterations"))
        rows.append(('machine', f"{run['ranks']} rank{'s' * (run['ranks'] > 1)} with {run['threads']} thread{'s' * (run['threads'] > 1)}, "
                     f"{run['machine']}"))
        for kind, name, said in ('accuracy', 'accuracy', charts.percent), ('r2', 'R2', charts.short):
            if kind + '_train' in run:
                held_out = f", {said(number(run[kind + '_validation']))} held out" if kind + '_validation' in run else ''
                rows.append((name, f"{said(number(run[kind + '_train']))} training{held_out}"))
    return table(None, rows) if rows else None


def convergence(inputs):
    rows = inputs.history
    if not rows:
        return None
    series = {name: [(row['seconds'], row[name]) for row in rows] for name in ('objective', 'bound', 'gap')}
    last = rows[-1]['seconds']
    primal, bound, gap = _claims(inputs)[:3] if _claims(inputs) else (None, None, None)
    final = series['objective'][-1][1]
    near = {name: [(seconds, value) for seconds, value in series[name] if value is not None and final / 2 <= value <= 2 * final]
            for name in ('objective', 'bound')}
    gaps = charts.curves([('gap, followed by the solver', 'first', series['gap']), ('gap, proved', 'proved', [(last, gap)])],
                         'seconds in the solver', 'relative gap', log_y=True)
    values = charts.curves([('objective of the best network so far', 'first', near['objective']),
                            ('bound, followed by the solver', 'second', near['bound']),
                            ('objective and bound, proved', 'proved', [(last, bound)]), ('', 'proved', [(last, primal)])],
                           'seconds in the solver', 'objective and bound')
    words = ('Objectives and bounds on the way are followed by the solver in its own numbers, and not proved; those of the end are proved. '
             'The lower picture has what lies within a factor of two of the last objective.')
    return [tag('p', words, class_='note'), gaps, values]


def path(inputs):
    rows = inputs.path
    if not rows:
        return None
    claims = _claims(inputs)
    kept = None
    if claims:
        nearest = min(rows, key=lambda row: abs(row['beta'] - claims[3]))
        if abs(nearest['beta'] - claims[3]) <= 1e-9 * claims[3]:
            kept = nearest['beta_rel'], f"kept: number {nearest['number']:.0f}"

    def line(series, label, **more):
        return charts.curves([(name, kind, [(row['beta_rel'], row[column]) for row in rows]) for name, kind, column in series],
                             'beta, as a fraction of beta_max', label, log_x=True, falling_x=True, mark=kept, height=200, **more)

    kind = 'r2' if 'r2_train' in rows[0] else 'accuracy'
    accuracies = [('training images', 'first', kind + '_train'), ('images held out', 'second', kind + '_validation')]
    return [tag('p', f'{len(rows)} values of beta, each solved from the one before and certified.', class_='note'),
            line([each for each in accuracies if rows[0].get(each[2]) is not None], kind),
            line([('neurons', 'first', 'neurons')], 'neurons'), line([('gap, proved', 'first', 'gap')], 'relative gap', log_y=True)]


def phases(inputs):
    run, plan = inputs.run, inputs.plan
    if not run and not plan:
        return None
    measured, planned = run['seconds'] if run else {}, plan['seconds'] if plan else {}
    total = number((measured or planned).get('total'))
    rows, lines = [], []
    for phase in PHASES:
        seconds, foreseen = measured.get(phase), planned.get(phase)
        shown = number(foreseen if seconds is None else seconds)
        rows.append((phase, shown, f'{shown:.3g} s, {100 * shown / total:.0f} %' if total > 0 else f'{shown:.3g} s', foreseen if run else None))
        if plan:
            work = number(plan['flops'].get(phase)) / 1e9
            speed = f'{work / plan["ranks"] / shown:.3g}' if shown > 0 and work > 0 else Markup('&#8211;')
            lines.append((phase, f'{shown:.3g}', f'{number(foreseen):.3g}', f'{work:.3g}', speed,
                          f'{number(plan["bytes"].get(phase)) / 1e6:.3g}'))
    words = f'{total:.4g} seconds in all, the slowest rank in each phase.' if run else f'{total:.4g} seconds, as planned.'
    if run and plan:
        words += ' Marks and the second column of seconds are what psdnet plan foresaw of this machine.'
    head = ('phase', 'seconds', 'planned', 'Gflop', 'GFLOP/s a rank', 'MB sent a rank')
    return [tag('p', words, class_='note'), charts.bars(rows, 'seconds by phase'), table(head, lines, 'numbers') if lines else None]


def memory(inputs):
    run, plan = inputs.run, inputs.plan
    if not run and not plan:
        return None
    words = [tag('p', f"{run['peak_memory_mb']:.0f} MB at most on a rank.")] if run else []
    if plan:
        items = sorted(plan['memory'].items(), key=lambda item: -item[1][0])
        words += [tag('p', f"Planned: {plan['peak_memory_mb']:.0f} MB on rank 0, at the moment when most is there; by item, MB:", class_='note'),
                  charts.bars([(name, root / 1e6, f'{root / 1e6:.3g}', None) for name, (root, _) in items if root >= 5e4], 'MB by item')]
    return words


def evaluation(inputs):
    parts = []
    for each in inputs.evaluations:
        shown = [k for k, entry in enumerate(each['classes']) if entry['images']]
        names = [str(entry['name']) for entry in each['classes']]
        values = [each['confusion'][k] for k in shown]
        shares = [[value / sum(row) for value in row] for row in values]
        rows = [(entry['name'], entry['images'], charts.percent(entry['recall']), charts.percent(entry['precision']))
                for entry in each['classes'] if entry['images']]
        parts += [tag('p', tag('strong', f"{charts.percent(each['accuracy'])} of {each['n']} images are right."),
                      ' Rows are true classes, columns what the network says.'),
                  charts.heat(values, shares, [(k, names[k]) for k in shown], names),
                  table(('class', 'images', 'recall', 'precision'), rows, 'numbers'), tag('p', tag('code', each['command']), class_='note')]
    for each in inputs.fits:
        rows = [(str(fit.get('name', f'output {k}')), *(charts.short(number(fit[name])) for name in ('rmse', 'mean_error', 'r2')))
                for k, fit in enumerate(each['outputs'])]
        parts += [tag('p', tag('strong', f"R2 is {charts.short(number(each['all']['r2']))} of {each['n']} images.")),
                  table(('', 'RMSE', 'mean error', 'R2'), rows, 'numbers'), tag('p', tag('code', each['command']), class_='note')]
    return parts or None


def _score_names(model):
    """What each score is of."""
    return model.class_names


def _speaks_for(model, weight, position):
    """Which class a neuron of a score speaks for, and whether for it: two classes have one score, which is the second's."""
    if len(model.classes) == 2:
        return model.class_names[1 if weight > 0 else 0], True
    return _score_names(model)[position], weight > 0


Neuron = collections.namedtuple('Neuron', 'weight pattern score branch place number')


def _strongest(model):
    """All neurons, the largest weight first; place is row and column of the region, number that among the branch's neurons."""
    found = []
    for k, branch in enumerate(model._branches):
        for number, (pattern, weight, score, region) in enumerate(zip(*model.filters(k))):
            found.append(Neuron(weight, pattern, score, k, divmod(int(region), branch.pool), number))
    return sorted(found, key=lambda neuron: -abs(neuron.weight))


def _described(model, neuron):
    """A filter with what its neuron speaks for, and where."""
    name, favours = _speaks_for(model, neuron.weight, neuron.score)
    row, column = neuron.place
    where = f'region {row + 1},{column + 1}' + (f' of branch {neuron.branch + 1}' if len(model._branches) > 1 else '')
    sign = tag('span', '+' if favours else Markup('&#8722;'), class_='plus' if favours else 'minus')
    return [charts.tile(neuron.pattern, f'filter for {name}, {where}'), sign, f' {name}', tag('br'), f'weight {abs(neuron.weight):.3g}',
            tag('br'), where]


def filters(inputs):
    model = inputs.model
    if not model or not len(model._weights):
        return None
    found = _strongest(model)
    tiles = [tag('div', _described(model, neuron)) for neuron in found[:STRONGEST]]
    pattern = found[0].pattern
    of_image = 'A tile is the pattern of the patch that its neuron answers to, grey where it does not look' + \
        (', in the colours of the image' if pattern.shape[0] == 3 else '')
    of_map = 'A square of a tile is a number of the map that its neuron answers to, channel by channel: brighter than grey for more of it, ' \
        'darker for less'
    speaks = '+ raises the output, and \u2212 lowers it' if model.outputs else '+ speaks for the class, and \u2212 against it'
    words = f'The {len(tiles)} neurons of largest weight, of {len(found)}. {of_map if model._stages else of_image}. {speaks}. ' \
        'Regions are row and column of the pooling grid.'
    return [tag('p', words, class_='note'), tag('div', tiles, class_='tiles')]


def liked(inputs):
    model = inputs.model
    if not model or not len(model._weights) or inputs.images is None:
        return None
    shown = _strongest(model)[:LOOKERS]
    found = likes.best(model, inputs.images, [(neuron.branch, neuron.number) for neuron in shown], FAVOURITES)
    rows = []
    for neuron, favourites in zip(shown, found):
        photos = [tag('div', charts.photo(_bytes(model, part), f'of image {image}'), f'image {image}', tag('br'), f'{answer:.3g}')
                  for image, answer, part in favourites]
        rows.append(tag('div', tag('div', _described(model, neuron)), photos, class_='likes'))
    what = 'images' if model._stages else 'patches'
    words = (f'The {what} that the {len(rows)} neurons of largest weight answer to most, of {len(inputs.images)} images, '
             f'{"one" if not model._stages else "each"} of an image. Below each is the number of the image, from 0, and the answer'
             + (', a mean over the region.' if model._stages else '.'))
    return [tag('p', words, class_='note'), rows]


def _bytes(model, pixels):
    """What is shown of an image's numbers."""
    most = 65535 if model.bits == 16 else 255
    if model.step > 0:
        return numpy.rint((pixels - model.low) / (most * model.step) * 255).clip(0, 255).astype(numpy.uint8)
    if pixels.dtype.kind == 'f' and pixels.max(initial=0) <= 1:
        pixels = pixels * most
    return numpy.rint(pixels * (255 / most)).astype(numpy.uint8)


def _cells(model, chosen):
    """Of the chosen neurons, in each region: how many, and the sum of their weights."""
    count = sum(branch.pool**2 for branch in model._branches)
    return numpy.bincount(model._region[chosen], minlength=count), numpy.bincount(model._region[chosen], abs(model._weights[chosen]), count)


def _grids(model, chosen, strength, kind):
    """A grid of regions for each branch."""
    numbers, sums = _cells(model, chosen)
    ends = numpy.cumsum([branch.pool**2 for branch in model._branches])[:-1]
    return [tag('div', charts.grid(share.reshape(branch.pool, -1), number.reshape(branch.pool, -1)), class_=kind)
            for branch, share, number in zip(model._branches, numpy.split(sums / strength, ends), numpy.split(numbers, ends))]


def neurons(inputs):
    model = inputs.model
    if not model or not len(model._weights):
        return None
    weights, positions = model._weights, model._class
    if len(model.classes) == 2:
        groups = [(model.class_names[k], [(numpy.flatnonzero((weights > 0) == bool(k)), 'favour')]) for k in (0, 1)]
    else:
        order = numpy.argsort(-numpy.bincount(positions, abs(weights), len(_score_names(model))), kind='stable')[:MOST_CLASSES]
        groups = [(_score_names(model)[k], [(numpy.flatnonzero((positions == k) & (weights > 0)), 'favour'),
                                          (numpy.flatnonzero((positions == k) & (weights <= 0)), 'against')]) for k in sorted(order)]
    strength = max(_cells(model, chosen)[1].max() for _, sides in groups for chosen, _ in sides)
    parts = [tag('div', tag('div', f'{name}: {sum(len(chosen) for chosen, _ in sides)}'),
                 [tag('div', _grids(model, chosen, strength, kind), class_='pair') for chosen, kind in sides]) for name, sides in groups]
    kind = 'output' if model.outputs else 'class'
    words = f'How many neurons each {kind} has in each region of the pooling grid; the colour is the sum of their weights.'
    if model.outputs:
        words += ' The neurons of the first grid raise the output, those of the second lower it.'
    elif len(model.classes) != 2:
        words += ' The first grid of a class speaks for it, the second against it.'
    if len(_score_names(model)) > MOST_CLASSES:
        words += f' The {MOST_CLASSES} of largest weight, of {len(_score_names(model))}.'
    return [tag('p', words, class_='note'), tag('div', parts, class_='regions')]


def repeat(inputs):
    if not inputs.run:
        return None
    run = inputs.run
    command = run['command'] if run['ranks'] == 1 else f"mpiexec -n {run['ranks']} {run['command']}"
    return [tag('pre', command), tag('p', 'All options of the run, also those of files and of the environment:', class_='note'),
            tag('pre', run.get('options', ''))]


SECTIONS = (('problem', 'What was solved', problem), ('convergence', 'Convergence', convergence), ('path', 'Path', path),
            ('evaluation', 'Evaluation', evaluation), ('filters', 'Filters', filters), ('liked', 'What they like best', liked),
            ('neurons', 'Neurons by region', neurons), ('phases', 'Where the time went', phases),
            ('memory', 'Memory', memory), ('repeat', 'To repeat it', repeat))
# what a section needs, and where it comes from
LACKING = {'convergence': 'train -history', 'path': 'path -table', 'evaluation': 'evaluate -report', 'filters': 'a model file',
           'phases': 'train -report'}


def _title(model):
    """What is told apart."""
    names = model.class_names
    if model.outputs or names == [str(label) for label in model.classes]:
        return model._task()
    return ', '.join(names[:4]) + f' and {len(names) - 4} more' * (len(names) > 4)


def page(inputs):
    """The page of inputs, a text."""
    model = inputs.model
    title = 'psdnet: ' + (_title(model) if model else 'a run')
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'report.css'), encoding='ascii') as file:
        style = Markup(file.read())
    parts, lacking = [], []
    for name, heading, section in SECTIONS:
        content = section(inputs)
        if content:
            parts.append(tag('section', tag('h2', heading), content, id=name))
        elif name in LACKING and not (name == 'path' and inputs.history) and not (name == 'convergence' and inputs.path):
            lacking.append(f'{heading.lower()} ({LACKING[name]})')
    if lacking:
        parts.append(tag('p', 'Not given: ' + ', '.join(lacking) + '.', class_='note'))
    head = tag('head', tag('meta', charset='utf-8'), tag('meta', name='viewport', content='width=device-width, initial-scale=1'),
               tag('title', title), tag('style', style))
    body = tag('body', tag('main', tag('h1', title), certificate(inputs), parts))
    return join([Markup('<!DOCTYPE html>\n'), tag('html', head, body, lang='en'), '\n'])
