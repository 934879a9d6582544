"""One HTML file with everything in it: audio, plans and page; it works from a disk or an e-mail.

It holds all blocks; the listener's number picks one. Every block has clip ids of its own. The key
stays with the experimenter; its SHA-256 lies in the file as ``study.version``, so that nobody can
change afterwards what was what. Equal-length PCM in base64 has equal size, as on the server.
"""

from __future__ import annotations

import base64
import hashlib
import html
import random
from collections import defaultdict

from synbench.errors import UsageError
from synbench_listening.delivery.page import data_block, document, static_file, texts
from synbench_listening.design.session_plan import plan_session
from synbench_listening.design.study_folder import Key, StudyFolder

LARGEST_BYTES = 50_000_000

__all__ = ["bundle_study"]


def bundle_study(folder: StudyFolder) -> bytes:
    """The file's content.

    Raises:
        UsageError: no built study, or more than 50 MB of audio; the largest items are named.
    """
    key, public = folder.key(), folder.public()
    used = sorted({name for block in key.blocks for page in block.pages for name in page.stimuli})
    used += sorted({p.reference for block in key.blocks for p in block.pages if p.reference})
    _check_size(folder, key, used)
    # The order of the files must not tell what they are, not even to who guesses the seed.
    random.SystemRandom().shuffle(used)
    index_of = {name: index for index, name in enumerate(used)}
    parts = []
    for block in key.blocks:
        plan, stimulus_of = plan_session(key, block)
        parts.append(data_block(f"plan-{block.name}", plan.model_dump(mode="json")))
        clips = {clip: index_of[name] for clip, name in stimulus_of.items()}
        parts.append(data_block(f"clips-{block.name}", clips))
    for name, index in index_of.items():
        data = base64.b64encode(folder.clip_path(key.stimuli[name]).read_bytes()).decode()
        parts.append(f'<script type="text/plain" id="audio-{index}">{data}</script>')
    start = {
        "mode": "offline",
        "study": public.model_dump(mode="json"),
        "blocks": [block.name for block in key.blocks],
    }
    parts += [data_block("texts", texts(public)), data_block("start", start)]
    script, style = static_file("page.js").decode(), static_file("page.css").decode()
    if "</script" in script or "</style" in style:
        raise AssertionError("the built page cannot be put into a document")
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        f"<style>{style}</style>"
    )
    body = "\n".join(parts) + f"\n<script>{script}</script>"
    return document(public, head=head, body=body).encode()


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _check_size(folder: StudyFolder, key: Key, used: list[str]) -> None:
    sizes: dict[str, int] = defaultdict(int)
    for name in used:
        stimulus = key.stimuli[name]
        # Base64 needs four characters for three bytes.
        sizes[stimulus.item or stimulus.role] += folder.clip_path(stimulus).stat().st_size * 4 // 3
    if sum(sizes.values()) > LARGEST_BYTES:
        largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:3]
        named = ", ".join(f"{name} ({sizes[name] / 1e6:.1f} MB)" for name in largest)
        raise UsageError(
            f"the file would have {sum(sizes.values()) / 1e6:.0f} MB, more than "
            f"{LARGEST_BYTES / 1e6:.0f}; the largest items are {named}: take fewer or shorter ones"
        )
