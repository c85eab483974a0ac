// The same filter as a Node.js handler: aws lambda update-function-code --function-name NYCTaxiTrips --zip-file fileb://fn/index.js
const AWS = require('aws-sdk');
const firehose = new AWS.Firehose();

exports.handler = async (event) => {
  const kept = [];
  for (const record of event.Records) {
    const trip = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString('utf8'));
    if (trip.type === 'trip' && trip.pickup_longitude && trip.pickup_latitude && trip.dropoff_longitude && trip.dropoff_latitude) {
      kept.push({ Data: JSON.stringify(trip) + '\n' });
    }
  }
  let left = kept;
  for (let attempt = 0; left.length > 0 && attempt <= Number(process.env.number_of_retries || 3); attempt += 1) {
    if (attempt > 0) await new Promise((r) => setTimeout(r, 2 * Number(process.env.exponential_backoff_seed || 35) ** attempt));
    const answer = await firehose.putRecordBatch({ DeliveryStreamName: process.env.delivery_stream, Records: left }).promise();
    left = left.filter((_, at) => answer.RequestResponses[at].ErrorCode);
  }
  if (left.length > 0) throw new Error(`${left.length} records could not be put`);
  return `Successfully processed ${event.Records.length} records, kept ${kept.length}.`;
};
