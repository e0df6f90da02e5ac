import type { Repository } from "../ecr/content/repositories.ts";
import { invalid, type LambdaCall } from "./lambda-wire.ts";

/** The digest behind an image, as Lambda resolves it once; refused where it is not there or not Lambda's to read. */
export function digestOf({ lambda, region }: LambdaCall, image: string): string {
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
