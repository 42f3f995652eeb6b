"""A classifier in scikit-learn's manner, which runs the command psdnet to train."""
import numpy

from .estimator import Estimator

try:
    from sklearn.base import ClassifierMixin
    from sklearn.utils.metaestimators import available_if
except ImportError:  # its habits without it

    def available_if(check):
        """Scikit-learn's: without it the method is always there."""
        return lambda method: method

    class ClassifierMixin:
        """Accuracy, as scikit-learn's."""

        def score(self, X, y):
            """Accuracy of predict(X)."""
            return float(numpy.mean(self.predict(X) == numpy.asarray(y)))


def _has_probabilities(classifier):
    network = getattr(classifier, 'network_', None)
    return network.has_probabilities if network else classifier.loss in ('softmax', 'logistic')


class Classifier(ClassifierMixin, Estimator):
    __doc__ = Estimator.__doc__ + """
    y are labels of any kind; after fit classes_ are those there are, of images whose weight is not 0. predict_proba is there with the
    losses that have probabilities.
    """

    def fit(self, X, y, sample_weight=None):
        """Trains on images X and labels y, and returns self. sample_weight: how often each image counts, or None for once. psdnet's own
        line of error becomes a RuntimeError."""
        X, y = self._images(X), numpy.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(f'y is {y.shape}, expected one label an image, ({len(X)},)')
        if y.dtype.kind == 'f' and (y != numpy.floor(y)).any():
            raise ValueError('Unknown label type: y has real numbers, expected labels; Regressor learns real targets')
        weights = self._weights(X, sample_weight)
        X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
        self.classes_, labels = numpy.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError('y has one class, expected two or more')
        return self._train(X, 'labels', labels.astype(numpy.int32), None if sample_weight is None else weights)

    def predict(self, X):
        """Labels of images X, as they were in y."""
        network = self._fitted()
        return self.classes_[network.predict(X)]

    def decision_function(self, X):
        """Scores: n of two classes, else n x classes."""
        scores = self._fitted().scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Probabilities, n x classes, with the losses that have them (Network.probabilities)."""
        return self._fitted().probabilities(X)
