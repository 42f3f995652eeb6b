"""scikit-learn's own checks of estimators (sklearn.utils.estimator_checks) on psdnet.Classifier and psdnet.Regressor.

judge_sklearn.py [all]: those that say most, or all of them, with the time that each takes. The checks give rows of real numbers, and
psdnet takes images: here a row is an image of one row of pixels, each real number of -20 to 20 as one of 65,536 levels, and one patch.
"""
import sys
import time
import unittest
import warnings

import numpy
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

import psdnet
from judge import finish, require

CHOSEN = {
    'check_no_attributes_set_in_init', 'check_parameters_default_constructible', 'check_get_params_invariance', 'check_set_params',
    'check_dont_overwrite_parameters', 'check_estimators_unfitted', 'check_n_features_in', 'check_fit1d', 'check_complex_data',
    'check_supervised_y_no_nan', 'check_classifiers_one_label', 'check_classifiers_one_label_sample_weights',
    'check_classifiers_regression_target', 'check_sample_weights_shape', 'check_sample_weights_invariance', 'check_fit_idempotent',
    'check_regressors_int'
}


class Rows:
    """of real numbers, as images"""

    def __init__(self, loss='squared', beta_rel=1e-2, gap=1e-2, options='', ranks=1, launcher=None, command=None):
        super().__init__(loss, beta_rel, gap, options, ranks, launcher, command)

    def _options(self):
        return ['-patch', f'1x{self.n_features_in_}', *super()._options()]

    @staticmethod
    def _levels(rows):
        return numpy.rint(((rows + 20) / 40).clip(0, 1) * 65535).astype(numpy.uint16)[:, None]

    def fit(self, X, y, sample_weight=None):
        X, y = self._validate_data(X, y)
        return super().fit(self._levels(X), y, sample_weight)

    def _seen(self, X):
        check_is_fitted(self)
        return self._levels(self._validate_data(X, reset=False))

    def predict(self, X):
        return super().predict(self._seen(X))

    def _more_tags(self):
        return {'X_types': ['2darray']}


class RowClassifier(Rows, psdnet.Classifier):

    def decision_function(self, X):
        return super().decision_function(self._seen(X))


class RowRegressor(Rows, psdnet.Regressor):
    pass


def main():
    every = sys.argv[1:] == ['all']
    warnings.simplefilter('ignore')
    count = 0
    for of in RowClassifier, RowRegressor:
        for estimator, check in check_estimator(of(), generate_only=True):
            name, begin = check.func.__name__, time.perf_counter()
            if not every and name not in CHOSEN:
                continue
            count += 1
            said = 'passes'
            try:
                check(estimator)
            except unittest.SkipTest as why:
                said = f'is skipped: {why}'
            except Exception as error:
                said = f'fails: {type(error).__name__}: {error}'
            require(not said.startswith('fails'), of.__name__, check, said)
            print(f'{of.__name__} {name} {said} ({time.perf_counter() - begin:.1f} s)', flush=True)
    require(count >= len(CHOSEN), 'checks', count)
    # of images: what the checks cannot ask
    for estimator in psdnet.Classifier(), psdnet.Regressor():
        images = numpy.zeros((2, 4, 4), numpy.uint8)
        try:
            estimator.predict(images)
            require(False, 'predict before fit')
        except ValueError as error:
            require('not fitted' in str(error), error)
        require(not list(check_estimator(estimator, generate_only=True)), 'an estimator of images has no checks of rows')
    require(not hasattr(psdnet.Classifier(), 'predict_proba') and hasattr(psdnet.Classifier(loss='softmax'), 'predict_proba'),
            'predict_proba')
    finish()


if __name__ == '__main__':
    main()
