"""The usual way to train on a table: read_sql, split, fit, dump. Arguments: URL, where to put the model."""

from __future__ import annotations

import sys

import joblib
import pandas as pd  # lies in build/bench/site-packages
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sqlalchemy import create_engine

engine = create_engine(sys.argv[1].replace("postgresql://", "postgresql+psycopg2://"))
table = pd.read_sql("SELECT x, y FROM linear_data", engine)
x_train, x_test, y_train, y_test = train_test_split(
    table[["x"]].to_numpy(), table["y"].to_numpy(), test_size=0.2, random_state=42
)
model = LinearRegression().fit(x_train, y_train)
predictions = model.predict(x_test)
print(mean_squared_error(y_test, predictions), r2_score(y_test, predictions))
joblib.dump(model, sys.argv[2])
