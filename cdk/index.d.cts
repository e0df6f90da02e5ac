import type { DockerImageCode } from "aws-cdk-lib/aws-lambda";
import type { BuildOptions } from "lambda-pack" with { "resolution-mode": "import" };

/** Options of `build` that say what is in the image. Paths in them begin at the source directory. */
export type LambdaPackImageOptions = Omit<
  BuildOptions,
  "directory" | "to" | "tag" | "createRepo" | "dryRun" | "environment" | "onEvent" | "signal" | "ownFiles"
>;

/** The code of a DockerImageFunction that lambda-pack builds when the CDK publishes its assets. */
export declare class LambdaPackImageCode {
  private constructor();
  /**
   * @param directory the source directory; it is copied into the cloud assembly
   * @throws Error, when the function is made, where `arch` is not the function's architecture
   */
  static fromDirectory(directory: string, options?: LambdaPackImageOptions): DockerImageCode;
}
