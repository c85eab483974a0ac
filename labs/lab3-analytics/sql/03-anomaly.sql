-- A score for every window, by a forest of 100 trees that sees 24 windows at a time.
CREATE OR REPLACE STREAM TRIP_STATISTICS_ANOMALY_TMP (
    trip_count BIGINT,
    passenger_count BIGINT,
    total_amount DOUBLE,
    window_label VARCHAR(8),
    anomaly_score DOUBLE,
    anomaly_explanation VARCHAR(20480));

CREATE OR REPLACE STREAM TRIP_STATISTICS_ANOMALY (
    trip_count BIGINT,
    passenger_count BIGINT,
    total_amount DOUBLE,
    window_label VARCHAR(8),
    anomaly_score DOUBLE,
    anomaly_explanation VARCHAR(20480));

CREATE OR REPLACE PUMP TRIP_STATISTICS_ANOMALY_TMP_PUMP AS
INSERT INTO TRIP_STATISTICS_ANOMALY_TMP
SELECT STREAM trip_count, passenger_count, total_amount, '200s', anomaly_score, anomaly_explanation
FROM TABLE(RANDOM_CUT_FOREST_WITH_EXPLANATION(
    CURSOR(SELECT STREAM * FROM TRIP_STATISTICS), 100, 256, 100000, 24, false));

CREATE OR REPLACE PUMP TRIP_STATISTICS_ANOMALY_PUMP AS
INSERT INTO TRIP_STATISTICS_ANOMALY
SELECT STREAM trip_count, passenger_count, total_amount, window_label, anomaly_score, anomaly_explanation
FROM TRIP_STATISTICS_ANOMALY_TMP
ORDER BY FLOOR(TRIP_STATISTICS_ANOMALY_TMP.ROWTIME TO SECOND), anomaly_score DESC;
