import type { InstalledFile, InstallRequest } from "../../../dockerfile/assemble.ts";
import { refuse } from "../../../dockerfile/refuse.ts";

/** Installs the packages of one step. @throws DOCKERFILE_REFUSED for a package manager that is not supported. */
export async function installStep({ step }: InstallRequest): Promise<readonly InstalledFile[]> {
  throw refuse(
    step,
    `RUN ${step.command}: packages are not installed from a Dockerfile yet`,
    "install them before lambda-pack build, and COPY the directory with them",
  );
}
