"""Downloads that resume, are checked, and notice quickly that there is no network."""

from __future__ import annotations

import hashlib
import http.client
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from synbench.cache import locked
from synbench.errors import EnvironmentFault
from synbench_base.hub_cache import HUGGING_FACE, hub_offline, hub_token

CONNECT_SECONDS = 6.0
STALL_SECONDS = 30.0
RETRY_SECONDS = 1.0
DOWNLOAD_ATTEMPTS = 4
CHUNK_BYTES = 1 << 20

_unreachable: dict[str, str] = {}
"""Host to reason, for the life of the process: asking again costs seconds each time."""

GITHUB = "github.com/"
ZENODO = "zenodo.org/records"

Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""

__all__ = ["Progress", "address", "check", "fetch"]


class _WrongContentError(Exception):
    """The whole file came, and it is not the expected one."""


def address(repository: str, revision: str, file: str) -> str:
    """Where a file of a pinned repository is downloaded from; HF_ENDPOINT names a mirror.

    Args:
        repository: ``huggingface.co/OWNER/NAME``, ``huggingface.co/datasets/OWNER/NAME``,
            ``github.com/OWNER/NAME``, or ``github.com/OWNER/NAME/releases`` for files of a release,
            or ``zenodo.org/records``.
        revision: commit, tag, or the number of the record.
        file: path inside the repository, or the name of the release's file.
    """
    if repository.startswith(HUGGING_FACE):
        name = repository.removeprefix(HUGGING_FACE)
        return f"{_hub()}/{name}/resolve/{revision}/{file}"
    if repository == ZENODO:
        return f"https://{repository}/{revision}/files/{file}?download=1"
    if repository.startswith(GITHUB) and repository.endswith("/releases"):
        return f"https://{repository}/download/{revision}/{file}"
    if repository.startswith(GITHUB):
        return f"https://{repository}/raw/{revision}/{file}"
    raise ValueError(f"no way to download from {repository!r}")


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def fetch(
    urls: Sequence[str],
    to: Path,
    *,
    checksum: str,
    by_hand: str,
    progress: Progress | None = None,
) -> Path:
    """Download one file from the first address that gives it; a part left earlier is continued.

    Args:
        urls: addresses of the same file.
        to: final name; until the checksum agrees the content lies in ``<to>.part``.
        checksum: ``sha256:`` or ``md5:`` and the hexadecimal digest; empty where none is known,
            then only the length that the server states is checked.
        by_hand: how to provide the data without a network, for the message.
        progress: told (bytes done, bytes in all or 0).

    Raises:
        EnvironmentFault: no address gave the file; the message says what was tried.
    """
    tried = []
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with locked(to.with_name(f".{to.name}.lock")):
            for url in urls:
                if to.is_file():
                    break
                try:
                    _fetch_one(url, to, checksum, progress)
                except (OSError, http.client.HTTPException, _WrongContentError) as error:
                    tried.append(f"  {url}: {error}\n")
    except OSError as error:
        tried.append(f"  {to}: {error}\n")
    if to.is_file():
        return to
    raise EnvironmentFault(
        f"cannot download {to.name}:\n{''.join(tried)}connect to a network, or get it yourself: "
        f"{by_hand}"
    )


def check(path: Path, checksum: str) -> str:
    """Empty when the file has this checksum, else what was expected and what came."""
    kind, _, expected = checksum.partition(":")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    if digest.hexdigest() == expected:
        return ""
    return f"wrong checksum: expected {kind} {expected}, got {digest.hexdigest()}"


def _fetch_one(url: str, to: Path, checksum: str, progress: Progress | None) -> None:
    part = to.with_name(f"{to.name}.part")
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        before = part.stat().st_size if part.is_file() else 0
        try:
            _transfer(url, part, before, progress)
        except (ConnectionError, TimeoutError, http.client.HTTPException):
            if attempt == DOWNLOAD_ATTEMPTS or _host(url) in _unreachable:
                raise
            time.sleep(RETRY_SECONDS)
            continue
        wrong = check(part, checksum) if checksum else ""
        if not wrong:
            part.replace(to)
            return
        part.unlink()
        # The part may have been left by another version of the file: once more from the start.
        if not before or attempt == DOWNLOAD_ATTEMPTS:
            raise _WrongContentError(wrong)


def _transfer(url: str, part: Path, before: int, progress: Progress | None) -> None:
    try:
        response = _open(url, before)
    except urllib.error.HTTPError as error:
        error.close()
        if before and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to fetch: the checksum decides
        raise
    with response:
        done = before if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        with part.open("ab" if done else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
    if done < total:
        raise ConnectionError(f"broken off after {done} of {total} bytes")


def _open(url: str, start: int) -> Any:
    """The answer of the server, or an error within :data:`CONNECT_SECONDS`."""
    if os.environ.get("SYNBENCH_OFFLINE"):
        raise OSError("not tried, since SYNBENCH_OFFLINE is set")
    of_hub = url.startswith(f"{_hub()}/")
    if of_hub and hub_offline():
        raise OSError("not tried, since HF_HUB_OFFLINE is set")
    host = _host(url)
    if host in _unreachable:
        raise OSError(_unreachable[host])
    headers = {"User-Agent": "synbench"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    if of_hub and (token := hub_token()):
        # The hub sends on to other hosts for the content: none of them may see the token.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    call = _Call(request)
    try:
        return call.result()
    except urllib.error.HTTPError as error:
        if of_hub and error.code in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            error.close()
            page = url.partition("/resolve/")[0]
            raise PermissionError(
                f"the hub refuses it ({error.code}): accept the terms on {page}, then set HF_TOKEN "
                "to an access token of that account"
            ) from error
        raise
    except (urllib.error.URLError, TimeoutError) as error:
        _unreachable[host] = str(error)
        raise


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


class _Call:
    """Opens an address in a thread: looking up a name may hang for longer than any timeout."""

    def __init__(self, request: urllib.request.Request) -> None:
        self._request = request
        self._answer: Any = None
        self._error: BaseException | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            answer = urllib.request.urlopen(self._request, timeout=STALL_SECONDS)
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            self._error = error
            return
        with self._lock:
            self._answer = answer
            if self._abandoned:
                answer.close()

    def result(self) -> Any:
        self._thread.start()
        self._thread.join(CONNECT_SECONDS)
        with self._lock:
            self._abandoned = self._answer is None
        if self._error is not None:
            raise self._error
        if self._abandoned:
            raise TimeoutError(f"no answer within {CONNECT_SECONDS:g} s")
        return self._answer
