"""Random bodies for POST /feedback: true values of a prediction that is in the log, or of none."""

from __future__ import annotations

from random import Random

from tests.harness.fuzzing import values

KNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"  # the client puts the id of its own last answer in its place
_IDS = [
    "00000000-0000-7000-8000-000000000000",  # of the year 1970
    "ffffffff-ffff-7fff-bfff-ffffffffffff",  # of the year 10889
    "0199d2a0-0000-7000-8000-000000000000",
    "0199d2a0-0000-4000-8000-000000000000",  # of another kind of UUID
    KNOWN.upper(), KNOWN.replace("-", ""), f"{{{KNOWN}}}", f"urn:uuid:{KNOWN}", KNOWN[:-1], "5", "", "x",
]  # fmt: skip


def as_json(random: Random) -> bytes:
    """Return one prediction's true values, or those of several."""
    if random.random() < 0.1:
        return values.value(random).encode(errors="surrogatepass")
    if random.random() < 0.5:
        return _entry(random).encode(errors="surrogatepass")
    entries = [_entry(random) for _ in range(random.choice([0, 1, 2, 5]))]
    if random.random() < 0.05:
        many = random.choice([100, 10_000, 10_001])
        entries = [f'{{"id":"{n:08x}-0000-7000-8000-000000000000","actual":1}}' for n in range(many)]
    return f"[{','.join(entries)}]".encode(errors="surrogatepass")


def as_csv(random: Random) -> bytes:
    """Return lines of an id and a value each."""
    lines = [random.choice(["id,actual"] * 6 + ["id", "ID,ACTUAL", "id,actual,x", ""])]
    for _ in range(random.choice([0, 1, 1, 2, 5])):
        cells = [_id(random), random.choice([values.number(random), values.text(random), ""])]
        lines.append(",".join(random.choice([cells] * 6 + [cells[:1], [*cells, "1"]])))
    lines += [f"{KNOWN},1"] * random.choice([0] * 20 + [10_001, 20_000])
    return random.choice(["\n", "\r\n", "\n\n", "\r"]).join(lines).encode(errors="surrogatepass")


def _entry(random: Random) -> str:
    actual = random.choice([values.number, values.number, values.text, values.rows, values.value])(random)
    if random.random() < 0.4:
        actual = f"[{actual}]"
    members = [f'"id":"{_id(random)}"', f'"actual":{actual}']
    while random.random() < 0.1:
        members.append(f"{values.text(random)}:{values.value(random)}")
    if random.random() < 0.1:
        members.pop(random.randrange(len(members)))
    return "{" + ",".join(members) + "}"


def _id(random: Random) -> str:
    return KNOWN if random.random() < 0.5 else random.choice(_IDS)
