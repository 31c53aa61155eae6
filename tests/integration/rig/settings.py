# SPDX-License-Identifier: Apache-2.0
"""Where the programs are, how long to wait, and configuration text made from Python values."""

import ctypes
import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]

RPCGATED = Path(os.environ.get("RPCGATED", TOP / "build" / "rpcgated")).resolve()


def _sanitized() -> bool:
    try:
        program = RPCGATED.read_bytes()
    except OSError:
        return False
    return b"__asan_init" in program or b"__tsan_init" in program


def _busy() -> int:
    """How much longer everything takes on this machine at the moment. The tests' own processes
    keep each CPU busy twice over, which is as it should be. The first process says it for all:
    their lists of tests must be the same."""
    often = os.getloadavg()[0] / (3 * len(os.sched_getaffinity(0)))
    return int(os.environ.setdefault("RPCGATE_BUSY", str(min(4, 1 + int(often)))))


#: Sanitizers keep what was freed, and have allocators and address spaces of their own.
SANITIZED = _sanitized()

#: Programs under a sanitizer are slow, and all are on a busy machine: deadlines and time limits are
#: longer by this factor.
SLOW = (4 if SANITIZED else 1) * _busy()

#: How long anything that must happen may take. Nothing waits this long unless it is broken. [s]
DEADLINE = 20.0 * SLOW


def _microhttpd() -> tuple[int, ...]:
    library = ctypes.CDLL("libmicrohttpd.so.12")
    library.MHD_get_version.restype = ctypes.c_char_p
    return tuple(int(part) for part in library.MHD_get_version().decode().split(".")[:3])


#: The HTTP library's version: 1.0 answers more by itself than 0.9, and takes less.
MICROHTTPD = _microhttpd()


def libconfig(value, indent: str = "") -> str:
    """A Python value as libconfig text: dict, list or tuple, str, bool, int."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        inner = indent + "  "
        lines = [f"{inner}{key} = {libconfig(item, inner)};\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, (list, tuple)):
        items = ", ".join(libconfig(item, indent) for item in value)
        plain = (all(isinstance(item, (str, int)) for item in value)
                 and len({type(item) for item in value}) <= 1)
        return f"[ {items} ]" if plain else f"( {items} )"
    raise TypeError(f"no libconfig form: {value!r}")


#: All upstreams that say nothing of it are reached so: the suite passes with `curl` as it does with `auto`.
TRANSPORT = os.environ.get("RPCGATE_TRANSPORT")


def _with_transport(settings: dict) -> dict:
    upstreams = settings.get("upstreams")
    if not TRANSPORT or not isinstance(upstreams, dict):
        return settings
    return settings | {"upstreams": {name: {"transport": TRANSPORT, **one} if _may_have_one(one) else one
                                     for name, one in upstreams.items()}}


def _may_have_one(upstream) -> bool:
    """libcurl does not speak SCGI."""
    if not isinstance(upstream, dict):
        return False
    urls = [upstream.get("url"), *(upstream.get("urls") or ())]
    return not any(str(url).startswith("scgi") for url in urls)


def configuration(settings: dict) -> str:
    """The text of a configuration file."""
    return "".join(f"{key} = {libconfig(value)};\n" for key, value in _with_transport(settings).items())


def up_settings(upstream, **more) -> dict:
    """Everybody may call `up`, which is that upstream with these settings of its own. No failure
    keeps further calls from it."""
    return {"anonymous": {"allow": ["*/*"]},
            "upstreams": {"up": {"url": upstream.url, "breaker": {"failures": 0}, **more}}}
