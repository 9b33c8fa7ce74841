"""KServe's V1 protocol under /v1, as its InferenceRESTClient speaks it by default."""
