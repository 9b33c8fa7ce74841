"""MLflow's scoring protocol, as its model servers have it: POST /invocations, GET /ping and GET /version."""
