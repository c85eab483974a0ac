-- The slide's program with one alias, six columns and every expression grouped or aggregated.
CREATE OR REPLACE STREAM calls_per_ip_stream (
    eventTimeStamp TIMESTAMP,
    computationType VARCHAR(256),
    category VARCHAR(1024),
    subCategory VARCHAR(1024),
    unit VARCHAR(256),
    unitValue BIGINT);

CREATE OR REPLACE PUMP calls_per_ip_pump AS
INSERT INTO calls_per_ip_stream
SELECT STREAM STEP(ctrail."eventTimestamp" BY INTERVAL '1' MINUTE),
       'CallsPerUniqueIp', ctrail."sourceIPAddress", 'None', 'Sum', COUNT(*)
FROM source_sql_stream_001 ctrail
GROUP BY ctrail."sourceIPAddress",
         STEP(ctrail.ROWTIME BY INTERVAL '1' MINUTE),
         STEP(ctrail."eventTimestamp" BY INTERVAL '1' MINUTE);
