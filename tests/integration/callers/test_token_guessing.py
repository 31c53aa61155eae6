# SPDX-License-Identifier: Apache-2.0
"""Guessing tokens: neither answers nor times tell how near a guess was. That all digests are compared
is proved by tests/unit/test_caller.c; what is measured here is told, and judged widely."""

import statistics
import time

import pytest

from rig.settings import SLOW

TOKENS = [f"{number:04d}-token-of-one-of-many-callers" for number in range(50)]
ROUNDS = 200 // SLOW

#: Guesses that are wrong in different ways.
GUESSES = {
    "nothing right": "x" * len(TOKENS[0]),
    "all but the last": TOKENS[0][:-1] + "x",
    "all but the last, of the last caller": TOKENS[-1][:-1] + "x",
    "one character more": TOKENS[0] + "x",
    "short": "x",
}


@pytest.fixture(scope="module")
def gateway(start_shared):
    callers = [{"name": f"c{number}", "token": token, "allow": ["*/*"]}
               for number, token in enumerate(TOKENS)]
    return start_shared.gateway({"callers": callers, "log": {"access": False},
                                 "upstreams": {"up": {"url": start_shared.upstream().url}}})


def ask(caller, token: str):
    return caller.ask("POST", "/v1/up/m", None, {"Authorization": f"Bearer {token}"})


def test_answers_tell_nothing(gateway):
    seen = set()
    with gateway.connect() as caller:
        for guess in GUESSES.values():
            answer = ask(caller, guess)
            assert answer.status == 401
            document = answer.json
            del document["request_id"]
            seen.add(str(document))
    assert len(seen) == 1


def test_times_tell_nothing(gateway, record_property):
    """Guesses of all kinds in turn, on one connection, so that what disturbs disturbs all."""
    times = {name: [] for name in GUESSES}
    with gateway.connect() as caller:
        for _ in range(ROUNDS):
            for name, guess in GUESSES.items():
                begin = time.perf_counter()
                assert ask(caller, guess).status == 401
                times[name].append(time.perf_counter() - begin)
        assert ask(caller, TOKENS[7]).status == 200  # and nobody was locked out
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        record_property(name, f"{median * 1e6:.1f} us")
        print(f"{name}: {median * 1e6:.1f} us")
    assert max(medians.values()) < 2 * min(medians.values()), medians
