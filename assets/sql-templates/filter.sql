-- Continuous filter: rows that are wanted go on, the others end here
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" ("key" VARCHAR(64), "value" DOUBLE);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM {text}, {number}
FROM {source}
WHERE {number} > 0 AND {text} IS NOT NULL;
