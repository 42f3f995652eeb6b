"""Regression in scikit-learn's manner, which runs the command psdnet to train."""
import numpy

from .estimator import Estimator

try:
    from sklearn.base import RegressorMixin
except ImportError:  # its habits without it

    class RegressorMixin:
        """R2, as scikit-learn's."""

        def score(self, X, y):
            """R2 of predict(X), the mean over outputs; of targets that are all alike 1 where they are met and else 0."""
            y = numpy.asarray(y, float)
            missed = ((self.predict(X) - y)**2).sum(0)
            about = ((y - y.mean(0))**2).sum(0) * (y != y[:1]).any(0)
            met = numpy.where(missed == 0, 1.0, 0.0)
            return float(numpy.mean(numpy.where(about > 0, 1 - missed / numpy.where(about > 0, about, 1), met)))


class Regressor(RegressorMixin, Estimator):
    __doc__ = Estimator.__doc__ + """
    y are real targets, n or n x outputs, and loss is squared, huber or l1. Predictions have the shape of y.
    """

    def fit(self, X, y, sample_weight=None):
        """Trains on images X and targets y, and returns self. sample_weight: how often each image counts, or None for once. psdnet's own
        line of error becomes a RuntimeError."""
        X, y = self._images(X), numpy.asarray(y, float)
        if y.ndim not in (1, 2) or len(y) != len(X):
            raise ValueError(f'y is {y.shape}, expected targets of each image, ({len(X)},) or ({len(X)}, outputs)')
        if not numpy.isfinite(y).all():
            raise ValueError('y has a number that is not finite')
        self._flat = y.ndim == 1
        return self._train(X, 'targets', y, None if sample_weight is None else self._weights(X, sample_weight))

    def predict(self, X):
        """Targets of images X, n or n x outputs as in y."""
        outputs = self._fitted().predict(X)
        return outputs[:, 0] if self._flat else outputs
