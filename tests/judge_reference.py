"""check_reference.sh's judgement: optima of the configuration of 2021, from an interior-point solver (docs/mathematics.md)."""
from judge import finish, report, require

# beta: (optimum, its own relative uncertainty, gap asked for, how near to the optimum the primal has to be)
cases = {'1.9': (3334.32150, 1e-8, 1e-6, 1e-5), '1e-6': (2490.6105, 1e-6, 1e-4, 2e-4)}

for beta, (optimum, uncertainty, gap, distance) in cases.items():
    primals = []
    for ranks in 1, 2, 3, 4:
        r = report(f'{beta}-{ranks}')
        primal, dual, where = r['objective_primal'], r['objective_dual'], f'beta {beta} on {ranks} ranks:'
        primals.append(primal)
        require(abs(r['beta_max'] / 1905.1536137 - 1) <= 1e-6, where, 'beta_max', r['beta_max'])
        require(r['n'] == 10000 and r['f'] == 48 and r['D'] == 1225, where, 'sizes', r['n'], r['f'], r['D'])
        upper = primal + r['objective_primal_error']
        require(r['gap'] <= gap and abs((upper - dual) / upper - r['gap']) <= 1e-12, where, 'gap', r['gap'])
        require(upper <= primal * (1 + 1e-7), where, 'primal known to', r['objective_primal_error'])
        require(abs(primal / optimum - 1) <= distance, where, 'primal', primal, 'optimum', optimum)
        require(dual <= optimum * (1 + max(uncertainty, 1e-6)), where, 'bound', dual, 'above the optimum', optimum)
        require(primal >= optimum * (1 - max(uncertainty, 1e-7)), where, 'primal', primal, 'below the optimum', optimum)
    spread = max(primals) / min(primals) - 1
    require(spread <= 1e-8, f'beta {beta}: objectives on 1 to 4 ranks', *primals, 'differ by', spread, 'relative')
finish()
