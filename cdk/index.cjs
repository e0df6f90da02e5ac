"use strict";
const { AssetStaging, Stack } = require("aws-cdk-lib");
const { Code, DockerImageCode } = require("aws-cdk-lib/aws-lambda");

/** What would make the hash of an asset depend on earlier runs. */
const NOT_STAGED = ["cdk.out", ".lambda-pack", ".git"];

/** What the CDK runs when it publishes: the program that stands in for docker, from the directory of the assembly. */
const BUILD = 'exec "${CDK_DOCKER:-lambda-pack-docker}" pack "$@"';

/** The code of a DockerImageFunction that lambda-pack builds when the CDK publishes its assets. */
class LambdaPackImageCode {
  /**
   * @param directory the source directory; it is copied into the cloud assembly
   * @param options those of `build` that say what is in the image; paths in them begin at `directory`
   */
  static fromDirectory(directory, options = {}) {
    // The CDK asks for nothing else of a DockerImageCode.
    const code = Object.create(DockerImageCode.prototype);
    code._bind = (architecture) => new DirectoryCode(directory, withArchitecture(options, architecture));
    return code;
  }
}

/** The function decides the architecture; x86_64 is the CDK's default. */
function withArchitecture(options, architecture) {
  const arch = architecture === undefined ? "x86_64" : architecture.name;
  if (options.arch === undefined || options.arch === arch) return { ...options, arch };
  throw new Error(
    `the function runs on ${arch}, and its code has arch ${JSON.stringify(options.arch)}: leave out arch, or change the architecture of the function`,
  );
}

class DirectoryCode extends Code {
  isInline = false;

  constructor(directory, options) {
    super();
    this.directory = directory;
    this.options = options;
  }

  bind(scope) {
    const stack = Stack.of(scope);
    const options = JSON.stringify(this.options);
    const staging = new AssetStaging(scope, "LambdaPackImage", {
      sourcePath: this.directory,
      exclude: NOT_STAGED,
      extraHash: options,
    });
    const { imageUri } = stack.synthesizer.addDockerImageAsset({
      sourceHash: staging.assetHash,
      executable: ["sh", "-c", BUILD, "lambda-pack", staging.relativeStagedPath(stack), options],
      displayName: scope.node.path,
    });
    return { image: { imageUri } };
  }
}

module.exports = { LambdaPackImageCode };
