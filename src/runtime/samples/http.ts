/** Events of HTTP callers, based on AWS's documentation of their payload formats. */

const BROWSER = "Mozilla/5.0";
const TIME = { time: "12/Mar/2026:19:03:58 +0000", timeEpoch: 1_773_342_238_000 };

/** "Invoking Lambda function URLs": request payload format 2.0. */
export const functionUrl = {
  version: "2.0",
  routeKey: "$default",
  rawPath: "/orders/7",
  rawQueryString: "color=red&color=blue",
  cookies: ["session=abc", "theme=dark"],
  headers: {
    accept: "application/json",
    "content-type": "application/json",
    host: "abcdefg.lambda-url.us-east-1.on.aws",
    "user-agent": BROWSER,
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
  },
  queryStringParameters: { color: "red,blue" },
  requestContext: {
    accountId: "anonymous",
    apiId: "abcdefg",
    domainName: "abcdefg.lambda-url.us-east-1.on.aws",
    domainPrefix: "abcdefg",
    http: {
      method: "POST",
      path: "/orders/7",
      protocol: "HTTP/1.1",
      sourceIp: "203.0.113.9",
      userAgent: BROWSER,
    },
    requestId: "1f0a4c8e-6f0d-4c63-9a57-0d5a3c1f2b6e",
    routeKey: "$default",
    stage: "$default",
    ...TIME,
  },
  body: '{"count":2}',
  isBase64Encoded: false,
};

/** "AWS Lambda integrations for HTTP APIs": payload format 2.0. */
export const apiGatewayV2 = {
  ...functionUrl,
  routeKey: "POST /orders/{id}",
  headers: { ...functionUrl.headers, host: "abcdefg.execute-api.us-east-1.amazonaws.com" },
  pathParameters: { id: "7" },
  stageVariables: { table: "orders" },
  requestContext: {
    ...functionUrl.requestContext,
    accountId: "123456789012",
    domainName: "abcdefg.execute-api.us-east-1.amazonaws.com",
    routeKey: "POST /orders/{id}",
    authorizer: { jwt: { claims: { sub: "user-1" }, scopes: ["orders/write"] } },
  },
};

/** "Lambda proxy integrations in API Gateway": the REST API's payload format 1.0. */
export const apiGatewayV1 = {
  version: "1.0",
  resource: "/orders/{id}",
  path: "/orders/7",
  httpMethod: "POST",
  headers: {
    Accept: "application/json",
    "Content-Type": "application/json",
    Host: "abcdefg.execute-api.us-east-1.amazonaws.com",
  },
  multiValueHeaders: { Accept: ["application/json"], "Content-Type": ["application/json"] },
  queryStringParameters: { color: "blue" },
  multiValueQueryStringParameters: { color: ["red", "blue"] },
  pathParameters: { id: "7" },
  stageVariables: null,
  requestContext: {
    accountId: "123456789012",
    apiId: "abcdefg",
    httpMethod: "POST",
    identity: { sourceIp: "203.0.113.9", userAgent: BROWSER },
    path: "/prod/orders/7",
    protocol: "HTTP/1.1",
    requestId: "1f0a4c8e-6f0d-4c63-9a57-0d5a3c1f2b6e",
    requestTime: TIME.time,
    requestTimeEpoch: TIME.timeEpoch,
    resourceId: "abc123",
    resourcePath: "/orders/{id}",
    stage: "prod",
  },
  body: '{"count":2}',
  isBase64Encoded: false,
};

/** "Use Lambda functions as targets of an Application Load Balancer". */
export const alb = {
  requestContext: {
    elb: {
      targetGroupArn:
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/orders/6d0ecf831eec9f09",
    },
  },
  httpMethod: "GET",
  path: "/orders/7",
  queryStringParameters: { color: "blue" },
  headers: {
    accept: "application/json",
    host: "orders-123456789.us-east-1.elb.amazonaws.com",
    "user-agent": BROWSER,
    "x-amzn-trace-id": "Root=1-67d1d4de-5c1b6f1d2f3a4b5c6d7e8f90",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
  },
  body: "",
  isBase64Encoded: false,
};
