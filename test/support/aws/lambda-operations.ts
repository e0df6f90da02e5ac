import type { Repository } from "../ecr/repositories.ts";
import { ACCOUNT } from "../ecr.ts";
import { FakeFunction, type Fields } from "./functions.ts";
import { denied, type LambdaAnswer, type LambdaCall, LambdaException } from "./lambda-wire.ts";

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
    return { body: { Configuration, Code } };
  },
  CreateFunction: (call) => {
    const { lambda, region, input } = call;
    const name = String(input["FunctionName"]).replace(/^.*:function:/, "");
    const arn = `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`;
    if (lambda.functions.has(`${region}/${name}`)) throw conflict(`Function already exist: ${name}`);
    const { Role, PackageType: _, Code, FunctionName: __, ...config } = input;
    if (lambda.denied.has("iam:PassRole")) throw denied("iam:PassRole", String(Role));
    if (lambda.roleNotReady > 0) {
      lambda.roleNotReady -= 1;
      throw invalid("The role defined for the function cannot be assumed by Lambda.");
    }
    const image = String((Code as Fields)["ImageUri"]);
    const made = new FakeFunction(name, arn, { ...shaped(config), Role }, image, digestOf(call, image));
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

/** The digest behind an image, as Lambda resolves it once; refused where it is not there or not Lambda's to read. */
function digestOf({ lambda, region }: LambdaCall, image: string): string {
  const [, account = "", place = "", name = "", tag, digest] =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+\/([^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      image,
    ) ?? [];
  if (account === "") throw invalid(`Source image ${image} is not valid. Provide a valid source image.`);
  if (place !== region)
    throw invalid(
      `Source image ${image} is not valid. The image must be in the same region as the function.`,
    );
  const repository = lambda.ecr.registry(account, region).repositories.get(name);
  const found = digest ?? repository?.tags.get(tag ?? "latest");
  const manifest = found === undefined ? undefined : repository?.manifests.get(found);
  if (!repository || found === undefined || !manifest)
    throw invalid(`Source image ${image} does not exist. Provide a valid source image.`);
  checkPolicy(lambda.addsPolicy, repository);
  if (/index|list/.test(manifest.mediaType))
    throw invalid(
      `The image manifest, config or layer media type for the source image ${image} is not supported.`,
    );
  return found;
}

function checkPolicy(addsPolicy: boolean, repository: Repository): void {
  if (repository.policy?.includes("lambda.amazonaws.com")) return;
  if (!addsPolicy)
    throw invalid("Lambda does not have permission to access the ECR image. Check the ECR permissions.");
  const document = JSON.parse(repository.policy ?? '{"Version":"2008-10-17","Statement":[]}') as {
    readonly Statement: readonly object[];
  };
  const added = {
    Sid: "LambdaECRImageRetrievalPolicy",
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: [
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
      "ecr:SetRepositoryPolicy",
      "ecr:DeleteRepositoryPolicy",
      "ecr:GetRepositoryPolicy",
    ],
  };
  repository.policy = JSON.stringify({ ...document, Statement: [...document.Statement, added] });
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

function conflict(message: string): LambdaException {
  return new LambdaException(409, "ResourceConflictException", message);
}

function missing(message: string): LambdaException {
  return new LambdaException(404, "ResourceNotFoundException", message);
}

function invalid(message: string): LambdaException {
  return new LambdaException(400, "InvalidParameterValueException", message);
}

function stale(): LambdaException {
  return new LambdaException(
    412,
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
  );
}
