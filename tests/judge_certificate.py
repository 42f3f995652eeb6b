"""check_certificate.sh's judgement: what psdnet printed is on the safe side of what check_proof.py found in high precision."""
import re
from decimal import Decimal

from judge import attributes, finish, report, require, text


def printed(log):
    """as decimals, which are not rounded once more"""
    return {key: Decimal(re.search(rf'^{key} +(-?[\d.]\S*)', text(log), re.M).group(1)) for key in ('primal', 'bound', 'gap')}


for name in ('squared', 'dual', 'logistic', 'softmax', 'hinge', 'huber', 'l1', 'empty', 'lowrank', 'lowrank-logistic', 'lowrank-softmax',
             'lowrank-huber'):
    found = {key: Decimal(value) for key, value in report(name).items()}
    trained, checked = printed(f'{name}.log'), printed(f'{name}-certify.log')
    proof = Decimal(re.search(r'^proof .* (\S+)$', text(f'{name}.log'), re.M).group(1))
    require('\ncertificate holds\n' in text(f'{name}-certify.log'), name, 'does not hold')
    require(proof <= found['claimed'] <= found['bound'], name, 'claim', proof, found)
    require(checked['bound'] <= found['bound'], name, 'bound', checked, found)
    require(checked['primal'] >= found['objective'], name, 'primal', checked, found)
    require(checked['gap'] >= found['gap'] >= 0, name, 'gap', checked, found)
    # the solver's own bound is of the same dual point, and is not given away for the sake of the file
    require(abs(trained['bound'] - proof) <= Decimal('1e-8') * found['objective'], name, 'bound of the run', trained, proof)
    require(trained['bound'] <= found['objective'], name, 'bound of the run', trained, found)
    require(trained['primal'] >= found['objective'] * (1 - Decimal('1e-12')), name, 'primal of the run', trained, found)
    require(attributes(name + '.c')['format'] == ['psdnet-certificate'], name, 'format')
for name in 'found', 'path', 'no_theta':
    log = name + ('' if name == 'no_theta' else '-certify') + '.log'
    require('\ncertificate holds\n' in text(log), name, 'does not hold')
finish()
