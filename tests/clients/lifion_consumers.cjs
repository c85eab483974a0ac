// lifion-kinesis, a consumer library for Node.js with its state in DynamoDB: two workers of one group share the shards of
// a stream. Arguments: the endpoint's URL, the folder with the package.
const { createRequire } = require("node:module");
const [url, folder] = process.argv.slice(2);
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const Kinesis = createRequire(folder + "/")("lifion-kinesis");

const account = { endpoint: url, region: "us-east-1", accessKeyId: "k", secretAccessKey: "s", sslEnabled: false };
const failures = [];
const logger = { debug: () => {}, warn: (text) => failures.push(text), error: (error) => failures.push(error) };

function consumer(group, options, into) {
  const kinesis = new Kinesis({
    ...account, streamName: "events", shardCount: 2, consumerGroup: group, initialPositionInStream: "TRIM_HORIZON", logger,
    dynamoDb: { ...account, tableName: "group-state" }, leaseAcquisitionInterval: 500, leaseAcquisitionRecoveryInterval: 300,
    noRecordsPollDelay: 250, pollDelay: 250, ...options,
  });
  kinesis.on("data", ({ records }) => into.push(...records.map((record) => record.data)));
  kinesis.on("error", (error) => failures.push(error));
  return kinesis;
}

const until = async (what, found, seconds = 60) => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    if (await found()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within ${seconds} s; ${failures.map(String).join("; ")}`);
};
const sorted = (records) => records.map((record) => record.number).sort((a, b) => a - b);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

(async () => {
  const [one, two] = [[], []];
  const [first, second] = [consumer("pollers", {}, one), consumer("pollers", {}, two)];
  // The table and the stream are made by whoever comes first; leases say who reads which shard.
  await Promise.all([first.startConsumer(), second.startConsumer()]);
  const records = [...Array(100).keys()].map((number) => ({ data: { number }, partitionKey: "p" + number }));
  await first.putRecords({ records });
  await until("the group reads both shards", () => one.length + two.length >= 100);
  first.stopConsumer();
  second.stopConsumer();
  const all = sorted([...one, ...two]);
  if (!same(all, [...Array(100).keys()])) throw new Error("a record was lost or read twice: " + all);
  console.log("the consumers were served");
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
