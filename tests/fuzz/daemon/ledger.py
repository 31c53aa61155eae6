# SPDX-License-Identifier: Apache-2.0
"""What is recognised wherever it shows. Numbers that are used once: each call carries one,
upstreams count how often it reached them, and what answers say of it is held against that. And
secrets, by a mark in them that is found whole, cut or in Base64."""

import base64
import random
import re
import string
from collections import Counter
from dataclasses import dataclass, field

#: A number in a call, and in the upstream's answer to it.
ASKED = re.compile(r"qN(\d{9})Nq")
ANSWERED = re.compile(r"aN(\d{9})Na")
EITHER = re.compile(r"[qa]N(\d{9})N[qa]")

#: Statuses and faults by which an upstream says that it did not run the call.
REFUSING_STATUSES = {401, 403, 404, 405, 411, 413, 415, 429}
REFUSING_FAULTS = {-32601, -506, -32700, -32701, -32702}


def answer_to(number: str) -> str:
    """What an upstream answers to `qN…Nq`."""
    return f"a{number[1:-1]}a"


def numbers_in(text: str) -> set[str]:
    """All numbers in a text, asked or answered, as they are asked."""
    return {f"qN{digits}Nq" for digits in EITHER.findall(text)}


@dataclass
class Entry:
    """What is known of a number."""

    may_repeat: bool  # of a safe method, or in bytes that were mutated
    who: str
    arrived: int = 0  # whole requests with it at upstreams
    challenged: int = 0  # of them those that were answered with 401: they come again, with a login
    refused: int = 0  # of them those of which the upstream says that it does not run them
    expired: int = 0  # of them those of which it says that their session has
    claims: set = field(default_factory=set)  # what answers said by `executed`, or "result"


class Ledger:
    def __init__(self, findings):
        self.findings = findings
        self._entries: dict[str, Entry] = {}
        self.exchanges = 0
        #: For equal calls of safe methods, by whomever.
        self.shared = [self.new("everybody", True) for _ in range(5)]
        self.behaved: Counter[str] = Counter()

    def new(self, who: str, may_repeat: bool = False) -> str:
        # Far apart, so that a mutated one is nobody's.
        number = f"qN{(len(self._entries) + 1) * 618_033_989 % 10 ** 9:09d}Nq"
        self._entries[number] = Entry(may_repeat, who)
        return number

    def arrived(self, numbers: set[str]):
        """A whole request with these numbers is at an upstream."""
        for number in numbers & self._entries.keys():
            entry = self._entries[number]
            entry.arrived += 1
            times = entry.arrived - entry.challenged - min(entry.expired, 1)
            if times > 1 and not entry.may_repeat:
                self.findings.add("ran twice", f"{number} of {entry.who} came {times} times")

    def refused(self, numbers: set[str], status: int):
        """The upstream says that it does not run them."""
        for number in numbers & self._entries.keys():
            entry = self._entries[number]
            entry.refused += 1
            entry.challenged += status == 401

    def expired(self, numbers: set[str]):
        """The upstream says that their session has expired, be it true or not: each may come again,
        once."""
        for number in numbers & self._entries.keys():
            self._entries[number].refused += 1
            self._entries[number].expired += 1

    def claim(self, numbers: set[str], claim: str):
        """An answer says of these calls whether they ran; "result": it has a result."""
        for number in numbers & self._entries.keys():
            self._entries[number].claims.add(claim)

    def close(self):
        """At the end of a round, when nothing is under way any more."""
        for number, entry in self._entries.items():
            ran = entry.arrived > entry.refused
            if "no" in entry.claims and ran and not entry.may_repeat:
                self.findings.add(
                    "wrong `executed`",
                    f"{number} of {entry.who} ran, but an answer "
                    "says that it did not")
            if entry.claims & {"yes", "result"} and entry.arrived == 0:
                self.findings.add(
                    "wrong `executed`",
                    f"{number} of {entry.who} reached nobody, but "
                    "an answer says that it ran")


# ---- Secrets -------------------------------------------------------------------------------------

MARK = "zQx7Kw9JvT"  # stands at the beginning, and again every 15 characters

#: The mark as it shows in Base64, by where it begins among the triples.
_ENCODED = [base64.b64encode(MARK[skip:skip + (len(MARK) - skip) // 3 * 3].encode()).decode()
            for skip in (0, 2, 1)]
_MARKS = [mark.encode() for mark in (MARK, *_ENCODED)]


def secret(rng: random.Random) -> str:
    """One of 45 characters."""
    letters = string.ascii_letters + string.digits
    return "".join(MARK + "".join(rng.choices(letters, k=5)) for _ in range(3))


def find_secret(text: bytes) -> str | None:
    """Where a secret, or a piece of one, stands in a text: what is around it."""
    for mark in _MARKS:
        at = text.find(mark)
        if at >= 0:
            return text[max(0, at - 120):at + 60].decode("latin-1")
    return None
