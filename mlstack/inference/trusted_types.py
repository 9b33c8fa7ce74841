"""The types that a model file may hold; no other type is ever loaded."""

from __future__ import annotations

import io
import zipfile

from mlstack.inference.boosters import libraries_in, types_of

# Of scikit-learn and NumPy: what skops loads only if it is listed.
_TYPES = [
    "numpy.dtype",  # in scikit-learn's imputer and encoder
    "sklearn.utils._bunch.Bunch",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn._loss.loss.HalfGammaLoss",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    *(
        f"sklearn.gaussian_process.kernels.{kernel}"
        for kernel in ("ConstantKernel", "DotProduct", "Matern", "Product", "RBF", "Sum", "WhiteKernel")
    ),
]


def trusted_types(content: bytes, path: object) -> list[str]:
    """Return the types that a skops file may hold: of XGBoost and LightGBM only if it needs them.

    Raise ModelRefused if this image does not hold what it needs; `path` is for messages.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        needed = libraries_in(opened.read("schema.json"))
    return [*_TYPES, *types_of(needed, path)]
