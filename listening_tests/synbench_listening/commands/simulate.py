"""``synbench listen simulate``: made-up listeners against a running server, over HTTP."""

from __future__ import annotations

import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synbench.errors import EnvironmentFault, UsageError

if TYPE_CHECKING:
    from synbench_listening.design.study_folder import StudyFolder

SESSION_ATTEMPTS = 10

__all__ = ["HttpListener", "simulate"]


class HttpListener:
    """One session over HTTP: what the page's script does, without a browser."""

    def __init__(self, url: str, folder: StudyFolder, seed: int) -> None:
        self.url = url.rstrip("/")
        self.folder = folder
        self.public = folder.public()
        self.seed = seed
        self.token = ""

    def take_part(self) -> str:
        """Answer every page, then finish.

        Returns:
            The listener's code.
        """
        from synbench_listening.design.session_plan import Clip, SessionPlan
        from synbench_listening.server.simulated_listener import SimulatedListener

        begun = self.begin()
        plan = SessionPlan.model_validate(begun["plan"])

        def hear(clip: Clip) -> bytes:
            return self.ask("GET", f"/api/clip/{clip.id}")

        stimuli = self.folder.key().stimuli.values()
        said = {stimulus.sha256: stimulus.transcript for stimulus in stimuli if stimulus.transcript}
        mind = SimulatedListener(
            self.seed, self.public, hear, sample_rate=plan.sample_rate, said=said
        )
        for page in plan.pages[begun["next"] : -1]:
            answer = {"kind": page.kind, "total_ms": 1000} | mind.answer(page)
            reply = json.loads(self.ask("PUT", f"/api/trials/{page.n}", submission(answer)))
            if reply["state"] != "running":
                return str(begun["session"])
        self.ask("POST", "/api/finish", {})
        return str(begun["session"])

    def begin(self) -> dict[str, Any]:
        """Start a session that is marked as simulated."""
        public = self.public
        request = {
            "uuid": secrets.token_hex(16),
            "study": public.name,
            "version": public.version,
            "language": public.languages[0],
            "consent": public.consent_version if public.asks_consent else None,
            "platform": {"SIMULATED": self.folder.simulation_proof()},
        }
        begun: dict[str, Any] = json.loads(self.ask("POST", "/api/sessions", request))
        self.token = begun["token"]
        return begun

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """One request, tried again while the server is away or busy.

        Raises:
            UsageError: the server refused it.
            EnvironmentFault: the server did not answer.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["X-Session-Token"] = self.token
        for attempt in range(SESSION_ATTEMPTS):
            request = urllib.request.Request(
                self.url + path, data=data, headers=headers, method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    content: bytes = reply.read()
                    return content
            except urllib.error.HTTPError as error:
                with error:
                    refused = error.read().decode("utf-8", "replace")
                if error.code < 500 and error.code != 429:
                    raise UsageError(f"{method} {path}: {error.code} {refused}") from error
                wait = float(error.headers.get("Retry-After") or 1)
            except (
                urllib.error.URLError,
                http.client.HTTPException,
                ConnectionError,
                TimeoutError,
            ):
                wait = 0.1 * 2**attempt
            if attempt < SESSION_ATTEMPTS - 1:
                time.sleep(wait)
        raise EnvironmentFault(f"{self.url} does not answer; is `synbench listen serve` running?")


def submission(answer: dict[str, Any], *, revision: int = 1) -> dict[str, Any]:
    """The body of a save."""
    return {
        "uuid": secrets.token_hex(16),
        "revision": revision,
        "client_ms": time.time_ns() // 1_000_000,
        "answer": answer,
    }


@click.command()
@click.argument("study", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server.")
@click.option("--listeners", type=click.IntRange(1, 1000), default=24, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 50), default=4, show_default=True)
def simulate(study: Path, url: str, listeners: int, seed: int, at_once: int) -> None:
    """Send simulated listeners through a served STUDY, to try it from end to end.

    They listen to the clips and grade them by their spectral distance from the reference; in a
    transcription test they write down some of the words. Their answers are marked as simulated in
    every table. Remove them before real listeners come:
    synbench listen purge STUDY --simulated
    """
    from synbench_listening.design.study_folder import StudyFolder

    folder = StudyFolder(study)
    panel = [HttpListener(url, folder, 1000 * seed + number) for number in range(listeners)]
    with ThreadPoolExecutor(at_once) as pool:
        codes = list(pool.map(HttpListener.take_part, panel))
    click.echo(f"{len(codes)} SIMULATED listeners have finished: {', '.join(codes[:4])}, ...")
    click.echo(f"Next: synbench listen export {study} --out results")
