"""The Open Inference Protocol (V2) under /v2: what tritonclient[http] and kserve speak."""
