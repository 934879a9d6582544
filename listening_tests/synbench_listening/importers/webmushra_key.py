"""Results that webMUSHRA collected for an exported study: opaque names back to what they are."""

from __future__ import annotations

from dataclasses import replace

from synbench_listening.answers.ratings import Rating
from synbench_listening.delivery.webmushra_export import read_webmushra_key
from synbench_listening.design.study_folder import StudyFolder
from synbench_listening.importers.report import Imported, number_trials

__all__ = ["unblind_webmushra"]


def unblind_webmushra(done: Imported, folder: StudyFolder) -> Imported:
    """The same ratings with items and conditions of the study; training pages are left out.

    Raises:
        UsageError: the study was never exported.
    """
    pages = read_webmushra_key(folder)
    public = folder.public()
    trained = 0
    known: list[Rating] = []
    for rating_index, rating in enumerate(done.ratings, 1):
        page = pages.get(rating.item)
        if page is None or rating.study not in ("", public.name):
            done.refuse(rating.study, rating_index, f"page {rating.item!r} is not of {public.name}")
        elif page["training"]:
            trained += 1
        elif rating.condition not in page["stimuli"]:
            done.refuse(rating.study, rating_index, f"{rating.item} has no {rating.condition!r}")
        else:
            known.append(
                replace(
                    rating,
                    study=public.name,
                    version=public.version,
                    test=public.test,
                    item=page["item"],
                    condition=page["stimuli"][rating.condition],
                    versus=page["stimuli"].get(rating.versus, rating.versus),
                )
            )
    if trained:
        done.notes.append(f"{trained} ratings of training pages left out")
    done.ratings = number_trials(known)
    return done
