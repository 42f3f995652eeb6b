"""The folders of check_arrays.sh against the model files: arrays bit by bit, and what network.json says."""
import json

import h5py
import numpy

from judge import finish, require, text


def same(folder, name, value):
    found = numpy.load(f'{folder}/{name}.npy')
    require(found.shape == value.shape and (found == value).all(), folder, name, found.shape, value.shape)


for name in 'plain', 'named', 'branches', 'linear', 'levels', 'maps', 'joint', 'chain':
    about = json.loads(text(name + '/network.json'))
    with h5py.File(name + '.h5') as file:
        groups = [file[f'branch/{k}'] for k in range(file.attrs['branches'])] if 'branch' in file else [file]
        require(about['labels'] == [int(label) for label in file.attrs['classes']], name, about['labels'])
        require(about['certificate']['bound'] == file.attrs['objective_dual'] and about['activation'] == list(file.attrs['activation']), name)
        require(about['version'] == {'levels': 2, 'chain': 2, 'joint': 4}.get(name, 1), name, about['version'])
        if name == 'levels':
            require([about[key] for key in ('pixel_step', 'pixel_low')] == [file.attrs[key] for key in ('pixel_step', 'pixel_low')], 'levels')
        first = 0
        for k, (group, branch) in enumerate(zip(groups, about['branches'])):
            lower = name == 'chain' and k == 1  # of the map of the first stage
            channels = file['layer1/channels/transform'].shape[1] if lower else file.attrs['channels']
            channels = 2 * file['layer1'].attrs['count'] if group.attrs.get('responses', 0) else channels
            require(branch['stage'] == lower, name, 'stage', k)
            q = channels * group.attrs['patch_height'] * group.attrs['patch_width']
            f = group['preprocess/transform'].shape[1] if 'preprocess' in group else q
            region = file['neurons/region'][:] - first
            here = (region >= 0) & (region < group.attrs['pool']**2)
            first += group.attrs['pool']**2
            for array, value in ('filter', file['neurons/filter'][:][here, :f]), ('weight', file['neurons/weight'][:][here]), \
                    ('region', region[here]), ('class', file['neurons/class'][:][here]):
                same(name, f'branch{k}_{array}', value)
            require(branch['transformed'] == ('preprocess' in group), name, 'transformed')
            if branch['transformed']:
                same(name, f'branch{k}_transform', group['preprocess/transform'][:])
                same(name, f'branch{k}_mean', group['preprocess/mean'][:])
            for key in 'stride', 'pool', 'pixel_shift', 'pixel_scale', 'patch_normalize':
                require(branch[key] == group.attrs[key], name, key, branch[key])
        require(all(branch['linear'] == (name == 'linear' or branch['responses'] == 1) for branch in about['branches']), name, 'linear')
        require([branch['responses'] for branch in about['branches']] == [group.attrs.get('responses', 0) for group in groups], name, 'responses')
        require(name != 'joint' or about['layer1']['responses'] == 2, name, 'responses of the stage')
        stages = {'maps': 1, 'joint': 1, 'chain': 2}.get(name, 0)
        layers = [key for key, value in about.items() if key.startswith('layer') and value]
        require(layers == [f'layer{k + 1}' for k in range(stages)], name, layers)
        for layer in layers:
            same(name, layer + '_filter', file[layer + '/filter'][:])
            same(name, layer + '_channel_transform', file[layer + '/channels/transform'][:])
            same(name, layer + '_channel_mean', file[layer + '/channels/mean'][:])
            require(about[layer]['pool'] == file[layer].attrs['pool'], name, layer, 'pool')
        if stages:
            require(about['image'] == [file['layer1'].attrs[key] for key in ('channels', 'height', 'width')], name, about['image'])
        if name == 'chain':
            with h5py.File('maps.h5') as below:
                claimed = {'neurons': len(below['neurons/weight']), 'loss': 'squared',
                           **{key: below.attrs[key] for key in ('objective_primal', 'objective_dual', 'gap', 'beta')}}
            require(about['layer2']['network'] == claimed and about['layer1']['network'] is None, name, about['layer2'])
finish()
