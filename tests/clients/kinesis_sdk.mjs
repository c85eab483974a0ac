// The JavaScript SDK v3 with its default handler, HTTP/2 without TLS. Arguments: the endpoint's URL, the folder with the package.
import { createRequire } from "node:module";

const [url, folder] = process.argv.slice(2);
const sdk = createRequire(folder + "/")("@aws-sdk/client-kinesis");
const kinesis = new sdk.KinesisClient({ endpoint: url, region: "us-east-1", credentials: { accessKeyId: "k", secretAccessKey: "s" } });
const send = (command, members) => kinesis.send(new sdk[command + "Command"](members));
const fits = (what, condition) => {
  if (!condition) throw new Error(what);
};
const until = async (what, found) => {
  for (let attempt = 0; attempt < 400; attempt++) {
    const result = await found();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(what + ": not within 10 s");
};

fits("the default handler speaks HTTP/2", kinesis.config.requestHandler.metadata.handlerProtocol === "h2");
await send("CreateStream", { StreamName: "js", ShardCount: 1 });
const summary = async () => (await send("DescribeStreamSummary", { StreamName: "js" })).StreamDescriptionSummary;
const { StreamARN } = await until("ACTIVE", async () => ((await summary()).StreamStatus === "ACTIVE" ? summary() : null));
const { ConsumerARN } = (await send("RegisterStreamConsumer", { StreamARN, ConsumerName: "c" })).Consumer;
await until("the consumer", async () => (await send("DescribeStreamConsumer", { ConsumerARN })).ConsumerDescription.ConsumerStatus === "ACTIVE");
const subscription = await send("SubscribeToShard", { ConsumerARN, ShardId: "shardId-000000000000", StartingPosition: { Type: "LATEST" } });
const Records = [...Array(100).keys()].map((i) => ({ PartitionKey: "p" + i, Data: Buffer.from("r" + i) }));
fits("all are taken", (await send("PutRecords", { StreamName: "js", Records })).FailedRecordCount === 0);
let pushed = 0;
for await (const event of subscription.EventStream) {
  pushed += event.SubscribeToShardEvent.Records.length;
  if (pushed >= 100) break;
}
const { ShardIterator } = await send("GetShardIterator", { StreamName: "js", ShardId: "shardId-000000000000", ShardIteratorType: "TRIM_HORIZON" });
const read = (await send("GetRecords", { ShardIterator })).Records;
fits("what was put is read", read.length === 100 && Buffer.from(read[7].Data).toString() === "r7");
fits("arrivals are instants of today", Math.abs(read[0].ApproximateArrivalTimestamp - Date.now()) < 60_000);
const refused = await send("DescribeStream", { StreamName: "nope" }).catch((error) => error);
fits("errors have their class", refused instanceof sdk.ResourceNotFoundException && refused.message === "Stream nope under account 123456789012 not found.");
console.log("the SDK was served");
process.exit(0);
