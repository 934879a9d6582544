"""The SQL that joins the rows that count with a plan: items, codecs and metrics by number.

``{source}`` is filled with the stored rows of a stage.
"""

from __future__ import annotations

MISSING, OK, NOT_APPLICABLE, FAILED, NOT_PLANNED = 0, 1, 2, 3, 4
STATUS_NAMES = ("missing", "ok", "not_applicable", "failed", "not_planned")
MEASURES = (
    "payload_bits",
    "side_bits",
    "encode_cpu_seconds",
    "encode_wall_seconds",
    "decode_cpu_seconds",
    "decode_wall_seconds",
    "threads",
    "lag_seconds",
    "correlation",
    "clipped_samples",
    "filled_samples",
    "surplus_seconds",
    "anticorrelation",
    "envelope_correlation",
    "level_db",
    "dc_offset",
    "header_bits",
)
__all__ = [
    "CODECS",
    "DECODED",
    "DECODED_VIEW",
    "DECODE_COLUMNS",
    "DECODE_OUTCOMES",
    "DECODE_TEXTS",
    "FAILED",
    "FAILURES",
    "FATE_COLUMNS",
    "FILES",
    "GIVEN_ITEMS",
    "IN_CORPUS",
    "ITEMS",
    "JOINED_DECODES",
    "JOINED_SCORES",
    "LAG_PROFILES",
    "MEASURES",
    "METRICS",
    "MISSING",
    "NOT_APPLICABLE",
    "NOT_PLANNED",
    "OK",
    "ROWS",
    "SCORED",
    "SCORED_VIEW",
    "SCORE_COLUMNS",
    "SCORE_OUTCOMES",
    "STATUS_NAMES",
    "UNSCORED",
    "VECTORS",
]

