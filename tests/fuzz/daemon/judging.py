# SPDX-License-Identifier: Apache-2.0
"""What must be true of the answers of routes, XML-RPC and MCP."""

import re
import xml.parsers.expat
import xmlrpc.client

from asking import Item, Request
from ledger import numbers_in
from oracles import Answer, AnswerOracle, read_json

#: How a fault of ours ends.
_EXECUTED = re.compile(r"; executed: (no|yes|unknown); request \S+\Z")

#: JSON-RPC's and MCP's own codes.
_MCP_CODES = {-32700, -32600, -32601, -32602, -32000, -32020, -32022, -32603}


class FaceOracle(AnswerOracle):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.judges |= {"route": self._route, "mcp": self._mcp}

    # ---- Routes ----------------------------------------------------------------------------------

    def _route(self, request: Request, answer: Answer, value):
        if answer.status != request.status:
            self.wrong("route", request, answer, f"its status is {request.status}")
            return
        if request.is_wrapped:
            if not isinstance(value, dict) or list(value) != ["result"]:
                self.wrong("route", request, answer, "not {result}")
                return
            value = value["result"]
        if request.result is not None and str(value).rstrip(" ") != request.result:
            self.wrong("route", request, answer, f"not {request.result}")
        self.ledger.claim(request.numbers, "result")

    # ---- XML-RPC ---------------------------------------------------------------------------------

    def judge_xml(self, request: Request, answer: Answer):
        try:
            xml.parsers.expat.ParserCreate().Parse(answer.body, True)
        except xml.parsers.expat.ExpatError as error:
            self.wrong("no XML", request, answer, repr(error))
            return
        try:
            values, _ = xmlrpc.client.loads(answer.body)
        except xmlrpc.client.Fault as fault:
            self._fault(request, answer, request.numbers, fault)
            return
        except Exception as error:  # it is meant for this library, too
            self.wrong("no XML-RPC", request, answer, repr(error))
            return
        if request.is_mutated or request.kind != "xmlrpc":
            return
        if len(values) != 1:
            self.wrong("XML-RPC", request, answer, "not one value")
        elif request.is_single:
            if request.result is not None and str(values[0]).rstrip(" ") != request.result:
                self.wrong("XML-RPC", request, answer, f"not {request.result}")
            self.ledger.claim(request.numbers, "result")
        else:
            self._results(request, answer, values[0])

    def _fault(self, request: Request, answer: Answer, numbers: set[str], fault: xmlrpc.client.Fault):
        """Of ours, or the upstream's own, which may be anything."""
        found = _EXECUTED.search(str(fault.faultString))
        if found is None:
            return
        if not isinstance(fault.faultCode, int):
            self.wrong("XML-RPC", request, answer, "a code that is no number")
        if fault.faultCode == -32603 and "internal" in fault.faultString and not self.careless:
            self.wrong("internal", request, answer, fault.faultString)
        if not request.is_mutated:
            self.ledger.claim(numbers, found[1])

    def _results(self, request: Request, answer: Answer, results):
        if not isinstance(results, list) or len(results) != len(request.items):
            self.wrong("XML-RPC", request, answer, f"not {len(request.items)} results")
            return
        for item, result in zip(request.items, results):
            self._result(request, answer, item, result)

    def _result(self, request: Request, answer: Answer, item: Item, result):
        text = repr(result)
        is_whole = "who is" in text or "protocol-error" in text  # as of REST
        foreign = numbers_in(text) - (request.numbers if is_whole else {item.number})
        if foreign:
            self.wrong("another's number", request, answer,
                       f"{sorted(foreign)[:3]} in the answer of {item.number}")
        if isinstance(result, dict) and result.keys() == {"faultCode", "faultString"}:
            fault = xmlrpc.client.Fault(result["faultCode"], result["faultString"])
            self._fault(request, answer, {item.number}, fault)
        elif isinstance(result, list) and len(result) == 1:
            self.ledger.claim({item.number}, "result")
        else:
            self.wrong("XML-RPC", request, answer, f"neither [value] nor a fault: {text:.300}")

    # ---- MCP -------------------------------------------------------------------------------------

    def _mcp(self, request: Request, answer: Answer, value):
        if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or \
                ("result" in value) == ("error" in value):
            self.wrong("MCP", request, answer, "neither a result nor an error")
        elif "error" in value:
            self._error(request, answer, value["error"])
        elif value.get("id") != request.items[0].id:
            self.wrong("MCP", request, answer, f"its id is not {request.items[0].id!r:.100}")
        elif "content" in value["result"]:
            self._tool(request, answer, value["result"])

    def _error(self, request: Request, answer: Answer, error: dict):
        if error.get("code") not in _MCP_CODES or not isinstance(error.get("message"), str):
            self.wrong("MCP", request, answer, "an error that is none")
        if error.get("code") == -32603 and not self.careless:
            self.wrong("internal", request, answer, "within")
        self.ledger.claim(request.numbers, "no")

    def _tool(self, request: Request, answer: Answer, result: dict):
        text, content = result["content"][0]["text"], result["structuredContent"]
        if result["isError"]:
            self.problem(request, answer, content)
            if text != f"{content['detail']} (executed: {content['executed']})":
                self.wrong("MCP", request, answer, "its text is another")
            self.ledger.claim(request.numbers, content["executed"])
            return
        if list(content) != ["result"] or read_json(text.encode()) != content:
            self.wrong("MCP", request, answer, "its text is another")
        self.ledger.claim(request.numbers, "result")
