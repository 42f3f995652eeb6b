"""check_losses_path.sh's judgement: a path's last network against one trained from nothing at the same beta."""
from judge import attributes, finish, require, table

for loss in 'logistic', 'softmax', 'huber', 'hinge':
    path, direct = attributes(f'path-{loss}.h5'), attributes(f'direct-{loss}.h5')
    require(abs(path['beta'] / direct['beta'] - 1) < 1e-12, loss, 'beta', path['beta'], direct['beta'])
    require(path['objective_dual'] <= direct['objective_primal'] and direct['objective_dual'] <= path['objective_primal'],
            loss, 'path', path, 'and directly', direct)
    rows = table(f'path-{loss}.csv')
    require(len(rows) == 4 and all(float(row['gap']) <= 1e-5 for row in rows), loss, 'path', rows)
    objectives = [float(row['objective']) for row in rows]
    require(objectives == sorted(objectives, reverse=True), loss, 'objectives of the path', *objectives)
finish()
