"""check_certify.sh's judgement: psdnet certify against the claims of the files it read."""
from judge import attributes, certificate, finish, require


def claims(model):
    file = attributes(model + '.h5')
    return file['objective_primal'], file['objective_dual'], file['gap']


for ranks in 1, 3:
    for model, output in (('whitened', 'whitened'), ('whitened', 'streamed'), ('whitened', 'tight'), ('whitened', 'loose'),
                          ('binary', 'binary'), ('part', 'part'), ('nothing', 'nothing')):
        primal, dual, gap = claims(model)
        found = certificate(f'{output}-{ranks}')
        name = f'{output} on {ranks} ranks: {found}, file {primal} {dual} {gap}:'
        require(abs(found['primal'] / primal - 1) <= 1e-9, name, 'primal')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above the primal')
        require(dual <= found['primal'] * (1 + 1e-11), name, "the file's bound is above the primal")
        if output != 'loose':
            # below 1e-10 a gap is rounding alone, which differs with the number of ranks
            require(found['gap'] <= max(gap * (1 + 1e-3), 1e-10), name, 'gap')
    require(certificate(f'tight-{ranks}')['gap'] <= 2e-8, 'tight', certificate(f'tight-{ranks}'))
    for model in 'turned', 'scaled', 'flipped':
        found, primal = certificate(f'{model}-{ranks}'), claims('whitened')[0]
        name = f'{model} on {ranks} ranks: {found}, file {primal}:'
        require(found['primal'] > primal * (1 + 1e-6), name, 'the primal is no higher')
        require(found['bound'] <= primal * (1 + 1e-11), name, 'bound above what a network reaches')
        require(found['gap'] > claims('whitened')[2], name, 'the gap is no wider')
finish()
