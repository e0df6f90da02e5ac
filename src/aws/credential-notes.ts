/** What providers of the SDK say that were not asked for anything. */
const USELESS =
  /skipping|^Web identity configuration not specified|IMDS|Instance Metadata|Metadata Service|from any providers|could not be found in parsed|container metadata/i;

/**
 * A `debug` function of the SDK's logger that keeps why credential providers failed. The SDK drops
 * these reasons when the last provider of its chain has failed, too.
 */
export function noteCredentials(notes: string[]): (...content: readonly unknown[]) => void {
  return (first) => {
    const [, reason] = /^@smithy\/property-provider (?:->|\(!\)) (.*)/s.exec(String(first)) ?? [];
    if (reason !== undefined && !USELESS.test(reason) && !notes.includes(reason)) notes.push(reason);
  };
}

/** An error of the SDK, with what is known of how its credentials were looked for. */
export interface CredentialContext {
  /** Whether the error came while credentials were fetched, before AWS was sent the request itself. */
  readonly whileSigning?: boolean;
  /** Why providers of credentials failed, in their own words. */
  readonly providerNotes?: readonly string[];
}
