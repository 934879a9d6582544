"""Results of other tools: the recorded fixtures where they are at hand, and made twins always."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synbench.errors import UsageError
from synbench_listening.answers.ratings import Rating, read_ratings, write_ratings
from synbench_listening.commands.import_results import import_results
from synbench_listening.importers.read_any import item_from_pattern, read_any
from synbench_listening.importers.webmushra_session import parse_body, read_session

SHARED = Path(__file__).resolve().parents[3] / "shared" / "listening"
WEBMUSHRA = SHARED / "fixtures" / "webmushra_07130f2_php8.2"
UUID = "13407cb3-e4d1-470a-81a8-770bd595b96e"
needs_shared = pytest.mark.shared("listening")


def written(tmp_path: Path, text: str, name: str = "mushra.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


class TestWebmushraCsv:
    HEADER = "session_test_id,listener,session_uuid,trial_id,rating_stimulus,rating_score,"
    HEADER += "rating_time,rating_comment\n"

    def test_one_row_becomes_one_rating(self, tmp_path: Path) -> None:
        path = written(tmp_path, f"{self.HEADER}test,0012,{UUID},item,codec,41.5,2727,\n")
        (rating,) = read_any(path).ratings
        assert rating == Rating(
            study="test",
            session=UUID,
            listener="0012",
            test="mushra",
            trial=1,
            position=0,
            item="item",
            condition="codec",
            score=41.5,
            total_ms=2727,
        )

    def test_before_2022_there_was_no_session_id(self, tmp_path: Path) -> None:
        header = self.HEADER.replace("session_uuid,", "")
        path = written(tmp_path, f"{header}t,L1,i,c,1,9,\nt,L2,i,c,2,9,\n")
        assert {r.listener: r.score for r in read_any(path).ratings} == {"L1": 1, "L2": 2}

    def test_without_any_name_the_questionnaire_tells_listeners_apart(self, tmp_path: Path) -> None:
        header = "session_test_id,age,remark,trial_id,stimuli_rating,stimuli,rating_time\n"
        rows = 't,31,"a\nb, c",i," 3 ",k,9\nt,32,,i,4,k,9\nt,31,"a\nb, c",i2,5,k,9\n'
        done = read_any(written(tmp_path, header + rows, "lms.csv"))
        answers = [(r.listener, r.score, r.trial) for r in done.ratings]
        assert answers == [("P01", 3, 1), ("P02", 4, 1), ("P01", 5, 2)]
        assert "told apart" in done.notes[0]

    def test_a_header_glued_to_the_first_row_is_parted(self, tmp_path: Path) -> None:
        glued = self.HEADER.rstrip("\n") + f"t,L1,{UUID},i,c,1,9,\nt,L1,{UUID},i,d,2,9,\n"
        done = read_any(written(tmp_path, glued))
        assert [r.score for r in done.ratings] == [1, 2]
        assert "glued" in done.notes[0]

    def test_rows_of_another_questionnaire_are_read_from_their_end(self, tmp_path: Path) -> None:
        rows = f"t,L1,{UUID},i,c,1,9,\nt,L2,blue,{UUID[:-1]}f,i,c,2,9,\n"
        done = read_any(written(tmp_path, self.HEADER + rows))
        assert [(r.session[-1], r.score) for r in done.ratings] == [("e", 1), ("f", 2)]
        assert "1 rows of another questionnaire" in done.notes[0]

    def test_ragged_rows_that_tell_nothing_are_refused_by_row(self, tmp_path: Path) -> None:
        rows = f"t,L1,{UUID},i,c,1,9,\nt,L2,what,no uuid,i,c,2,9,\nt,L3\n"
        done = read_any(written(tmp_path, self.HEADER + rows))
        assert len(done.ratings) == 1
        assert [refusal.row for refusal in done.refusals] == [3, 4]
        assert "expected 8" in done.refusals[0].reason

    @pytest.mark.parametrize("score", ["NA", "", "loud", "nan", "101", "-1", "inf"])
    def test_what_is_no_score_is_refused_and_never_zero(self, tmp_path: Path, score: str) -> None:
        rows = f"t,L1,{UUID},i,c,{score},9,\nt,L1,{UUID},i,d,7,9,\n"
        done = read_any(written(tmp_path, self.HEADER + rows))
        assert [r.score for r in done.ratings] == [7]
        assert done.read == 2
        assert len(done.refusals) == 1

    def test_the_same_answer_twice_counts_once(self, tmp_path: Path) -> None:
        row = f"t,L1,{UUID},i,c,1,9,\n"
        done = read_any(written(tmp_path, self.HEADER + row + row))
        assert (len(done.ratings), len(done.refusals)) == (1, 1)

    def test_a_wrong_listener_column_is_named(self, tmp_path: Path) -> None:
        path = written(tmp_path, f"{self.HEADER}t,L1,{UUID},i,c,1,9,\n")
        with pytest.raises(UsageError, match="no column 'age'"):
            read_any(path, listener="age")

    def test_files_of_one_folder_share_their_listeners(self, tmp_path: Path) -> None:
        written(tmp_path, f"session_test_id,age,{self.HEADER[25:]}t,31,{UUID},i,c,1,9,\n")
        header = "session_test_id,age,trial_id,choice_reference,choice_non_reference,"
        header += "choice_answer,choice_time,choice_comment\n"
        rows = "t,31,p,reference,c,correct,9,\nt,31,p,reference,d,undecided,9,\n"
        written(tmp_path, header + rows, "paired_comparison.csv")
        ratings = read_any(tmp_path).ratings
        assert {rating.listener for rating in ratings} == {UUID}
        assert {r.answer: (r.test, r.score) for r in ratings if r.answer} == {
            "correct": ("abx", 1),
            "undecided": ("abx", 0),
        }


class TestSessions:
    def body(self, remark: str = "loud + clear & 100%") -> bytes:
        session = {
            "testId": "t",
            "uuid": UUID,
            "participant": {"name": ["listener", "remark"], "response": ["0012", remark]},
            "trials": [
                {
                    "id": "i",
                    "type": "mushra",
                    "responses": [
                        {"stimulus": "c", "score": "41", "comment": remark, "time": 5},
                        {"stimulus": "d", "score": None, "comment": None, "time": 5},
                    ],
                },
                {
                    "id": "l",
                    "type": "likert_multi_stimulus",
                    "responses": [{"stimulus": "c", "stimulusRating": " 3 ", "time": 5}],
                },
                {"id": "s", "type": "spatial_hwd", "responses": [{"name": "x"}]},
            ],
        }
        return b"sessionJSON=" + json.dumps(session).encode()

    def test_ampersand_and_plus_survive(self) -> None:
        done = read_session(parse_body(self.body()), source="body")
        assert done.ratings[0].comment == "loud + clear & 100%"
        assert done.ratings[0].listener == "0012"
        assert [(r.test, r.score) for r in done.ratings] == [("mushra", 41), ("likert", 3)]

    def test_what_has_no_rating_is_refused_with_its_reason(self) -> None:
        reasons = [r.reason for r in read_session(parse_body(self.body()), source="b").refusals]
        assert reasons[0] == "i: no score was given"
        assert "spatial_hwd" in reasons[1]

    @pytest.mark.parametrize("body", [b"", b"sessionJSON=", b"sessionJSON=[]", b"{}", b"\xff{}"])
    def test_other_bodies_are_no_sessions(self, body: bytes) -> None:
        with pytest.raises(ValueError):
            parse_body(body)

    def test_a_session_that_lies_there_twice_is_read_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.bin").write_bytes(self.body())
        (tmp_path / "b.json").write_bytes(self.body().partition(b"=")[2])
        done = read_any(tmp_path)
        assert len(done.ratings) == 2
        assert "already read from a.bin" in done.refusals[-1].reason


class TestOtherForms:
    def test_columns_of_a_plain_table_are_named_or_usual(self, tmp_path: Path) -> None:
        text = "Testname;Listener;Trial;Sys;Ratingscore\nT;1;i;c;7,5\nT;1;i;d;8\n"
        path = written(tmp_path, text, "plain.csv")
        with pytest.raises(UsageError, match="--column condition=NAME"):
            read_any(path)
        done = read_any(path, columns={"condition": "Sys"})
        assert [(r.study, r.condition, r.score) for r in done.ratings] == [("T", "d", 8)]
        assert "'7,5' is no number" in done.refusals[0].reason

    def test_lists_are_unrolled(self, tmp_path: Path) -> None:
        text = 'signal,condition,ratings,participant_ids\ns,c,"[1.0, 2]","[3, 4]"\n'
        text += 's,d,"[1]","[3, 4]"\ns,e,import os,x\n'
        done = read_any(written(tmp_path, text, "lists.csv"))
        assert [(r.listener, r.score) for r in done.ratings] == [("3", 1), ("4", 2)]
        assert len(done.refusals) == 2

    XML = """<MUSHRA><info><startTime>9</startTime><subjectName>L1</subjectName>
    <testName>T</testName></info><trials><trial><trialName>speech_a</trialName>
    <trialSeconds>3.5</trialSeconds>
    <testFile><fileName>x/speech_a_c1.wav</fileName><plays>2</plays><score>55</score></testFile>
    <testFile><fileName>speech_a_c2.wav</fileName><plays>?</plays><score>5</score></testFile>
    </trial></trials></MUSHRA>"""

    def test_xml_sessions(self, tmp_path: Path) -> None:
        done = read_any(written(tmp_path, self.XML, "s.xml"), names={"c1": "Codec One"})
        (rating,) = done.ratings
        assert (rating.item, rating.condition, rating.n_plays) == ("speech_a", "Codec One", 2)
        assert (rating.score, rating.total_ms, rating.listener) == (55, 3500, "L1")
        assert len(done.refusals) == 1

    def test_xml_with_entities_is_refused(self, tmp_path: Path) -> None:
        bomb = '<!DOCTYPE a [<!ENTITY b "bb">]>' + self.XML
        with pytest.raises(UsageError, match="document type"):
            read_any(written(tmp_path, bomb, "s.xml"))

    @pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
    def test_our_own_table_comes_back_as_it_was(self, tmp_path: Path, ending: str) -> None:
        ratings = [
            Rating(
                study="s",
                version="v",
                session="x",
                listener="0012",
                test="ab",
                page=3,
                trial=1,
                position=0,
                item='=1+1, "q"\n\r',
                condition="A",
                versus="B",
                score=-1.0,
                answer="versus",
                first_touch_ms=1.5,
                n_plays=2,
                heard_s=0.1 + 0.2,
                total_ms=9.0,
                replicate=1,
                block="b",
                comment="a & b + c 🎧",
                simulated=True,
            ),
            Rating(session="y", listener="l", test="acr", item="i", condition="c", score=4.0),
        ]
        path = tmp_path / f"table{ending}"
        write_ratings(path, ratings)
        assert read_ratings(path) == ratings
        assert read_any(path).ratings == ratings

    def test_broken_tables_name_row_and_column(self, tmp_path: Path) -> None:
        head = "session,listener,test,item,condition,score\n"
        with pytest.raises(UsageError, match="row 1: expected a number as score, got 'x'"):
            read_ratings(written(tmp_path, head + "s,l,mushra,i,c,x\n"))
        with pytest.raises(UsageError, match="row 1: no score"):
            read_ratings(written(tmp_path, head + "s,l,mushra,i,c,\n"))
        with pytest.raises(UsageError, match="lacks the columns condition"):
            read_ratings(written(tmp_path, "session,listener,test,item,score\ns,l,mushra,i,1\n"))

    def test_the_item_is_taken_from_a_pattern_and_repeats_are_replicates(self) -> None:
        ratings = [
            Rating(
                session="s",
                listener="l",
                test="abx",
                item=f"noise_0_0{n}",
                condition="c",
                versus="reference",
                score=1,
            )
            for n in range(3)
        ]
        parsed = item_from_pattern(ratings, r"(.+)_\d_\d\d")
        assert [(r.item, r.replicate) for r in parsed] == [("noise", 0), ("noise", 1), ("noise", 2)]
        for wrong in ("(", "x", "(other).*"):
            with pytest.raises(UsageError, match="--item"):
                item_from_pattern(ratings, wrong)

    def test_the_command_accounts_for_every_row(self, tmp_path: Path) -> None:
        path = written(
            tmp_path, f"{TestWebmushraCsv.HEADER}t,L1,{UUID},i,c,41,9,\nt,L1,{UUID},i,d,NA,9,\n"
        )
        out = tmp_path / "ratings.csv"
        done = CliRunner().invoke(import_results, [str(path), "--out", str(out)])
        assert "read 2 rows, kept 1 ratings, refused 1" in done.output
        assert "row 3: no score was given" in done.output
        assert len(read_ratings(out)) == 1

    def test_what_is_no_result_at_all(self, tmp_path: Path) -> None:
        for name, text in (("a.csv", ""), ("b.json", "{}"), ("c.json", "[1"), ("d.txt", "hello")):
            with pytest.raises(UsageError):
                read_any(written(tmp_path, text, name))
        with pytest.raises(UsageError, match="does not exist"):
            read_any(tmp_path / "none.csv")
        with pytest.raises(UsageError, match="holds no"):
            read_any(tmp_path / "empty") if (tmp_path / "empty").mkdir() is None else None


@needs_shared
class TestRecorded:
    def scores(self, ratings: list[Rating]) -> Counter[Any]:
        return Counter((r.listener, r.item, r.condition, r.score) for r in ratings)

    @pytest.mark.parametrize(
        "path",
        [
            WEBMUSHRA / "panel_fixture" / "mushra.csv",
            SHARED / "fixtures" / "pymushra_0.5" / "mushra.csv",
            SHARED / "fixtures" / "pymushra_0.5" / "tinydb.json",
        ],
    )
    def test_the_panel_by_all_three_ways(self, path: Path) -> None:
        expected = json.loads((WEBMUSHRA / "panel_fixture" / "expected_scores.json").read_text())
        entered = Counter(
            (f"L{number:02d}", item, condition, score)
            for number, items in enumerate(expected, 1)
            for item, conditions in items.items()
            for condition, score in conditions.items()
        )
        done = read_any(path)
        assert (done.read, len(done.ratings), done.refusals) == (160, 160, [])
        assert self.scores(done.ratings) == entered

    def test_the_order_of_presentation(self) -> None:
        ratings = read_any(WEBMUSHRA / "panel_fixture" / "mushra.csv").ratings
        expected = json.loads((SHARED / "expected.json").read_text())["panel_fixture"]["page_order"]
        for listener, items in expected.items():
            mine = [r for r in ratings if r.listener == listener]
            order = sorted({(r.trial or 0, r.item) for r in mine})
            assert [item for _, item in order] == items
            assert {r.position for r in mine} == {0, 1, 2, 3, 4}

    def test_csv_lost_the_listener_that_the_raw_bodies_have(self) -> None:
        csv_rows = read_any(WEBMUSHRA / "main")
        kinds = Counter(r.test for r in csv_rows.ratings)
        assert len({r.listener for r in csv_rows.ratings}) == 2
        assert kinds == {"mushra": 20, "abx": 4, "bs1116": 4}
        raw = read_any(SHARED / "fixtures" / "webmushra_07130f2_session_json")
        assert len({r.listener for r in raw.ratings}) == 3
        assert len({r.session for r in raw.ratings}) == 3
        for listener in {r.listener for r in raw.ratings}:
            mine = {(r.test, r.item) for r in raw.ratings if r.listener == listener}
            assert len(mine) == 4

    def test_bodies_are_what_their_parse_says(self) -> None:
        folder = SHARED / "fixtures" / "webmushra_07130f2_session_json"
        for number in (1, 2, 3):
            parsed = json.loads((folder / f"session{number}.json").read_text(encoding="utf-8"))
            assert parse_body((folder / f"body{number}.bin").read_bytes()) == parsed
        answers = parse_body((folder / "body2.bin").read_bytes())["participant"]["response"]
        assert answers[3] == 'loud + clear & fine; "quoted", comma'

    def test_likert_pages(self) -> None:
        ratings = read_any(WEBMUSHRA / "likert").ratings
        rows = sorted((r.item, r.condition, r.score) for r in ratings if r.test == "likert")
        assert rows == [
            ("acr_a1", "k7", 2), ("acr_a1", "q3", 4), ("lms_a1", "k7", 3), ("lms_a1", "q3", 5)
        ]  # fmt: skip
        assert [r.score for r in ratings if r.test == "mushra"] == [100] * 4

    def test_lists_equal_the_unrolled_file(self) -> None:
        lists = read_any(SHARED / "stahl2024" / "ratings_formated_filtered.csv").ratings
        with (SHARED / "stahl2024" / "stahl_long.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        expected = Counter((r["who"], r["item"], r["cond"], float(r["score"])) for r in rows)
        assert self.scores(lists) == expected
        assert self.scores(read_any(SHARED / "stahl2024" / "stahl_long.csv").ratings) == expected

    def test_identification_files(self) -> None:
        expected = json.loads((SHARED / "expected.json").read_text())["abx_constant_phase"]
        folder = SHARED / "abx_constant_phase"
        ratings = read_any(folder / "abx_constant_phase_shift.csv").ratings
        assert len(ratings) == expected["rows"]
        assert sum(r.score for r in ratings) == expected["correct"]
        assert {r.test for r in ratings} == {"abx"}
        pilot = read_any(folder / "abx_castanets.csv").ratings
        for listener, (right, wrong) in expected["abx_castanets.csv"]["correct_incorrect"].items():
            mine = [r.score for r in pilot if r.listener == listener]
            assert (mine.count(1), mine.count(0)) == (right, wrong)
        glued = read_any(folder / "abx_pnoise.csv").ratings
        assert (len(glued), sum(r.score for r in glued)) == (42, 40)
