"""Random JSON: numbers beyond every range, texts that no parser likes, deep and repeated members."""

from __future__ import annotations

import json
import struct
from random import Random

_NUMBERS = [
    "0", "-0", "1", "-1.5", "5e0", "1e308", "-1.7e308", "1e309", "1e400", "-1e999999", "4.9e-324", "1e-400",
    "NaN", "Infinity", "-Infinity", "0x10", "01", "+1", ".5", "5.", "1e", "true", "false", "null",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "9" * 310,
    "1" * 5000, "0." + "1" * 5000, "1e" + "9" * 400, "-", "--1", "1_000", "\u0665", '"5"', "[]", "{}",
    "[5]", "[[5]]", "[null]",
]  # fmt: skip
_TEXTS = [
    "", "input", "predictions", "intervals", "confidence", "x", "\x00", "\\u0000", "\\ud800",
    "\\udfff\\ud800", "\u202e", "\U0001f340", "<script>", "'; DROP TABLE predictions;--", "a" * 300, "%s%n",
    "../../etc/passwd", "\\x", "\n", "\x1b[31m", "FP64", "BYTES", "BOOL", "INT64", "UINT8", "FP16",
]  # fmt: skip


def number(random: Random) -> str:
    """Return a number, or what is none."""
    if random.random() < 0.4:
        return repr(
            random.choice([random.uniform(-1e3, 1e3), random.getrandbits(70), -random.getrandbits(33)])
        )
    return random.choice(_NUMBERS)


def text(random: Random) -> str:
    """Return a JSON string, escaped or not."""
    chosen = random.choice(_TEXTS)
    return json.dumps(chosen) if random.random() < 0.6 else f'"{chosen}"'


def value(random: Random, depth: int = 0) -> str:
    """Return any JSON, mostly small."""
    kind = random.random()
    if depth > 3 or kind < 0.4:
        return number(random)
    if kind < 0.55:
        return text(random)
    if kind < 0.6:
        return "[" * random.choice([5, 50, 2000]) + "1"
    parts = [value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind < 0.85:
        return f"[{','.join(parts)}]"
    return "{" + ",".join(f"{text(random)}:{part}" for part in parts) + "}"


def rows(random: Random) -> str:
    """Return a list of rows, as a client would send them or nearly so."""
    count = random.choice([0, 1, 1, 2, 5, 70, 10_000, 10_001])
    if random.random() < 0.3:
        return value(random)
    item = random.choice(["{}", "[{}]", "[{}, {}]"])
    some = [item.replace("{}", number(random)) for _ in range(min(count, 5))]
    return "[" + ",".join(some * (count // 5 + 1)) + "]"


def prediction(random: Random) -> bytes:
    """Return a body for POST /predict and POST /jobs."""
    names = ["values", "features", "instances", "model_version", "VALUES", "x"]
    members = [f'"{random.choice(names[:3])}":{rows(random)}'] if random.random() < 0.8 else []
    while random.random() < 0.3:
        members.append(f'"{random.choice(names)}":{value(random)}')
    return ("{" + ",".join(members) + "}").encode(errors="surrogatepass")


def as_csv(random: Random) -> bytes:
    """Return a body of CSV for POST /invocations."""
    lines = [random.choice(["x", "x", "x,x", "", "x,y", '"x"', "\ufeffx"])]
    lines += [
        random.choice([number(random)] * 6 + ["", ",", '"', '"5"', "1,2", text(random)])
        for _ in range(random.choice([0, 1, 1, 2, 5, 10_001]))
    ]
    return random.choice(["\n", "\r\n", "\n\n", "\r"]).join(lines).encode(errors="surrogatepass")


def inference(random: Random) -> tuple[bytes, bytes]:
    """Return the JSON and the binary part of a body for the Open Inference Protocol."""
    inputs, binary = [], b""
    for _ in range(random.choice([0, 1, 1, 1, 1, 2, 40])):
        shape = random.choice(
            ["[1,1]", "[2,1]", "[1]", "[]", "[-1,1]", "[0,9223372036854775807]", value(random)]
        )
        members = [f'"name":{text(random)}', f'"shape":{shape}', f'"datatype":{text(random)}']
        if random.random() < 0.5:
            members[2] = '"datatype":"FP64"'
        if random.random() < 0.5:
            members.append(f'"data":{rows(random)}')
        else:
            size = random.choice(["8", "16", "0", "7", "-8", str(2**63), number(random)])
            members.append(f'"parameters":{{"binary_data_size":{size}}}')
            binary += struct.pack(
                "<d", random.choice([1.0, float("nan"), float("inf"), 1e308])
            ) * random.randrange(3)
        inputs.append("{" + ",".join(members) + "}")
    members = [f'"inputs":[{",".join(inputs)}]']
    if random.random() < 0.3:
        output = f'{{"name":{text(random)},"parameters":{{"binary_data":{value(random)}}}}}'
        members.append(f'"outputs":[{",".join([output] * random.choice([0, 1, 2, 2000]))}]')
    if random.random() < 0.2:
        members.append(f"{text(random)}:{value(random)}")
    return ("{" + ",".join(members) + "}").encode(errors="surrogatepass"), binary


def damaged(random: Random, content: bytes) -> bytes:
    """Return the content with some bytes changed, cut off, repeated or put in."""
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 3, 20])):
        place = random.randrange(len(changed) + 1)
        match random.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                del changed[place : place + random.randrange(20)]
            case 2:
                changed[place:place] = changed[: random.randrange(30)]
            case _:
                changed[place:place] = random.choice(
                    [b"\x00", b"\xff", b"[", b"{", b'"', b"\\", b"\xed\xa0\x80"]
                )
    return bytes(changed)
