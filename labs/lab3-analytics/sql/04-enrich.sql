-- Every trip with the name of its vendor, from a file in S3.
CREATE OR REPLACE STREAM ENRICHED_TRIPS (
    trip_id BIGINT,
    vendor_id VARCHAR(4),
    vendor_name VARCHAR(64),
    total_amount DOUBLE);

CREATE OR REPLACE PUMP ENRICHED_TRIPS_PUMP AS
INSERT INTO ENRICHED_TRIPS
SELECT STREAM t.trip_id, t.vendor_id, v."vendor_name", t.total_amount
FROM CLEANED_TRIPS AS t
LEFT JOIN VENDORS AS v ON t.vendor_id = v."vendor_id";
