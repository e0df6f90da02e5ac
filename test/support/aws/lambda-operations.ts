import { ACCOUNT } from "../ecr/ecr.ts";
import { FakeFunction, type Fields } from "./functions.ts";
import { digestOf } from "./lambda-images.ts";
import {
  conflict,
  denied,
  invalid,
  type LambdaAnswer,
  type LambdaCall,
  missing,
  stale,
} from "./lambda-wire.ts";

/** Entries of one page: few, so that pages are met. */
const PAGE = 2;

/** Operations of the Lambda API, by name; input and output as in the API reference. */
export const lambdaOperations: Readonly<Record<string, (call: LambdaCall) => LambdaAnswer>> = {
  GetFunction: (call) => {
    const found = functionOf(call);
    found.look();
    const qualifier = call.query.get("Qualifier") ?? "$LATEST";
    const Configuration = found.configuration(qualifier);
    if (!Configuration) throw missing(`${found.arn}:${qualifier}`);
    const digest = `sha256:${String(Configuration["CodeSha256"])}`;
    const image =
      found.versions.find(({ version }) => version === Configuration["Version"])?.image ?? found.image;
    const Code =
      found.packageType === "Zip"
        ? { RepositoryType: "S3", Location: "https://example.com/code.zip" }
        : {
            RepositoryType: "ECR",
            ImageUri: image,
            ResolvedImageUri: `${image.replace(/[:@][^/]*$/, "")}@${digest}`,
          };
    const { tags, hidden, reservedConcurrency: reserved } = found;
    return {
      body: {
        Configuration,
        Code,
        ...(hidden.Tags && { TagsError: hidden.Tags }),
        ...(!hidden.Tags && Object.keys(tags).length > 0 && { Tags: tags }),
        ...(reserved !== undefined && { Concurrency: { ReservedConcurrentExecutions: reserved } }),
      },
    };
  },
  CreateFunction: (call) => {
    const { lambda, region, input } = call;
    const name = String(input["FunctionName"]).replace(/^.*:function:/, "");
    const arn = `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`;
    if (lambda.functions.has(`${region}/${name}`)) throw conflict(`Function already exist: ${name}`);
    const { Role, PackageType: _, Code, FunctionName: __, Tags = {}, ...config } = input;
    if (lambda.denied.has("iam:PassRole")) throw denied("iam:PassRole", String(Role));
    if (lambda.roleNotReady > 0) {
      lambda.roleNotReady -= 1;
      throw invalid("The role defined for the function cannot be assumed by Lambda.");
    }
    const image = String((Code as Fields)["ImageUri"]);
    const made = new FakeFunction(name, arn, { ...shaped(config), Role }, image, digestOf(call, image));
    made.tags = Tags as Readonly<Record<string, string>>;
    made.begin("create", lambda.nextOutcome());
    lambda.functions.set(`${region}/${name}`, made);
    return { status: 201, body: made.configuration() };
  },
  UpdateFunctionCode: (call) => {
    const found = freeFunction(call);
    const { input } = call;
    if (
      found.state === "Failed" &&
      found.stateReasonCode !== "ImageDeleted" &&
      found.stateReasonCode !== "ImageAccessDenied"
    )
      throw conflict(
        `The operation cannot be performed at this time. The function is currently in the following state: Failed`,
      );
    checkRevision(found, input);
    if (found.packageType !== "Image")
      throw invalid("Please do not provide ImageUri when updating a function with packageType Zip.");
    const image = String(input["ImageUri"]);
    const digest = digestOf(call, image);
    found.before = { image: found.image, digest: found.digest, config: found.config };
    found.image = image;
    found.digest = digest;
    if (input["Architectures"]) found.config = { ...found.config, Architectures: input["Architectures"] };
    found.begin("update", call.lambda.nextOutcome());
    return { body: found.configuration() };
  },
  UpdateFunctionConfiguration: (call) => {
    const found = freeFunction(call);
    const { RevisionId: _, FunctionName: __, ...config } = call.input;
    checkRevision(found, call.input);
    if (call.lambda.denied.has("iam:PassRole") && config["Role"])
      throw denied("iam:PassRole", String(config["Role"]));
    found.before = { image: found.image, digest: found.digest, config: found.config };
    found.config = { ...found.config, ...shaped(config) };
    found.begin("update", call.lambda.nextOutcome());
    return { body: found.configuration() };
  },
  TagResource: (call) => {
    const found = functionOf({ ...call, name: call.name.replace(/^.*:function:/, "") });
    found.tags = { ...found.tags, ...(call.input["Tags"] as Readonly<Record<string, string>>) };
    return { status: 204, body: "" };
  },
  DeleteFunction: (call) => {
    functionOf(call);
    call.lambda.functions.delete(`${call.region}/${call.name}`);
    return { status: 204, body: "" };
  },
  PublishVersion: (call) => {
    const found = freeFunction(call);
    const wanted = call.input["CodeSha256"];
    checkRevision(found, call.input);
    if (wanted !== undefined && `sha256:${String(wanted)}` !== found.digest)
      throw invalid(`CodeSHA256 (${String(wanted)}) is different from current CodeSHA256 in $LATEST`);
    const made = found.publish();
    return { status: 201, body: found.configuration(made.version) };
  },
  ListVersionsByFunction: (call) => {
    const found = functionOf(call);
    const all = ["$LATEST", ...found.versions.map(({ version }) => version)];
    return page(
      call,
      "Versions",
      all.map((version) => found.configuration(version)),
    );
  },
  ListAliases: (call) => page(call, "Aliases", [...functionOf(call).aliases.values()]),
  ListEventSourceMappings: (call) => page(call, "EventSourceMappings", functionOf(call).eventSources),
  ListFunctionUrlConfigs: (call) => page(call, "FunctionUrlConfigs", functionOf(call).urls),
  ListFunctionEventInvokeConfigs: (call) =>
    page(call, "FunctionEventInvokeConfigs", functionOf(call).asynchronous),
  GetPolicy: (call) => {
    const { policy: Policy } = functionOf(call);
    if (Policy === undefined) throw missing("The resource you requested does not exist.");
    return { body: { Policy } };
  },
  GetAlias: (call) => {
    const alias = functionOf(call).aliases.get(call.more);
    if (!alias) throw missing(`Cannot find alias arn: ${functionOf(call).arn}:${call.more}`);
    return { body: alias };
  },
  CreateAlias: (call) => {
    const found = functionOf(call);
    const name = String(call.input["Name"]);
    if (found.aliases.has(name)) throw conflict(`Alias already exists: ${found.arn}:${name}`);
    return { status: 201, body: setAlias(found, name, call.input) };
  },
  UpdateAlias: (call) => {
    const found = functionOf(call);
    const alias = found.aliases.get(call.more);
    if (!alias) throw missing(`Cannot find alias arn: ${found.arn}:${call.more}`);
    const { RevisionId } = call.input;
    if (RevisionId !== undefined && RevisionId !== alias["RevisionId"]) throw stale();
    return { body: setAlias(found, call.more, { ...alias, ...call.input }) };
  },
  ListFunctions: (call) => {
    const { lambda, region, query } = call;
    const own = [...lambda.functions].flatMap(([key, one]) => (key.startsWith(`${region}/`) ? [one] : []));
    const all = query.get("FunctionVersion") === "ALL";
    return page(
      call,
      "Functions",
      own.flatMap((one) => [
        one.configuration(),
        ...(all ? one.versions.map(({ version }) => one.configuration(version)) : []),
      ]),
    );
  },
  Invoke: (call) => {
    const qualifier = call.query.get("Qualifier") ?? "$LATEST";
    functionOf(call);
    call.lambda.invoked.push(`${call.name}:${qualifier}`);
    return call.lambda.invocation;
  },
};

