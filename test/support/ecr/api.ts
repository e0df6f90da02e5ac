import type { IncomingHttpHeaders } from "node:http";
import type { CertificateAuthority } from "../http/certificates.ts";
import type { FakeEcr } from "./ecr.ts";
import { Origin } from "./http/origin.ts";
import { type Exchange, type Reply, readAll, type Service } from "./http/wire.ts";
import { type Call, type Fields, operations, type Result } from "./operations.ts";

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The AWS JSON 1.1 API of Amazon ECR (`api.ecr.<region>.amazonaws.com`): what a client needs beside the registry, over the same
 * repositories. Every call must look signed (SigV4, by the known access key); signatures are not computed.
 */
export class FakeEcrApi implements Service {
  /** Operations that the caller has no permission for, for example `GetAuthorizationToken`. */
  readonly denied = new Set<string>();
  /** Operations beside those of operations.ts, or in place of them. */
  readonly more: Record<string, (call: Call) => Result> = {};
  /** The credentials are from a session that is over. */
  sessionExpired = false;
  readonly origin: Origin;
  /** The same over plain http: for AWS_ENDPOINT_URL_ECR. */
  readonly plainOrigin: Origin;
  readonly #ecr: FakeEcr;
  readonly #key: AccessKey;

  constructor(
    ecr: FakeEcr,
    key: AccessKey,
    { certificates }: { readonly certificates?: CertificateAuthority } = {},
  ) {
    this.#ecr = ecr;
    this.#key = key;
    this.origin = new Origin(this, { certificates });
    this.plainOrigin = new Origin(this);
    this.plainOrigin.fault = (request) => this.origin.fault(request);
  }

  /** Listens; the URL for AWS_ENDPOINT_URL_ECR. */
  async start(): Promise<string> {
    await this.origin.start();
    return this.plainOrigin.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.origin.stop(), this.plainOrigin.stop()]);
  }

  /** The operation: `GetAuthorizationToken` ... */
  kindOf(_method: string, _url: URL, headers: IncomingHttpHeaders): string {
    return (
      /^AmazonEC2ContainerRegistry_V20150921\.(\w+)$/.exec(String(headers["x-amz-target"]))?.[1] ?? "unknown"
    );
  }

  async answer(exchange: Exchange): Promise<Reply> {
    const body = await readAll(exchange.body);
    const unsigned = this.#unsigned(exchange);
    if (unsigned) return unsigned;
    const operation = this.more[exchange.kind] ?? operations[exchange.kind];
    if (!operation) return failure("UnknownOperationException", "");
    if (this.denied.has(exchange.kind)) return failure("AccessDeniedException", notAuthorized(exchange.kind));
    const registry = this.#ecr.registry(undefined, regionOf(exchange));
    const call: Call = { ecr: this.#ecr, registry, input: JSON.parse(String(body) || "{}") as Fields };
    const result = operation(call);
    return "error" in result ? failure(result.error, result.message) : json(200, result.output);
  }

  /** The words are those of AWS's "Common error types". */
  #unsigned({ headers }: Exchange): Reply | undefined {
    const { authorization = "" } = headers;
    if (authorization === "")
      return failure("MissingAuthenticationTokenException", "Missing Authentication Token");
    const key = SIGNED.exec(authorization)?.[1];
    if (key === undefined || headers["x-amz-date"] === undefined) {
      return failure("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.");
    }
    if (key !== this.#key.accessKeyId) {
      return failure("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    if (!this.sessionExpired) return undefined;
    return failure("ExpiredTokenException", "The security token included in the request is expired");
  }
}

const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/\d{8}\/[a-z0-9-]+\/ecr\/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$/;

/** From the host, or over plain http from what was signed. */
function regionOf({ url, headers }: Exchange): string | undefined {
  const byHost = /^api\.ecr(?:-fips)?\.([a-z0-9-]+)\./.exec(url.hostname)?.[1];
  return byHost ?? /\/\d{8}\/([a-z0-9-]+)\/ecr\//.exec(headers.authorization ?? "")?.[1];
}

function notAuthorized(operation: string): string {
  const action = `ecr:${operation}`;
  return `User: arn:aws:iam::123456789012:user/builder is not authorized to perform: ${action} on resource: * because no identity-based policy allows the ${action} action`;
}

function failure(type: string, message: string): Reply {
  return json(400, { __type: type, message });
}

function json(status: number, body: object): Reply {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-requestid": "00000000-0000-4000-8000-000000000000",
    },
    body: JSON.stringify(body),
  };
}
