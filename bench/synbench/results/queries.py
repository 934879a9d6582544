"""The SQL that picks the rows which count. ``{source}`` is filled with the files of a stage."""

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
)
__all__ = [
    "CODECS",
    "DECODES",
    "FAILED",
    "FAILURES",
    "IN_CORPUS",
    "ITEMS",
    "MEASURES",
    "METRICS",
    "MISSING",
    "NOT_APPLICABLE",
    "NOT_PLANNED",
    "OK",
    "ROWS",
    "SCORED",
    "SCORES",
    "STATUS_NAMES",
    "VECTORS",
]

ITEMS = """
CREATE TABLE items AS
SELECT file_row_number AS item_index,
    file_row_number - min(file_row_number) OVER (PARTITION BY corpus) AS place,
    corpus, item, item_digest, seconds, speaker
FROM read_parquet(?, file_row_number = true)
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
# The order after `written` only matters for equal times; it makes the choice a fixed one.
DECODES = f"""
CREATE TABLE decoded AS
SELECT item_index, codec_index, {", ".join(MEASURES)},
    CASE WHEN status = 'ok' THEN {OK} ELSE {FAILED} END::TINYINT AS code
FROM {{source}}
JOIN items USING (corpus, item, item_digest)
JOIN codecs USING (codec_id)
WHERE policy_id = $policy_id
QUALIFY row_number() OVER (
    PARTITION BY item_index, codec_index ORDER BY written DESC, status DESC, reason) = 1
"""
SCORES = f"""
CREATE TABLE scored AS
WITH rows AS (
    SELECT item_index, codec_index, metric_index, written, status, value, reason, weight, vector
    FROM {{source}}
    JOIN items USING (corpus, item, item_digest)
    JOIN codecs USING (codec_id)
    JOIN metrics USING (metric_id)
    WHERE policy_id = $policy_id
    QUALIFY row_number() OVER (
        PARTITION BY item_index, codec_index, metric_index
        ORDER BY written DESC, status DESC, value, reason) = 1
)
SELECT item_index, codec_index, metric_index,
    CASE WHEN status = 'ok' AND isfinite(value) THEN {OK}
        WHEN status = 'not_applicable' THEN {NOT_APPLICABLE} ELSE {FAILED} END::TINYINT AS code,
    CASE WHEN code = {OK} THEN value END AS value,
    CASE WHEN code = {OK} THEN coalesce(weight, 1.0) END AS weight, vector,
    CASE WHEN status = 'ok' AND code = {FAILED} THEN 'the stored score is not a finite number'
        ELSE reason END AS reason
FROM rows
"""
# Not the reasons: a million strings would take longer than all the rest.
SCORED = "place, codec_index, metric_index, code, value, weight"
IN_CORPUS = "JOIN items USING (item_index) WHERE corpus = ?"
VECTORS = f"""
SELECT codec_index, metric_index, vector FROM scored {IN_CORPUS}
AND code = {OK} AND vector IS NOT NULL ORDER BY codec_index, metric_index, item_index
"""
FAILURES = f"""
SELECT reason, count(*) AS failures FROM scored {IN_CORPUS} AND code = {FAILED}
GROUP BY reason ORDER BY failures DESC, reason
"""
ROWS = """
SELECT corpus, item, item_digest,
    $labels[codec_index + 1], $specs[codec_index + 1], codec_id,
    $columns[metric_index + 1], metric_id,
    $statuses[coalesce(code, 0) + 1], value,
    CASE WHEN $rates[metric_index + 1] THEN weight WHEN value IS NOT NULL THEN 1.0 END,
    coalesce(reason, if(code IS NULL, $absent[codec_index + 1], ''))
FROM items CROSS JOIN codecs CROSS JOIN metrics
LEFT JOIN scored USING (item_index, codec_index, metric_index)
WHERE list_contains($corpora, corpus)
ORDER BY item_index, codec_index, metric_index
"""