ITEMS = """
-- Runs of an older version do not say gender, language, accent and damaged input.
CREATE TABLE items AS
SELECT file_row_number AS item_index,
    file_row_number - min(file_row_number) OVER (PARTITION BY corpus) AS corpus_index,
    corpus, item, item_digest, path, seconds, target_rate, coalesce(speaker, '') AS speaker,
    coalesce(transcript, '') AS transcript, coalesce(problem, '') AS problem,
    coalesce(gender, '') AS gender, coalesce(language, '') AS language,
    coalesce(accent, '') AS accent, input
FROM (SELECT * FROM read_parquet(?, file_row_number = true)
    UNION ALL BY NAME SELECT NULL::VARCHAR AS gender, NULL::VARCHAR AS language,
        NULL::VARCHAR AS accent, NULL::VARCHAR AS input WHERE false)
"""
CODECS = """
CREATE TABLE codecs AS
SELECT row_number() OVER () - 1 AS codec_index, codec_id
FROM (SELECT unnest(?::VARCHAR[]) AS codec_id)
"""
METRICS = """
CREATE TABLE metrics AS
SELECT row_number() OVER () - 1 AS metric_index, metric_id
FROM (SELECT unnest(?::VARCHAR[]) AS metric_id)
"""
GIVEN_ITEMS = """
CREATE TABLE items AS SELECT row_number() OVER () - 1 AS item_index, corpus, item, item_digest
FROM given
"""
# The stored rows of the plan's cells, several of a cell where it was tried again.
JOINED_DECODES = """
CREATE OR REPLACE TABLE stored AS SELECT item_index, codec_index, {columns} FROM {source}
JOIN items USING (corpus, item, item_digest) JOIN codecs USING (codec_id)
WHERE policy_id = $policy_id
"""
JOINED_SCORES = """
CREATE OR REPLACE TABLE stored AS SELECT item_index, codec_index, metric_index, {columns}
FROM {source}
JOIN items USING (corpus, item, item_digest) JOIN codecs USING (codec_id)
JOIN metrics USING (metric_id)
WHERE policy_id = $policy_id
"""
# What the rule needs, and what a planner must know.
FATE_COLUMNS = ("attempt", "written", "transient", "status", "reason")
DECODE_COLUMNS = (*FATE_COLUMNS, *MEASURES, "bitstream", "reconstruction", "lag_profile")
SCORE_COLUMNS = (*FATE_COLUMNS, "value", "weight", "vector")
DECODED_VIEW = f"""
CREATE VIEW decoded AS
SELECT *, CASE WHEN status = 'ok' THEN {OK} ELSE {FAILED} END::TINYINT AS code
FROM counted_decodes
"""
SCORED_VIEW = f"""
CREATE VIEW scored AS
SELECT item_index, codec_index, metric_index,
    CASE WHEN status = 'ok' AND isfinite(value) THEN {OK}
        WHEN status = 'not_applicable' THEN {NOT_APPLICABLE} ELSE {FAILED} END::TINYINT AS code,
    CASE WHEN code = {OK} THEN value END AS value,
    CASE WHEN code = {OK} THEN coalesce(weight, 1.0) END AS weight, vector,
    CASE WHEN status = 'ok' AND code = {FAILED} THEN 'the stored score is not a finite number'
        ELSE reason END AS reason
FROM counted_scores
"""
DECODE_OUTCOMES = """
SELECT item_index, codec_index, coalesce(attempt, 0)::INTEGER AS attempt,
    coalesce(transient, false) AS transient, if(status = 'ok', NULL, reason) AS reason,
    status = 'failed' AS failed
FROM counted_decodes
"""
SCORE_OUTCOMES = """
SELECT item_index, codec_index, metric_index, coalesce(attempt, 0)::INTEGER AS attempt,
    coalesce(transient, false) AS transient, status = 'failed' AS failed
FROM counted_scores
"""
IN_CORPUS = "JOIN items USING (item_index) WHERE corpus = ?"
# Not the texts: a million of them would take longer than all the rest.
DECODED = f"SELECT corpus_index, codec_index, code, {', '.join(MEASURES)} FROM decoded {IN_CORPUS}"
SCORED = (
    f"SELECT corpus_index, codec_index, metric_index, code, value, weight FROM scored {IN_CORPUS}"
)
VECTORS = f"""
SELECT codec_index, metric_index, vector FROM scored {IN_CORPUS}
AND code = {OK} AND vector IS NOT NULL ORDER BY codec_index, metric_index, item_index
"""
# So many items of a corpus tell the lag of a codec.
LAG_ITEMS = 500
LAG_PROFILES = f"""
SELECT codec_index, lag_profile FROM decoded {IN_CORPUS}
AND code = {OK} AND corpus_index < {LAG_ITEMS} AND lag_profile IS NOT NULL
ORDER BY codec_index, corpus_index
"""
FAILURES = f"""
SELECT reason, count(*) AS failures FROM scored {IN_CORPUS} AND code = {FAILED}
GROUP BY reason ORDER BY failures DESC, reason
"""
UNSCORED = f"""
SELECT corpus_index, codec_index, metric_index, code, coalesce(reason, '') FROM scored {IN_CORPUS}
AND code <> {OK} ORDER BY item_index, codec_index, metric_index
"""
FILES = f"""
SELECT corpus_index, codec_index, reconstruction, bitstream FROM decoded {IN_CORPUS} AND code = {OK}
"""
DECODE_TEXTS = f"""
SELECT corpus_index, codec_index, code, reason, reconstruction, bitstream FROM decoded {IN_CORPUS}
"""
ROWS = """
SELECT corpus, item, item_digest,
    $labels[codec_index + 1], $specs[codec_index + 1], codec_id,
    $columns[metric_index + 1], metric_id,
    $statuses[coalesce(code, 0) + 1], value,
    CASE WHEN $rates[metric_index + 1] THEN weight WHEN value IS NOT NULL THEN 1.0 END,
    coalesce(
        reason,
        if(code IS NULL, $absent[codec_index + 1] || $unmeasured[metric_index + 1], '')
    )
FROM items CROSS JOIN codecs CROSS JOIN metrics
LEFT JOIN scored USING (item_index, codec_index, metric_index)
WHERE list_contains($corpora, corpus)
ORDER BY item_index, codec_index, metric_index
"""
