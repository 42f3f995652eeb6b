"""check_screening.sh's judgement: the optimum of each beta with screening (screened1.csv) and without."""
from judge import finish, require, table

on, off = table('screened1.csv'), table('screened0.csv')
require(len(on) == len(off) == 5, 'betas', len(on), len(off))
for a, b in zip(on, off):
    require(abs(float(a['objective']) / float(b['objective']) - 1) <= 2e-9,
            'beta', a['beta'], a['objective'], 'without screening', b['objective'])
finish()
