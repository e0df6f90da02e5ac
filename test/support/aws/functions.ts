import { createHash, randomUUID } from "node:crypto";

export type Fields = Readonly<Record<string, unknown>>;

/** How a change of a function ends: after so many looks at it. */
export interface Outcome {
  readonly status: "good" | "bad";
  readonly code?: string;
  readonly reason?: string;
  /** GetFunction calls that still see it under way. */
  readonly looks: number;
}

export interface FakeVersion {
  readonly version: string;
  readonly config: Fields;
  readonly image: string;
  readonly digest: string;
  state: string;
  stateReason: string | undefined;
  stateReasonCode: string | undefined;
}

/** An error in place of a part of an answer that is fine otherwise (API reference: EnvironmentResponse, ImageConfigResponse, TagsError). */
export interface PartError {
  readonly ErrorCode: string;
  readonly Message: string;
}

/** One function with its versions and aliases. Tests read and write it as they like. */
export class FakeFunction {
  readonly name: string;
  readonly arn: string;
  /** Memory, timeout, role, environment and their like, as the API has them. */
  config: Fields;
  packageType = "Image";
  /** As it was given: `…@sha256:…`. */
  image: string;
  digest: string;
  state = "Pending";
  stateReason: string | undefined = "The function is being created.";
  stateReasonCode: string | undefined = "Creating";
  lastUpdateStatus = "Successful";
  lastUpdateStatusReason: string | undefined;
  lastUpdateStatusReasonCode: string | undefined;
  revisionId: string = randomUUID();
  readonly versions: FakeVersion[] = [];
  readonly aliases = new Map<string, Fields>();
  /** What is under way. */
  pending: { readonly kind: "create" | "update"; looks: number; readonly outcome: Outcome } | undefined;
  /** What $LATEST was before the update that is under way. */
  before: { readonly image: string; readonly digest: string; readonly config: Fields } | undefined;
  lastVersion = 0;
  tags: Readonly<Record<string, string>> = {};
  reservedConcurrency: number | undefined;
  /** What else hangs on it: entries of the lists of event sources, URLs and settings for asynchronous calls, and its resource policy. */
  eventSources: readonly Fields[] = [];
  urls: readonly Fields[] = [];
  asynchronous: readonly Fields[] = [];
  policy: string | undefined;
  /** Parts that Lambda cannot show this caller: `Environment` or `ImageConfigResponse` of the configuration, `Tags` of GetFunction. */
  hidden: Readonly<Partial<Record<"Environment" | "ImageConfigResponse" | "Tags", PartError>>> = {};

  constructor(name: string, arn: string, config: Fields, image: string, digest: string) {
    this.name = name;
    this.arn = arn;
    this.config = config;
    this.image = image;
    this.digest = digest;
  }

  /** Returns a function in the same state, which changes on its own. */
  copy(): FakeFunction {
    const copy = new FakeFunction(this.name, this.arn, this.config, this.image, this.digest);
    return Object.assign(copy, structuredClone({ ...this }));
  }

  /** Begins a change that ends as `outcome` says. */
  begin(kind: "create" | "update", outcome: Outcome): void {
    this.pending = { kind, looks: outcome.looks, outcome };
    this.revisionId = randomUUID();
    if (kind === "create") {
      this.state = "Pending";
    } else {
      this.lastUpdateStatus = "InProgress";
      this.lastUpdateStatusReason = "The function is being updated.";
      this.lastUpdateStatusReasonCode = undefined;
    }
  }

  /** One look from outside: what is under way comes nearer to its end. */
  look(): void {
    if (!this.pending) return;
    this.pending.looks -= 1;
    if (this.pending.looks >= 0) return;
    const { kind, outcome } = this.pending;
    this.pending = undefined;
    if (kind === "create") this.#created(outcome);
    else this.#updated(outcome);
  }

  #created({ status, code, reason }: Outcome): void {
    this.state = status === "good" ? "Active" : "Failed";
    this.stateReason = status === "good" ? undefined : (reason ?? `It failed: ${code}`);
    this.stateReasonCode = status === "good" ? undefined : code;
  }

  #updated({ status, code, reason }: Outcome): void {
    this.lastUpdateStatus = status === "good" ? "Successful" : "Failed";
    this.lastUpdateStatusReason = status === "good" ? undefined : (reason ?? `It failed: ${code}`);
    this.lastUpdateStatusReasonCode = status === "good" ? undefined : code;
    if (status === "good") {
      this.state = "Active";
      this.stateReason = undefined;
      this.stateReasonCode = undefined;
    } else if (this.before) {
      this.image = this.before.image;
      this.digest = this.before.digest;
      this.config = this.before.config;
    }
    this.before = undefined;
  }

  publish(): FakeVersion {
    const last = this.versions.at(-1);
    if (last && last.digest === this.digest && JSON.stringify(last.config) === JSON.stringify(this.config))
      return last;
    this.lastVersion += 1;
    const { config, image, digest } = this;
    const made: FakeVersion = {
      version: String(this.lastVersion),
      config,
      image,
      digest,
      state: "Active",
      stateReason: undefined,
      stateReasonCode: undefined,
    };
    this.versions.push(made);
    return made;
  }

  /** FunctionConfiguration of a version, `$LATEST` by default. */
  configuration(qualifier = "$LATEST"): Fields | undefined {
    if (qualifier === "$LATEST") return this.#latest();
    const alias = this.aliases.get(qualifier)?.["FunctionVersion"];
    const found = this.versions.find(({ version }) => version === String(alias ?? qualifier));
    if (!found) return undefined;
    return {
      ...this.#common(found.config, found.digest),
      FunctionArn: `${this.arn}:${qualifier}`,
      Version: found.version,
      State: found.state,
      StateReason: found.stateReason,
      StateReasonCode: found.stateReasonCode,
      LastUpdateStatus: "Successful",
      RevisionId: createHash("sha256").update(found.version).digest("hex").slice(0, 32),
    };
  }

  #latest(): Fields {
    return {
      ...this.#common(this.config, this.digest),
      FunctionArn: this.arn,
      Version: "$LATEST",
      State: this.state,
      StateReason: this.stateReason,
      StateReasonCode: this.stateReasonCode,
      LastUpdateStatus: this.lastUpdateStatus,
      LastUpdateStatusReason: this.lastUpdateStatusReason,
      LastUpdateStatusReasonCode: this.lastUpdateStatusReasonCode,
      RevisionId: this.revisionId,
    };
  }

  /** CodeSha256 of an image is the manifest's digest without its prefix (terraform-provider-aws#36943). */
  #common(config: Fields, digest: string): Fields {
    return {
      FunctionName: this.name,
      PackageType: this.packageType,
      MemorySize: 128,
      Timeout: 3,
      EphemeralStorage: { Size: 512 },
      CodeSize: 0,
      CodeSha256: digest.replace("sha256:", ""),
      ...config,
      ...this.#hiddenParts(),
    };
  }

  #hiddenParts(): Fields {
    const { Tags: _, ...parts } = this.hidden;
    return Object.fromEntries(Object.entries(parts).map(([name, error]) => [name, { Error: error }]));
  }
}
