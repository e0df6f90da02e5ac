import type { IncomingHttpHeaders } from "node:http";
import { ACCOUNT, type FakeEcr, REGION } from "../ecr/ecr.ts";
import { Origin } from "../ecr/http/origin.ts";
import { type Exchange, type Reply, readAll, type Service } from "../ecr/http/wire.ts";
import type { CertificateAuthority } from "../http/certificates.ts";
import type { FakeFunction, Fields, Outcome } from "./functions.ts";
import { lambdaOperations } from "./lambda-operations.ts";
import { routeOf } from "./lambda-routes.ts";
import {
  denied,
  type LambdaAnswer,
  type LambdaCall,
  LambdaException,
  type LambdaWorld,
} from "./lambda-wire.ts";

/**
 * The REST API of AWS Lambda as far as functions of images go, with functions whose states take time. Images are looked up in the fake ECR, so that
 * what is not there, or may not be pulled, is refused as Lambda does it. Every call must look signed.
 */
export class FakeLambda implements Service, LambdaWorld {
  readonly ecr: FakeEcr;
  /** By region and name. */
  readonly functions = new Map<string, FakeFunction>();
  /** Actions that the caller has no permission for, for example `lambda:CreateFunction` or `iam:PassRole`. */
  readonly denied = new Set<string>();
  sessionExpired = false;
  /** So many creations are refused because IAM does not know the role everywhere yet. */
  roleNotReady = 0;
  /** How the next changes end; none: good. */
  readonly outcomes: Partial<Outcome>[] = [];
  /** GetFunction calls that see a change under way. */
  looks = 1;
  /** Whether Lambda adds to the repository's policy what it needs; it does where the caller may. */
  addsPolicy = true;
  /** Answers of invocations, and which versions were invoked. */
  invocation: LambdaAnswer = { body: "null" };
  readonly invoked: string[] = [];
  /** Asked with the operation before it is answered: a test changes the world in between. */
  before: (operation: string, call: LambdaCall) => void = () => {};
  readonly origin: Origin;
  readonly plainOrigin: Origin;

  constructor(ecr: FakeEcr, { certificates }: { readonly certificates?: CertificateAuthority } = {}) {
    this.ecr = ecr;
    this.origin = new Origin(this, { certificates });
    this.plainOrigin = new Origin(this);
    this.plainOrigin.fault = (request) => this.origin.fault(request);
  }

  /** Listens; the URL for AWS_ENDPOINT_URL_LAMBDA. */
  async start(): Promise<string> {
    await this.origin.start();
    return this.plainOrigin.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.origin.stop(), this.plainOrigin.stop()]);
  }

  /** Operations that came, in order, over both origins. */
  get calls(): readonly string[] {
    return [...this.origin.log, ...this.plainOrigin.log].map(({ kind }) => kind);
  }

  /** Those that change something. */
  get changes(): readonly string[] {
    return this.calls.filter((kind) => !/^(?:Get|List)/.test(kind));
  }

  function(name: string, region = REGION): FakeFunction | undefined {
    return this.functions.get(`${region}/${name}`);
  }

  nextOutcome(): Outcome {
    return { status: "good", looks: this.looks, ...this.outcomes.shift() };
  }

  kindOf(method: string, url: URL, _headers: IncomingHttpHeaders): string {
    return routeOf(method, url).operation;
  }

  async answer({ method, url, headers, body }: Exchange): Promise<Reply> {
    const text = String(await readAll(body));
    const { operation, name, more } = routeOf(method, url);
    const region =
      /\/\d{8}\/([a-z0-9-]+)\/lambda\/aws4_request/.exec(headers.authorization ?? "")?.[1] ?? REGION;
    const input = (text === "" ? {} : JSON.parse(text)) as Fields;
    const call: LambdaCall = {
      lambda: this,
      region,
      name: bareName(name),
      more,
      query: url.searchParams,
      input,
    };
    try {
      this.#authorize(operation, call, headers);
      this.before(operation, call);
      const run = lambdaOperations[operation];
      if (!run) throw new LambdaException(404, "UnknownOperationException", `${method} ${url.pathname}`);
      return reply(run(call));
    } catch (error) {
      if (error instanceof LambdaException) return failure(error);
      // A slip of the double's own must not leave the caller without an answer.
      return failure(new LambdaException(500, "ServiceException", `the double failed: ${String(error)}`));
    }
  }

  #authorize(operation: string, { region, name }: LambdaCall, headers: IncomingHttpHeaders): void {
    if (!/^AWS4-HMAC-SHA256 Credential=/.test(headers.authorization ?? ""))
      throw new LambdaException(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    if (this.sessionExpired)
      throw new LambdaException(
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
      );
    const action = `lambda:${operation === "Invoke" ? "InvokeFunction" : operation}`;
    if (this.denied.has(action)) throw denied(action, `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`);
  }
}

/** Names come as names or as ARNs. */
function bareName(name: string): string {
  return /^(?:arn:[^:]+:lambda:[^:]+:)?\d+:function:([^:]+)/.exec(name)?.[1] ?? name;
}

function reply({ status = 200, headers = {}, body }: LambdaAnswer): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body ?? {}),
  };
}

function failure({ status, name, message }: LambdaException): Reply {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": name },
    body: JSON.stringify({ Type: status < 500 ? "User" : "Service", message }),
  };
}
