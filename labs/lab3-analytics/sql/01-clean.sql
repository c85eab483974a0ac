-- Trips with a place at both ends; watermarks and spurious trips stay behind.
CREATE OR REPLACE STREAM CLEANED_TRIPS (
    trip_id BIGINT,
    vendor_id VARCHAR(4),
    passenger_count INTEGER,
    trip_distance DOUBLE,
    pickup_latitude DOUBLE,
    pickup_longitude DOUBLE,
    dropoff_latitude DOUBLE,
    dropoff_longitude DOUBLE,
    total_amount DOUBLE);

CREATE OR REPLACE PUMP CLEANED_TRIPS_PUMP AS
INSERT INTO CLEANED_TRIPS
SELECT STREAM "trip_id", "vendor_id", "passenger_count", "trip_distance",
       "pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude", "total_amount"
FROM SOURCE_SQL_STREAM_001
WHERE "type" = 'trip'
  AND "pickup_latitude" <> 0 AND "pickup_longitude" <> 0
  AND "dropoff_latitude" <> 0 AND "dropoff_longitude" <> 0;
