"""check_kernels.sh's judgement: one objective and a bound of it, by the kernels that were asked for."""
import glob

from judge import finish, report, require

for problem in 'two', 'three':
    reports = {name[:-5]: report(name[:-5]) for name in glob.glob(f'{problem}-*.json')}
    require(len(reports) == 24, problem, 'has', len(reports), 'reports')
    primal = [run['objective_primal'] for run in reports.values()]
    require(max(primal) / min(primal) - 1 <= 1e-8, problem, 'objectives from', min(primal), 'to', max(primal))
    for name, run in reports.items():
        consensus, cone = name.split('-')[1:3]
        require(run['objective_dual'] <= min(primal) and run['gap'] <= 1e-9, name, 'bound', run['objective_dual'], 'gap', run['gap'])
        require(run['consensus'] == consensus and cone in ('auto', run['cone'].split(':')[0]), name, 'used', run['consensus'],
                run['cone'])
finish()
