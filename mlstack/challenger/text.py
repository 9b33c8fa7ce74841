"""A comparison as aligned text."""

from __future__ import annotations

from mlstack.challenger.comparison import Comparison, Truths

_NAMES = {"rmse": "RMSE", "log_loss": "log loss"}


def describe(found: Comparison) -> str:
    """Return the comparison as lines for a terminal, the last one in plain words."""
    lines = [
        ("challenger", f"version {found.version}"),
        ("current", f"version {found.current_version}"),
        ("requests compared", f"{found.requests} with {found.rows} rows"),
    ]
    if found.mean_difference is not None:
        lines.append(("mean difference", f"{found.mean_difference:.4g}"))
        lines.append(("largest difference", f"{found.max_difference:.4g}"))
    if found.differing_share is not None:
        lines.append(("other class", f"{found.differing_share:.2%} of the rows"))
    lines += _of_truths(found.truths)
    width = max(len(name) for name, _ in lines)
    return "\n".join([*(f"{name.ljust(width)}  {value}" for name, value in lines), "", found.conclusion])


def _of_truths(truths: Truths | None) -> list[tuple[str, str]]:
    if truths is None:
        return [("true values", "none yet")]
    name = _NAMES[truths.measure]
    p_value = "-" if truths.p_value is None else f"{truths.p_value:.4g} ({truths.requests} requests)"
    return [
        ("true values", f"of {truths.requests} requests with {truths.rows} rows"),
        (f"{name} of current", f"{truths.current:.4g}"),
        (f"{name} of challenger", f"{truths.challenger:.4g}"),
        ("p-value", p_value),
        ("test", truths.test),
    ]
