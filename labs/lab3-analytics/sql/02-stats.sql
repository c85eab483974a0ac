-- One row for every two seconds: at speed-up 100 they are 200 seconds of New York.
CREATE OR REPLACE STREAM TRIP_STATISTICS (
    trip_count BIGINT,
    passenger_count BIGINT,
    total_amount DOUBLE);

CREATE OR REPLACE PUMP TRIP_STATISTICS_PUMP AS
INSERT INTO TRIP_STATISTICS
SELECT STREAM COUNT(*), SUM(passenger_count), SUM(total_amount)
FROM CLEANED_TRIPS
GROUP BY STEP(CLEANED_TRIPS.ROWTIME BY INTERVAL '2' SECOND);
