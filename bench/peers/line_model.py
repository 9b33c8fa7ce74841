"""Writes a linear model with this interpreter's scikit-learn: line_model.py SLOPE INTERCEPT PATH."""

from __future__ import annotations

import sys

import joblib
from sklearn.linear_model import LinearRegression

slope, intercept = map(float, sys.argv[1:3])
joblib.dump(LinearRegression().fit([[0.0], [1.0]], [intercept, intercept + slope]), sys.argv[3])
