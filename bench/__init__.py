"""The benchmarks: our service and its peers, measured in one run. See docs/performance.md."""
