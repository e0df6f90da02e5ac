import { createHash } from "node:crypto";
import { LambdaPackError } from "../../errors.ts";
import { alb, apiGatewayV1, apiGatewayV2, functionUrl } from "./http.ts";

/**
 * Events of queues, streams, buckets and schedules, based on AWS's documentation of each service's
 * events.
 */

const ORDER = '{"order":7}';
const REGION = { awsRegion: "us-east-1" };
const ACCOUNT = "123456789012";

/** "Using Lambda with Amazon SQS". */
const sqs = {
  Records: [
    {
      messageId: "059f36b4-87a3-44ab-83d2-661975830a7d",
      receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
      body: ORDER,
      attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: "1773342238000",
        SenderId: "AIDAIENQZJOLO23YVJ4VO",
        ApproximateFirstReceiveTimestamp: "1773342238007",
      },
      messageAttributes: {},
      md5OfBody: createHash("md5").update(ORDER).digest("hex"),
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`,
      ...REGION,
    },
  ],
};

/** "Invoking Lambda functions with Amazon SNS notifications". */
const sns = {
  Records: [
    {
      EventVersion: "1.0",
      EventSubscriptionArn: `arn:aws:sns:us-east-1:${ACCOUNT}:orders:21be56ed-a058-49f5-8c98-aedd2564c486`,
      EventSource: "aws:sns",
      Sns: {
        SignatureVersion: "1",
        Timestamp: "2026-03-12T19:03:58.000Z",
        Signature: "EXAMPLE",
        SigningCertUrl: "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-example.pem",
        MessageId: "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        Message: ORDER,
        MessageAttributes: { kind: { Type: "String", Value: "order" } },
        Type: "Notification",
        UnsubscribeUrl: "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        TopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:orders`,
        Subject: "A new order",
      },
    },
  ],
};

/** "Event message structure" of Amazon S3's notifications. */
const s3 = {
  Records: [
    {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      eventTime: "2026-03-12T19:03:58.000Z",
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: "AWS:AIDAINPONIXQXHT3IKHL2" },
      requestParameters: { sourceIPAddress: "203.0.113.9" },
      responseElements: {
        "x-amz-request-id": "D82B88E5F771F645",
        "x-amz-id-2": "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQ",
      },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "orders-created",
        bucket: {
          name: "orders-bucket",
          ownerIdentity: { principalId: "A3NL1KOZZKExample" },
          arn: "arn:aws:s3:::orders-bucket",
        },
        object: {
          key: "incoming/order+7.json",
          size: 1305,
          eTag: "b21b84d653bb07b05b1e6b33684dc11b",
          sequencer: "0C0F6F405D6ED209E1",
        },
      },
      ...REGION,
    },
  ],
};

/** "Events in Amazon EventBridge": a custom event. */
const eventBridge = {
  version: "0",
  id: "fe8d3c65-xmpl-c5c3-2c87-81584709a377",
  "detail-type": "OrderPlaced",
  source: "com.example.orders",
  account: ACCOUNT,
  time: "2026-03-12T19:03:58Z",
  region: "us-east-1",
  resources: [],
  detail: { order: 7, total: 12.5 },
};

/** An EventBridge rule with a schedule. */
const schedule = {
  ...eventBridge,
  "detail-type": "Scheduled Event",
  source: "aws.events",
  resources: [`arn:aws:events:us-east-1:${ACCOUNT}:rule/every-night`],
  detail: {},
};

/** "Using AWS Lambda with Amazon DynamoDB". */
const dynamoDb = {
  Records: [
    {
      eventID: "c4ca4238a0b923820dcc509a6f75849b",
      eventName: "MODIFY",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      dynamodb: {
        ApproximateCreationDateTime: 1_773_342_238,
        Keys: { id: { N: "7" } },
        OldImage: { id: { N: "7" }, state: { S: "open" } },
        NewImage: { id: { N: "7" }, state: { S: "paid" } },
        SequenceNumber: "222",
        SizeBytes: 59,
        StreamViewType: "NEW_AND_OLD_IMAGES",
      },
      eventSourceARN: `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/orders/stream/2026-03-12T00:00:00.000`,
      ...REGION,
    },
  ],
};

/** "Using Lambda to process records from Amazon Kinesis Data Streams": the data is in base64. */
const kinesis = {
  Records: [
    {
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey: "order-7",
        sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
        data: Buffer.from(ORDER).toString("base64"),
        approximateArrivalTimestamp: 1_773_342_238.651,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
      eventName: "aws:kinesis:record",
      invokeIdentityArn: `arn:aws:iam::${ACCOUNT}:role/orders`,
      eventSourceARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/orders`,
      ...REGION,
    },
  ],
};

/** "Customizing user pool workflows with Lambda triggers": before the sign-up of a user. */
const cognito = {
  version: "1",
  triggerSource: "PreSignUp_SignUp",
  region: "us-east-1",
  userPoolId: "us-east-1_Example01",
  userName: "ada",
  callerContext: { awsSdkVersion: "aws-sdk-unknown-unknown", clientId: "1example23456789" },
  request: { userAttributes: { email: "ada@example.com" }, validationData: null },
  response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
};

export interface Sample {
  /** The value for `--sample`. */
  readonly name: string;
  readonly summary: string;
  readonly event: unknown;
}

export const SAMPLES: readonly Sample[] = [
  { name: "function-url", summary: "a request to a function URL (payload 2.0)", event: functionUrl },
  { name: "api-gateway-v1", summary: "a request to a REST API (payload 1.0)", event: apiGatewayV1 },
  { name: "api-gateway-v2", summary: "a request to an HTTP API (payload 2.0)", event: apiGatewayV2 },
  { name: "alb", summary: "a request to an Application Load Balancer", event: alb },
  { name: "sqs", summary: "one message of an Amazon SQS queue", event: sqs },
  { name: "sns", summary: "one notification of an Amazon SNS topic", event: sns },
  { name: "s3", summary: "an object created in an Amazon S3 bucket", event: s3 },
  { name: "eventbridge", summary: "a custom event of Amazon EventBridge", event: eventBridge },
  { name: "schedule", summary: "a schedule of Amazon EventBridge", event: schedule },
  { name: "dynamodb", summary: "one change of a DynamoDB table", event: dynamoDb },
  { name: "kinesis", summary: "one record of a Kinesis stream", event: kinesis },
  { name: "cognito", summary: "a sign-up in an Amazon Cognito user pool", event: cognito },
];

/** Returns the event of a sample. @throws USAGE that names the known samples */
export function sampleEvent(name: string): unknown {
  const sample = SAMPLES.find((one) => one.name === name);
  if (sample) return sample.event;
  throw new LambdaPackError("USAGE", `there is no sample event ${JSON.stringify(name.slice(0, 80))}`, {
    hint: `name one of ${SAMPLES.map((one) => one.name).join(", ")}`,
  });
}
