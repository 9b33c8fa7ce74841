"""The usual way to load the training data: a DataFrame and to_sql. Arguments: URL, rows, seed."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd  # lies in build/bench/site-packages
from sqlalchemy import create_engine

url, rows, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x = np.linspace(0, 20, rows)
y = 2 * x + 1 + np.random.default_rng(seed).normal(0, 0.5, rows)
engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
pd.DataFrame({"x": x, "y": y}).to_sql("linear_data", engine, if_exists="replace", index=False)
