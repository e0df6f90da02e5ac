/** What the name of a private ECR registry says. Its region and kind decide which API hands out its login, whatever AWS_REGION is. */
export interface EcrHost {
  /** Twelve digits. */
  readonly accountId: string;
  readonly region: string;
  readonly fips: boolean;
  /** Reached over IPv6 too. */
  readonly dualStack: boolean;
}

/** amazon-ecr-credential-helper, ecr-login/api/client.go: whole, as `….amazonaws.com.fake.example.com` must not get a login. */
const PRIVATE =
  /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-zA-Z0-9][a-zA-Z0-9-_]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;

/** `host` as a reference has it, without scheme and path. undefined: it is no private ECR registry. */
export function parseEcrHost(host: string): EcrHost | undefined {
  const [, accountId, separator, fips, region] = PRIVATE.exec(host) ?? [];
  if (accountId === undefined || region === undefined) return undefined;
  return { accountId, region: region.toLowerCase(), fips: fips !== undefined, dualStack: separator === "-" };
}
