"""Networks that psdnet has trained, in Python: psdnet.load("m.h5").predict(images).

load needs numpy and h5py alone, and nothing of psdnet. Classifier and Regressor run the command psdnet, which does all numerical work.
"""
from .classifier import Classifier
from .network import Certificate, Network, load
from .regressor import Regressor

__all__ = ['Certificate', 'Classifier', 'Network', 'Regressor', 'load']
