import dns from "node:dns";

/** What a look-up ends in: this machine, an address where nobody listens, or an error of the name service. */
export type LookedUp = "here" | "nobody" | "ENOTFOUND" | "EAI_AGAIN";

const names = new Map<string, () => LookedUp>();
const real = dns.lookup;
let isInstalled = false;

/**
 * The name service of this process, for one name: `answer` is asked at each look-up, until the returned function is called.
 * Sockets that are opened by name go through it; the product knows nothing of it.
 */
export function resolveName(name: string, answer: () => LookedUp): () => void {
  names.set(name, answer);
  if (!isInstalled) Object.assign(dns, { lookup });
  isInstalled = true;
  return () => names.delete(name);
}

type Done = (error: Error | null, address: unknown, family?: number) => void;

function lookup(name: string, options: { readonly all?: boolean }, done: Done): void {
  const answer = names.get(name)?.();
  // The types of dns.lookup are seven overloads; node:net uses this one.
  if (answer === undefined) real(name, options as dns.LookupAllOptions, done);
  else setImmediate(() => tell(name, answer, options.all === true, done));
}

function tell(name: string, answer: LookedUp, all: boolean, done: Done): void {
  if (answer === "ENOTFOUND" || answer === "EAI_AGAIN") {
    const error = Object.assign(new Error(`getaddrinfo ${answer} ${name}`), { code: answer });
    done(error, all ? [] : "");
    return;
  }
  // The servers of the tests listen on 127.0.0.1 only.
  const address = answer === "here" ? "127.0.0.1" : "127.0.0.2";
  done(null, all ? [{ address, family: 4 }] : address, 4);
}
