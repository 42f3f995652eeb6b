"""A classifier in scikit-learn's manner, which runs the command psdnet to train."""
import numpy

from .estimator import Estimator

try:
    from sklearn.base import ClassifierMixin
except ImportError:  # its habits without it

    class ClassifierMixin:
        """Accuracy, as scikit-learn's."""

        def score(self, X, y):
            """Accuracy of predict(X)."""
            return float(numpy.mean(self.predict(X) == numpy.asarray(y)))


class Classifier(ClassifierMixin, Estimator):
    __doc__ = Estimator.__doc__ + """
    y are labels of any kind; after fit classes_ are those there are.
    """

    def fit(self, X, y, sample_weight=None):
        """Trains on images X and labels y, and returns self. sample_weight: how often each image counts, or None for once. psdnet's own
        line of error becomes a RuntimeError."""
        X, y = self._images(X), numpy.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(f'y is {y.shape}, expected one label an image, ({len(X)},)')
        self.classes_, labels = numpy.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError('y has one class, expected two or more')
        return self._train(X, 'labels', labels.astype(numpy.int32), sample_weight)

    def predict(self, X):
        """Labels of images X, as they were in y."""
        return self.classes_[self.network_.predict(X)]

    def decision_function(self, X):
        """Scores: n of two classes, else n x classes."""
        scores = self.network_.scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X):
        """Probabilities, n x classes, with the losses that have them (Network.probabilities)."""
        return self.network_.probabilities(X)
