import { ecrCredentials } from "../aws/ecr/ecr-credentials.ts";
import type { OnEvent } from "../events.ts";
import { type CredentialSource, firstOf, withFallback } from "../registry/auth/credentials.ts";
import { dockerAuths, dockerHelpers } from "../registry/auth/docker-config.ts";
import type { Environment } from "./plan.ts";

/**
 * For ECR hosts: a helper that was configured for the host, then the AWS SDK, then what `docker login` left, which is stale after
 * 12 hours (the classic trap, amazon-ecr-credential-helper README). For all others: docker's own order.
 */
export function credentialsOf(environment: Environment, onEvent: OnEvent): CredentialSource {
  return firstOf(
    dockerHelpers(environment),
    withFallback(ecrCredentials({ environment, onEvent }), dockerAuths(environment)),
  );
}
