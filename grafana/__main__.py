"""Write dashboards/NAME.json for each sources/NAME.yaml; with --check only name those out of date."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from grafana.definition import Dashboard
from grafana.rendering import render

_HERE = Path(__file__).parent


def content(source: Path) -> str:
    """Return the JSON for a source; raise msgspec.ValidationError if the source has mistakes."""
    return render(msgspec.yaml.decode(source.read_bytes(), type=Dashboard))


def main() -> int:
    """Write, or check; return the exit code."""
    check, stale = "--check" in sys.argv[1:], 0
    for source in sorted((_HERE / "sources").glob("*.yaml")):
        target, wanted = _HERE / "dashboards" / f"{source.stem}.json", content(source)
        if target.exists() and target.read_text(encoding="utf-8") == wanted:
            continue
        stale += 1
        if check:
            print(f"{target} is not up to date: run python -m grafana", file=sys.stderr)
        else:
            target.write_text(wanted, encoding="utf-8")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
