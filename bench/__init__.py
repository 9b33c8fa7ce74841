"""The benchmarks: our service beside its peers, in one run. See docs/performance.md."""