function functionOf({ lambda, region, name }: LambdaCall): FakeFunction {
  const found = lambda.functions.get(`${region}/${name}`);
  if (!found) throw missing(`Function not found: arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`);
  return found;
}

function freeFunction(call: LambdaCall): FakeFunction {
  const found = functionOf(call);
  if (!found.pending) return found;
  throw conflict(
    `The operation cannot be performed at this time. An update is in progress for resource: ${found.arn}`,
  );
}

function checkRevision({ revisionId }: FakeFunction, { RevisionId }: Fields): void {
  if (RevisionId !== undefined && RevisionId !== revisionId) throw stale();
}

function setAlias(found: FakeFunction, name: string, input: Fields): Fields {
  const version = String(input["FunctionVersion"]);
  if (!found.versions.some((one) => one.version === version))
    throw missing(`Function not found: ${found.arn}:${version}`);
  const alias = {
    AliasArn: `${found.arn}:${name}`,
    Name: name,
    FunctionVersion: version,
    RoutingConfig: input["RoutingConfig"] ?? { AdditionalVersionWeights: {} },
    RevisionId: `${name}-${Math.random()}`,
  };
  found.aliases.set(name, alias);
  return alias;
}

/** ImageConfig goes in plain and comes out wrapped. */
function shaped({ ImageConfig, ...config }: Fields): Fields {
  return ImageConfig === undefined ? config : { ...config, ImageConfigResponse: { ImageConfig } };
}

function page({ query }: LambdaCall, what: string, all: readonly unknown[]): LambdaAnswer {
  const from = Number(query.get("Marker") ?? 0);
  const more = from + PAGE < all.length;
  return { body: { [what]: all.slice(from, from + PAGE), ...(more && { NextMarker: String(from + PAGE) }) } };
}
