"""A network as NumPy's .npy files and one of JSON, for programs that read no HDF5: docs/formats.md, "Arrays"."""
import json
import os

import numpy


def _save(folder, name, value):
    numpy.save(os.path.join(folder, name + '.npy'), value)


def _patches(folder, name, patches):
    """What a branch or the stage cuts, for the JSON; its transform as arrays."""
    if patches.transform.matrix is not None:
        _save(folder, name + '_mean', patches.transform.mean)
        _save(folder, name + '_transform', patches.transform.matrix)
    return {'patch': patches.size, 'stride': patches.stride, 'pool': patches.pool, 'pool_overlap': patches.overlap,
            'pool_shared': patches.shared, 'reduce': patches.reduce,
            'pixel_shift': patches.shift, 'pixel_scale': patches.scale, 'patch_normalize': patches.normalize,
            'linear': patches.linear, 'stage': patches.stage, 'responses': patches.responses,
            'transformed': patches.transform.matrix is not None}


def _maps(folder, name, maps):
    about = _patches(folder, name, maps.patches)
    _save(folder, name + '_filter', maps.filters)
    if maps.channels.matrix is not None:
        _save(folder, name + '_channel_mean', maps.channels.mean)
        _save(folder, name + '_channel_transform', maps.channels.matrix)
    return {**about, 'threshold': float(maps.threshold), 'split': bool(maps.split), 'map_normalize': float(maps.normalize),
            'response_scale': maps.response_scale,
            'channels_transformed': maps.channels.matrix is not None, 'network': maps.network}


def export(network, folder):
    """Writes the network into a folder, which is there."""
    branches = []
    for k, branch in enumerate(network._branches):
        here, first = network._neurons_of(k)
        for name, value in ('filter', network._own_filters(k)), ('weight', network._weights[here]), ('region', network._region[here] - first), \
                ('class', network._class[here]):
            _save(folder, f'branch{k}_{name}', value)
        branches.append(_patches(folder, f'branch{k}', branch))
    stages = {f'layer{k + 1}': _maps(folder, f'layer{k + 1}', stage) for k, stage in enumerate(network._stages)}
    # whoever knows of one stage or of whole pixels alone must not pass over the others
    shared = any(branch.shared for branch in network._branches) or any(stage.patches.shared for stage in network._stages)
    scaled = any(stage.response_scale != 1 for stage in network._stages)
    version = 4 if shared or scaled else 3 if any(branch.responses for branch in network._branches) else 2 if len(stages) > 1 or network.step > 0 else 1
    about = {'format': 'psdnet-arrays', 'version': version, 'image': network.shape,
             'bits': network.bits, 'pixel_step': network.step, 'pixel_low': network.low, 'labels': network.classes.tolist(),
             'class_names': network.class_names, 'outputs': network.outputs, 'loss': network.loss, 'activation': network._activation,
             'certificate': network.certificate._asdict(), 'branches': branches,
             'layer1': None, **stages}
    with open(os.path.join(folder, 'network.json'), 'w', encoding='utf-8') as file:
        json.dump(about, file, indent=1)
        file.write('\n')
