"""`python -m grafana` writes dashboards/*.json, which Grafana reads, from sources/*.yaml."""
