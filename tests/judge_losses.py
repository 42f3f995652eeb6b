"""check_losses.sh's judgement: one objective of each loss on all ranks and kernels, and what certify finds of it."""
from judge import attributes, certificate, finish, report, require, text


def judge(loss):
    runs = [f'{loss}-root-{ranks}' for ranks in (1, 2, 3, 4)]
    runs += [f'{loss}-scalapack-1', f'{loss}-scalapack-3', f'{loss}-streamed-2']
    files = [attributes(run + '.h5') for run in runs]
    primals = [file['objective_primal'] for file in files]
    require(max(primals) / min(primals) - 1 <= 1e-8, loss, 'objectives', *primals)
    for run, file in zip(runs, files):
        require(file['loss'] == loss, run, 'loss', file['loss'])
        require(abs(file['huber_delta'] - (0.8 if loss == 'huber' else 0)) < 1e-15, run, 'huber_delta', file['huber_delta'])
        require(0 <= file['gap'] <= (1e-5 if loss in ('hinge', 'l1') else 1e-6), run, 'gap', file['gap'])
        require(file['objective_dual'] <= min(primals), run, 'bound', file['objective_dual'], *primals)
    require(report(f'{loss}-root-2')['loss'] == loss, loss, 'report')
    for output, model in (f'{loss}-certify-1', f'{loss}-root-1'), (f'{loss}-certify-3', f'{loss}-scalapack-3'):
        found, file = certificate(output), attributes(model + '.h5')
        require(abs(found['primal'] / file['objective_primal'] - 1) <= 1e-9, output, found, file)
        require(found['bound'] <= min(primals) * (1 + 1e-11), output, 'bound', found, *primals)
        require(found['gap'] <= file['gap'] * (1 + 1e-3), output, found, file['gap'])
    logs = [text(f'{loss}-{kind}.log') for kind in ('streamed-2', 'root-2')]
    require(logs[0].count('lifted again') == 1 and 'lifted again' not in logs[1], loss, 'says that features are streamed')


for loss in 'logistic', 'softmax', 'hinge', 'huber', 'l1':
    judge(loss)
binary = [attributes(f'binary-{loss}.h5')['objective_primal'] for loss in ('logistic', 'softmax')]
require(abs(binary[0] / binary[1] - 1) <= 1e-12, 'two classes', *binary)
finish()
