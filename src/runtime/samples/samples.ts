import { LambdaPackError } from "../../errors.ts";
import { alb, apiGatewayV1, apiGatewayV2, functionUrl } from "./http.ts";
import { cognito, dynamoDb, eventBridge, kinesis, s3, schedule, sns, sqs } from "./messages.ts";

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
    hint: `one of ${SAMPLES.map((one) => one.name).join(", ")}`,
  });
}
