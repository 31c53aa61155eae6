# SPDX-License-Identifier: Apache-2.0
"""What must be true of each answer, of the log, and of a process that has nothing to do."""

import json
import re
from dataclasses import dataclass

from asking import Request
from journal import Findings
from ledger import Ledger, find_secret, numbers_in

#: What libmicrohttpd answers by itself, in HTML, where it cannot read a request at all.
OF_THE_LIBRARY = {400, 408, 411, 413, 414, 417, 431, 500, 501, 503, 505}

#: Refusals before a body is read, which JSON-RPC has as problems too.
_EARLY = {400, 401, 403, 404, 405, 408, 413, 415, 421, 429, 503}

#: Answers of GET routes may be kept, others may not.
_KEEPING, _NO_GUESS = re.compile(r"no-store|private, max-age=\d+"), re.compile("nosniff")

#: Control characters that no line of the log may have.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_html(self) -> bool:
        """As libmicrohttpd writes it: sometimes with its head twice, and to HEAD only that, without
        any line of ours."""
        return (self.body.startswith((b"<html>", b"HTTP/1.1 400 "))
                or "x-request-id" not in self.headers)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class WrongJson(ValueError):
    pass


def _no_name_twice(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WrongJson("a name comes twice")
    return members


def _no_constant(name):
    raise WrongJson(f"{name} is no JSON")


def _integer(digits: str):
    """Python refuses to read those that are very long."""
    return int(digits) if len(digits) < 100 else digits


def read_json(text: bytes):
    return json.loads(
        text.decode("utf-8"),
        object_pairs_hook=_no_name_twice,
        parse_constant=_no_constant,
                      parse_int=_integer)


class AnswerOracle:
    """Judges the answers of one round. `careless`: allocations fail, and `internal` is honest."""

    def __init__(self, findings: Findings, ledger: Ledger, careless: bool = False):
        self._findings, self.ledger, self.careless = findings, ledger, careless
        self.judges = {"call": self._call, "batch": self._batch, "jsonrpc": self._jsonrpc}

    def wrong(self, kind: str, request: Request, answer: Answer, why: str):
        self._findings.add(kind, f"{why}: {answer.status} to {request.what}: {answer.body[:500]!r}")

    def judge(self, request: Request, answer: Answer, known: set[str]):
        """`known`: the numbers that this connection has sent."""
        whole = answer.body + repr(answer.headers).encode()
        place = find_secret(whole)
        if place is not None:
            self.wrong("secret in an answer", request, answer, repr(place))
        foreign = numbers_in(whole.decode("latin-1")) - known
        if foreign and b"# TYPE" not in answer.body:
            self.wrong("another's number", request, answer, str(sorted(foreign)[:3]))
        if answer.is_html:
            if answer.status not in OF_THE_LIBRARY or (answer.status == 500 and not self.careless):
                self.wrong("HTML", request, answer, "neither ours nor libmicrohttpd's")
            return
        if answer.status == 200 and b"<title>rpcgate explorer</title>" in answer.body:
            return  # tests/integration/faces/test_explorer.py has what it is like
        self._headers(request, answer)
        if not answer.body or request.kind == "head":
            if answer.status not in (
                    202, 204, 304) and request.kind != "head" and not request.is_mutated:
                self.wrong("no body", request, answer, "empty")
            return
        if answer.headers.get("content-type", "").startswith("text/plain"):
            return
        if answer.headers.get("content-type", "").startswith("text/xml"):
            self.judge_xml(request, answer)
            return
        try:
            value = read_json(answer.body)
        except (ValueError, RecursionError) as error:
            self.wrong("no JSON", request, answer, repr(error))
            return
        self._value(request, answer, value)

    def _headers(self, request, answer):
        if answer.headers.get("content-type", "").startswith("text/html"):
            return  # the explorer's page, to HEAD
        if answer.status == 304 and "content-security-policy" in answer.headers:
            return  # and one that a browser has already
        for name, value in (("cache-control", _KEEPING), ("x-content-type-options", _NO_GUESS)):
            if not value.fullmatch(answer.headers.get(name, "")):
                self.wrong("headers", request, answer, f"{name} is not {value.pattern}")

    def _value(self, request, answer, value):
        if answer.headers.get("content-type") == "application/problem+json":
            self.problem(request, answer, value)
            if value.get("status") != answer.status or value.get(
                    "request_id") != answer.headers.get("x-request-id"):
                self.wrong("problem", request, answer, "its status or request_id is another")
            if not request.is_mutated:
                self.ledger.claim(request.numbers, value.get("executed", ""))
            return
        if b"urn:rpcgate:problem:internal" in answer.body and not self.careless:
            self.wrong("internal", request, answer, "within")
        if request.is_mutated:
            return
        judge = self.judges.get(request.kind)
        if judge is not None and (answer.status == 200 or request.kind in ("route", "mcp")):
            judge(request, answer, value)

    def judge_xml(self, request: Request, answer: Answer):
        """A document of XML-RPC."""
        raise NotImplementedError

    def problem(self, request, answer, problem):
        if not isinstance(
                problem,
                dict) or not {
                "type",
                "title",
                "status",
                "detail"} <= problem.keys():
            self.wrong("problem", request, answer, "members are missing")
            return
        if problem["type"].endswith(":internal") and not self.careless:
            self.wrong("internal", request, answer, problem["detail"])

    def _call(self, request, answer, value):
        if list(value) != ["result"]:
            self.wrong("result", request, answer, "not {result}")
        elif request.result is not None and str(value["result"]).rstrip(" ") != request.result:
            self.wrong("result", request, answer, f"not {request.result}")
        self.ledger.claim(request.numbers, "result")

    def _batch(self, request, answer, value):
        results = value.get("results")
        if not isinstance(results, list) or len(results) != len(request.items):
            self.wrong("batch", request, answer, f"not {len(request.items)} results")
            return
        for item, result in zip(request.items, results):
            self.one(request, answer, item, result, result.get("problem"))

    def one(self, request, answer, item, result, problem):
        """The answer to one call among others."""
        # An error page is that of the whole round trip, and so is a fault of a server that shows
        # what it was sent (sessions.py).
        whole = problem and ("protocol" in problem or "who is" in problem.get("detail", ""))
        known = request.numbers if whole else {item.number}
        foreign = numbers_in(json.dumps(result)) - known
        if foreign:
            self.wrong(
                "another's number",
                request,
                answer,
                f"{sorted(foreign)[:3]} in the answer of {item.number}")
        if problem is not None:
            self.problem(request, answer, problem)
            self.ledger.claim({item.number}, problem.get("executed", ""))
        else:
            self.ledger.claim({item.number}, "result")

    def _whole(self, request, answer, value):
        """One error for all of a body that was not read: nobody knows its ids."""
        problem = value["error"]["data"]
        self.problem(request, answer, problem)
        self.ledger.claim(request.numbers, problem.get("executed", ""))

    def _jsonrpc(self, request, answer, value):
        if isinstance(value, dict) and value.get("id", 0) is None and "error" in value:
            self._whole(request, answer, value)
            return
        answers = [value] if request.is_single else value
        wanted = [item for item in request.items if not item.is_notification]
        if not isinstance(answers, list) or len(answers) != len(wanted):
            self.wrong("JSON-RPC", request, answer, f"not {len(wanted)} answers")
            return
        by_id = {json.dumps(item.id): item for item in wanted}
        for one in answers:
            item = by_id.get(json.dumps(one.get("id")))
            if item is None or one.get("jsonrpc") != "2.0" or ("result" in one) == ("error" in one):
                self.wrong("JSON-RPC", request, answer, f"{one!r:.200}")
            elif "error" in one:
                self.one(request, answer, item, one, one["error"].get("data", {}))
            else:
                self.one(request, answer, item, one, None)


def judge_log(lines: list[str], findings: Findings, is_json: bool, careless: bool):
    """Secrets, internal problems, forged or broken lines."""
    for line in lines:
        place = find_secret(line.encode())
        if place is not None:
            findings.add("secret in the log", place)
        if not careless and ("problem=internal" in line or '"problem":"internal"' in line):
            findings.add("internal", line[:500])
        if _CONTROL.search(line):
            findings.add("log", f"control character in {line[:300]!r}")
        if is_json and line.startswith("{"):
            try:
                json.loads(line)
            except ValueError as error:
                findings.add("log", f"{error} in {line[:300]!r}")
