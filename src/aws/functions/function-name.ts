import { LambdaPackError } from "../../errors.ts";
import { checkRegion } from "../regions.ts";

/** A function as a user names it. If it has no region, options or the environment give one. */
export interface FunctionName {
  readonly name: string;
  readonly region?: string;
  /** Account of the function, where the user named it. Default: the caller's own. */
  readonly accountId?: string;
}

/** One function in one region. */
export interface FunctionPlace extends FunctionName {
  readonly region: string;
}

const ARN = /^arn:[a-z-]+:lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]{1,64})$/;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Parses a name or an ARN without version or alias. @throws USAGE. */
export function parseFunctionName(text: string): FunctionName {
  if (NAME.test(text)) return { name: text };
  const [, region, accountId, name] = ARN.exec(text) ?? [];
  if (region !== undefined && accountId !== undefined && name !== undefined)
    return { name, region: checkRegion(region), accountId };
  throw new LambdaPackError("USAGE", `${JSON.stringify(text.slice(0, 170))} is not the name of a function`, {
    hint: "give a name of up to 64 of A-Z a-z 0-9 - _, or the function's ARN; versions and aliases have flags of their own",
  });
}

/**
 * Returns the function in `region`.
 * @throws USAGE if its ARN is of another region
 */
export function placeIn(name: FunctionName, region: string): FunctionPlace {
  if (name.region === undefined || name.region === region) return { ...name, region };
  throw new LambdaPackError("USAGE", `the function ${name.name} is in ${name.region}, not in ${region}`, {
    hint: "leave out --region, or give the name of the function instead of its ARN",
  });
}

/** Formats the function for the API: its name, or a partial ARN. */
export function functionId({ name, accountId }: FunctionPlace): string {
  return accountId === undefined ? name : `${accountId}:function:${name}`;
}

/** Formats the function, or one of its versions, for a message. */
export function formatVersion(place: FunctionPlace, version: string | undefined): string {
  const isFunction = version === undefined || version === "$LATEST";
  return `${isFunction ? "the function" : `version ${version} of`} ${formatPlace(place)}`;
}

export function formatPlace({ name, region }: FunctionPlace): string {
  return `${name} in ${region}`;
}
