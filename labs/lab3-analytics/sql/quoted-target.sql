-- INSERT INTO "cleaned_trips": quotes keep the lower case, and the stream's name is CLEANED_TRIPS.
CREATE OR REPLACE STREAM cleaned_trips (trip_id BIGINT);

CREATE OR REPLACE PUMP cleaned_trips_pump AS
INSERT INTO "cleaned_trips"
SELECT STREAM "trip_id" FROM SOURCE_SQL_STREAM_001;
