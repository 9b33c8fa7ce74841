"""Every command of "Multi-Container ML Application" in its order, and its expected outcome."""

from __future__ import annotations

from tests.harness.documents import application_answers
from tests.harness.documents.command import Command
from tests.harness.documents.outcomes import follows, prints

PREDICT = """\
curl -X POST http://localhost:8000/predict \\
    -H "Content-Type: application/json" \\
    -d '{"features": [1.0, 2.0, 3.0]}'"""
SELECT = """\
docker compose exec postgres psql -U postgres -d predictions \\
    -c "SELECT * FROM predictions LIMIT 10;\""""

TESTING = (
    Command("docker compose up -d", application_answers.starts),
    Command("docker compose ps", prints("api", "postgres", "redis", "prometheus", "(healthy)")),
    Command("docker compose logs -f api", talk=follows("api-1", '"event":"model loaded"')),
    Command("curl http://localhost:8000/health", application_answers.healthy),
    Command(PREDICT, application_answers.computed),
    Command(PREDICT, application_answers.cached),
    Command(SELECT, application_answers.two_rows),
    Command('docker compose exec redis redis-cli KEYS "*"', application_answers.one_key),
    Command(
        "open http://localhost:9090",
        prints("Prometheus"),
        reason="opens a browser on macOS only (tests/browser looks at the page itself)",
        instead="curl -sSfL http://localhost:9090",
    ),
)

# The text below the blocks names these two.
COMMON_ISSUES = (
    Command("docker compose logs postgres", prints("database system is ready to accept connections")),
    Command("docker compose exec redis redis-cli ping", prints("PONG")),
)

STOPPING = (
    Command("docker compose down", application_answers.volumes_stay),
    Command("docker compose down -v", application_answers.nothing_is_left),
)

COMMANDS = (*TESTING, *STOPPING)
IN_ORDER = (*TESTING, *COMMON_ISSUES, *STOPPING)
