"""What estimators in scikit-learn's manner share: their parameters, and a run of the command psdnet."""
import os
import shlex
import shutil
import subprocess
import tempfile

import h5py
import numpy

from .network import load

try:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError
except ImportError:  # its habits without it

    class NotFittedError(ValueError, AttributeError):
        """Of what fit makes, before it has been called."""

    class BaseEstimator:
        """Parameters are those of __init__."""

        def get_params(self, deep=True):
            """Parameters by their names."""
            names = self.__init__.__code__.co_varnames[1:self.__init__.__code__.co_argcount]
            return {name: getattr(self, name) for name in names}

        def set_params(self, **params):
            """Sets parameters, and returns self."""
            for name, value in params.items():
                if name not in self.get_params():
                    raise ValueError(f'{type(self).__name__} has no parameter {name}')
                setattr(self, name, value)
            return self


class Estimator(BaseEstimator):
    """Trains a network to a certified gap with the command psdnet.

    loss      -loss of psdnet
    beta_rel  weight of the regularisation as a fraction of beta_max; None: psdnet's own choice
    gap       -gap
    options   more options of psdnet train, one text, such as "-patch 6 -pool 3 -whiten 0.01"
    ranks     processes
    launcher  what starts them, one text to which psdnet's command is appended; None: mpiexec -n RANKS, or nothing for one
    command   psdnet, or where it is; None: the environment's PSDNET, else psdnet in PATH

    X are images of integers or of floating point numbers, as psdnet reads them (docs/formats.md, "Numbers"), n x channels x height x
    width (or n x height x width, or channels last). After fit: network_ (a Network), certificate_, n_features_in_, the numbers of an
    image, and log_, what psdnet printed. A run that ends without its gap is a warning of psdnet's in log_, not an
    error: certificate_.gap says what was proved.
    """

    def __init__(self, loss='squared', beta_rel=None, gap=1e-4, options='', ranks=1, launcher=None, command=None):
        self.loss = loss
        self.beta_rel = beta_rel
        self.gap = gap
        self.options = options
        self.ranks = ranks
        self.launcher = launcher
        self.command = command

    def _command(self):
        command = self.command or os.environ.get('PSDNET') or shutil.which('psdnet')
        if not command:
            raise FileNotFoundError('psdnet is not in PATH: give command=, or set PSDNET')
        if self.launcher is not None:
            return [*shlex.split(self.launcher), command]
        return ['mpiexec', '-n', str(self.ranks), command] if self.ranks > 1 else [command]

    def _options(self):
        return shlex.split(self.options)

    def _run(self, folder):
        command = [*self._command(), 'train', '-data', folder + '/train.h5', '-model', folder + '/model.h5', '-loss', self.loss, '-gap',
                   repr(float(self.gap)), '-progress', 'none', *self._options()]
        if self.beta_rel is not None:
            command += ['-beta_rel', repr(float(self.beta_rel))]
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if ended.returncode not in (0, 2):  # 2: the gap was not reached, and the network holds
            raise RuntimeError(f'psdnet ended with status {ended.returncode}:\n{ended.stdout.strip()}')
        return ended.stdout

    @staticmethod
    def _weights(images, weights):
        """one number an image"""
        if weights is None:
            return numpy.ones(len(images))
        weights = numpy.asarray(weights, float)
        if weights.shape == ():
            weights = numpy.full(len(images), weights)
        if weights.shape != (len(images),):
            raise ValueError(f'sample_weight is {weights.shape}, expected one number an image, ({len(images)},)')
        if not (numpy.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError('sample_weight has a number that is negative or not finite, or nothing but 0')
        return weights

    @staticmethod
    def _images(X):
        X = numpy.asarray(X)
        if X.dtype.kind not in 'uif' or X.ndim not in (3, 4):
            raise ValueError(f'X is {X.ndim}-dimensional of {X.dtype}, expected images of integers or floating point numbers')
        return X.astype('f4') if X.dtype == numpy.float16 else X

    def _train(self, images, name, values, weights=None):
        """from images, what goes by this name in a data set, and weights of the images; psdnet's own line of error becomes a RuntimeError"""
        with tempfile.TemporaryDirectory(prefix='psdnet_') as folder:
            with h5py.File(folder + '/train.h5', 'w') as file:
                file['images'], file[name] = images, values
                if weights is not None:
                    file['weights'] = weights
            self.log_ = self._run(folder)
            self.network_ = load(folder + '/model.h5')
        self.certificate_ = self.network_.certificate
        self.n_features_in_ = int(numpy.prod(images.shape[1:]))
        return self

    def _fitted(self):
        if not hasattr(self, 'network_'):
            raise NotFittedError(f'this {type(self).__name__} is not fitted yet: call fit before')
        return self.network_

    def _more_tags(self):  # scikit-learn's checks of rows of numbers are not of images
        return {'X_types': ['3darray']}
